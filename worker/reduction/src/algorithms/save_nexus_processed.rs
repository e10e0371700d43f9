//! SaveNexusProcessed: workspaces in a processed NeXus file. Promises: the file appears whole or not at all.

use crate::algorithm::{Algorithm, Context};
use crate::atomic_file::{ExistingFile, save_path, write_atomically};
use crate::compute::indices;
use crate::declaration::{Declaration, PropertyKind, input, option};
use crate::error::{Result, failed};
use crate::processed::{EntrySource, entry, file_error};
use crate::value::Value;
use crate::workspace::{MatrixWorkspace, WorkspaceHandle};

pub(crate) struct SaveNexusProcessed;

impl Algorithm for SaveNexusProcessed {
    fn declaration(&self) -> Declaration {
        declaration("SaveNexusProcessed")
    }

    fn by_member(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        save(context)
    }
}

pub(crate) fn declaration(name: &'static str) -> Declaration {
    Declaration::new(
        name,
        1,
        "DataHandling\\Nexus",
        "Writes a workspace, or the members of a group, into a NeXus file.",
    )
    .with(input(
        "InputWorkspace",
        PropertyKind::Workspace,
        "Workspace to save, or group of workspaces.",
    ))
    .with(
        input(
            "Filename",
            PropertyKind::SaveFile,
            "Path of the file, relative to defaultsave.directory; a name without extension gets .nxs.",
        )
        .mandatory(),
    )
    .with(option(
        "Title",
        PropertyKind::Str,
        "",
        "Title of the entry; the workspace's when empty.",
    ))
    .with(option(
        "WorkspaceIndexMin",
        PropertyKind::Int,
        0_i64,
        "Workspace index of the first spectrum.",
    ))
    .with(option(
        "WorkspaceIndexMax",
        PropertyKind::Int,
        Value::None,
        "Workspace index of the last spectrum, inclusive; the workspace's last when not given.",
    ))
    .with(option(
        "WorkspaceIndexList",
        PropertyKind::Ints,
        Value::None,
        "Workspace indices; they replace the range.",
    ))
    .with(option(
        "Append",
        PropertyKind::Bool,
        false,
        "Append entries to an existing file.",
    ))
    .with(option(
        "PreserveEvents",
        PropertyKind::Bool,
        true,
        "Write events as events, not as histograms.",
    ))
    .with(option(
        "CompressNexus",
        PropertyKind::Bool,
        false,
        "Compress the data sets; saving takes much longer.",
    ))
}

pub(crate) fn save(context: &mut Context<'_>) -> Result<()> {
    let handle = context.handle("InputWorkspace")?;
    let mut saved: Vec<(String, MatrixWorkspace)> = Vec::new();
    collect(&handle, &mut saved)?;
    let path = save_path(&context.services.config, &context.str("Filename")?, "nxs");
    let options = live_data_nexus::WriteOptions {
        compress: context.bool("CompressNexus")?,
    };
    let (title, preserve, append) = (
        context.str("Title")?,
        context.bool("PreserveEvents")?,
        context.bool("Append")?,
    );
    for (_, workspace) in &mut saved {
        let list = context.ints("WorkspaceIndexList")?;
        let chosen = if list.is_empty() {
            indices::range(
                workspace,
                context.opt_int("WorkspaceIndexMin")?,
                context.opt_int("WorkspaceIndexMax")?,
            )?
        } else {
            indices::checked(workspace, &list)?
        };
        if chosen.len() != workspace.histograms() {
            *workspace = workspace.subset(&chosen)?;
        }
    }
    let sources: Vec<EntrySource> = saved
        .iter()
        .map(|(_, workspace)| EntrySource::new(workspace, preserve, context.cancel))
        .collect::<Result<_>>()?;
    let mut entries = Vec::with_capacity(saved.len());
    for ((name, workspace), source) in saved.iter().zip(&sources) {
        entries.push(entry(workspace, name, &title, source)?);
    }
    write_atomically(
        &context.services.config,
        &path,
        ExistingFile::from_append(append),
        |hidden| {
            if append && hidden.exists() {
                for entry in &entries {
                    live_data_nexus::append_to(hidden, entry, options).map_err(|e| file_error(&e, context.cancel))?;
                }
                return Ok(());
            }
            live_data_nexus::write_to(hidden, &entries, options).map_err(|e| file_error(&e, context.cancel))
        },
    )
}

