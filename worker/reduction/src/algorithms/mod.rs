//! The algorithms, one file each. To add one: write its file, with its tests, and name it in this list.

pub(crate) mod binary;
#[cfg(test)]
pub(crate) mod testing;

crate::registry::algorithms! {
    add_sample_log::AddSampleLog,
    add_time_series_log::AddTimeSeriesLog,
    clone_workspace::CloneWorkspace,
    convert_from_distribution::ConvertFromDistribution,
    convert_to_distribution::ConvertToDistribution,
    convert_to_matrix_workspace::ConvertToMatrixWorkspace,
    create_sample_workspace::CreateSampleWorkspace,
    create_single_valued_workspace::CreateSingleValuedWorkspace,
    create_workspace::CreateWorkspace,
    crop_workspace::CropWorkspace,
    delete_workspace::DeleteWorkspace,
    delete_workspaces::DeleteWorkspaces,
    divide::Divide,
    extract_single_spectrum::ExtractSingleSpectrum,
    extract_spectra::ExtractSpectra,
    group_detectors::GroupDetectors,
    group_workspaces::GroupWorkspaces,
    integration::Integration,
    load::Load,
    load_empty_instrument::LoadEmptyInstrument,
    mask_detectors::MaskDetectors,
    minus::Minus,
    multiply::Multiply,
    normalise_by_current::NormaliseByCurrent,
    plus::Plus,
    rebin::Rebin,
    remove_workspace_history::RemoveWorkspaceHistory,
    rename_workspace::RenameWorkspace,
    save_nexus::SaveNexus,
    save_nexus_processed::SaveNexusProcessed,
    scale::Scale,
    sum_spectra::SumSpectra,
}
