//! Grouping files: `.map`, `.xml` and `.cal`. Promises: groups in the order of the file (of a calibration file, by
//! number); a file that contradicts itself is refused. Must not: know workspaces.
//!
//! Source: Mantid's page GroupDetectors v2.

use super::{DetectorGroup, DetectorSelection, calibration, numbers};

/// Groups of a grouping file; `extension` of its name decides the format, `.map` by default.
///
/// # Errors
/// A sentence about the first mistake.
pub fn parse(text: &str, extension: &str) -> Result<Vec<DetectorGroup>, String> {
    match extension.to_ascii_lowercase().as_str() {
        "xml" => parse_xml(text),
        "cal" => calibration::parse(text).map(|lines| calibration::groups(&lines)),
        _ => parse_map(text),
    }
}

/// Groups of a `.map` file: the number of groups, then for each its number, its number of spectra and their spectrum
/// numbers. `#` begins a comment; ranges such as `4-6` are allowed.
///
/// # Errors
/// A sentence about the first mistake.
pub fn parse_map(text: &str) -> Result<Vec<DetectorGroup>, String> {
    let mut words = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
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
        let mut spectra: Vec<i32> = Vec::new();
        while spectra.len() < wanted {
            let Some(word) = words.next() else {
                return Err(format!("group {group} has {} of its {wanted} spectra", spectra.len()));
            };
            spectra.extend(numbers::parse_integers(word)?);
        }
        if spectra.len() > wanted {
            return Err(format!(
                "group {group} lists {} spectra, not the {wanted} that it says",
                spectra.len()
            ));
        }
        groups.push(DetectorGroup {
            group: i32::try_from(group).unwrap_or(i32::MAX),
            members: DetectorSelection {
                spectra,
                ..DetectorSelection::default()
            },
        });
    }
    Ok(groups)
}

/// Groups of a `<detector-grouping>`: `<group>` elements with spectrum numbers in `<ids val="…">`, detector ids in
/// `<detids>` and names in `<component>`. Groups without `ID` are numbered by position from 1.
///
/// # Errors
/// A sentence about the first mistake.
pub fn parse_xml(text: &str) -> Result<Vec<DetectorGroup>, String> {
    let document = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
    let mut groups = Vec::new();
    let nodes = document.descendants().filter(|node| node.tag_name().name() == "group");
    for (at, node) in nodes.enumerate() {
        let own = node.attribute("ID").and_then(|id| id.trim().parse().ok());
        let mut group = DetectorGroup {
            group: own.unwrap_or(at as i32 + 1),
            ..DetectorGroup::default()
        };
        for element in node.children().filter(roxmltree::Node::is_element) {
            group.members.add(element)?;
        }
        groups.push(group);
    }
    if groups.is_empty() {
        return Err("the file has no <group>".to_owned());
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_kind_of_file_is_read() {
        let map = parse("2 # groups\n1\n3\n1 2 3\n2\n3\n4-6\n", "map").unwrap();
        assert_eq!((map[1].group, &map[1].members.spectra[..]), (2, &[4, 5, 6][..]));
        let xml = "<detector-grouping><group name='a'><detids>5-6,9</detids></group>\
                   <group ID='7'><ids val='1,3'/><component val='bank1'/></group></detector-grouping>";
        let xml = parse(xml, "XML").unwrap();
        assert_eq!((xml[0].group, &xml[0].members.detectors[..]), (1, &[5, 6, 9][..]));
        assert_eq!((xml[1].group, &xml[1].members.spectra[..]), (7, &[1, 3][..]));
        assert_eq!(xml[1].members.components, ["bank1"]);
        let cal = parse("1 11 0.0 1 3\n2 12 0.0 1 3\n", "cal").unwrap();
        assert_eq!((cal[0].group, &cal[0].members.detectors[..]), (3, &[11, 12][..]));
    }

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        for text in ["", "x", "1\n1\n3\n1 2", "1\n1\n2\n1-3", "1\n1", "1\n1\n2\n5-4"] {
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
    }
}
