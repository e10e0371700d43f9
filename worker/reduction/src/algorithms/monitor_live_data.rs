//! MonitorLiveData: loads chunks of the live stream again and again, until it is cancelled or the run's end stops it.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load_live_data::{carry_out, judged};
use crate::declaration::{Declaration, Kind, option};
use crate::error::Result;
use crate::live::Properties;
use crate::live::properties::declare;

pub(crate) struct MonitorLiveData;

impl Algorithm for MonitorLiveData {
    fn declaration(&self) -> Declaration {
        declare(
            "MonitorLiveData",
            "Processes the live stream chunk by chunk, until it is cancelled or stopped.",
        )
        .with(option("UpdateEvery", Kind::Float, 60.0, "Time between chunks.").unit("s"))
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        let mut wrong = judged(context);
        if Properties::of(context).is_ok_and(|given| given.update_every == 0.0) {
            wrong.push(("UpdateEvery", "UpdateEvery must be > 0".into()));
        }
        wrong
    }

    fn by_member(&self) -> bool {
        false
    }

    fn records_history(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        carry_out(context, |live, request, cancel| live.monitor(request, cancel))
    }
}
