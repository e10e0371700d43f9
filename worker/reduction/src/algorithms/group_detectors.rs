//! GroupDetectors: spectra joined into groups by a pattern, a file or another workspace.
//!
//! Y of a group is Σ yᵢ and E is √(Σ eᵢ²) over its members i; with Behaviour Average both are divided by the number of
//! members that are not masked. Source: Mantid's page GroupDetectors v2.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use live_data_engine::plan::Factor;

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load::find_file;
use crate::compute::grouping::{SpectrumGroup, parse_pattern};
use crate::compute::{HistogramReader, as_histogram, build_rows, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::instrument::detector_files::grouping;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{SharedRow, XRows, same_row};
use crate::workspace::events::EventData;
use crate::workspace::matrix::{Histogram, WorkspaceData};
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct GroupDetectors;

impl Algorithm for GroupDetectors {
    fn declaration(&self) -> Declaration {
        Declaration::new("GroupDetectors", 2, "Transforms\\Grouping", "Joins spectra into groups: their sum or their mean.")
            .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace with common bins of the spectra in one group."))
            .with(output("OutputWorkspace", PropertyKind::Matrix, "One spectrum for each group."))
            .with(option("MapFile", PropertyKind::LoadFile, "", "File of the groups: .map (spectrum numbers), .xml (spectrum numbers, detector ids or components) or .cal (detector ids)."))
            .with(option("IgnoreGroupNumber", PropertyKind::Bool, true, "Number the groups from 1; otherwise as in the file."))
            .with(option("GroupingPattern", PropertyKind::Str, "", "Groups by workspace index, separated by commas: 0+1 and 4-6 are sums, 7:9 keeps each spectrum."))
            .with(option("SpectraList", PropertyKind::Ints, Value::None, "Spectrum numbers of one group."))
            .with(option("DetectorList", PropertyKind::Ints, Value::None, "Detector ids of one group."))
            .with(option("WorkspaceIndexList", PropertyKind::Ints, Value::None, "Workspace indices of one group."))
            .with(option("KeepUngroupedSpectra", PropertyKind::Bool, false, "Append spectra that belong to no group."))
            .with(option("Behaviour", PropertyKind::Str, "Sum", "Sum of a group's spectra or their mean over unmasked members.").validator(Validator::OneOf(&["Sum", "Average"])))
            .with(option("PreserveEvents", PropertyKind::Bool, true, "Keep events; otherwise they are histogrammed first."))
            .with(option("CopyGroupingFromWorkspace", PropertyKind::Matrix, Value::None, "Grouped workspace, or grouping workspace: the detectors of its spectra are the groups."))
            .with(option("ExcludeGroupNumbers", PropertyKind::Ints, Value::None, "Not used."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let input = if context.bool("PreserveEvents")? {
            input
        } else {
            as_histogram(&input, context.cancel)?
        };
        let groups = requested_groups(&input, context)?;
        let mut members: Vec<Vec<usize>> = groups.iter().map(|group| group.members.clone()).collect();
        let mut numbers: Vec<i32> = if context.bool("IgnoreGroupNumber")? {
            (1..).take(groups.len()).collect()
        } else {
            groups.iter().map(|group| group.number).collect()
        };
        if context.bool("KeepUngroupedSpectra")? {
            let mut grouped = vec![false; input.histograms()];
            for index in members.iter().flatten() {
                if let Some(flag) = grouped.get_mut(*index) {
                    *flag = true;
                }
            }
            for (index, _) in grouped.iter().enumerate().filter(|(_, grouped)| !**grouped) {
                members.push(vec![index]);
                numbers.push(input.spectra().number(index));
            }
        }
        if members.is_empty() {
            return failed("No group was given: set MapFile, GroupingPattern or one of the lists");
        }
        let average = context.str("Behaviour")? == "Average";
        let out = join_spectra(&input, &members, &numbers, average, context)?;
        context.output("OutputWorkspace", out)
    }
}

fn requested_groups(input: &MatrixWorkspace, context: &Context<'_>) -> Result<Vec<SpectrumGroup>> {
    if let Some(other) = context.opt_matrix("CopyGroupingFromWorkspace")? {
        return groups_of_workspace(input, &other, context);
    }
    let (file, pattern) = (context.str("MapFile")?, context.str("GroupingPattern")?);
    if !file.is_empty() {
        return groups_of_file(input, &file, context);
    }
    if !pattern.is_empty() {
        return parse_pattern(&pattern, input.histograms());
    }
    let (spectra, detectors) = (context.ints("SpectraList")?, context.ints("DetectorList")?);
    let members = if !spectra.is_empty() {
        indices::of_numbers(input, &spectra)?
    } else if !detectors.is_empty() {
        indices::of_detectors(input, &detectors)
    } else {
        indices::checked(input, &context.ints("WorkspaceIndexList")?)?
    };
    if members.is_empty() {
        return failed("No group was given: set MapFile, GroupingPattern or one of the lists");
    }
    // As in Mantid, one group has the smallest of its spectrum numbers.
    let number = members
        .iter()
        .map(|index| input.spectra().number(*index))
        .min()
        .unwrap_or(1);
    Ok(vec![SpectrumGroup { number, members }])
}

fn groups_of_file(input: &MatrixWorkspace, file: &str, context: &Context<'_>) -> Result<Vec<SpectrumGroup>> {
    let path = find_file(&context.services.config, file)?;
    let text = std::fs::read_to_string(&path).map_err(|error| {
        AlgorithmError::Execution(format!("Unable to read the grouping file {}: {error}", path.display()))
    })?;
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let listed = grouping::parse(&text, &extension).or_else(|error| failed(format!("{}: {error}", path.display())))?;
    let by_number = input.spectra().index_by_number();
    let named_by_detector = listed
        .iter()
        .any(|group| !group.members.detectors.is_empty() || !group.members.components.is_empty());
    let by_detector = if named_by_detector {
        input.spectra().index_by_detector()
    } else {
        HashMap::new()
    };
    let mut groups = Vec::with_capacity(listed.len());
    for group in listed {
        let mut members = Vec::with_capacity(group.members.spectra.len() + group.members.detectors.len());
        for number in &group.members.spectra {
            match by_number.get(number) {
                Some(index) => members.push(*index),
                None => return failed(format!("Spectrum number {number} not found")),
            }
        }
        // A file for the whole instrument may list detectors that the workspace does not have.
        let detectors = group
            .members
            .detectors_of(input.instrument())
            .or_else(|error| failed(format!("{}: {error}", path.display())))?;
        let mut seen = std::collections::HashSet::new();
        let found = detectors.iter().filter_map(|id| by_detector.get(id).copied());
        members.extend(found.filter(|index| seen.insert(*index)));
        if !members.is_empty() {
            groups.push(SpectrumGroup {
                number: group.group,
                members,
            });
        }
    }
    Ok(groups)
}

fn groups_of_workspace(
    input: &MatrixWorkspace,
    other: &MatrixWorkspace,
    context: &Context<'_>,
) -> Result<Vec<SpectrumGroup>> {
    let map = input.spectra().index_by_detector();
    let mut groups: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    let single = (0..other.histograms()).all(|index| other.spectra().detectors(index).len() <= 1);
    if single && other.bins(0) == 1 && other.histograms() > 1 {
        // In a grouping workspace Y is the number of the group, 0 for none.
        let reader = HistogramReader::new(other, context.cancel)?;
        for index in 0..other.histograms() {
            let (_, y, _) = reader.get(index)?;
            let number = y.first().copied().unwrap_or_default() as i32;
            if number > 0 {
                let found = other.spectra().detectors(index).iter().filter_map(|id| map.get(id));
                groups.entry(number).or_default().extend(found);
            }
        }
    } else {
        for index in 0..other.histograms() {
            let found: Vec<usize> = other
                .spectra()
                .detectors(index)
                .iter()
                .filter_map(|id| map.get(id).copied())
                .collect();
            groups.insert(index as i32 + 1, found);
        }
    }
    let mut out = Vec::with_capacity(groups.len());
    for (number, mut members) in groups {
        members.sort_unstable();
        members.dedup();
        if !members.is_empty() {
            out.push(SpectrumGroup { number, members });
        }
    }
    Ok(out)
}

/// The sums, or means, of groups of spectra; a group of none has no counts and no detectors.
pub(crate) fn join_spectra(
    input: &MatrixWorkspace,
    members: &[Vec<usize>],
    numbers: &[i32],
    average: bool,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    let first = input.x(0)?;
    let common = members
        .iter()
        .flatten()
        .all(|index| input.xs().get(*index).is_some_and(|x| same_row(x, &first)));
    if !common && members.iter().any(|group| group.len() > 1) {
        return failed("Can only group if the histograms have common bin boundaries");
    }
    let unmasked = |group: &[usize]| group.iter().filter(|index| !input.is_masked(**index)).count().max(1) as f64;
    let divisors: Vec<f64> = members
        .iter()
        .map(|group| if average { unmasked(group) } else { 1.0 })
        .collect();
    let data = if let Some(events) = input.events() {
        let mut plan = events.plan().regroup(members)?;
        if average {
            let factors: Vec<Factor> = divisors
                .iter()
                .map(|n| Factor {
                    value: 1.0 / n,
                    error_squared: 0.0,
                })
                .collect();
            plan = plan.scale_rows(&factors)?;
        }
        WorkspaceData::Events(EventData::new(plan, group_x(input, members)))
    } else {
        WorkspaceData::Histogram(joined_histograms(input, members, &divisors, context)?)
    };
    let mut out = input.clone().with_data(data);
    out.spectra = Arc::new(joined_detectors(input, members, numbers));
    out.vertical = VerticalAxis::Spectra;
    Ok(out)
}

fn group_x(input: &MatrixWorkspace, members: &[Vec<usize>]) -> XRows {
    match input.xs() {
        XRows::Common(row) => XRows::Common(row.clone()),
        XRows::PerSpectrum(rows) => {
            let first = |group: &Vec<usize>| rows.get(group.first().copied().unwrap_or(0)).cloned();
            let rows: Vec<SharedRow> = members.iter().filter_map(first).collect();
            XRows::each(rows)
        }
    }
}

/// Sum of each group's histograms, divided by the group's divisor.
fn joined_histograms(
    input: &MatrixWorkspace,
    members: &[Vec<usize>],
    divisors: &[f64],
    context: &Context<'_>,
) -> Result<Histogram> {
    let reader = HistogramReader::new(input, context.cancel)?;
    let (y, e) = build_rows(members.len(), context.cancel, |group| {
        let (Some(members), Some(divisor)) = (members.get(group), divisors.get(group)) else {
            return invalid("a group is missing");
        };
        let bins = input.bins(members.first().copied().unwrap_or(0));
        let (mut ys, mut es) = (vec![0.0; bins], vec![0.0; bins]);
        for index in members {
            let (_, y, e) = reader.get(*index)?;
            for (((ys, es), y), e) in ys.iter_mut().zip(&mut es).zip(y.iter()).zip(e.iter()) {
                *ys += y;
                *es += e * e;
            }
        }
        for (y, e) in ys.iter_mut().zip(&mut es) {
            *y /= divisor;
            *e = e.sqrt() / divisor;
        }
        Ok((ys, es))
    })?;
    Ok(Histogram {
        x: group_x(input, members),
        y,
        e,
    })
}

/// Number and detector ids of each group; the ids are ascending, each once.
fn joined_detectors(input: &MatrixWorkspace, members: &[Vec<usize>], numbers: &[i32]) -> SpectrumDetectorMapping {
    let mut spectra = SpectrumDetectorMapping::with_capacity(members.len());
    for (group, number) in members.iter().zip(numbers) {
        let mut ids: Vec<i32> = group
            .iter()
            .flat_map(|index| input.spectra().detectors(*index).to_vec())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        spectra.push(*number, &ids);
    }
    spectra
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, total_counts, y};
    use crate::value::Value;

    fn ten(fixture: &AlgorithmFixture) {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        fixture.workspace("w", &[0.0, 1.0], &values, 10);
    }

    fn column(handle: &crate::WorkspaceHandle) -> Vec<f64> {
        (0..matrix(handle).histograms())
            .map(|index| y(handle, index)[0])
            .collect()
    }

    #[test]
    fn documented_examples_come_out() {
        let fixture = AlgorithmFixture::new();
        ten(&fixture);
        let group = |properties: &[(&str, Value)]| {
            fixture.create(
                "o",
                "GroupDetectors",
                &[&[("InputWorkspace", "w".into())], properties].concat(),
            )
        };
        assert_close(
            &column(&group(&[("GroupingPattern", "0+1,3,4-6,7:9".into())])),
            &[3.0, 4.0, 18.0, 8.0, 9.0, 10.0],
        );
        let kept = group(&[
            ("SpectraList", vec![1_i64, 2, 3].into()),
            ("KeepUngroupedSpectra", true.into()),
        ]);
        assert_close(&column(&kept)[..3], &[6.0, 4.0, 5.0]);
        assert_eq!(matrix(&kept).histograms(), 8);
        assert_close(&e(&kept, 0), &[14.0_f64.sqrt()]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.map");
        std::fs::write(&file, "4 # groups\n1\n3\n1 2 3\n2\n3\n4-6\n3\n2\n7 8\n4\n2\n9 10\n").unwrap();
        assert_close(
            &column(&group(&[("MapFile", file.to_str().unwrap().into())])),
            &[6.0, 15.0, 15.0, 19.0],
        );
        assert_close(
            &column(&group(&[
                ("WorkspaceIndexList", "0-3".into()),
                ("Behaviour", "Average".into()),
            ])),
            &[2.5],
        );
        let xml = folder.path().join("g.xml");
        std::fs::write(&xml, "<detector-grouping><group name='a'><ids val='1,3-4'/></group><group ID='7'><ids val='10'/></group></detector-grouping>").unwrap();
        let by_xml = group(&[
            ("MapFile", xml.to_str().unwrap().into()),
            ("IgnoreGroupNumber", false.into()),
        ]);
        assert_close(&column(&by_xml), &[8.0, 10.0]);
        assert_eq!(matrix(&by_xml).spectra().numbers()[1], 7);
    }

    #[test]
    fn grouping_then_summing_is_summing_for_events_too() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 3_i64.into())],
        );
        let grouped = fixture.create(
            "g",
            "GroupDetectors",
            &[
                ("InputWorkspace", "s".into()),
                ("GroupingPattern", "0-4,5-8,9-17".into()),
            ],
        );
        assert_eq!(
            (matrix(&grouped).id(), total_counts(&grouped)),
            ("EventWorkspace", total_counts(&s))
        );
        let a = fixture.create("a", "SumSpectra", &[("InputWorkspace", "g".into())]);
        let b = fixture.create("b", "SumSpectra", &[("InputWorkspace", "s".into())]);
        assert_close(&y(&a, 0), &y(&b, 0));
        let copied = fixture.create(
            "c",
            "GroupDetectors",
            &[
                ("InputWorkspace", "s".into()),
                ("CopyGroupingFromWorkspace", "g".into()),
            ],
        );
        assert_close(&y(&copied, 2), &y(&grouped, 2));
    }

    #[test]
    fn bad_groups_are_refused() {
        let fixture = AlgorithmFixture::new();
        ten(&fixture);
        for (name, value) in [
            ("SpectraList", "99"),
            ("GroupingPattern", "0+99"),
            ("GroupingPattern", "x"),
            ("MapFile", "none.map"),
            ("WorkspaceIndexList", "-1"),
        ] {
            assert!(
                fixture
                    .try_create(
                        "o",
                        "GroupDetectors",
                        &[("InputWorkspace", "w".into()), (name, value.into())]
                    )
                    .is_err(),
                "{value}"
            );
        }
        assert!(
            fixture
                .try_create("o", "GroupDetectors", &[("InputWorkspace", "w".into())])
                .is_err()
        );
    }
}
