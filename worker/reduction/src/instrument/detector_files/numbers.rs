//! Lists of integers as text: `1, 4-6 9`. Promises: commas and white space separate; `a-b` is a range with both ends; the
//! number of integers is bounded. Must not: know their meaning.

/// Largest number of integers in a list, above that of any instrument's detectors.
pub(super) const MAX_NUMBERS: usize = 10_000_000;

/// Integers of a list, in its order.
pub(super) fn parse_integers(text: &str) -> Result<Vec<i32>, String> {
    let mut out = Vec::new();
    for item in items(text) {
        let dash = item.char_indices().skip(1).find(|(_, c)| *c == '-');
        let Some((at, _)) = dash else {
            out.push(number(&item, &item)?);
            continue;
        };
        let first = number(item.get(..at).unwrap_or_default(), &item)?;
        let last = number(item.get(at + 1..).unwrap_or_default(), &item)?;
        if last < first {
            return Err(format!("the range {item} ends before it begins"));
        }
        if out.len() as i64 + i64::from(last) - i64::from(first) >= MAX_NUMBERS as i64 {
            return Err(format!("the list has more than {MAX_NUMBERS} numbers, at {item}"));
        }
        out.extend(first..=last);
    }
    if out.len() > MAX_NUMBERS {
        return Err(format!("the list has more than {MAX_NUMBERS} numbers"));
    }
    Ok(out)
}

/// Items between separators; white space around a dash does not separate.
fn items(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        match out.last_mut() {
            Some(last) if open || word == "-" => last.push_str(word),
            _ => out.push(word.to_owned()),
        }
        open = word.ends_with('-');
    }
    out
}

fn number(text: &str, item: &str) -> Result<i32, String> {
    text.parse()
        .map_err(|_| format!("\"{item}\" is neither a number nor a range such as 4-6"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn commas_and_space_separate_and_dashes_join() {
        assert_eq!(
            parse_integers("1, 4-6\n9 - 11 -3,, 12-12").unwrap(),
            [1, 4, 5, 6, 9, 10, 11, -3, 12]
        );
        assert!(parse_integers(" ").unwrap().is_empty());
        for text in ["x", "1-", "6-4", "-", "1-2-3", "99999999999", "0-2000000000", "ä-ö"] {
            assert!(parse_integers(text).is_err(), "{text}");
        }
    }
}
