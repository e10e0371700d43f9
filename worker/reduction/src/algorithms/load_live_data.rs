//! LoadLiveData: one chunk of the live stream, processed and put together with those before; and what StartLiveData and
//! MonitorLiveData share with it.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::Declaration;
use crate::error::{Result, failed};
use crate::live::properties::declare;
use crate::live::{LiveData, Properties, Request};
use crate::value::Value;

pub(crate) struct LoadLiveData;

impl Algorithm for LoadLiveData {
    fn declaration(&self) -> Declaration {
        declare(
            "LoadLiveData",
            "Loads what the live stream has brought since the last call, and processes it.",
        )
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        judged(context)
    }

    fn by_member(&self) -> bool {
        false
    }

    fn records_history(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        carry_out(context, |live, request, cancel| live.load(request, cancel))
    }
}

/// What is wrong with the properties.
pub(crate) fn judged(context: &Context<'_>) -> Vec<(&'static str, String)> {
    Properties::of(context)
        .ok()
        .and_then(|given| given.judge().err())
        .unwrap_or_default()
}

/// Hands a request to whoever carries it out, and returns the workspaces that it made.
pub(crate) fn carry_out(
    context: &mut Context<'_>,
    act: impl FnOnce(&Arc<dyn LiveData>, &Request, &Cancel) -> Result<Option<DateAndTime>>,
) -> Result<()> {
    let request = match Properties::of(context)?.judge() {
        Ok(request) => request,
        Err(wrong) => {
            let texts: Vec<String> = wrong
                .into_iter()
                .map(|(name, text)| format!("{name}: {text}"))
                .collect();
            return failed(texts.join("\n"));
        }
    };
    let last = act(context.service.live.get()?, &request, context.cancel)?;
    let names = [
        ("AccumulationWorkspace", request.accumulation_workspace.as_deref()),
        ("OutputWorkspace", Some(&*request.output_workspace)),
    ];
    for (property, name) in names {
        if let Some(held) = name.and_then(|name| context.service.data.get(name)) {
            context.output_value(property, Value::Workspace(held))?;
        }
    }
    let last = last.map(DateAndTime::to_iso_nanoseconds).unwrap_or_default();
    context.output_value("LastTimeStamp", Value::Str(last))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::Bench;

    #[test]
    fn without_a_stream_it_says_so_and_mistakes_come_first() {
        let bench = Bench::new();
        let base = [("Instrument", "MERLIN".into()), ("OutputWorkspace", "out".into())];
        for name in ["StartLiveData", "MonitorLiveData", "LoadLiveData"] {
            let error = bench.try_run(name, &base).unwrap_err().to_string();
            assert!(error.starts_with("there is no live stream here"), "{name}: {error}");
            let error = bench.try_run(name, &base[..1]).unwrap_err().to_string();
            assert!(
                error.contains("OutputWorkspace: Must specify the OutputWorkspace."),
                "{name}: {error}"
            );
        }
        let mut both = base.to_vec();
        both.push(("FromStartOfRun", true.into()));
        let error = bench.try_run("StartLiveData", &both).unwrap_err().to_string();
        assert!(
            error.contains("Please check exactly one of FromNow, FromStartOfRun, FromTime."),
            "{error}"
        );
        let mut never = base.to_vec();
        never.push(("UpdateEvery", 0_i64.into()));
        let error = bench.try_run("MonitorLiveData", &never).unwrap_err().to_string();
        assert!(error.contains("UpdateEvery must be > 0"), "{error}");
        assert!(
            bench.try_run("StartLiveData", &base[1..]).is_err(),
            "the instrument must be named"
        );
    }
}
