//! Mask files: `.xml` (`<detector-masking>`) and `.msk` (spectrum numbers). Promises: a mask records whether its list is
//! masked or kept. Must not: mask anything.
//!
//! Source: Mantid's page LoadMask.

use super::{DetectorSelection, numbers};

/// Detectors that a mask file selects, to be masked or to be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetectorMask {
    pub selection: DetectorSelection,
    /// True if the selection is kept and everything else masked (`default="mask"`).
    pub keeps_selection: bool,
}

/// Mask of a `<detector-masking>`: groups of `<detids>`, `<ids>` (spectrum numbers) and `<component>`.
///
/// # Errors
/// A sentence about the first mistake.
pub fn parse_xml(text: &str) -> Result<DetectorMask, String> {
    let document = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if root.tag_name().name() != "detector-masking" {
        return Err(format!(
            "the root element is <{}>, not <detector-masking>",
            root.tag_name().name()
        ));
    }
    let mut mask = DetectorMask {
        keeps_selection: root.attribute("default").is_some_and(|word| word.trim() == "mask"),
        ..DetectorMask::default()
    };
    for group in root.descendants().filter(|node| node.tag_name().name() == "group") {
        for element in group.children().filter(roxmltree::Node::is_element) {
            mask.selection.add(element)?;
        }
    }
    Ok(mask)
}

/// Mask of a `.msk` file: spectrum numbers and ranges; `#` and `!` begin a comment.
///
/// # Errors
/// A sentence with the number of the first invalid line.
pub fn parse_msk(text: &str) -> Result<DetectorMask, String> {
    let mut mask = DetectorMask::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.split(['#', '!']).next().unwrap_or_default();
        let listed = numbers::parse_integers(line).map_err(|error| format!("line {}: {error}", at + 1))?;
        mask.selection.spectra.extend(listed);
        if mask.selection.spectra.len() > numbers::MAX_NUMBERS {
            return Err(format!("line {}: more than {} spectra", at + 1, numbers::MAX_NUMBERS));
        }
    }
    Ok(mask)
}

/// Mask of a file of either format: XML if the text begins with `<`.
///
/// # Errors
/// Those of [`parse_xml`] and [`parse_msk`].
pub fn parse(text: &str) -> Result<DetectorMask, String> {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        parse_xml(text.trim_start_matches('\u{feff}').trim_start())
    } else {
        parse_msk(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn detectors_spectra_and_components_are_told_apart() {
        let text = "<?xml version='1.0'?>\n<detector-masking>\n<group name='a'><detids>3,34-36, 47</detids>\
                    <component>bank1/tube2</component></group><group><ids val='7'/></group></detector-masking>";
        let mask = parse(text).unwrap();
        assert_eq!(mask.selection.detectors, [3, 34, 35, 36, 47]);
        assert_eq!((mask.selection.spectra, mask.keeps_selection), (vec![7], false));
        assert_eq!(mask.selection.components, ["bank1/tube2"]);
        let kept =
            parse("<detector-masking default='mask'><group><detids>1</detids></group></detector-masking>").unwrap();
        assert!(kept.keeps_selection);
    }

    #[test]
    fn spectra_of_msk_files_come_line_by_line() {
        let mask = parse("# hard mask\n1-3 5\n\n8 - 9 ! noisy\n").unwrap();
        assert_eq!(mask.selection.spectra, [1, 2, 3, 5, 8, 9]);
        assert_eq!(parse("1\n2-x\n").unwrap_err().split(':').next().unwrap(), "line 2");
    }

    #[test]
    fn files_of_another_kind_are_refused() {
        for text in [
            "<a/>",
            "<detector-masking>",
            "<detector-masking><group><what/></group></detector-masking>",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("").unwrap().selection.is_empty());
    }
}
