//! Grouping patterns of GroupDetectors. Promises: any text gives groups or an error with the invalid item. Files are read by
//! `instrument::detector_files::grouping`.
//!
//! Source: Mantid's page GroupDetectors v2, property `GroupingPattern`.

use crate::error::{Result, failed};
use crate::value::parse_int_list;

/// Workspace indices of a group.
pub(crate) struct SpectrumGroup {
    pub number: i32,
    pub members: Vec<usize>,
}

/// Groups of a pattern: `,` separates groups, `+` adds indices, `a-b` is one group of a range, `a:b` one group for each.
pub(crate) fn parse_pattern(pattern: &str, spectra: usize) -> Result<Vec<SpectrumGroup>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for item in pattern.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if item.contains(':') {
            for index in checked(item, spectra)? {
                groups.push(vec![index]);
            }
            continue;
        }
        let mut members = Vec::new();
        for part in item.split('+') {
            members.extend(checked(part, spectra)?);
        }
        groups.push(members);
    }
    Ok(groups
        .into_iter()
        .zip(1..)
        .map(|(members, number)| SpectrumGroup { number, members })
        .collect())
}

fn checked(text: &str, spectra: usize) -> Result<Vec<usize>> {
    let listed = parse_int_list(text.trim())?;
    if listed.is_empty() {
        return failed(format!("\"{text}\" in the grouping pattern names no spectrum"));
    }
    let mut out = Vec::with_capacity(listed.len());
    for value in listed {
        match usize::try_from(value).ok().filter(|index| *index < spectra) {
            Some(index) => out.push(index),
            None => {
                return failed(format!(
                    "the grouping pattern names index {value}: the workspace has {spectra} spectra"
                ));
            }
        }
    }
    Ok(out)
}
