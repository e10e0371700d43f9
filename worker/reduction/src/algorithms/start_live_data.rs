//! StartLiveData: a first chunk of the live stream, then further chunks in the background.

use live_data_crd::live::LiveProperty;

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load_live_data::{execute_request, property_errors};
use crate::declaration::Declaration;
use crate::error::Result;
use crate::live::properties::{declare, declared};

pub(crate) struct StartLiveData;

impl Algorithm for StartLiveData {
    fn declaration(&self) -> Declaration {
        let own = [
            LiveProperty::FromNow,
            LiveProperty::FromStartOfRun,
            LiveProperty::FromTime,
            LiveProperty::UpdateEvery,
        ];
        let common = declare("StartLiveData", "Starts to process the live stream, chunk by chunk.");
        own.into_iter()
            .map(declared)
            .fold(common, |declaration, property| declaration.with(property))
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
        execute_request(context, |live, request, cancel| live.start(request, cancel))
    }
}
