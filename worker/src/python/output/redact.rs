//! Removal of secrets from output lines.
//!
//! Promises that no secret of six bytes or more passes whole. Must not show secrets in its `Debug` form.

/// Replacement of a secret.
const REPLACEMENT: &str = "***";
/// Bytes of a secret at least: shorter values would replace ordinary words.
const SHORTEST: usize = 6;

/// Replaces known secret values in text by `***`.
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
    /// Redactor of these values; each line of a value (of a key file) is a separate secret.
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
        // Longest first: a secret that contains another is replaced whole.
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        let longest = secrets.first().map_or(0, String::len);
        Self { secrets, longest }
    }

    /// Bytes of the longest secret; a line must not be cut this close before redaction.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Text with each secret replaced by `***`.
    #[must_use]
    pub fn redact(&self, text: String) -> String {
        let mut text = text;
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REPLACEMENT);
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
