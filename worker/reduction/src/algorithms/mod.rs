//! Algorithms: one file each, except for families that differ in one value only (`binary_operation`).
//!
//! Promises: an algorithm is a file with its tests, one `mod` line and one entry of `ALL`. A file with a formula
//! states it with symbols, units and source at its head.
//!
//! Y is the signal of a bin, E its standard deviation, X the bin's edges or the point.
//!
//! # Documented numbers
//!
//! Wavelength of neutrons after 19800 µs over 15 m (Mantid's page ConvertUnits v1), Å:
//!
//! ```
//! # use std::sync::Arc;
//! # use live_data_engine::cancel::Cancel;
//! # use live_data_reduction::instrument::source::InstrumentFolders;
//! # use live_data_reduction::service::{NullLogger, Services};
//! # use live_data_reduction::{AlgorithmRun, Outputs, Value};
//! # let services = Services::new(Arc::new(NullLogger), Arc::new(InstrumentFolders::new(Vec::new())));
//! # let call = |name: &str, properties: &[(&str, Value)]| -> live_data_reduction::Result<Outputs> {
//! #     let mut run = AlgorithmRun::create(name, None)?;
//! #     for (property, value) in properties {
//! #         run.set_property(property, value.clone())?;
//! #     }
//! #     run.execute(&services, &Cancel::new())
//! # };
//! let small = [("OutputWorkspace", "s".into()), ("NumBanks", 1_i64.into()), ("BankPixelWidth", 1_i64.into())];
//! call("CreateSampleWorkspace", &small)?;
//! let convert = [("InputWorkspace", "s".into()), ("Target", "Wavelength".into()), ("OutputWorkspace", "w".into())];
//! let out = call("ConvertUnits", &convert)?.workspace("OutputWorkspace").unwrap();
//! assert!((out.matrix()?.x(0)?[99] - 5.221_964_853_01).abs() < 1e-8);
//! # Ok::<(), live_data_reduction::AlgorithmError>(())
//! ```
//!
//! Standard deviation of a sum, √(1² + 3²), and of a quotient (Mantid's pages Plus v1 and Divide v1):
//!
//! ```
//! # use std::sync::Arc;
//! # use live_data_engine::cancel::Cancel;
//! # use live_data_reduction::instrument::source::InstrumentFolders;
//! # use live_data_reduction::service::{NullLogger, Services};
//! # use live_data_reduction::{AlgorithmRun, Outputs, Value};
//! # let services = Services::new(Arc::new(NullLogger), Arc::new(InstrumentFolders::new(Vec::new())));
//! # let call = |name: &str, properties: &[(&str, Value)]| -> live_data_reduction::Result<Outputs> {
//! #     let mut run = AlgorithmRun::create(name, None)?;
//! #     for (property, value) in properties {
//! #         run.set_property(property, value.clone())?;
//! #     }
//! #     run.execute(&services, &Cancel::new())
//! # };
//! for (name, y, e) in [("a", 1.0, 1.0), ("b", 2.0, 3.0)] {
//!     let number = [("OutputWorkspace", name.into()), ("DataValue", y.into()), ("ErrorValue", e.into())];
//!     call("CreateSingleValuedWorkspace", &number)?;
//! }
//! let sides = [("LHSWorkspace", "a".into()), ("RHSWorkspace", "b".into()), ("OutputWorkspace", "o".into())];
//! for (name, error) in [("Plus", 3.162_277_66), ("Divide", 0.901_387_82)] {
//!     let out = call(name, &sides)?.workspace("OutputWorkspace").unwrap();
//!     assert!((out.matrix()?.e(0, &Cancel::new())?[0] - error).abs() < 1e-8);
//! }
//! # Ok::<(), live_data_reduction::AlgorithmError>(())
//! ```
//!
//! Counts by proton charge, 10 µA·h (Mantid's page NormaliseByCurrent v1):
//!
//! ```
//! # use std::sync::Arc;
//! # use live_data_engine::cancel::Cancel;
//! # use live_data_reduction::instrument::source::InstrumentFolders;
//! # use live_data_reduction::service::{NullLogger, Services};
//! # use live_data_reduction::{AlgorithmRun, Outputs, Value};
//! # let services = Services::new(Arc::new(NullLogger), Arc::new(InstrumentFolders::new(Vec::new())));
//! # let call = |name: &str, properties: &[(&str, Value)]| -> live_data_reduction::Result<Outputs> {
//! #     let mut run = AlgorithmRun::create(name, None)?;
//! #     for (property, value) in properties {
//! #         run.set_property(property, value.clone())?;
//! #     }
//! #     run.execute(&services, &Cancel::new())
//! # };
//! let (x, y) = (vec![0.0, 1.0, 2.0], vec![17.0, 12.0]);
//! call("CreateWorkspace", &[("OutputWorkspace", "w".into()), ("DataX", x.into()), ("DataY", y.into())])?;
//! let log = [("LogName", "gd_prtn_chrg".into()), ("LogText", "10.0".into()), ("LogType", "Number".into())];
//! call("AddSampleLog", &[&[("Workspace", "w".into())][..], &log].concat())?;
//! let normalise = [("InputWorkspace", "w".into()), ("OutputWorkspace", "o".into())];
//! let out = call("NormaliseByCurrent", &normalise)?.workspace("OutputWorkspace").unwrap();
//! assert_eq!(out.matrix()?.y(0, &Cancel::new())?[..], [1.7, 1.2]);
//! # Ok::<(), live_data_reduction::AlgorithmError>(())
//! ```
//!
//! Time of flight of 15 meV over 15 m (Mantid's page GetEi v2), µs:
//!
//! ```
//! # use std::sync::Arc;
//! # use live_data_engine::cancel::Cancel;
//! # use live_data_reduction::instrument::source::InstrumentFolders;
//! # use live_data_reduction::service::{NullLogger, Services};
//! # use live_data_reduction::{AlgorithmRun, Outputs, Value};
//! # let services = Services::new(Arc::new(NullLogger), Arc::new(InstrumentFolders::new(Vec::new())));
//! # let call = |name: &str, properties: &[(&str, Value)]| -> live_data_reduction::Result<Outputs> {
//! #     let mut run = AlgorithmRun::create(name, None)?;
//! #     for (property, value) in properties {
//! #         run.set_property(property, value.clone())?;
//! #     }
//! #     run.execute(&services, &Cancel::new())
//! # };
//! let sample = [("OutputWorkspace", "s".into()), ("BankPixelWidth", 1_i64.into()), ("BinWidth", 10.0.into())];
//! call("CreateSampleWorkspace", &sample)?;
//! let monitors = [("InputWorkspace", "s".into()), ("Monitor1Spec", 1_i64.into()), ("Monitor2Spec", 2_i64.into())];
//! let energy = [("EnergyEstimate", 15.0.into()), ("FixEi", true.into())];
//! let peak = call("GetEi", &[&monitors[..], &energy].concat())?.get("FirstMonitorPeak").unwrap().to_float()?;
//! assert!((peak - 8854.69).abs() < 0.005);
//! # Ok::<(), live_data_reduction::AlgorithmError>(())
//! ```
//!
//! Bins of 2 from bins of 1 (Mantid's page Rebin v1):
//!
//! ```
//! # use std::sync::Arc;
//! # use live_data_engine::cancel::Cancel;
//! # use live_data_reduction::instrument::source::InstrumentFolders;
//! # use live_data_reduction::service::{NullLogger, Services};
//! # use live_data_reduction::{AlgorithmRun, Outputs, Value};
//! # let services = Services::new(Arc::new(NullLogger), Arc::new(InstrumentFolders::new(Vec::new())));
//! # let call = |name: &str, properties: &[(&str, Value)]| -> live_data_reduction::Result<Outputs> {
//! #     let mut run = AlgorithmRun::create(name, None)?;
//! #     for (property, value) in properties {
//! #         run.set_property(property, value.clone())?;
//! #     }
//! #     run.execute(&services, &Cancel::new())
//! # };
//! let edges: Vec<f64> = (0..10).map(f64::from).collect();
//! let input = [("OutputWorkspace", "w".into()), ("DataX", edges.into()), ("DataY", vec![1.0; 9].into())];
//! call("CreateWorkspace", &input)?;
//! let rebin = [("InputWorkspace", "w".into()), ("Params", "2".into()), ("OutputWorkspace", "o".into())];
//! let out = call("Rebin", &rebin)?.workspace("OutputWorkspace").unwrap();
//! assert_eq!(out.matrix()?.y(0, &Cancel::new())?[..], [2.0, 2.0, 2.0, 2.0, 1.0]);
//! # Ok::<(), live_data_reduction::AlgorithmError>(())
//! ```

