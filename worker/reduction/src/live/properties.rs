//! The properties that the live data algorithms share: as declared, as given, and judged.
//!
//! Promises: the same texts whether they are given to an algorithm, in the environment or on the command line; every
//! mistake at once. Must not look at the stream.

use std::path::PathBuf;

use crate::algorithm::{AlgorithmRun, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::Result;

/// How chunks are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accumulation {
    /// Chunks are summed.
    Add,
    /// A chunk takes the place of the one before.
    Replace,
    /// A chunk's spectra follow those of the ones before.
    Append,
}

/// What happens when a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The next run begins with nothing.
    Restart,
    /// Processing stops.
    Stop,
    /// The result is kept under another name, and the next run begins with nothing.
    Rename,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFrom {
    /// With pulses that are newer than all that have come.
    Now,
    /// With the newest run's first pulse.
    StartOfRun,
    /// With the first pulse at or after a time.
    Time(DateAndTime),
}

/// How data are processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// By an algorithm, with properties by name.
    Algorithm(String, Vec<(String, String)>),
    /// By Python.
    Script(String),
    /// By Python in a file, which is read again for each chunk.
    File(PathBuf),
    /// By Python in a file while there is one; by nothing while there is none.
    Watched(PathBuf),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The instrument, upper case.
    pub instrument: String,
    /// What is done to each chunk.
    pub processing: Option<Method>,
    /// How chunks are put together.
    pub accumulation: Accumulation,
    /// Keep events.
    pub preserve_events: bool,
    /// What is done to the accumulated data.
    pub post_processing: Option<Method>,
    /// What happens when a run ends.
    pub transition: Transition,
    /// Where to begin.
    pub start: StartFrom,
    /// Seconds between chunks; 0 for one chunk only.
    pub update_every: f64,
    /// The name of the accumulated data where they are processed further.
    pub accumulation_workspace: Option<String>,
    /// The name of the result.
    pub output_workspace: String,
}

impl Request {
    /// Processes with these files, each while it is there.
    pub fn watch(&mut self, processing: PathBuf, post_processing: PathBuf, accumulation_workspace: &str) {
        self.processing = Some(Method::Watched(processing));
        self.post_processing = Some(Method::Watched(post_processing));
        self.accumulation_workspace = Some(accumulation_workspace.to_owned());
    }

    /// The name under which chunks are put together.
    pub fn accumulated_in(&self) -> &str {
        self.accumulation_workspace.as_deref().unwrap_or(&self.output_workspace)
    }
}

/// The properties as given.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each has the name of the property that it holds")]
pub struct Properties {
    pub instrument: String,
    pub start_time: String,
    pub processing_algorithm: String,
    pub processing_properties: String,
    pub processing_script: String,
    pub processing_script_filename: String,
    pub accumulation_method: String,
    pub preserve_events: bool,
    pub post_processing_algorithm: String,
    pub post_processing_properties: String,
    pub post_processing_script: String,
    pub post_processing_script_filename: String,
    pub run_transition_behavior: String,
    pub accumulation_workspace: String,
    pub output_workspace: String,
    pub from_now: bool,
    pub from_start_of_run: bool,
    pub from_time: bool,
    pub update_every: f64,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            instrument: String::new(),
            start_time: String::new(),
            processing_algorithm: String::new(),
            processing_properties: String::new(),
            processing_script: String::new(),
            processing_script_filename: String::new(),
            accumulation_method: "Add".into(),
            preserve_events: false,
            post_processing_algorithm: String::new(),
            post_processing_properties: String::new(),
            post_processing_script: String::new(),
            post_processing_script_filename: String::new(),
            run_transition_behavior: "Restart".into(),
            accumulation_workspace: String::new(),
            output_workspace: String::new(),
            from_now: true,
            from_start_of_run: false,
            from_time: false,
            update_every: 60.0,
        }
    }
}

