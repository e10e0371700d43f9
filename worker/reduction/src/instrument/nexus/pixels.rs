//! The pixels of an NXdetector or NXmonitor: ids and places. Promises: as many places as ids, or a reason; ids fit 32
//! bits. Three ways to say where pixels are: offsets from the detector's own place, distances and angles from the
//! sample, or neither for a detector that is one pixel.

use serde_json::Value;

use super::chain::{Pose, angle_unit, length_unit};
use super::node;
use crate::instrument::V3;

/// More than any instrument has.
const MOST: usize = 10_000_000;

/// Ids of a group's pixels under any of the names in use; `None` when it has none.
pub(super) fn ids(group: &[&Value]) -> Result<Option<Vec<i32>>, String> {
    let names = ["detector_number", "detector_id", "UDET"];
    let Some((name, held)) = names
        .into_iter()
        .find_map(|name| Some((name, node::values(node::dataset(group, name)?)?)))
    else {
        return Ok(None);
    };
    let numbers = node::numbers(held).ok_or_else(|| format!("its {name} holds what is no number"))?;
    if numbers.len() > MOST {
        return Err(format!("its {name} has more than {MOST} ids"));
    }
    let whole = |number: &f64| {
        let fits = number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(number);
        fits.then_some(*number as i32)
            .ok_or_else(|| format!("its {name} holds {number}, which is no id"))
    };
    numbers.iter().map(whole).collect::<Result<Vec<_>, _>>().map(Some)
}

/// A column of numbers of a group in the unit that `unit` makes.
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

/// Places of `count` pixels in the laboratory. `pose` is the detector's own place, where it has one; `sample` is where
/// distances and angles are measured from. `None` when the group says nothing about places.
pub(super) fn places(
    group: &[&Value],
    count: usize,
    pose: Option<Pose>,
    sample: V3,
) -> Result<Option<Vec<V3>>, String> {
    if let Some(local) = offsets(group, count)? {
        let pose = pose.unwrap_or_default();
        return Ok(Some(local.into_iter().map(|offset| pose.place(offset)).collect()));
    }
    if let Some(directions) = directions(group, count)? {
        return Ok(Some(
            directions.into_iter().map(|direction| sample + direction).collect(),
        ));
    }
    match pose {
        Some(pose) if count == 1 => Ok(Some(vec![pose.position])),
        Some(_) => Err(format!(
            "it has {count} pixels, and neither offsets nor angles that say where they are"
        )),
        None => Ok(None),
    }
}

fn offsets(group: &[&Value], count: usize) -> Result<Option<Vec<V3>>, String> {
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
                .map(|index| V3::new(at(&x, index), at(&y, index), at(&z, index)))
                .collect(),
        ));
    }
    // One offset for each column and each row of a grid: columns vary fastest.
    let (x, y) = (x.unwrap_or_else(|| vec![0.0]), y.unwrap_or_else(|| vec![0.0]));
    let flat = z.as_ref().is_none_or(|values| values.len() == 1);
    if flat && x.len().checked_mul(y.len()) == Some(count) {
        let depth = z.and_then(|values| values.first().copied()).unwrap_or_default();
        return Ok(Some(
            y.iter()
                .flat_map(|y| x.iter().map(move |x| V3::new(*x, *y, depth)))
                .collect(),
        ));
    }
    Err(format!(
        "it has {count} ids, but {} x offsets and {} y offsets",
        x.len(),
        y.len()
    ))
}

/// Places relative to the sample from distances and angles, one for each pixel or one for all.
fn directions(group: &[&Value], count: usize) -> Result<Option<Vec<V3>>, String> {
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
    let place = |index| V3::spherical(at(&distance, index), at(&polar, index), at(&azimuth, index));
    Ok(Some((0..count).map(place).collect()))
}
