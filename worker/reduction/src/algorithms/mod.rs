//! Algorithms, one file each. Promise: an algorithm is a file with its tests, one `mod` line and one entry of [`ALL`].

use crate::algorithm::Algorithm;

pub(crate) mod add_sample_log;
pub(crate) mod add_sample_log_multiple;
pub(crate) mod add_time_series_log;
pub(crate) mod append_spectra;
pub(crate) mod binary;
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
pub(crate) mod divide;
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
pub(crate) mod minus;
pub(crate) mod monitor_live_data;
pub(crate) mod move_instrument_component;
pub(crate) mod multiply;
pub(crate) mod normalise_by_current;
pub(crate) mod normalise_to_monitor;
pub(crate) mod pause;
pub(crate) mod plus;
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
pub(crate) mod weighted_mean;

/// Algorithms that [`crate::registry`] knows, in alphabetical order of their files.
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
    &divide::Divide,
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
    &minus::Minus,
    &monitor_live_data::MonitorLiveData,
    &move_instrument_component::MoveInstrumentComponent,
    &multiply::Multiply,
    &normalise_by_current::NormaliseByCurrent,
    &normalise_to_monitor::NormaliseToMonitor,
    &pause::Pause,
    &plus::Plus,
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
