//! Files that list detectors: masks, groups and calibrations. Promises: any text gives lists or an error, in bounded
//! memory; spectrum numbers, detector ids and component names are kept apart. Must not: open files or know workspaces.

pub mod calibration;
pub mod grouping;
pub mod mask;
mod numbers;

/// Detector ids of a text such as `1, 4-6`.
pub(super) fn parse_detector_ids(text: &str) -> Result<Vec<i32>, String> {
    numbers::parse_integers(text)
}

/// Numbered group of detectors or spectra.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetectorGroup {
    pub group: i32,
    pub members: DetectorSelection,
}

/// Detectors named by spectrum number, detector id or component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetectorSelection {
    /// Spectrum numbers, which only a workspace maps to detectors.
    pub spectra: Vec<i32>,
    pub detectors: Vec<i32>,
    /// Names or paths of components, each for all detectors inside it.
    pub components: Vec<String>,
}

impl DetectorSelection {
    /// True if nothing is selected.
    pub fn is_empty(&self) -> bool {
        self.spectra.is_empty() && self.detectors.is_empty() && self.components.is_empty()
    }

    /// Detector ids selected by id or component, ascending, without duplicates; spectrum numbers are ignored.
    ///
    /// # Errors
    /// A sentence with the first component that the instrument lacks.
    pub fn detectors_of(&self, instrument: &super::Instrument) -> Result<Vec<i32>, String> {
        let mut ids = self.detectors.clone();
        for name in &self.components {
            let Some(component) = instrument.component(name) else {
                return Err(format!(
                    "the instrument {} has no component \"{name}\"",
                    instrument.name
                ));
            };
            ids.extend(instrument.detectors_within(component));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Adds the selection of one `<ids>`, `<detids>` or `<component>` element.
    fn add(&mut self, element: roxmltree::Node<'_, '_>) -> Result<(), String> {
        let text = element.attribute("val").or_else(|| element.text()).unwrap_or_default();
        match element.tag_name().name() {
            "ids" => self.spectra.extend(numbers::parse_integers(text)?),
            "detids" => self.detectors.extend(numbers::parse_integers(text)?),
            "component" => self.components.push(text.trim().to_owned()),
            other => {
                return Err(format!(
                    "a <group> holds <{other}>: only <detids>, <ids> and <component> are known"
                ));
            }
        }
        let many = self.spectra.len().max(self.detectors.len());
        if many > numbers::MAX_NUMBERS {
            return Err(format!("a <group> names more than {} numbers", numbers::MAX_NUMBERS));
        }
        Ok(())
    }
}
