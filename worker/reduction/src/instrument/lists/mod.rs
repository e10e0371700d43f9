//! Files that list detectors: what to mask, what to group, how to focus. Promises: any text gives lists or words that
//! say what is wrong in it, in bounded memory; a list says what its numbers are (detector ids, spectrum numbers or
//! names of components). Must not open files, and must not know workspaces: algorithms join the two.

pub mod calibration;
pub mod grouping;
pub mod mask;
mod numbers;

/// The detector ids in a text such as `1, 4-6`.
pub(super) fn ids_of_text(text: &str) -> Result<Vec<i32>, String> {
    numbers::listed(text)
}

/// What a list names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Spectrum numbers.
    pub spectra: Vec<i32>,
    /// Detector ids.
    pub detectors: Vec<i32>,
    /// Names or paths of components: all that they carry is meant.
    pub components: Vec<String>,
}

impl Named {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.spectra.is_empty() && self.detectors.is_empty() && self.components.is_empty()
    }

    /// The ids of all detectors that are named by id or by component, in order, each once.
    ///
    /// # Errors
    /// The name of a component that the instrument does not have.
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

    /// Adds what one element of an XML file names.
    fn add(&mut self, element: roxmltree::Node<'_, '_>) -> Result<(), String> {
        let text = element.attribute("val").or_else(|| element.text()).unwrap_or_default();
        match element.tag_name().name() {
            "ids" => self.spectra.extend(numbers::listed(text)?),
            "detids" => self.detectors.extend(numbers::listed(text)?),
            "component" => self.components.push(text.trim().to_owned()),
            other => {
                return Err(format!(
                    "a <group> holds <{other}>: only <detids>, <ids> and <component> are known"
                ));
            }
        }
        let many = self.spectra.len().max(self.detectors.len());
        if many > numbers::MOST {
            return Err(format!("a <group> names more than {} numbers", numbers::MOST));
        }
        Ok(())
    }
}
