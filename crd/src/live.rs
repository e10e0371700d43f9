//! Properties of Mantid's StartLiveData, declared once in the table `live_properties!`.
//!
//! Four interfaces follow from the table: the resource's field `spec.live`, the operator's variables `LIVE_…`, the worker's
//! flags `--live-…`, and the properties of the native algorithms.
//!
//! Promises: a property is added in one place; all errors of a value set are reported at once, with Mantid's messages.
//! Must not need kube: the worker uses it without the feature.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use strum::{Display as DisplayName, EnumString, VariantNames};

/// Message for several processing methods.
const ONE_PROCESSING_METHOD: &str = "Only specify one processing method";
/// Message for several post-processing methods.
const ONE_POST_PROCESSING_METHOD: &str = "Only specify one post processing method";
/// Message for post-processing without a workspace to accumulate in.
const ACCUMULATION_WORKSPACE_NEEDED: &str = "Must specify the AccumulationWorkspace parameter if using PostProcessing.";
/// Message for one workspace as accumulation and output.
const ACCUMULATION_WORKSPACE_DIFFERS: &str =
    "The AccumulationWorkspace must be different than the OutputWorkspace, when using PostProcessing.";
/// Message for none or several of the three start options.
const ONE_START: &str = "Please check exactly one of FromNow, FromStartOfRun, FromTime.";
/// Message for a missing output workspace.
const OUTPUT_WORKSPACE_NEEDED: &str = "Must specify the OutputWorkspace.";

/// Declares [`LiveSpec`], [`LiveProperty`] and the access by property from one table.
///
/// A row is: attributes, field: type = Mantid's name, kind, default as text, documentation.
macro_rules! live_properties {
    (
        $(#[$spec_attribute:meta])*
        LiveSpec {
            $(
                $(#[$attribute:meta])*
                $field:ident: $type:ident = $property:ident, $kind:expr, $default:literal, $documentation:tt;
            )*
        }
    ) => {
        $(#[$spec_attribute])*
        /// Values of StartLiveData's properties, under Mantid's names in camelCase; `None` for those that are not set.
        pub struct LiveSpec {
            $(
                #[doc = $documentation]
                #[serde(skip_serializing_if = "Option::is_none")]
                $(#[$attribute])*
                pub $field: Option<$type>,
            )*
        }

        /// Property of StartLiveData, by Mantid's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, DisplayName)]
        pub enum LiveProperty {
            $(
                #[doc = $documentation]
                $property,
            )*
        }

        impl LiveProperty {
            /// All properties, in the order of the resource's fields and of the variables.
            pub const ALL: &'static [Self] = &[$(Self::$property),*];

            /// Mantid's name, such as `ProcessingAlgorithm`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$property => stringify!($property),)*
                }
            }

            /// Kind of value that [`LiveSpec::set`] accepts.
            pub const fn kind(self) -> LivePropertyKind {
                use LivePropertyKind::{Choice, File, Flag, Seconds, Text};
                match self {
                    $(Self::$property => $kind,)*
                }
            }

            /// Mantid's default as text; empty for none.
            pub const fn default_value(self) -> &'static str {
                match self {
                    $(Self::$property => $default,)*
                }
            }

            /// Sentence for help texts, with other properties' names in camelCase between backticks.
            pub const fn documentation(self) -> &'static str {
                match self {
                    $(Self::$property => $documentation,)*
                }
            }
        }

        impl LiveSpec {
            /// Value of a property as text; `None` if it is not given.
            pub fn get(&self, property: LiveProperty) -> Option<String> {
                match property {
                    $(LiveProperty::$property => self.$field.as_ref().map(ToString::to_string),)*
                }
            }

            /// Sets a property from text.
            ///
            /// # Errors
            /// [`LivePropertyError`] if the text is not of the property's [`LiveProperty::kind`].
            pub fn set(&mut self, property: LiveProperty, text: &str) -> Result<(), LivePropertyError> {
                match property {
                    $(LiveProperty::$property => self.$field = Some(parse(property, text)?),)*
                }
                Ok(())
            }
        }
    };
}

