//! Lists of detector ids (`<idlist>`). Promises: ids fit 32 bits; a list larger than any instrument is refused. Must not:
//! know components.

use std::sync::Arc;

use roxmltree::Node;

use super::element::{children, number};
use super::limits::MAX_DETECTORS;

/// Id list with the index of the next unused id.
#[derive(Default)]
pub(super) struct IdCursor {
    pub(super) ids: Arc<[i32]>,
    pub(super) next: usize,
}

/// Ids of an `<idlist>` in its order.
pub(super) fn id_list(list: Node<'_, '_>) -> Result<Vec<i32>, String> {
    let mut ids = Vec::new();
    let mut range = |node: Node<'_, '_>| -> Result<(), String> {
        if let Some(value) = number(node, "val") {
            ids.push(value as i32);
            return Ok(());
        }
        let Some(start) = number(node, "start") else {
            return Ok(());
        };
        let (start, end) = (start as i64, number(node, "end").unwrap_or(start) as i64);
        let step = number(node, "step").unwrap_or(1.0) as i64;
        if step == 0 || (end - start).signum() * step.signum() < 0 {
            return Err(format!("the ids from {start} to {end} have the step {step}"));
        }
        if (end - start) / step > MAX_DETECTORS as i64 {
            return Err(format!("the ids from {start} to {end} are more than {MAX_DETECTORS}"));
        }
        let mut id = start;
        while (step > 0 && id <= end) || (step < 0 && id >= end) {
            ids.push(i32::try_from(id).map_err(|_| format!("the id {id} does not fit 32 bits"))?);
            id += step;
        }
        Ok(())
    };
    range(list)?;
    for node in children(list, "id") {
        range(node)?;
    }
    Ok(ids)
}
