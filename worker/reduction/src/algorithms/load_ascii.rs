//! LoadAscii: spectra from text in columns of X, Y and E; a line of one number is the spectrum number of the lines
//! below.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load::find_file;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{AlgorithmError, Result, failed};
use crate::unit::Unit;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct LoadAscii;

impl Algorithm for LoadAscii {
    fn declaration(&self) -> Declaration {
        const SEPARATORS: &[&str] = &["Automatic", "CSV", "Tab", "Space", "Colon", "SemiColon", "UserDefined"];
        Declaration::new("LoadAscii", 2, "DataHandling\\Text", "Reads spectra from a text file.")
            .with(
                input(
                    "Filename",
                    PropertyKind::LoadFile,
                    "Path of the file; a relative path is searched in defaultsave.directory and datasearch.directories.",
                )
                .mandatory(),
            )
            .with(output("OutputWorkspace", PropertyKind::Matrix, "Spectra as points."))
            .with(
                option(
                    "Separator",
                    PropertyKind::Str,
                    "Automatic",
                    "Not used: comma, blank, tab, colon and semicolon all separate columns.",
                )
                .validator(Validator::OneOf(SEPARATORS)),
            )
            .with(option("CustomSeparator", PropertyKind::Str, "", "Separator of columns, instead of the usual ones."))
            .with(option("CommentIndicator", PropertyKind::Str, "#", "Text at the start of a comment line."))
            .with(option("Unit", PropertyKind::Str, "Energy", "Unit of X: a unit's id, or any other text as its caption."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let path = find_file(&context.services.config, &context.str("Filename")?)?;
        let text = std::fs::read_to_string(&path)
            .map_err(|error| AlgorithmError::Execution(format!("Unable to read {}: {error}", path.display())))?;
        let (comment, custom) = (context.str("CommentIndicator")?, context.str("CustomSeparator")?);
        let read = parse(&text, &comment, &custom).or_else(|error| failed(format!("{}: {error}", path.display())))?;
        let mut spectra = SpectrumDetectorMapping::with_capacity(read.len());
        let rows = |pick: fn(&AsciiSpectrum) -> &Vec<f64>| {
            read.iter()
                .map(|c| SharedRow::from(pick(c).as_slice()))
                .collect::<Vec<_>>()
        };
        for (index, columns) in read.iter().enumerate() {
            spectra.push(columns.number.unwrap_or(index as i32 + 1), &[]);
        }
        let xs = rows(|columns| &columns.x);
        let common = xs.first().cloned().filter(|first| xs.iter().all(|x| **x == **first));
        let xs = common.map_or_else(|| XRows::PerSpectrum(Arc::new(xs)), XRows::Common);
        let mut out = MatrixWorkspace::histogram(xs, Rows::new(rows(|c| &c.y)), Rows::new(rows(|c| &c.e)));
        out.set_spectra(spectra)?;
        let unit = context.str("Unit")?;
        out.set_x_unit(Unit::from_id(&unit).unwrap_or_else(|| Unit::label(&unit, "")));
        context.output("OutputWorkspace", out)
    }
}

/// Columns of one spectrum, all of one length.
#[derive(Default)]
struct AsciiSpectrum {
    number: Option<i32>,
    x: Vec<f64>,
    y: Vec<f64>,
    e: Vec<f64>,
}

fn parse(text: &str, comment: &str, custom: &str) -> Result<Vec<AsciiSpectrum>, String> {
    let mut out: Vec<AsciiSpectrum> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (!comment.is_empty() && line.starts_with(comment)) {
            continue;
        }
        let fields: Vec<&str> = if custom.is_empty() {
            line.split([',', ' ', '\t', ':', ';'])
                .filter(|field| !field.is_empty())
                .collect()
        } else {
            line.split(custom).map(str::trim).collect()
        };
        let numbers: Result<Vec<f64>, _> = fields.iter().map(|field| field.parse::<f64>()).collect();
        let Ok(numbers) = numbers else {
            // Lines of text before the data are headings.
            if out.is_empty() {
                continue;
            }
            return Err(format!("line {} is not made of numbers: \"{line}\"", at + 1));
        };
        match numbers[..] {
            [number] => out.push(AsciiSpectrum {
                number: Some(number as i32),
                ..AsciiSpectrum::default()
            }),
            [x, y, ..] => {
                if out.is_empty() {
                    out.push(AsciiSpectrum::default());
                }
                if let Some(columns) = out.last_mut() {
                    columns.x.push(x);
                    columns.y.push(y);
                    columns.e.push(numbers.get(2).copied().unwrap_or_default());
                }
            }
            [] => {}
        }
    }
    out.retain(|columns| !columns.x.is_empty());
    if out.is_empty() {
        return Err("the file holds no columns of numbers".to_owned());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, x, y};
    use crate::error::ErrorClass;

    #[test]
    fn what_save_ascii_writes_is_read_and_a_missing_file_is_a_wrong_value() {
        let (fixture, folder) = (AlgorithmFixture::new(), tempfile::tempdir().unwrap());
        fixture
            .service
            .config
            .set("defaultsave.directory", folder.path().to_str().unwrap());
        fixture.workspace("w", &[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 2);
        fixture.run(
            "SaveAscii",
            &[("InputWorkspace", "w".into()), ("Filename", "a.txt".into())],
        );
        let back = fixture.create("b", "LoadAscii", &[("Filename", "a.txt".into())]);
        assert_close(&x(&back, 1), &[0.5, 1.5]);
        assert_close(&y(&back, 1), &[3.0, 4.0]);
        assert_eq!(matrix(&back).spectra().numbers(), [1, 2]);
        let error = fixture
            .try_create("b", "LoadAscii", &[("Filename", "none.txt".into())])
            .unwrap_err();
        assert_eq!(error.class(), ErrorClass::InvalidArgument);
        std::fs::write(folder.path().join("bad.txt"), "1 2\nx y\n").unwrap();
        assert!(
            fixture
                .try_create("b", "LoadAscii", &[("Filename", "bad.txt".into())])
                .is_err()
        );
    }
}
