//! Pixels of an NXdetector or NXmonitor: ids and positions. Promises: as many positions as ids, or an error; ids fit 32
//! bits. Positions are offsets from the detector's placement, or distances and angles from the sample, or the placement
//! itself for a detector of one pixel.

use serde_json::Value;

use super::node;
use super::transformations::{Placement, angle_unit, length_unit};
use crate::instrument::V3D;

/// Largest number of pixels, above that of any instrument.
const MAX_PIXELS: usize = 10_000_000;

/// Pixel ids of a group, under any of the names in use; `None` without ids.
pub(super) fn ids(group: &[&Value]) -> Result<Option<Vec<i32>>, String> {
    let names = ["detector_number", "detector_id", "UDET"];
    let Some((name, stored)) = names
        .into_iter()
        .find_map(|name| Some((name, node::values(node::dataset(group, name)?)?)))
    else {
        return Ok(None);
    };
    let numbers = node::numbers(stored).ok_or_else(|| format!("its {name} holds what is no number"))?;
    if numbers.len() > MAX_PIXELS {
        return Err(format!("its {name} has more than {MAX_PIXELS} ids"));
    }
    let whole = |number: &f64| {
        let fits = number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(number);
        fits.then_some(*number as i32)
            .ok_or_else(|| format!("its {name} holds {number}, which is no id"))
    };
    numbers.iter().map(whole).collect::<Result<Vec<_>, _>>().map(Some)
}

/// Numbers of the first dataset found, times the factor that `unit` gives for its unit; `None` without such a dataset.
pub(super) fn column(
    group: &[&Value],
    names: &[&str],
    unit: impl Fn(Option<&str>) -> Option<f64>,
) -> Result<Option<Vec<f64>>, String> {
    for name in names {
        let Some(dataset) = node::dataset(group, name) else {
            continue;
        };
        let units = node::attribute_text(dataset, "units");
        let factor = unit(units).ok_or_else(|| format!("the unit of its {name} is {units:?}"))?;
        let numbers = node::values(dataset).and_then(node::numbers);
        let numbers = numbers.ok_or_else(|| format!("its {name} holds what is no finite number"))?;
        return Ok(Some(numbers.iter().map(|number| number * factor).collect()));
    }
    Ok(None)
}

/// Laboratory positions of `count` pixels, m. `placement` is the detector's own, if any; distances and angles count from
/// `sample`. `None` for a group without positions.
pub(super) fn positions(
    group: &[&Value],
    count: usize,
    placement: Option<Placement>,
    sample: V3D,
) -> Result<Option<Vec<V3D>>, String> {
    if let Some(local) = offsets(group, count)? {
        let placement = placement.unwrap_or_default();
        return Ok(Some(
            local
                .into_iter()
                .map(|offset| placement.to_laboratory(offset))
                .collect(),
        ));
    }
    if let Some(directions) = directions(group, count)? {
        return Ok(Some(
            directions.into_iter().map(|direction| sample + direction).collect(),
        ));
    }
    match placement {
        Some(placement) if count == 1 => Ok(Some(vec![placement.position])),
        Some(_) => Err(format!(
            "it has {count} pixels, and neither offsets nor angles that say where they are"
        )),
        None => Ok(None),
    }
}

fn offsets(group: &[&Value], count: usize) -> Result<Option<Vec<V3D>>, String> {
    let of = |name: &str| column(group, &[name], length_unit);
    let (x, y, z) = (of("x_pixel_offset")?, of("y_pixel_offset")?, of("z_pixel_offset")?);
    if x.is_none() && y.is_none() && z.is_none() {
        return Ok(None);
    }
    let whole = |axis: &Option<Vec<f64>>| axis.as_ref().is_none_or(|values| values.len() == count);
    if whole(&x) && whole(&y) && whole(&z) {
        let at = |axis: &Option<Vec<f64>>, index: usize| {
            axis.as_ref()
                .and_then(|values| values.get(index).copied())
                .unwrap_or_default()
        };
        return Ok(Some(
            (0..count)
                .map(|index| V3D::new(at(&x, index), at(&y, index), at(&z, index)))
                .collect(),
        ));
    }
    // One offset for each column and row of a grid, ids row by row.
    let (x, y) = (x.unwrap_or_else(|| vec![0.0]), y.unwrap_or_else(|| vec![0.0]));
    let flat = z.as_ref().is_none_or(|values| values.len() == 1);
    if flat && x.len().checked_mul(y.len()) == Some(count) {
        let depth = z.and_then(|values| values.first().copied()).unwrap_or_default();
        return Ok(Some(
            y.iter()
                .flat_map(|y| x.iter().map(move |x| V3D::new(*x, *y, depth)))
                .collect(),
        ));
    }
    Err(format!(
        "it has {count} ids, but {} x offsets and {} y offsets",
        x.len(),
        y.len()
    ))
}

/// Positions relative to the sample by distance, polar and azimuthal angle; each one value for all pixels or one for each.
fn directions(group: &[&Value], count: usize) -> Result<Option<Vec<V3D>>, String> {
    let distance = column(group, &["distance", "LEN2"], length_unit)?;
    let polar = column(group, &["polar_angle", "TTHE"], angle_unit)?;
    let (Some(distance), Some(polar)) = (distance, polar) else {
        return Ok(None);
    };
    let azimuth = column(group, &["azimuthal_angle", "UT01"], angle_unit)?.unwrap_or_else(|| vec![0.0]);
    for (name, values) in [
        ("distances", &distance),
        ("polar angles", &polar),
        ("azimuthal angles", &azimuth),
    ] {
        if values.len() != count && values.len() != 1 {
            return Err(format!("it has {count} ids, but {} {name}", values.len()));
        }
    }
    let at = |values: &[f64], index: usize| values.get(index).or(values.first()).copied().unwrap_or_default();
    let place = |index| V3D::spherical(at(&distance, index), at(&polar, index), at(&azimuth, index));
    Ok(Some((0..count).map(place).collect()))
}
