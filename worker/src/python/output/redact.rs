//! Blots secrets out of lines.
//!
//! Promises that no value it was given leaves it, whole. Must not keep more of a secret than it needs to find it.

/// What stands where a secret stood.
const BLOT: &str = "***";
/// Shorter values would blot out ordinary words.
const SHORTEST: usize = 6;

/// Finds secret values in text.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<String>,
    longest: usize,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets.len())
    }
}

impl Redactor {
    /// Takes the secret values; each line of a value of several lines (a key file) counts as a secret of its own.
    #[must_use]
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<str>>(values: I) -> Self {
        let mut secrets: Vec<String> = values
            .into_iter()
            .flat_map(|value| {
                value
                    .as_ref()
                    .lines()
                    .map(|line| line.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .filter(|value| value.len() >= SHORTEST)
            .collect();
        // The longest first: a secret that contains another is blotted out whole.
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        let longest = secrets.first().map_or(0, String::len);
        Self { secrets, longest }
    }

    /// Length in bytes of the longest secret, which a cut through a line must leave room for.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The text without secrets.
    #[must_use]
    pub fn redact(&self, text: String) -> String {
        let mut text = text;
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), BLOT);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blotted_out_whole() {
        let redactor = Redactor::new(["token-abc", "token-abc-long", "x", ""]);
        assert_eq!(
            redactor.redact("a token-abc-long b token-abc x".into()),
            "a *** b *** x"
        );
        assert_eq!(redactor.longest(), 14);
        assert!(!format!("{redactor:?}").contains("token"));
    }

    #[test]
    fn each_line_of_a_key_is_a_secret() {
        let redactor = Redactor::new(["BEGIN KEY\nabcdefgh\n"]);
        assert_eq!(redactor.redact("abcdefgh".into()), "***");
    }
}