use crate::algorithm::Algorithm;

pub(crate) mod add_sample_log;
pub(crate) mod add_sample_log_multiple;
pub(crate) mod add_time_series_log;
pub(crate) mod append_spectra;
pub(crate) mod binary_operation;
pub(crate) mod clone_workspace;
pub(crate) mod compare_workspaces;
pub(crate) mod compress_events;
pub(crate) mod conjoin_workspaces;
pub(crate) mod convert_from_distribution;
pub(crate) mod convert_spectrum_axis;
pub(crate) mod convert_spectrum_axis_1;
pub(crate) mod convert_to_distribution;
pub(crate) mod convert_to_event_workspace;
pub(crate) mod convert_to_histogram;
pub(crate) mod convert_to_matrix_workspace;
pub(crate) mod convert_to_point_data;
pub(crate) mod convert_units;
pub(crate) mod copy_logs;
pub(crate) mod correct_ki_kf;
pub(crate) mod create_empty_table_workspace;
pub(crate) mod create_sample_workspace;
pub(crate) mod create_simulation_workspace;
pub(crate) mod create_single_valued_workspace;
pub(crate) mod create_workspace;
pub(crate) mod crop_workspace;
pub(crate) mod delete_log;
pub(crate) mod delete_workspace;
pub(crate) mod delete_workspaces;
pub(crate) mod detector_efficiency_cor;
pub(crate) mod distribution;
pub(crate) mod edit_instrument_geometry;
pub(crate) mod exponential;
pub(crate) mod extract_mask;
pub(crate) mod extract_monitors;
pub(crate) mod extract_single_spectrum;
pub(crate) mod extract_spectra;
pub(crate) mod filter_by_log_value;
pub(crate) mod filter_by_time;
pub(crate) mod find_epp;
pub(crate) mod get_ei;
pub(crate) mod group_detectors;
pub(crate) mod group_detectors_1;
pub(crate) mod group_workspaces;
pub(crate) mod integration;
pub(crate) mod load;
pub(crate) mod load_ascii;
pub(crate) mod load_empty_instrument;
pub(crate) mod load_instrument;
pub(crate) mod load_live_data;
pub(crate) mod load_mask;
pub(crate) mod logarithm;
pub(crate) mod mask_bins;
pub(crate) mod mask_detectors;
pub(crate) mod max;
pub(crate) mod max_min;
pub(crate) mod merge_runs;
pub(crate) mod min;
pub(crate) mod monitor_live_data;
pub(crate) mod move_instrument_component;
pub(crate) mod normalise_by_current;
pub(crate) mod normalise_to_monitor;
pub(crate) mod pause;
pub(crate) mod power;
pub(crate) mod rebin;
pub(crate) mod rebin_to_workspace;
pub(crate) mod remove_bins;
pub(crate) mod remove_logs;
pub(crate) mod remove_spectra;
pub(crate) mod remove_workspace_history;
pub(crate) mod rename_workspace;
pub(crate) mod replace_special_values;
pub(crate) mod rotate_instrument_component;
pub(crate) mod save_ascii;
pub(crate) mod save_nexus;
pub(crate) mod save_nexus_processed;
pub(crate) mod save_nxspe;
pub(crate) mod scale;
pub(crate) mod scale_x;
pub(crate) mod set_goniometer;
pub(crate) mod set_instrument_parameter;
pub(crate) mod set_ub;
pub(crate) mod start_live_data;
pub(crate) mod sum_spectra;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod transpose;
pub(crate) mod un_group_workspace;
pub(crate) mod unary_operation;
pub(crate) mod weighted_mean;