live_properties! {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
    #[serde(default, rename_all = "camelCase")]
    #[cfg_attr(feature = "kube", schemars(extend("x-kubernetes-validations" = [
        {
            "rule": "[has(self.processingAlgorithm), has(self.processingScript), has(self.processingScriptFilename)].filter(x, x).size() <= 1",
            "message": ONE_PROCESSING_METHOD
        },
        {
            "rule": "[has(self.postProcessingAlgorithm), has(self.postProcessingScript), has(self.postProcessingScriptFilename)].filter(x, x).size() <= 1",
            "message": ONE_POST_PROCESSING_METHOD
        },
        {
            "rule": "!(has(self.postProcessingAlgorithm) || has(self.postProcessingScript) || has(self.postProcessingScriptFilename)) || has(self.accumulationWorkspace)",
            "message": ACCUMULATION_WORKSPACE_NEEDED,
            "fieldPath": ".accumulationWorkspace"
        },
        {
            "rule": "!has(self.accumulationWorkspace) || !has(self.outputWorkspace) || self.accumulationWorkspace != self.outputWorkspace",
            "message": ACCUMULATION_WORKSPACE_DIFFERS,
            "fieldPath": ".accumulationWorkspace"
        },
        {
            "rule": "[has(self.fromNow) && self.fromNow, has(self.fromStartOfRun) && self.fromStartOfRun, has(self.fromTime) && self.fromTime].filter(x, x).size() <= 1 && (!has(self.fromNow) || self.fromNow || (has(self.fromStartOfRun) && self.fromStartOfRun) || (has(self.fromTime) && self.fromTime))",
            "message": ONE_START
        },
        {
            "rule": "has(self.startTime) == (has(self.fromTime) && self.fromTime)",
            "message": "startTime is given exactly with fromTime",
            "fieldPath": ".startTime"
        },
        {
            "rule": "has(self.outputWorkspace)",
            "message": OUTPUT_WORKSPACE_NEEDED,
            "fieldPath": ".outputWorkspace"
        }
    ])))]
    LiveSpec {
        #[cfg_attr(feature = "kube", schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_]{0,127}$")))]
        processing_algorithm: String = ProcessingAlgorithm, Text, "", "Algorithm for each chunk.";
        #[cfg_attr(feature = "kube", schemars(length(max = 8192)))]
        processing_properties: String = ProcessingProperties, Text, "", "Properties of the processing algorithm, as `Name=value;Name=value`.";
        #[cfg_attr(feature = "kube", schemars(length(max = 65_536)))]
        processing_script: String = ProcessingScript, Text, "", "Python code for each chunk; `input` is the chunk, `output` the name for the result.";
        #[cfg_attr(feature = "kube", schemars(length(max = 4096)))]
        processing_script_filename: String = ProcessingScriptFilename, File, "", "File with such Python code, as the worker sees it; read again for each chunk.";
        accumulation_method: AccumulationMethod = AccumulationMethod, Choice(AccumulationMethod::VARIANTS), "Add", "Accumulation of chunks; Add when left out.";
        preserve_events: bool = PreserveEvents, Flag, "false", "Keeps events; otherwise chunks become counts. False when left out.";
        #[cfg_attr(feature = "kube", schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_]{0,127}$")))]
        post_processing_algorithm: String = PostProcessingAlgorithm, Text, "", "Algorithm for the accumulated data.";
        #[cfg_attr(feature = "kube", schemars(length(max = 8192)))]
        post_processing_properties: String = PostProcessingProperties, Text, "", "Properties of the post-processing algorithm, as `Name=value;Name=value`.";
        #[cfg_attr(feature = "kube", schemars(length(max = 65_536)))]
        post_processing_script: String = PostProcessingScript, Text, "", "Python code for the accumulated data; `input` holds them, `output` is the name for the result.";
        #[cfg_attr(feature = "kube", schemars(length(max = 4096)))]
        post_processing_script_filename: String = PostProcessingScriptFilename, File, "", "File with such Python code, as the worker sees it; read again after each chunk.";
        run_transition_behavior: RunTransitionBehavior = RunTransitionBehavior, Choice(RunTransitionBehavior::VARIANTS), "Restart", "Action at the end of a run; Restart when left out.";
        from_now: bool = FromNow, Flag, "true", "Starts with data from now on; true when neither of the other two is.";
        from_start_of_run: bool = FromStartOfRun, Flag, "false", "Starts with the first pulse of the newest run.";
        from_time: bool = FromTime, Flag, "false", "Starts at `startTime`.";
        #[cfg_attr(feature = "kube", schemars(length(max = 40), extend("format" = "date-time")))]
        start_time: String = StartTime, Text, "", "Time to start at with `fromTime`, RFC 3339, such as 2026-03-28T10:00:00Z.";
        #[cfg_attr(feature = "kube", schemars(range(min = 0, max = 86_400)))]
        update_every: f64 = UpdateEvery, Seconds, "60", "Seconds between chunks; 60 when left out, 0 for a single chunk.";
        #[cfg_attr(feature = "kube", schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")))]
        accumulation_workspace: String = AccumulationWorkspace, Text, "", "Workspace that chunks are accumulated in; needed for post-processing.";
        #[cfg_attr(feature = "kube", schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")))]
        output_workspace: String = OutputWorkspace, Text, "", "Workspace of the result.";
    }
}

