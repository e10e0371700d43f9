//! Metrics as tables: each metric is declared once, with its type, its name in `/metrics` and its help.
//!
//! Promises: the macro `counters!` makes the struct's fields and its list of metrics from one table, so that a new
//! metric is one line. It must not format the page: the worker does.

/// Value of a metric, and with it its type in OpenMetrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// Counter: never falls in the life of the process; `/metrics` appends `_total` to the name.
    Counter(u64),
    /// Gauge without a unit.
    Gauge(f64),
    /// Gauge in bytes; `/metrics` appends `_bytes` to the name.
    Bytes(u64),
}

/// One metric of `/metrics` at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Without the prefix `live_data_` and without the suffix of the type or unit.
    pub name: &'static str,
    /// Text of the `# HELP` line, without a full stop.
    pub help: &'static str,
    pub value: MetricValue,
}

/// Declares a struct of counters and gauges. A field with `=> Variant "name", "help"` is also listed by the struct's
/// `metrics()`.
macro_rules! counters {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_attribute:meta])*
                $field:ident: $type:ty $(=> $variant:ident $metric:literal, $help:literal)?,
            )*
        }
    ) => {
        $(#[$attribute])*
        pub struct $name {
            $($(#[$field_attribute])* pub $field: $type,)*
        }

        impl $name {
            /// Metrics of the fields that have a name in `/metrics`, in the order of their declaration.
            #[must_use]
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless)]
            pub fn metrics(&self) -> Vec<$crate::metric::Metric> {
                vec![$($(
                    $crate::metric::Metric {
                        name: $metric,
                        help: $help,
                        value: $crate::metric::MetricValue::$variant(self.$field as _),
                    },
                )?)*]
            }
        }
    };
}

pub(crate) use counters;