/// A property and what is wrong with its value.
pub type Mistake = (&'static str, String);

impl Properties {
    /// What is asked for, or everything that is wrong with it.
    ///
    /// # Errors
    /// Pairs of a property's name and what is wrong.
    pub fn judge(&self) -> Result<Request, Vec<Mistake>> {
        let mut wrong: Vec<Mistake> = Vec::new();
        if [self.from_now, self.from_start_of_run, self.from_time]
            .iter()
            .filter(|from| **from)
            .count()
            != 1
        {
            for name in ["FromNow", "FromStartOfRun", "FromTime"] {
                wrong.push((
                    name,
                    "Please check exactly one of FromNow, FromStartOfRun, FromTime.".into(),
                ));
            }
        }
        if !(self.update_every >= 0.0 && self.update_every <= 1e8) {
            wrong.push(("UpdateEvery", "UpdateEvery must be > 0".into()));
        }
        if self.output_workspace.trim().is_empty() {
            wrong.push(("OutputWorkspace", "Must specify the OutputWorkspace.".into()));
        }
        let processing = method(
            [
                ("ProcessingAlgorithm", &self.processing_algorithm),
                ("ProcessingScript", &self.processing_script),
                ("ProcessingScriptFilename", &self.processing_script_filename),
            ],
            ("ProcessingProperties", &self.processing_properties),
            "Only specify one processing method",
            &mut wrong,
        );
        let post_processing = method(
            [
                ("PostProcessingAlgorithm", &self.post_processing_algorithm),
                ("PostProcessingScript", &self.post_processing_script),
                ("PostProcessingScriptFilename", &self.post_processing_script_filename),
            ],
            ("PostProcessingProperties", &self.post_processing_properties),
            "Only specify one post processing method",
            &mut wrong,
        );
        let accumulation_workspace = self.accumulation_workspace.trim();
        if post_processing.is_some() && accumulation_workspace.is_empty() {
            let text = "Must specify the AccumulationWorkspace parameter if using PostProcessing.";
            wrong.push(("AccumulationWorkspace", text.into()));
        }
        if !accumulation_workspace.is_empty() && accumulation_workspace == self.output_workspace.trim() {
            let text =
                "The AccumulationWorkspace must be different than the OutputWorkspace, when using PostProcessing.";
            wrong.push(("AccumulationWorkspace", text.into()));
        }
        let accumulation = match self.accumulation_method.as_str() {
            "Replace" => Accumulation::Replace,
            "Append" => Accumulation::Append,
            "Add" => Accumulation::Add,
            other => {
                wrong.push(("AccumulationMethod", not_allowed(other, ACCUMULATIONS)));
                Accumulation::Add
            }
        };
        let transition = match self.run_transition_behavior.as_str() {
            "Stop" => Transition::Stop,
            "Rename" => Transition::Rename,
            "Restart" => Transition::Restart,
            other => {
                wrong.push(("RunTransitionBehavior", not_allowed(other, TRANSITIONS)));
                Transition::Restart
            }
        };
        let start = self.start(&mut wrong);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Request {
            instrument: self.instrument.trim().to_uppercase(),
            processing,
            accumulation,
            preserve_events: self.preserve_events,
            // Nothing but post-processing tells the accumulated data from the result.
            accumulation_workspace: post_processing.is_some().then(|| accumulation_workspace.to_owned()),
            post_processing,
            transition,
            start,
            update_every: self.update_every,
            output_workspace: self.output_workspace.trim().to_owned(),
        })
    }

    fn start(&self, wrong: &mut Vec<Mistake>) -> StartFrom {
        let given = self.start_time.trim();
        if self.from_time {
            return match DateAndTime::parse(given) {
                Some(time) => StartFrom::Time(time),
                None => {
                    wrong.push((
                        "StartTime",
                        format!("{given:?} is no time: give one such as 2026-03-28T10:00:00, in UTC, with FromTime"),
                    ));
                    StartFrom::Now
                }
            };
        }
        if !given.is_empty() {
            wrong.push(("StartTime", format!("{given:?} is used with FromTime only")));
        }
        if self.from_start_of_run {
            StartFrom::StartOfRun
        } else {
            StartFrom::Now
        }
    }

    /// The properties that an algorithm was given.
    pub(crate) fn of(context: &Context<'_>) -> Result<Self> {
        let text = |name: &str| context.str(name);
        let declared = |name: &str| context.declares(name);
        let mut given = Self {
            instrument: text("Instrument")?,
            start_time: text("StartTime")?,
            processing_algorithm: text("ProcessingAlgorithm")?,
            processing_properties: text("ProcessingProperties")?,
            processing_script: text("ProcessingScript")?,
            processing_script_filename: text("ProcessingScriptFilename")?,
            accumulation_method: text("AccumulationMethod")?,
            preserve_events: context.bool("PreserveEvents")?,
            post_processing_algorithm: text("PostProcessingAlgorithm")?,
            post_processing_properties: text("PostProcessingProperties")?,
            post_processing_script: text("PostProcessingScript")?,
            post_processing_script_filename: text("PostProcessingScriptFilename")?,
            run_transition_behavior: text("RunTransitionBehavior")?,
            accumulation_workspace: text("AccumulationWorkspace")?,
            output_workspace: text("OutputWorkspace")?,
            ..Self::default()
        };
        if declared("FromNow") {
            given.from_now = context.bool("FromNow")?;
            given.from_start_of_run = context.bool("FromStartOfRun")?;
            given.from_time = context.bool("FromTime")?;
        } else {
            given.read_start_time();
        }
        given.update_every = if declared("UpdateEvery") {
            context.float("UpdateEvery")?
        } else {
            0.0
        };
        Ok(given)
    }

    /// LoadLiveData and MonitorLiveData say with StartTime alone where to begin: nothing, or 1990-01-01, is now; a second
    /// later is the start of the run.
    fn read_start_time(&mut self) {
        let time = DateAndTime::parse(self.start_time.trim());
        self.from_now = self.start_time.trim().is_empty() || time.is_some_and(|time| time.nanoseconds() == 0);
        self.from_start_of_run = time.is_some_and(|time| time.nanoseconds() == 1_000_000_000);
        self.from_time = !self.from_now && !self.from_start_of_run;
        if !self.from_time {
            self.start_time.clear();
        }
    }
}

