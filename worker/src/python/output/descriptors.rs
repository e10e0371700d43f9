//! Capture of file descriptors 1 and 2, which C code and child processes print on.
//!
//! Promises that their lines reach the queue, and that writers never wait for the interpreter: a thread that never
//! attaches to it reads the pipe. The former descriptors are returned as [`StandardStreams`]; the worker's own log must be
//! written there, or it would be captured again.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use thiserror::Error;

use super::lines::LineSplitter;
use super::queue::{LineLevel, LineOrigin, OutputLine, OutputQueue};
use super::redact::Redactor;
use super::stream::LONGEST_LINE;

/// Failure to capture a file descriptor.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The system refused a pipe, a descriptor or a thread.
    #[error("cannot redirect file descriptor {descriptor}: {source}; is the limit of open files too low?")]
    RedirectDescriptor {
        /// 1 (standard output) or 2 (standard error).
        descriptor: i32,
        source: std::io::Error,
    },
}

/// Standard output and error that are not captured.
#[derive(Debug)]
pub struct StandardStreams {
    pub stdout: File,
    pub stderr: File,
}

/// Duplicates of the present standard output and error.
///
/// # Errors
/// `RedirectDescriptor` if the system has no descriptors left.
pub fn duplicates() -> Result<StandardStreams, CaptureError> {
    let stdout = std::io::stdout().as_fd().try_clone_to_owned();
    let stderr = std::io::stderr().as_fd().try_clone_to_owned();
    Ok(StandardStreams {
        stdout: stdout
            .map_err(|source| CaptureError::RedirectDescriptor { descriptor: 1, source })?
            .into(),
        stderr: stderr
            .map_err(|source| CaptureError::RedirectDescriptor { descriptor: 2, source })?
            .into(),
    })
}

/// Redirects file descriptors 1 and 2 into the queue, as `Info` and `Warning`; returns the former ones.
///
/// # Errors
/// `RedirectDescriptor` if the system refuses a pipe, a descriptor or a thread.
pub fn capture(queue: &Arc<OutputQueue>, redactor: &Redactor) -> Result<StandardStreams, CaptureError> {
    let originals = duplicates()?;
    redirect(1, LineLevel::Info, queue, redactor)?;
    redirect(2, LineLevel::Warning, queue, redactor)?;
    Ok(originals)
}

fn redirect(
    descriptor: i32,
    level: LineLevel,
    queue: &Arc<OutputQueue>,
    redactor: &Redactor,
) -> Result<(), CaptureError> {
    let refused = |source| CaptureError::RedirectDescriptor { descriptor, source };
    let (reader, writer) = std::io::pipe().map_err(refused)?;
    let writer: OwnedFd = writer.into();
    // SAFETY: dup2 takes two descriptor numbers and touches no memory; both are open. The copy it makes of `writer`
    // is owned by the process as its standard output or error from here on.
    if unsafe { libc::dup2(writer.as_raw_fd(), descriptor) } < 0 {
        return Err(refused(std::io::Error::last_os_error()));
    }
    let queue = Arc::clone(queue);
    let mut splitter = LineSplitter::new(LONGEST_LINE, redactor.clone());
    let mut reader = reader;
    let pump = move || {
        let mut pending = Vec::new();
        let mut block = [0u8; 16 << 10];
        loop {
            let read = match reader.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            pending.extend_from_slice(block.get(..read).unwrap_or_default());
            let whole = complete_utf8(&pending);
            let text = String::from_utf8_lossy(pending.get(..whole).unwrap_or_default()).into_owned();
            pending.drain(..whole);
            splitter.write(&text, |text| {
                queue.push(OutputLine {
                    level,
                    origin: LineOrigin::Descriptor,
                    text,
                })
            });
        }
    };
    std::thread::Builder::new()
        .name(format!("output-fd{descriptor}"))
        .spawn(pump)
        .map_err(refused)?;
    Ok(())
}

/// Number of leading bytes up to an incomplete UTF-8 character at the end.
fn complete_utf8(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_in_two_parts_waits_for_its_end() {
        let bytes = "a€".as_bytes();
        assert_eq!(complete_utf8(&bytes[..2]), 1);
        assert_eq!(complete_utf8(bytes), 4);
        assert_eq!(complete_utf8(b"a\xffb"), 3);
    }
}
