//! Grouping patterns. Promises: any text gives groups or a message that names what is wrong in it. Files are read by
//! `instrument::lists::grouping`.

use crate::error::{Result, failed};
use crate::value::parse_int_list;

/// The workspace indices of one group.
pub(crate) struct Group {
    pub number: i32,
    pub members: Vec<usize>,
}

/// Groups by workspace index: `,` separates, `+` adds, `a-b` sums a range, `a:b` keeps each of a range.
pub(crate) fn parse_pattern(pattern: &str, spectra: usize) -> Result<Vec<Group>> {
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
        .map(|(members, number)| Group { number, members })
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
