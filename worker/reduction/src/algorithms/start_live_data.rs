//! StartLiveData: loads a first chunk of the live stream, and goes on loading in the background.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load_live_data::carry_out;
use crate::declaration::{Declaration, Kind, option};
use crate::error::Result;
use crate::live::Properties;
use crate::live::properties::declare;

pub(crate) struct StartLiveData;

impl Algorithm for StartLiveData {
    fn declaration(&self) -> Declaration {
        declare("StartLiveData", "Begins to process the live stream, chunk by chunk.")
            .with(option(
                "FromNow",
                Kind::Bool,
                true,
                "Begin with what comes from now on.",
            ))
            .with(option(
                "FromStartOfRun",
                Kind::Bool,
                false,
                "Begin with the start of the newest run.",
            ))
            .with(option("FromTime", Kind::Bool, false, "Begin at StartTime."))
            .with(
                option(
                    "UpdateEvery",
                    Kind::Float,
                    60.0,
                    "Time between chunks; 0 for one chunk only.",
                )
                .unit("s"),
            )
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        Properties::of(context)
            .ok()
            .and_then(|given| given.judge().err())
            .unwrap_or_default()
    }

    fn by_member(&self) -> bool {
        false
    }

    fn records_history(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        carry_out(context, |live, request, cancel| live.start(request, cancel))
    }
}