/// The one method that was given, if one was.
fn method(
    given: [(&'static str, &String); 3],
    properties: (&'static str, &String),
    several: &str,
    wrong: &mut Vec<Mistake>,
) -> Option<Method> {
    let chosen: Vec<(usize, &str, &'static str)> = given
        .iter()
        .enumerate()
        .filter(|(_, (_, value))| !value.trim().is_empty())
        .map(|(index, (name, value))| (index, value.as_str(), *name))
        .collect();
    if let [_, rest @ ..] = chosen.as_slice()
        && !rest.is_empty()
    {
        wrong.extend(chosen.iter().map(|(_, _, name)| (*name, several.to_owned())));
        return None;
    }
    let (index, value, name) = *chosen.first()?;
    Some(match index {
        0 => {
            let list = match split(properties.1) {
                Ok(list) => list,
                Err(text) => {
                    wrong.push((properties.0, text));
                    Vec::new()
                }
            };
            if let Err(error) = check_algorithm(value.trim(), &list) {
                wrong.push((name, error));
            }
            Method::Algorithm(value.trim().to_owned(), list)
        }
        1 => Method::Script(value.to_owned()),
        _ => Method::File(PathBuf::from(value.trim())),
    })
}

/// `Name=value;Name=value`.
fn split(text: &str) -> Result<Vec<(String, String)>, String> {
    let items = text.split(';').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| match item.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
            _ => Err(format!("{item:?} is not of the form Name=value; separate several by ;")),
        })
        .collect()
}

fn check_algorithm(name: &str, properties: &[(String, String)]) -> Result<(), String> {
    let mut run = AlgorithmRun::create(name, None).map_err(|error| error.to_string())?;
    for (property, value) in properties {
        run.set_property(property, value.as_str().into())
            .map_err(|error| format!("{property}: {error}"))?;
    }
    Ok(())
}

fn not_allowed(value: &str, allowed: &[&str]) -> String {
    format!(
        "The value \"{value}\" is not in the list of allowed values: {}",
        allowed.join(", ")
    )
}

const ACCUMULATIONS: &[&str] = &["Add", "Replace", "Append"];
const TRANSITIONS: &[&str] = &["Restart", "Stop", "Rename"];

/// What the algorithms declare in common, in Mantid's order.
pub(crate) fn declare(name: &'static str, summary: &'static str) -> Declaration {
    let text = |name, document| option(name, Kind::Str, "", document);
    Declaration::new(name, 1, "DataHandling\\LiveData", summary)
        .with(
            input(
                "Instrument",
                Kind::Str,
                "The instrument; the one whose stream the worker reads.",
            )
            .mandatory(),
        )
        .with(text(
            "Connection",
            "Accepted and not used: the worker has its connection.",
        ))
        .with(text(
            "Listener",
            "Accepted and not used: the worker reads the stream itself.",
        ))
        .with(text("Address", "Accepted and not used: the worker has its brokers."))
        .with(text("StartTime", "Where to begin, in UTC.").unit("ISO 8601"))
        .with(text(
            "ProcessingAlgorithm",
            "The algorithm that each chunk goes through.",
        ))
        .with(text("ProcessingProperties", "Its properties: Name=value;Name=value."))
        .with(text(
            "ProcessingScript",
            "Python that each chunk goes through: `input` is the chunk, `output` the name that the result has to get.",
        ))
        .with(text("ProcessingScriptFilename", "A file of such Python."))
        .with(
            option("AccumulationMethod", Kind::Str, "Add", "How chunks are put together.")
                .validator(Validator::OneOf(ACCUMULATIONS)),
        )
        .with(option(
            "PreserveEvents",
            Kind::Bool,
            false,
            "Keep events; otherwise each chunk becomes histograms.",
        ))
        .with(text(
            "PostProcessingAlgorithm",
            "The algorithm that the accumulated data go through.",
        ))
        .with(text(
            "PostProcessingProperties",
            "Its properties: Name=value;Name=value.",
        ))
        .with(text(
            "PostProcessingScript",
            "Python that the accumulated data go through.",
        ))
        .with(text("PostProcessingScriptFilename", "A file of such Python."))
        .with(
            option(
                "RunTransitionBehavior",
                Kind::Str,
                "Restart",
                "What happens when a run ends.",
            )
            .validator(Validator::OneOf(TRANSITIONS)),
        )
        .with(
            output(
                "AccumulationWorkspace",
                Kind::Workspace,
                "The accumulated data; needed for post-processing.",
            )
            .optional(),
        )
        .with(output("OutputWorkspace", Kind::Workspace, "The result.").optional())
        .with(output("LastTimeStamp", Kind::Str, "The newest pulse time that was loaded.").unit("ISO 8601"))
}

#[cfg(test)]
#[path = "properties_tests.rs"]
mod tests;