/// Accumulation of a chunk with the chunks before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize, DisplayName, EnumString, VariantNames,
)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
pub enum AccumulationMethod {
    /// Chunks are summed.
    Add,
    /// A chunk replaces the former one.
    Replace,
    /// A chunk's spectra are appended.
    Append,
}

/// Action at the end of a run.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize, DisplayName, EnumString, VariantNames,
)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
pub enum RunTransitionBehavior {
    /// The next run starts with empty workspaces.
    Restart,
    /// Processing stops.
    Stop,
    /// The workspace is kept under another name, and the next run starts with empty ones.
    Rename,
}

/// Kind of a property's value, which decides how its text is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LivePropertyKind {
    /// Any text: a name, Python code, or a time in ISO 8601.
    Text,
    /// Path of a file as the worker sees it.
    File,
    /// `true` or `false`.
    Flag,
    /// Number of seconds.
    Seconds,
    /// One of these names.
    Choice(&'static [&'static str]),
}

/// Invalid value of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePropertyError {
    pub property: LiveProperty,
    /// Sentence with Mantid's wording, without the property's name before it.
    pub message: String,
}

impl LivePropertyError {
    /// Error with a message in Mantid's wording, without the property's name before it.
    pub fn new(property: LiveProperty, message: impl Into<String>) -> Self {
        Self {
            property,
            message: message.into(),
        }
    }
}

impl LiveProperty {
    /// Environment variable of the worker: the name in capitals after `LIVE_`, such as `LIVE_PROCESSING_ALGORITHM`.
    pub fn variable(self) -> &'static str {
        static VARIABLES: LazyLock<Vec<String>> = LazyLock::new(|| {
            let name = |property: &LiveProperty| format!("LIVE{}", words(property.name(), '_').to_uppercase());
            LiveProperty::ALL.iter().map(name).collect()
        });
        VARIABLES.get(self as usize).map_or("", String::as_str)
    }

    /// Flag of the worker without its dashes, such as `live-processing-algorithm`.
    pub fn flag(self) -> &'static str {
        static FLAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
            let name = |property: &LiveProperty| format!("live{}", words(property.name(), '-').to_lowercase());
            LiveProperty::ALL.iter().map(name).collect()
        });
        FLAGS.get(self as usize).map_or("", String::as_str)
    }
}

/// `FromNow` as `_From_Now`.
fn words(name: &str, separator: char) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(separator);
        }
        words.push(letter);
    }
    words
}

fn parse<T: FromStr>(property: LiveProperty, text: &str) -> Result<T, LivePropertyError>
where
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| {
        let message = match property.kind() {
            LivePropertyKind::Choice(allowed) => format!(
                "The value \"{text}\" is not in the list of allowed values: {}",
                allowed.join(", ")
            ),
            _ => format!("{text:?} cannot be used: {error}"),
        };
        LivePropertyError::new(property, message)
    })
}

/// Trimmed text of a property; `None` if it is missing or blank.
pub fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