/// Algorithms of [`crate::registry`], in alphabetical order of their names.
pub(crate) static ALL: &[&dyn Algorithm] = &[
    &add_sample_log::AddSampleLog,
    &add_sample_log_multiple::AddSampleLogMultiple,
    &add_time_series_log::AddTimeSeriesLog,
    &append_spectra::AppendSpectra,
    &clone_workspace::CloneWorkspace,
    &compare_workspaces::CompareWorkspaces,
    &compress_events::CompressEvents,
    &conjoin_workspaces::ConjoinWorkspaces,
    &convert_from_distribution::ConvertFromDistribution,
    &convert_spectrum_axis::ConvertSpectrumAxis,
    &convert_spectrum_axis_1::ConvertSpectrumAxis1,
    &convert_to_distribution::ConvertToDistribution,
    &convert_to_event_workspace::ConvertToEventWorkspace,
    &convert_to_histogram::ConvertToHistogram,
    &convert_to_matrix_workspace::ConvertToMatrixWorkspace,
    &convert_to_point_data::ConvertToPointData,
    &convert_units::ConvertUnits,
    &copy_logs::CopyLogs,
    &correct_ki_kf::CorrectKiKf,
    &create_empty_table_workspace::CreateEmptyTableWorkspace,
    &create_sample_workspace::CreateSampleWorkspace,
    &create_simulation_workspace::CreateSimulationWorkspace,
    &create_single_valued_workspace::CreateSingleValuedWorkspace,
    &create_workspace::CreateWorkspace,
    &crop_workspace::CropWorkspace,
    &delete_log::DeleteLog,
    &delete_workspace::DeleteWorkspace,
    &delete_workspaces::DeleteWorkspaces,
    &detector_efficiency_cor::DetectorEfficiencyCor,
    &binary_operation::DIVIDE,
    &edit_instrument_geometry::EditInstrumentGeometry,
    &exponential::Exponential,
    &extract_mask::ExtractMask,
    &extract_monitors::ExtractMonitors,
    &extract_single_spectrum::ExtractSingleSpectrum,
    &extract_spectra::ExtractSpectra,
    &filter_by_log_value::FilterByLogValue,
    &filter_by_time::FilterByTime,
    &find_epp::FindEPP,
    &get_ei::GetEi,
    &group_detectors::GroupDetectors,
    &group_detectors_1::GroupDetectors1,
    &group_workspaces::GroupWorkspaces,
    &integration::Integration,
    &load::Load,
    &load_ascii::LoadAscii,
    &load_empty_instrument::LoadEmptyInstrument,
    &load_instrument::LoadInstrument,
    &load_live_data::LoadLiveData,
    &load_mask::LoadMask,
    &logarithm::Logarithm,
    &mask_bins::MaskBins,
    &mask_detectors::MaskDetectors,
    &max::Max,
    &max_min::MaxMin,
    &merge_runs::MergeRuns,
    &min::Min,
    &binary_operation::MINUS,
    &monitor_live_data::MonitorLiveData,
    &move_instrument_component::MoveInstrumentComponent,
    &binary_operation::MULTIPLY,
    &normalise_by_current::NormaliseByCurrent,
    &normalise_to_monitor::NormaliseToMonitor,
    &pause::Pause,
    &binary_operation::PLUS,
    &power::Power,
    &rebin::Rebin,
    &rebin_to_workspace::RebinToWorkspace,
    &remove_bins::RemoveBins,
    &remove_logs::RemoveLogs,
    &remove_spectra::RemoveSpectra,
    &remove_workspace_history::RemoveWorkspaceHistory,
    &rename_workspace::RenameWorkspace,
    &replace_special_values::ReplaceSpecialValues,
    &rotate_instrument_component::RotateInstrumentComponent,
    &save_ascii::SaveAscii,
    &save_nexus::SaveNexus,
    &save_nexus_processed::SaveNexusProcessed,
    &save_nxspe::SaveNXSPE,
    &scale::Scale,
    &scale_x::ScaleX,
    &set_goniometer::SetGoniometer,
    &set_instrument_parameter::SetInstrumentParameter,
    &set_ub::SetUB,
    &start_live_data::StartLiveData,
    &sum_spectra::SumSpectra,
    &transpose::Transpose,
    &un_group_workspace::UnGroupWorkspace,
    &weighted_mean::WeightedMean,
];
