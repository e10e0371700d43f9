//! StartLiveData's properties as flags and environment variables, and what they come to.
//!
//! Promises: each variable is the property's name in capitals after `LIVE_`; what is wrong is said in the words that the
//! algorithm has for it. Must not read a stream; scripts in files are read when they are used.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::BoolishValueParser;
use live_data_reduction::live::{Properties, Request};

/// StartLiveData's properties. Given any of them, the worker processes the stream itself, chunk by chunk.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "StartLiveData")]
pub struct LiveArgs {
    /// Algorithm that each chunk goes through.
    #[arg(long, env = "LIVE_PROCESSING_ALGORITHM")]
    pub live_processing_algorithm: Option<String>,
    /// Its properties, as Name=value;Name=value.
    #[arg(long, env = "LIVE_PROCESSING_PROPERTIES")]
    pub live_processing_properties: Option<String>,
    /// Python that each chunk goes through; `input` is the chunk, `output` the name of the result.
    #[arg(long, env = "LIVE_PROCESSING_SCRIPT")]
    pub live_processing_script: Option<String>,
    /// A file of such Python, read again for each chunk.
    #[arg(long, env = "LIVE_PROCESSING_SCRIPT_FILENAME")]
    pub live_processing_script_filename: Option<PathBuf>,
    /// How chunks are put together: Add, Replace or Append; Add when not given.
    #[arg(long, env = "LIVE_ACCUMULATION_METHOD")]
    pub live_accumulation_method: Option<String>,
    /// Keep events instead of histograms.
    #[arg(long, env = "LIVE_PRESERVE_EVENTS", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub live_preserve_events: Option<bool>,
    /// Algorithm that the accumulated data go through.
    #[arg(long, env = "LIVE_POST_PROCESSING_ALGORITHM")]
    pub live_post_processing_algorithm: Option<String>,
    /// Its properties, as Name=value;Name=value.
    #[arg(long, env = "LIVE_POST_PROCESSING_PROPERTIES")]
    pub live_post_processing_properties: Option<String>,
    /// Python that the accumulated data go through.
    #[arg(long, env = "LIVE_POST_PROCESSING_SCRIPT")]
    pub live_post_processing_script: Option<String>,
    /// A file of such Python, read again each time.
    #[arg(long, env = "LIVE_POST_PROCESSING_SCRIPT_FILENAME")]
    pub live_post_processing_script_filename: Option<PathBuf>,
    /// What happens when a run ends: Restart, Stop or Rename; Restart when not given.
    #[arg(long, env = "LIVE_RUN_TRANSITION_BEHAVIOR")]
    pub live_run_transition_behavior: Option<String>,
    /// Begin with what comes from now on; so it is when neither of the next two is given.
    #[arg(long, env = "LIVE_FROM_NOW", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub live_from_now: Option<bool>,
    /// Begin with the start of the newest run.
    #[arg(long, env = "LIVE_FROM_START_OF_RUN", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub live_from_start_of_run: Option<bool>,
    /// Begin at LIVE_START_TIME.
    #[arg(long, env = "LIVE_FROM_TIME", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub live_from_time: Option<bool>,
    /// Where to begin with LIVE_FROM_TIME, in UTC, such as 2026-03-28T10:00:00.
    #[arg(long, env = "LIVE_START_TIME")]
    pub live_start_time: Option<String>,
    /// Seconds between chunks, 60 when not given; 0 for one chunk only.
    #[arg(long, env = "LIVE_UPDATE_EVERY")]
    pub live_update_every: Option<f64>,
    /// Workspace that chunks are put together in; needed for post-processing.
    #[arg(long, env = "LIVE_ACCUMULATION_WORKSPACE")]
    pub live_accumulation_workspace: Option<String>,
    /// Workspace of the result.
    #[arg(long, env = "LIVE_OUTPUT_WORKSPACE")]
    pub live_output_workspace: Option<String>,
    /// Folder with reduce_<INSTRUMENT>_live_proc.py and reduce_<INSTRUMENT>_live_post_proc.py, which is watched: each of the two
    /// is used as soon as it is there and as it then is. Unless other settings are given: from the start of the run, with
    /// events, into the workspace `result`.
    #[arg(long, env = "LIVE_SCRIPTS_DIR")]
    pub live_scripts_dir: Option<PathBuf>,
}

