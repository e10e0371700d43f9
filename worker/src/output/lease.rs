//! The writer's lease: of all workers on one output folder, only the holder executes scripts and publishes.
//!
//! A lock on `.live-data/writer.lock` that the operating system (or the file server) gives up when its holder dies, so
//! that nothing has to be cleaned up after a crash. It must not be handed over while a script is being executed.

use std::fs::{File, OpenOptions};
use std::io;

use nix::fcntl::{Flock, FlockArg};

use super::{OutputError, OutputFolder};

/// Held while this value lives.
#[derive(Debug)]
pub struct WriterLease {
    _lock: Flock<File>,
}

impl WriterLease {
    /// Takes the lease if no other worker holds it; `None` when one does.
    pub fn try_take(output: &OutputFolder) -> Result<Option<Self>, OutputError> {
        let path = output.hidden().join("writer.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| OutputError::at(&path, e))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Some(WriterLease { _lock: lock })),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, errno)) => Err(OutputError::at(&path, io::Error::from(errno))),
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
        let first = WriterLease::try_take(&output).unwrap().unwrap();
        assert!(WriterLease::try_take(&output).unwrap().is_none());
        drop(first);
        assert!(WriterLease::try_take(&output).unwrap().is_some());
    }
}
