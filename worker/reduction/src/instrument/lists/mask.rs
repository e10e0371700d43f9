//! Mask files: `.xml` (`<detector-masking>`) and `.msk` (spectrum numbers). Promises: what is read says whether it
//! lists what is masked or what is kept. Must not mask anything.

use super::{Named, numbers};

/// What a mask file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mask {
    /// What is listed.
    pub listed: Named,
    /// Whether the listed is kept and all else masked; a file says so with `default="mask"`.
    pub keeps_listed: bool,
}

/// Reads a `<detector-masking>`: groups of `<detids>`, `<ids>` (spectrum numbers) and `<component>`.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn parse_xml(text: &str) -> Result<Mask, String> {
    let document = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if root.tag_name().name() != "detector-masking" {
        return Err(format!(
            "the root element is <{}>, not <detector-masking>",
            root.tag_name().name()
        ));
    }
    let mut mask = Mask {
        keeps_listed: root.attribute("default").is_some_and(|word| word.trim() == "mask"),
        ..Mask::default()
    };
    for group in root.descendants().filter(|node| node.tag_name().name() == "group") {
        for element in group.children().filter(roxmltree::Node::is_element) {
            mask.listed.add(element)?;
        }
    }
    Ok(mask)
}

/// Reads a `.msk` file: spectrum numbers and ranges; `#` and `!` begin a comment.
///
/// # Errors
/// The line that cannot be read.
pub fn parse_msk(text: &str) -> Result<Mask, String> {
    let mut mask = Mask::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.split(['#', '!']).next().unwrap_or_default();
        let listed = numbers::listed(line).map_err(|error| format!("line {}: {error}", at + 1))?;
        mask.listed.spectra.extend(listed);
        if mask.listed.spectra.len() > numbers::MOST {
            return Err(format!("line {}: more than {} spectra", at + 1, numbers::MOST));
        }
    }
    Ok(mask)
}

/// Reads a mask file of either kind, told apart by what it begins with.
///
/// # Errors
/// As of [`parse_xml`] and [`parse_msk`].
pub fn parse(text: &str) -> Result<Mask, String> {
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
        assert_eq!(mask.listed.detectors, [3, 34, 35, 36, 47]);
        assert_eq!((mask.listed.spectra, mask.keeps_listed), (vec![7], false));
        assert_eq!(mask.listed.components, ["bank1/tube2"]);
        let kept =
            parse("<detector-masking default='mask'><group><detids>1</detids></group></detector-masking>").unwrap();
        assert!(kept.keeps_listed);
    }

    #[test]
    fn spectra_of_msk_files_come_line_by_line() {
        let mask = parse("# hard mask\n1-3 5\n\n8 - 9 ! noisy\n").unwrap();
        assert_eq!(mask.listed.spectra, [1, 2, 3, 5, 8, 9]);
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
        assert!(parse("").unwrap().listed.is_empty());
    }
}
