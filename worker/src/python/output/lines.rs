//! Splitting of text into lines of bounded length.
//!
//! Promises to hold at most one line of text, also if no newline is written. A line is cut only after secrets have been
//! replaced. Must not know Python or the queue.

use super::redact::Redactor;

/// Splitter of one stream; holds its unfinished line.
#[derive(Debug)]
pub struct LineSplitter {
    longest_line: usize,
    redactor: Redactor,
    partial: String,
    cut: usize,
}

impl LineSplitter {
    /// Splitter for lines of at most `longest_line` bytes and a note of what was cut.
    #[must_use]
    pub fn new(longest_line: usize, redactor: Redactor) -> Self {
        Self {
            longest_line: longest_line.max(1),
            redactor,
            partial: String::new(),
            cut: 0,
        }
    }

    /// Appends text and passes each finished line to `emit`, without its newline.
    pub fn write(&mut self, text: &str, mut emit: impl FnMut(String)) {
        let mut rest = text;
        while let Some(end) = rest.find('\n') {
            let (head, tail) = rest.split_at(end);
            self.append(head);
            emit(self.finish());
            rest = &tail[1..];
        }
        self.append(rest);
    }

    /// Passes the unfinished line, if any, to `emit`.
    pub fn flush(&mut self, mut emit: impl FnMut(String)) {
        if !self.partial.is_empty() || self.cut > 0 {
            emit(self.finish());
        }
    }

    fn append(&mut self, text: &str) {
        // A carriage return overwrites: only the last state of a progress bar is kept.
        let text = match text.trim_end_matches('\r').rfind('\r') {
            Some(at) => {
                self.partial.clear();
                &text[at + 1..]
            }
            None => text,
        };
        let room = (self.longest_line + self.redactor.longest()).saturating_sub(self.partial.len());
        let kept = text.floor_char_boundary(room);
        self.partial.push_str(&text[..kept]);
        self.cut += text.len() - kept;
    }

    fn finish(&mut self) -> String {
        let mut line = self.redactor.redact(std::mem::take(&mut self.partial));
        let mut cut = std::mem::take(&mut self.cut);
        while line.ends_with('\r') {
            line.pop();
        }
        let kept = line.floor_char_boundary(self.longest_line);
        cut += line.len() - kept;
        line.truncate(kept);
        if cut > 0 {
            line.push_str(&format!(" … ({cut} more bytes)"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(longest: usize, secrets: &[&str], pieces: &[&str]) -> Vec<String> {
        let mut splitter = LineSplitter::new(longest, Redactor::new(secrets));
        let mut lines = Vec::new();
        for piece in pieces {
            splitter.write(piece, |line| lines.push(line));
        }
        splitter.flush(|line| lines.push(line));
        lines
    }

    #[test]
    fn lines_are_joined_from_pieces() {
        assert_eq!(split(100, &[], &["a", "b\nc\n", "\n", "d"]), ["ab", "c", "", "d"]);
        assert_eq!(split(100, &[], &["a\r\n", "10 %\r50 %\rdone\n"]), ["a", "done"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters_with_a_note() {
        assert_eq!(split(4, &[], &["abc€def\n"]), ["abc … (6 more bytes)"]);
    }

    #[test]
    fn a_secret_across_the_cut_is_blotted_out() {
        let lines = split(8, &["secretsecret"], &["abcdsecretsecret and more\n"]);
        assert!(lines[0].starts_with("abcd***"), "{lines:?}");
        assert!(!lines[0].contains("secr"), "{lines:?}");
    }

    #[test]
    fn megabytes_without_a_newline_hold_one_line() {
        let mut splitter = LineSplitter::new(100, Redactor::default());
        for _ in 0..1000 {
            splitter.write(&"x".repeat(10_000), |_| unreachable!());
        }
        assert!(splitter.partial.len() <= 100);
    }
}
