//! SaveNexus: SaveNexusProcessed by its older name.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::save_nexus_processed::{declaration, save};
use crate::declaration::Declaration;
use crate::error::Result;

pub(crate) struct SaveNexus;

impl Algorithm for SaveNexus {
    fn declaration(&self) -> Declaration {
        declaration("SaveNexus")
    }

    fn by_member(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        save(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn an_absolute_path_is_taken_as_it_is() {
        let (fixture, folder) = (AlgorithmFixture::new(), tempfile::tempdir().unwrap());
        fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        let path = folder.path().join("a.nxs");
        fixture.run(
            "SaveNexus",
            &[
                ("InputWorkspace", "w".into()),
                ("Filename", path.to_str().unwrap().into()),
            ],
        );
        assert!(path.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
