//! MonitorLiveData: chunks of the live stream one after another, until it is cancelled or the end of a run stops it.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load_live_data::{execute_request, property_errors};
use crate::declaration::{Declaration, PropertyKind, option};
use crate::error::Result;
use crate::live::properties::{declare, given_properties};

pub(crate) struct MonitorLiveData;

impl Algorithm for MonitorLiveData {
    fn declaration(&self) -> Declaration {
        declare(
            "MonitorLiveData",
            "Processes the live stream chunk by chunk, until it is cancelled or stopped.",
        )
        .with(
            option(
                "UpdateEvery",
                PropertyKind::Float,
                60.0,
                "Interval between chunks, above 0.",
            )
            .unit("s"),
        )
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        let mut wrong = property_errors(context);
        if given_properties(context).is_ok_and(|(_, spec)| spec.update_interval() == 0.0) {
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
        execute_request(context, |live, request, cancel| live.monitor(request, cancel))
    }
}
