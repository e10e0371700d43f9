//! SaveNexusProcessed: workspaces in a NeXus file, which appears whole.

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, Kind, input, option};
use crate::error::{Result, failed};
use crate::processed::{Source, entry, file_error};
use crate::publish::{publish, save_path};
use crate::value::Value;
use crate::workspace::{Handle, MatrixWorkspace};

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
    Declaration::new(name, 1, "DataHandling\\Nexus", "Writes a workspace, or the members of a group, into a NeXus file.")
        .with(input("InputWorkspace", Kind::Workspace, "The workspace to save."))
        .with(input("Filename", Kind::SaveFile, "The file; a relative path is in defaultsave.directory, and the extension .nxs is added to a name that has none.").mandatory())
        .with(option("Title", Kind::Str, "", "The title of the entry."))
        .with(option("WorkspaceIndexMin", Kind::Int, 0_i64, "The first spectrum."))
        .with(option("WorkspaceIndexMax", Kind::Int, Value::None, "The last spectrum."))
        .with(option("WorkspaceIndexList", Kind::Ints, Value::None, "The spectra, instead of a range."))
        .with(option("Append", Kind::Bool, false, "Add an entry to the file that is there."))
        .with(option("PreserveEvents", Kind::Bool, true, "Write events as events, not as histograms."))
        .with(option("CompressNexus", Kind::Bool, false, "Compress the data, which takes much longer."))
}

pub(crate) fn save(context: &mut Context<'_>) -> Result<()> {
    let handle = context.handle("InputWorkspace")?;
    let mut saved: Vec<(String, MatrixWorkspace)> = Vec::new();
    collect(&handle, &mut saved)?;
    let path = save_path(&context.service.config, &context.str("Filename")?, "nxs");
    let options = live_data_nexus::Options {
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
    let sources: Vec<Source> = saved
        .iter()
        .map(|(_, workspace)| Source::new(workspace, preserve, context.cancel))
        .collect::<Result<_>>()?;
    let mut entries = Vec::with_capacity(saved.len());
    for ((name, workspace), source) in saved.iter().zip(&sources) {
        entries.push(entry(workspace, name, &title, source)?);
    }
    publish(&context.service.config, &path, append, |hidden| {
        if append && hidden.exists() {
            for entry in &entries {
                live_data_nexus::append_to(hidden, entry, options).map_err(|e| file_error(&e, context.cancel))?;
            }
            return Ok(());
        }
        live_data_nexus::write_to(hidden, &entries, options).map_err(|e| file_error(&e, context.cancel))
    })
}

fn collect(handle: &Handle, out: &mut Vec<(String, MatrixWorkspace)>) -> Result<()> {
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
    use crate::algorithms::testing::{Bench, close, total, x, y};

    fn bench() -> (Bench, tempfile::TempDir) {
        let (bench, folder) = (Bench::new(), tempfile::tempdir().unwrap());
        bench
            .service
            .config
            .set("defaultsave.directory", folder.path().to_str().unwrap());
        (bench, folder)
    }

    #[test]
    fn tables_are_refused_in_the_known_words() {
        let (bench, _folder) = bench();
        bench.make("t", "CreateEmptyTableWorkspace", &[]);
        let error = bench.try_run(
            "SaveNexusProcessed",
            &[("InputWorkspace", "t".into()), ("Filename", "t.nxs".into())],
        );
        let text = "Workspace \"t\" not saved because it is not of a type we can presently save.";
        assert_eq!(error.unwrap_err().to_string(), text);
    }

    #[test]
    fn masked_bins_are_saved_too() {
        let (bench, folder) = bench();
        bench.sample("s", &[("BankPixelWidth", 2_i64.into())]);
        let range = [
            ("XMin", 300.0.into()),
            ("XMax", 700.0.into()),
            ("InputWorkspaceIndexSet", "5".into()),
        ];
        bench.make(
            "s",
            "MaskBins",
            &[&[("InputWorkspace", "s".into())][..], &range].concat(),
        );
        let path = folder.path().join("masked.nxs");
        bench.run(
            "SaveNexusProcessed",
            &[
                ("InputWorkspace", "s".into()),
                ("Filename", path.to_str().unwrap().into()),
            ],
        );
        let back = bench
            .make("back", "Load", &[("Filename", path.to_str().unwrap().into())])
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
        let (bench, folder) = bench();
        for kind in ["Histogram", "Event"] {
            let s = bench.sample("s", &[("WorkspaceType", kind.into()), ("BankPixelWidth", 2_i64.into())]);
            bench.charge("s");
            bench.run(
                "AddSampleLog",
                &[
                    ("Workspace", "s".into()),
                    ("LogName", "field".into()),
                    ("LogText", "1.5".into()),
                    ("LogType", "Number".into()),
                    ("LogUnit", "T".into()),
                ],
            );
            bench.run(
                "SaveNexusProcessed",
                &[("InputWorkspace", "s".into()), ("Filename", "out".into())],
            );
            assert!(folder.path().join("out.nxs").exists());
            let back = bench.make("back", "Load", &[("Filename", "out.nxs".into())]);
            let (a, b) = (s.matrix().unwrap(), back.matrix().unwrap());
            assert_eq!(a.id(), b.id());
            assert_eq!(a.spectra().numbers(), b.spectra().numbers());
            assert_eq!(a.spectra().detectors(3), b.spectra().detectors(3));
            assert_eq!(b.run().number("field"), Some(1.5));
            assert_eq!(b.run().get("field").unwrap().units, "T");
            assert_eq!(b.run().series("proton_charge").unwrap().len(), 60);
            close(&x(&back, 0), &x(&s, 0));
            close(&y(&back, 5), &y(&s, 5));
            assert_eq!(total(&back), total(&s));
        }
    }

    #[test]
    fn groups_and_appended_workspaces_are_entries_of_one_file() {
        let (bench, folder) = bench();
        for name in ["a", "b", "c"] {
            bench.workspace(name, &[0.0, 1.0, 2.0], &[1.0, 2.0], 1);
        }
        bench.make("g", "GroupWorkspaces", &[("InputWorkspaces", "a,b".into())]);
        bench.run(
            "SaveNexusProcessed",
            &[("InputWorkspace", "g".into()), ("Filename", "g.nxs".into())],
        );
        bench.run(
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
        assert!(bench.try_run("SaveNexusProcessed", &part).is_err());
        assert!(!folder.path().join("p.nxs").exists());
    }
}
