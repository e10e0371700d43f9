//! SaveAscii: spectra as text: X (centres of bins), Y and E. Promises: the file appears whole or not at all.

use std::io::{BufWriter, Write};

use crate::algorithm::{Algorithm, Context};
use crate::atomic_file::{ExistingFile, save_path, write_atomically};
use crate::compute::binning::edges_to_points;
use crate::compute::{HistogramReader, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option};
use crate::error::{AlgorithmError, Result, failed};
use crate::value::Value;

pub(crate) struct SaveAscii;

const SEPARATORS: &[&str] = &["CSV", "Tab", "Space", "Colon", "SemiColon", "UserDefined"];

impl Algorithm for SaveAscii {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "SaveAscii",
            2,
            "DataHandling\\Text",
            "Writes spectra as text: X (the centres of bins), Y and E.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace to save."))
        .with(
            input(
                "Filename",
                PropertyKind::SaveFile,
                "Path of the file, relative to defaultsave.directory; a name without extension gets .dat.",
            )
            .mandatory(),
        )
        .with(option(
            "WorkspaceIndexMin",
            PropertyKind::Int,
            Value::None,
            "Workspace index of the first spectrum.",
        ))
        .with(option(
            "WorkspaceIndexMax",
            PropertyKind::Int,
            Value::None,
            "Workspace index of the last spectrum, inclusive.",
        ))
        .with(option(
            "SpectrumList",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices, in addition to the range.",
        ))
        .with(
            option(
                "Precision",
                PropertyKind::Int,
                Value::None,
                "Number of decimals, in exponent form; shortest exact form when not given.",
            )
            .validator(Validator::Between(0.0, 300.0)),
        )
        .with(option(
            "ScientificFormat",
            PropertyKind::Bool,
            false,
            "Write numbers in exponent form.",
        ))
        .with(option(
            "WriteXError",
            PropertyKind::Bool,
            false,
            "Write a fourth column of X errors, all zero.",
        ))
        .with(option(
            "WriteSpectrumID",
            PropertyKind::Bool,
            true,
            "Write a line with the spectrum number before each spectrum.",
        ))
        .with(option(
            "CommentIndicator",
            PropertyKind::Str,
            "#",
            "Text at the start of a comment line.",
        ))
        .with(
            option("Separator", PropertyKind::Str, "CSV", "Separator of columns.")
                .validator(Validator::OneOf(SEPARATORS)),
        )
        .with(option(
            "CustomSeparator",
            PropertyKind::Str,
            "",
            "Separator of columns, instead of Separator.",
        ))
        .with(option(
            "ColumnHeader",
            PropertyKind::Bool,
            true,
            "Write a first line with the names of the columns.",
        ))
        .with(option("SpectrumMetaData", PropertyKind::Strs, Value::None, "Not used."))
        .with(option(
            "AppendToFile",
            PropertyKind::Bool,
            false,
            "Append to an existing file.",
        ))
        .with(option(
            "RaggedWorkspace",
            PropertyKind::Bool,
            true,
            "Not used: spectra of different X are always saved.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let path = save_path(&context.services.config, &context.str("Filename")?, "dat");
        let mut chosen = indices::checked(&input, &context.ints("SpectrumList")?)?;
        let (first, last) = (
            context.opt_int("WorkspaceIndexMin")?,
            context.opt_int("WorkspaceIndexMax")?,
        );
        if chosen.is_empty() || first.is_some() || last.is_some() {
            chosen.extend(indices::range(&input, first, last)?);
        }
        chosen.sort_unstable();
        chosen.dedup();
        let separator = separator(context)?;
        let comment = context.str("CommentIndicator")?;
        if comment == separator {
            return failed("CommentIndicator and Separator must differ");
        }
        let (header, numbers, x_error) = (
            context.bool("ColumnHeader")?,
            context.bool("WriteSpectrumID")?,
            context.bool("WriteXError")?,
        );
        let precision = context.opt_int("Precision")?.map(|digits| digits as usize);
        let exponent = precision.is_some() || context.bool("ScientificFormat")?;
        let number = |value: f64| match (precision, exponent) {
            (Some(digits), _) => format!("{value:.digits$e}"),
            (None, true) => format!("{value:e}"),
            (None, false) => value.to_string(),
        };
        let reader = HistogramReader::new(&input, context.cancel)?;
        let (histogram, append) = (input.is_histogram_data(), context.bool("AppendToFile")?);
        write_atomically(
            &context.services.config,
            &path,
            ExistingFile::from_append(append),
            |hidden| {
                let io = |error: std::io::Error| {
                    AlgorithmError::Execution(format!("Unable to write {}: {error}", path.display()))
                };
                let there = append && hidden.exists();
                let file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(there)
                    .write(true)
                    .truncate(!there)
                    .open(hidden);
                let mut out = BufWriter::new(file.map_err(io)?);
                if header && !there {
                    let distribution = input.is_distribution();
                    let columns = if x_error {
                        format!("X {separator} Y {separator} E {separator} DX")
                    } else {
                        format!("X {separator} Y {separator} E")
                    };
                    writeln!(out, "{comment} {columns} Distribution={distribution}").map_err(io)?;
                }
                for index in &chosen {
                    context.check_cancelled()?;
                    let (x, y, e) = reader.get(*index)?;
                    if numbers {
                        writeln!(out, "{}", input.spectra().number(*index)).map_err(io)?;
                    }
                    let points = if histogram { edges_to_points(&x) } else { x.to_vec() };
                    for ((x, y), e) in points.iter().zip(y.iter()).zip(e.iter()) {
                        write!(out, "{}{separator}{}{separator}{}", number(*x), number(*y), number(*e)).map_err(io)?;
                        writeln!(
                            out,
                            "{}",
                            if x_error {
                                format!("{separator}0")
                            } else {
                                String::new()
                            }
                        )
                        .map_err(io)?;
                    }
                }
                out.flush().map_err(io)
            },
        )
    }
}

