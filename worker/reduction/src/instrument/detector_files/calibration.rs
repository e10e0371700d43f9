//! Calibration files (`.cal`): offset, selection and group of each detector. Promises: an error names its line; `#`
//! begins a comment. Must not: apply offsets.
//!
//! Source: Mantid's concept page "Diffraction Calibration", format of `.cal` files.

use super::{DetectorGroup, DetectorSelection};

/// Line of a calibration file, for one detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationRow {
    /// Detector id (`UDET`).
    pub detector: i32,
    /// Relative offset of the d-spacing: d = d_measured·(1 + offset).
    pub offset: f64,
    /// False for detectors to be masked.
    pub used: bool,
    /// Group number; 0 for none.
    pub group: i32,
}

/// Lines `number detector offset select group` of a calibration file.
///
/// # Errors
/// A sentence with the number of the first invalid line.
pub fn parse(text: &str) -> Result<Vec<CalibrationRow>, String> {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, detector, offset, select, group, ..] = words[..] else {
            if words.is_empty() {
                continue;
            }
            return Err(format!(
                "line {} has {} words: number, detector, offset, select and group are needed",
                at + 1,
                words.len()
            ));
        };
        let wrong = |what: &str, word: &str| format!("line {}: \"{word}\" is no {what}", at + 1);
        let integer = |what: &str, word: &str| word.parse::<i32>().map_err(|_| wrong(what, word));
        lines.push(CalibrationRow {
            detector: integer("detector id", detector)?,
            offset: offset.parse().map_err(|_| wrong("offset", offset))?,
            used: integer("selection (0 or 1)", select)? != 0,
            group: integer("group", group)?,
        });
    }
    Ok(lines)
}

/// Groups by ascending number; masked detectors are in none.
pub fn groups(lines: &[CalibrationRow]) -> Vec<DetectorGroup> {
    let mut groups: std::collections::BTreeMap<i32, Vec<i32>> = std::collections::BTreeMap::new();
    for line in lines.iter().filter(|line| line.used && line.group > 0) {
        groups.entry(line.group).or_default().push(line.detector);
    }
    let to_group = |(group, detectors)| DetectorGroup {
        group,
        members: DetectorSelection {
            detectors,
            ..DetectorSelection::default()
        },
    };
    groups.into_iter().map(to_group).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_are_grouped_by_their_last_number() {
        let text =
            "# number UDET offset select group\n0 11 0.0010 1 2\n1 12 -0.002 1 1\n2 13 0 0 1\n3 14 0 1 0\n4 15 0 1 2\n";
        let lines = parse(text).unwrap();
        assert_eq!((lines.len(), lines[1].offset, lines[2].used), (5, -0.002, false));
        let groups = groups(&lines);
        assert_eq!((groups[0].group, &groups[0].members.detectors[..]), (1, &[12][..]));
        assert_eq!((groups[1].group, &groups[1].members.detectors[..]), (2, &[11, 15][..]));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for text in ["1 2 3", "a b c d e", "1 2 x 1 1"] {
            let wrong = format!("0 1 0 1 1\n{text}\n");
            let error = parse(&wrong).err();
            assert!(error.is_some(), "{text}");
            assert!(error.unwrap().contains("line 2"), "{text}");
        }
    }
}
