//! Grouping files and patterns. Promises: any text gives groups or a message that names what is wrong in it; must not
//! open files.

use crate::error::{Result, failed};
use crate::value::parse_int_list;

/// The workspace indices of one group.
pub(crate) struct Group {
    pub number: i32,
    pub members: Vec<usize>,
}

/// One group of a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Listed {
    pub group: i32,
    /// Spectrum numbers.
    pub numbers: Vec<i32>,
    /// Detector ids.
    pub detectors: Vec<i32>,
}

fn narrow(values: Vec<i64>) -> Result<Vec<i32>, String> {
    values
        .into_iter()
        .map(|v| i32::try_from(v).map_err(|_| format!("the number {v} does not fit 32 bits")))
        .collect()
}

/// A `.map` file: the number of groups, then for each its number, how many spectra it has, and their numbers. `#`
/// begins a comment; ranges such as `4-6` are allowed.
pub(crate) fn parse_map(text: &str) -> Result<Vec<Listed>, String> {
    let mut words = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace())
        .peekable();
    let number = |word: Option<&str>, what: &str| -> Result<i64, String> {
        let word = word.ok_or_else(|| format!("the file ends where {what} should stand"))?;
        word.parse()
            .map_err(|_| format!("\"{word}\" stands where {what} should"))
    };
    let count = number(words.next(), "the number of groups")?;
    let mut groups = Vec::new();
    for _ in 0..count.max(0) {
        let group = number(words.next(), "a group's number")?;
        let wanted = usize::try_from(number(words.next(), "the number of spectra")?).unwrap_or_default();
        let mut numbers: Vec<i64> = Vec::new();
        while numbers.len() < wanted {
            let Some(word) = words.next() else {
                return Err(format!("group {group} has {} of its {wanted} spectra", numbers.len()));
            };
            let listed = parse_int_list(word).map_err(|error| error.to_string())?;
            numbers.extend(listed);
        }
        if numbers.len() > wanted {
            return Err(format!(
                "group {group} lists {} spectra, not the {wanted} that it says",
                numbers.len()
            ));
        }
        groups.push(Listed {
            group: i32::try_from(group).unwrap_or(i32::MAX),
            numbers: narrow(numbers)?,
            detectors: Vec::new(),
        });
    }
    Ok(groups)
}

/// A grouping file: `<group>` elements with spectrum numbers in `<ids val="…">` and detector ids in `<detids>`.
pub(crate) fn parse_xml(text: &str) -> Result<Vec<Listed>, String> {
    let document = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
    let mut groups = Vec::new();
    for (at, node) in document
        .descendants()
        .filter(|node| node.has_tag_name("group"))
        .enumerate()
    {
        let own = node.attribute("ID").and_then(|id| id.trim().parse().ok());
        let mut group = Listed {
            group: own.unwrap_or(at as i32 + 1),
            ..Listed::default()
        };
        for child in node.children().filter(roxmltree::Node::is_element) {
            let list = child.attribute("val").or_else(|| child.text()).unwrap_or_default();
            let values = narrow(parse_int_list(list).map_err(|error| error.to_string())?)?;
            match child.tag_name().name() {
                "ids" => group.numbers.extend(values),
                "detids" => group.detectors.extend(values),
                other => return Err(format!("a <group> holds <{other}>, which is not known")),
            }
        }
        groups.push(group);
    }
    if groups.is_empty() {
        return Err("the file has no <group>".to_owned());
    }
    Ok(groups)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        for text in ["", "x", "1\n1\n3\n1 2", "1\n1\n2\n1-3", "1\n1"] {
            assert!(parse_map(text).is_err(), "{text:?}");
        }
        for text in [
            "",
            "<a/>",
            "<g><group><what/></group></g>",
            "<g><group><ids val='x'/></group></g>",
        ] {
            assert!(parse_xml(text).is_err(), "{text:?}");
        }
        let listed = parse_xml("<g><group><detids>5-6,9</detids></group></g>").unwrap();
        assert_eq!(listed[0].detectors, [5, 6, 9]);
    }
}