impl LiveSpec {
    /// Set properties with their values as text, in the order of [`LiveProperty::ALL`].
    pub fn values(&self) -> impl Iterator<Item = (LiveProperty, String)> + '_ {
        let value = |property: &LiveProperty| self.get(*property).map(|text| (*property, text));
        LiveProperty::ALL.iter().filter_map(value)
    }

    /// True if chunks are processed by an algorithm, a script or a file.
    pub fn processes_chunks(&self) -> bool {
        self.processing_algorithm.is_some()
            || self.processing_script.is_some()
            || self.processing_script_filename.is_some()
    }

    /// True if processing starts with data from now on: FromNow, or neither of the other two.
    pub fn starts_now(&self) -> bool {
        self.from_now
            .unwrap_or(self.from_start_of_run != Some(true) && self.from_time != Some(true))
    }

    /// Time between chunks in seconds, [0, 1e8]; 0 for a single chunk.
    pub fn update_interval(&self) -> f64 {
        self.update_every.unwrap_or(60.0)
    }

    /// Values that exclude or need each other, and values out of range: one error each, empty when valid.
    ///
    /// Names of algorithms and the text of StartTime are not checked: that needs the engine.
    pub fn errors(&self) -> Vec<LivePropertyError> {
        let mut errors = Vec::new();
        let mut add = |property, message: &str| errors.push(LivePropertyError::new(property, message));
        let starts = [
            self.starts_now(),
            self.from_start_of_run == Some(true),
            self.from_time == Some(true),
        ];
        if starts.iter().filter(|start| **start).count() != 1 {
            for property in [
                LiveProperty::FromNow,
                LiveProperty::FromStartOfRun,
                LiveProperty::FromTime,
            ] {
                add(property, ONE_START);
            }
        }
        if !(0.0..=1e8).contains(&self.update_interval()) {
            add(LiveProperty::UpdateEvery, "UpdateEvery must be > 0");
        }
        let output = given(&self.output_workspace);
        if output.is_none() {
            add(LiveProperty::OutputWorkspace, OUTPUT_WORKSPACE_NEEDED);
        }
        let processing = [
            (LiveProperty::ProcessingAlgorithm, &self.processing_algorithm),
            (LiveProperty::ProcessingScript, &self.processing_script),
            (LiveProperty::ProcessingScriptFilename, &self.processing_script_filename),
        ];
        let post_processing = [
            (LiveProperty::PostProcessingAlgorithm, &self.post_processing_algorithm),
            (LiveProperty::PostProcessingScript, &self.post_processing_script),
            (
                LiveProperty::PostProcessingScriptFilename,
                &self.post_processing_script_filename,
            ),
        ];
        for (methods, message) in [
            (&processing, ONE_PROCESSING_METHOD),
            (&post_processing, ONE_POST_PROCESSING_METHOD),
        ] {
            let set = || methods.iter().filter(|(_, text)| given(text).is_some());
            if set().count() > 1 {
                set().for_each(|(property, _)| add(*property, message));
            }
        }
        let post_methods = post_processing.iter().filter(|(_, text)| given(text).is_some()).count();
        let accumulation = given(&self.accumulation_workspace);
        if post_methods == 1 && accumulation.is_none() {
            add(LiveProperty::AccumulationWorkspace, ACCUMULATION_WORKSPACE_NEEDED);
        }
        if accumulation.is_some() && accumulation == output {
            add(LiveProperty::AccumulationWorkspace, ACCUMULATION_WORKSPACE_DIFFERS);
        }
        if let Some(start_time) = given(&self.start_time).filter(|_| self.from_time != Some(true)) {
            add(
                LiveProperty::StartTime,
                &format!("{start_time:?} is used with FromTime only"),
            );
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn variables_and_flags_follow_from_the_name() {
        let property = LiveProperty::PostProcessingScriptFilename;
        assert_eq!(property.variable(), "LIVE_POST_PROCESSING_SCRIPT_FILENAME");
        assert_eq!(property.flag(), "live-post-processing-script-filename");
        assert_eq!(LiveProperty::ALL.len(), 18);
    }

    #[test]
    fn every_property_is_read_back_as_it_was_set() {
        let mut spec = LiveSpec::default();
        for property in LiveProperty::ALL {
            let text = match property.kind() {
                LivePropertyKind::Text | LivePropertyKind::File => "text",
                LivePropertyKind::Flag => "true",
                LivePropertyKind::Seconds => "2.5",
                LivePropertyKind::Choice(names) => names[1],
            };
            spec.set(*property, text).unwrap();
            assert_eq!(spec.get(*property).as_deref(), Some(text), "{property}");
        }
        assert_eq!(spec.values().count(), 18);
        let error = spec.set(LiveProperty::AccumulationMethod, "Multiply").unwrap_err();
        let expected = "The value \"Multiply\" is not in the list of allowed values: Add, Replace, Append";
        assert_eq!(error.message, expected);
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let spec = LiveSpec {
            processing_algorithm: Some("Rebin".into()),
            processing_script: Some("pass".into()),
            from_now: Some(false),
            update_every: Some(f64::NAN),
            ..LiveSpec::default()
        };
        assert_eq!(spec.errors().len(), 3 + 1 + 1 + 2);
        let least = LiveSpec {
            output_workspace: Some("out".into()),
            ..LiveSpec::default()
        };
        assert_eq!((least.errors(), least.starts_now()), (Vec::new(), true));
    }
}