/// CustomSeparator where it is given, otherwise the text of Separator.
fn separator(context: &Context<'_>) -> Result<String> {
    let custom = context.str("CustomSeparator")?;
    Ok(match context.str("Separator")?.as_str() {
        _ if !custom.is_empty() => custom,
        "Tab" => "\t".to_owned(),
        "Space" => " ".to_owned(),
        "Colon" => ":".to_owned(),
        "SemiColon" => ";".to_owned(),
        "UserDefined" => return failed("CustomSeparator must be given for a separator of one's own"),
        _ => ",".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn text_holds_centres_and_numbers() {
        let (fixture, folder) = (AlgorithmFixture::new(), tempfile::tempdir().unwrap());
        fixture
            .service
            .config
            .set("defaultsave.directory", folder.path().to_str().unwrap());
        fixture.workspace_with_errors("w", &[0.0, 1.0, 2.0], &[1.5, 2.0, 3.0, 4.0], &[0.5, 1.0, 1.0, 1.0], 2);
        let call = [("InputWorkspace", "w".into()), ("Filename", "a.txt".into())];
        fixture.run("SaveAscii", &call);
        let text = std::fs::read_to_string(folder.path().join("a.txt")).unwrap();
        assert_eq!(
            text,
            "# X , Y , E Distribution=false\n1\n0.5,1.5,0.5\n1.5,2,1\n2\n0.5,3,1\n1.5,4,1\n"
        );
        fixture.run(
            "SaveAscii",
            &[
                &call[..],
                &[("AppendToFile", true.into()), ("WorkspaceIndexMax", 0_i64.into())],
            ]
            .concat(),
        );
        assert_eq!(
            std::fs::read_to_string(folder.path().join("a.txt"))
                .unwrap()
                .lines()
                .count(),
            10
        );
        assert!(
            fixture
                .try_run("SaveAscii", &[&call[..], &[("SpectrumList", "7".into())]].concat())
                .is_err()
        );
    }
}