fn collect(handle: &WorkspaceHandle, out: &mut Vec<(String, MatrixWorkspace)>) -> Result<()> {
    let refuse = |name: String| {
        failed(format!(
            "Workspace \"{name}\" not saved because it is not of a type we can presently save."
        ))
    };
    if !handle.is_group() {
        return match handle.matrix() {
            Ok(matrix) => {
                out.push((handle.name(), matrix));
                Ok(())
            }
            Err(_) => refuse(handle.name()),
        };
    }
    for member in handle.members() {
        if member.is_group() {
            return refuse(member.name());
        }
        collect(&member, out)?;
    }
    if out.is_empty() {
        return failed(format!(
            "the group {} is empty: there is nothing to save",
            handle.name()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, total_counts, x, y};

    fn fixture() -> (AlgorithmFixture, tempfile::TempDir) {
        let (fixture, folder) = (AlgorithmFixture::new(), tempfile::tempdir().unwrap());
        fixture
            .service
            .config
            .set("defaultsave.directory", folder.path().to_str().unwrap());
        (fixture, folder)
    }

    #[test]
    fn tables_are_refused_in_the_known_words() {
        let (fixture, _folder) = fixture();
        fixture.create("t", "CreateEmptyTableWorkspace", &[]);
        let error = fixture.try_run(
            "SaveNexusProcessed",
            &[("InputWorkspace", "t".into()), ("Filename", "t.nxs".into())],
        );
        let text = "Workspace \"t\" not saved because it is not of a type we can presently save.";
        assert_eq!(error.unwrap_err().to_string(), text);
    }

    #[test]
    fn masked_bins_are_saved_too() {
        let (fixture, folder) = fixture();
        fixture.sample_workspace("s", &[("BankPixelWidth", 2_i64.into())]);
        let range = [
            ("XMin", 300.0.into()),
            ("XMax", 700.0.into()),
            ("InputWorkspaceIndexSet", "5".into()),
        ];
        fixture.create(
            "s",
            "MaskBins",
            &[&[("InputWorkspace", "s".into())][..], &range].concat(),
        );
        let path = folder.path().join("masked.nxs");
        fixture.run(
            "SaveNexusProcessed",
            &[
                ("InputWorkspace", "s".into()),
                ("Filename", path.to_str().unwrap().into()),
            ],
        );
        let back = fixture
            .create("back", "Load", &[("Filename", path.to_str().unwrap().into())])
            .matrix()
            .unwrap();
        let bins: Vec<(usize, f64)> = back
            .masked_bins(5)
            .unwrap()
            .iter()
            .map(|(bin, part)| (*bin, *part))
            .collect();
        assert_eq!((back.masked_bins(4), bins), (None, vec![(1, 1.0), (2, 1.0), (3, 1.0)]));
    }

    #[test]
    fn what_is_saved_loads_again() {
        let (fixture, folder) = fixture();
        for kind in ["Histogram", "Event"] {
            let s = fixture.sample_workspace("s", &[("WorkspaceType", kind.into()), ("BankPixelWidth", 2_i64.into())]);
            fixture.add_charge("s");
            fixture.run(
                "AddSampleLog",
                &[
                    ("Workspace", "s".into()),
                    ("LogName", "field".into()),
                    ("LogText", "1.5".into()),
                    ("LogType", "Number".into()),
                    ("LogUnit", "T".into()),
                ],
            );
            fixture.run(
                "SaveNexusProcessed",
                &[("InputWorkspace", "s".into()), ("Filename", "out".into())],
            );
            assert!(folder.path().join("out.nxs").exists());
            let back = fixture.create("back", "Load", &[("Filename", "out.nxs".into())]);
            let (a, b) = (s.matrix().unwrap(), back.matrix().unwrap());
            assert_eq!(a.id(), b.id());
            assert_eq!(a.spectra().numbers(), b.spectra().numbers());
            assert_eq!(a.spectra().detectors(3), b.spectra().detectors(3));
            assert_eq!(b.run().number("field"), Some(1.5));
            assert_eq!(b.run().get("field").unwrap().units, "T");
            assert_eq!(b.run().series("proton_charge").unwrap().len(), 60);
            assert_close(&x(&back, 0), &x(&s, 0));
            assert_close(&y(&back, 5), &y(&s, 5));
            assert_eq!(total_counts(&back), total_counts(&s));
        }
    }

    #[test]
    fn groups_and_appended_workspaces_are_entries_of_one_file() {
        let (fixture, folder) = fixture();
        for name in ["a", "b", "c"] {
            fixture.workspace(name, &[0.0, 1.0, 2.0], &[1.0, 2.0], 1);
        }
        fixture.create("g", "GroupWorkspaces", &[("InputWorkspaces", "a,b".into())]);
        fixture.run(
            "SaveNexusProcessed",
            &[("InputWorkspace", "g".into()), ("Filename", "g.nxs".into())],
        );
        fixture.run(
            "SaveNexusProcessed",
            &[
                ("InputWorkspace", "c".into()),
                ("Filename", "g.nxs".into()),
                ("Append", true.into()),
            ],
        );
        let reader = live_data_nexus::ProcessedReader::open(&folder.path().join("g.nxs")).unwrap();
        assert_eq!(reader.entries(), 3);
        let part = [
            ("InputWorkspace", "c".into()),
            ("Filename", "p.nxs".into()),
            ("WorkspaceIndexMax", 7_i64.into()),
        ];
        assert!(fixture.try_run("SaveNexusProcessed", &part).is_err());
        assert!(!folder.path().join("p.nxs").exists());
    }
}
