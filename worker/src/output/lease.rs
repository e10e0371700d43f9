//! Writer's lease: of all workers on one output folder, only its holder executes scripts and publishes.
//!
//! A lock on `.live-data/writer.lock`, which the operating system (or the file server) releases when the holder's
//! process ends: a crash leaves nothing to clean up. Must not be released while a script is executed.

use std::fs::{File, OpenOptions};
use std::io;

use nix::fcntl::{Flock, FlockArg};

use super::{OutputError, OutputFolder};

/// Lock on `writer.lock`; released on drop.
#[derive(Debug)]
pub struct WriterLease {
    _lock: Flock<File>,
}

impl WriterLease {
    /// Acquires the lease without waiting; `None` while another worker holds it.
    ///
    /// # Errors
    /// [`OutputError::NotWritable`] if the file cannot be opened or the volume has no locks.
    pub fn try_acquire(output: &OutputFolder) -> Result<Option<Self>, OutputError> {
        let path = output.hidden().join("writer.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| OutputError::not_writable(&path, e))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Some(WriterLease { _lock: lock })),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, errno)) => Err(OutputError::not_writable(&path, io::Error::from(errno))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_handed_over_on_drop() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(dir.path());
        output.prepare().unwrap();
        let first = WriterLease::try_acquire(&output).unwrap().unwrap();
        assert!(WriterLease::try_acquire(&output).unwrap().is_none());
        drop(first);
        assert!(WriterLease::try_acquire(&output).unwrap().is_some());
    }
}
