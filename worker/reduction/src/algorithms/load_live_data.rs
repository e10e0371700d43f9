//! LoadLiveData: one chunk of the live stream, processed and accumulated.
//!
//! StartLiveData and MonitorLiveData share its validation and execution.

use std::sync::Arc;

use live_data_crd::live::LivePropertyError;
use live_data_engine::cancel::Cancel;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::Declaration;
use crate::error::{Result, failed};
use crate::live::properties::{declare, given_properties, parse_request};
use crate::live::{LiveData, LiveRequest};
use crate::value::Value;

pub(crate) struct LoadLiveData;

impl Algorithm for LoadLiveData {
    fn declaration(&self) -> Declaration {
        declare(
            "LoadLiveData",
            "Loads the live stream's data since the last call, and processes them.",
        )
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        property_errors(context)
    }

    fn by_member(&self) -> bool {
        false
    }

    fn records_history(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        execute_request(context, |live, request, cancel| live.load(request, cancel))
    }
}

/// Errors of the live properties: name and text of each.
pub(crate) fn property_errors(context: &Context<'_>) -> Vec<(&'static str, String)> {
    let errors = given_properties(context)
        .ok()
        .and_then(|(instrument, spec)| parse_request(&instrument, &spec).err());
    let pair = |error: LivePropertyError| (error.property.name(), error.message);
    errors.unwrap_or_default().into_iter().map(pair).collect()
}

/// Passes the request to `act`, and outputs the workspaces and the last time stamp.
///
/// # Errors
/// `Execution` with every property error, one a line; the errors of `act`; a service without live data.
pub(crate) fn execute_request(
    context: &mut Context<'_>,
    act: impl FnOnce(&Arc<dyn LiveData>, &LiveRequest, &Cancel) -> Result<Option<DateAndTime>>,
) -> Result<()> {
    let (instrument, spec) = given_properties(context)?;
    let request = match parse_request(&instrument, &spec) {
        Ok(request) => request,
        Err(wrong) => {
            let texts: Vec<String> = wrong
                .into_iter()
                .map(|error| format!("{}: {}", error.property.name(), error.message))
                .collect();
            return failed(texts.join("\n"));
        }
    };
    let last = act(context.services.live.get()?, &request, context.cancel)?;
    let names = [
        ("AccumulationWorkspace", request.accumulation_workspace.as_deref()),
        ("OutputWorkspace", Some(&*request.output_workspace)),
    ];
    for (property, name) in names {
        if let Some(workspace) = name.and_then(|name| context.services.data.get(name)) {
            context.output_value(property, Value::Workspace(workspace))?;
        }
    }
    let last = last.map(DateAndTime::to_iso_nanoseconds).unwrap_or_default();
    context.output_value("LastTimeStamp", Value::Str(last))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn without_a_stream_it_says_so_and_mistakes_come_first() {
        let fixture = AlgorithmFixture::new();
        let base = [("Instrument", "MERLIN".into()), ("OutputWorkspace", "out".into())];
        for name in ["StartLiveData", "MonitorLiveData", "LoadLiveData"] {
            let error = fixture.try_run(name, &base).unwrap_err().to_string();
            assert!(error.starts_with("there is no live stream here"), "{name}: {error}");
            let error = fixture.try_run(name, &base[..1]).unwrap_err().to_string();
            assert!(
                error.contains("OutputWorkspace: Must specify the OutputWorkspace."),
                "{name}: {error}"
            );
        }
        let mut both = base.to_vec();
        both.push(("FromStartOfRun", true.into()));
        let error = fixture.try_run("StartLiveData", &both).unwrap_err().to_string();
        assert!(
            error.contains("Please check exactly one of FromNow, FromStartOfRun, FromTime."),
            "{error}"
        );
        let mut never = base.to_vec();
        never.push(("UpdateEvery", 0_i64.into()));
        let error = fixture.try_run("MonitorLiveData", &never).unwrap_err().to_string();
        assert!(error.contains("UpdateEvery must be > 0"), "{error}");
        assert!(
            fixture.try_run("StartLiveData", &base[1..]).is_err(),
            "the instrument must be named"
        );
    }
}