impl LiveArgs {
    /// What is asked for; nothing when no property was given.
    ///
    /// # Errors
    /// Every mistake, each in a sentence.
    pub fn judge(&self, instrument: &str) -> Result<Option<Request>, Vec<String>> {
        if !self.is_given() {
            return Ok(None);
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let path = |value: &Option<PathBuf>| value.as_deref().map(absolute).unwrap_or_default();
        let defaults = Properties::default();
        let folder = self.live_scripts_dir.as_deref();
        let elsewhere = self.live_from_now == Some(true) || self.live_from_time == Some(true);
        let from_start_of_run = self.live_from_start_of_run.unwrap_or(folder.is_some() && !elsewhere);
        let from_time = self.live_from_time.unwrap_or(false);
        let properties = Properties {
            instrument: instrument.to_owned(),
            start_time: text(&self.live_start_time),
            processing_algorithm: text(&self.live_processing_algorithm),
            processing_properties: text(&self.live_processing_properties),
            processing_script: text(&self.live_processing_script),
            processing_script_filename: path(&self.live_processing_script_filename),
            accumulation_method: self
                .live_accumulation_method
                .clone()
                .unwrap_or(defaults.accumulation_method),
            preserve_events: self.live_preserve_events.unwrap_or(folder.is_some()),
            post_processing_algorithm: text(&self.live_post_processing_algorithm),
            post_processing_properties: text(&self.live_post_processing_properties),
            post_processing_script: text(&self.live_post_processing_script),
            post_processing_script_filename: path(&self.live_post_processing_script_filename),
            run_transition_behavior: self
                .live_run_transition_behavior
                .clone()
                .unwrap_or(defaults.run_transition_behavior),
            accumulation_workspace: named(&self.live_accumulation_workspace, folder, "accumulation"),
            output_workspace: named(&self.live_output_workspace, folder, "result"),
            from_now: self.live_from_now.unwrap_or(!from_start_of_run && !from_time),
            from_start_of_run,
            from_time,
            update_every: self.live_update_every.unwrap_or(defaults.update_every),
        };
        let mut wrong: Vec<String> = Vec::new();
        let judged = properties.judge();
        let mut request = match judged {
            Ok(request) => Some(request),
            Err(mistakes) => {
                wrong.extend(
                    mistakes
                        .into_iter()
                        .map(|(name, text)| format!("{}: {text}", variable(name))),
                );
                None
            }
        };
        if let Some(folder) = folder {
            let processes = [&self.live_processing_algorithm, &self.live_processing_script]
                .iter()
                .any(|v| v.is_some())
                || self.live_processing_script_filename.is_some();
            if processes {
                wrong.push("LIVE_SCRIPTS_DIR names the scripts: give no other processing with it".into());
            }
            if let Some(request) = &mut request {
                let file = |kind: &str| PathBuf::from(absolute(folder)).join(format!("reduce_{instrument}_{kind}.py"));
                request.watch(
                    file("live_proc"),
                    file("live_post_proc"),
                    &properties.accumulation_workspace,
                );
            }
        }
        wrong.dedup();
        if wrong.is_empty() { Ok(request) } else { Err(wrong) }
    }

    fn is_given(&self) -> bool {
        let texts = [
            &self.live_processing_algorithm,
            &self.live_processing_properties,
            &self.live_processing_script,
            &self.live_accumulation_method,
            &self.live_post_processing_algorithm,
            &self.live_post_processing_properties,
            &self.live_post_processing_script,
            &self.live_run_transition_behavior,
            &self.live_start_time,
            &self.live_accumulation_workspace,
            &self.live_output_workspace,
        ];
        let paths = [
            &self.live_processing_script_filename,
            &self.live_post_processing_script_filename,
            &self.live_scripts_dir,
        ];
        let flags = [
            self.live_preserve_events,
            self.live_from_now,
            self.live_from_start_of_run,
            self.live_from_time,
        ];
        texts.iter().any(|text| text.is_some())
            || paths.iter().any(|path| path.is_some())
            || flags.iter().any(|flag| flag.is_some())
            || self.live_update_every.is_some()
    }
}

/// The script's folder becomes the working directory: paths must not move with it.
fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .to_string_lossy()
        .into_owned()
}

fn named(given: &Option<String>, folder: Option<&Path>, usual: &str) -> String {
    match (given, folder) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => usual.to_owned(),
        (None, None) => String::new(),
    }
}

/// `ProcessingAlgorithm` as `LIVE_PROCESSING_ALGORITHM`.
fn variable(property: &str) -> String {
    let mut name = String::from("LIVE");
    for letter in property.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;
    use live_data_reduction::live::{Accumulation, Method, StartFrom};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        live: LiveArgs,
    }

    fn judged(arguments: &[&str]) -> Result<Option<Request>, Vec<String>> {
        Program::try_parse_from(std::iter::once(&"worker").chain(arguments))
            .unwrap()
            .live
            .judge("WISH")
    }

    #[test]
    fn nothing_given_is_nothing_asked_for() {
        assert_eq!(judged(&[]).unwrap(), None);
    }

    #[test]
    fn properties_become_a_request_and_mistakes_name_their_variables() {
        let request = judged(&[
            "--live-output-workspace",
            "out",
            "--live-from-start-of-run",
            "true",
            "--live-update-every",
            "5",
        ]);
        let request = request.unwrap().unwrap();
        assert_eq!((request.start, request.update_every), (StartFrom::StartOfRun, 5.0));
        assert_eq!(
            judged(&["--live-update-every", "5"]).unwrap_err(),
            ["LIVE_OUTPUT_WORKSPACE: Must specify the OutputWorkspace."]
        );
        let wrong = judged(&[
            "--live-output-workspace",
            "out",
            "--live-accumulation-method",
            "Multiply",
        ])
        .unwrap_err();
        assert!(
            wrong[0].starts_with("LIVE_ACCUMULATION_METHOD: The value \"Multiply\""),
            "{wrong:?}"
        );
        let both = [
            "--live-output-workspace",
            "o",
            "--live-from-now",
            "true",
            "--live-from-time",
            "true",
            "--live-start-time",
            "2026-01-01T00:00:00",
        ];
        assert!(judged(&both).unwrap_err()[0].contains("exactly one of"));
    }

    #[test]
    fn a_folder_names_both_scripts_and_says_the_rest() {
        let request = judged(&["--live-scripts-dir", "/scripts"]).unwrap().unwrap();
        assert_eq!(
            request.processing,
            Some(Method::Watched("/scripts/reduce_WISH_live_proc.py".into()))
        );
        assert_eq!(
            request.post_processing,
            Some(Method::Watched("/scripts/reduce_WISH_live_post_proc.py".into()))
        );
        assert_eq!(
            (request.start, request.accumulation),
            (StartFrom::StartOfRun, Accumulation::Add)
        );
        assert_eq!(
            (request.preserve_events, request.accumulated_in()),
            (true, "accumulation")
        );
        assert_eq!(
            judged(&["--live-scripts-dir", "/s", "--live-processing-algorithm", "Rebin"])
                .unwrap_err()
                .len(),
            1
        );
    }
}
