//! StartLiveData's properties as flags and environment variables.
//!
//! Promises: one flag and one variable for each [`LiveProperty`], named by it; errors carry the variable and the algorithm's
//! message. Must not read a stream; script files are read when they are used.

use std::path::{Path, PathBuf};

use clap::builder::{BoolishValueParser, PathBufValueParser, StringValueParser, ValueParser};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use live_data_crd::live::{LiveProperty, LivePropertyKind, LiveSpec};
use live_data_reduction::live::{LiveRequest, parse_request};

/// Heading of the flags in `--help`.
const HEADING: &str = "StartLiveData";

/// StartLiveData's properties as given. With any of them the worker processes the stream itself, chunk by chunk.
#[derive(Clone, Debug, Default)]
pub struct LiveArgs {
    /// Text of each given property, in the order of [`LiveProperty::ALL`].
    properties: Vec<(LiveProperty, String)>,
    scripts: ScriptsArgs,
}

/// Flag for a folder of scripts, which is not a property of StartLiveData.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = HEADING)]
struct ScriptsArgs {
    /// Folder that is watched for reduce_<INSTRUMENT>_live_proc.py and reduce_<INSTRUMENT>_live_post_proc.py; a new or
    /// changed file takes effect at the next chunk. Defaults of other settings: from the start of the run, with events,
    /// into the workspace `result`.
    #[arg(long, env = "LIVE_SCRIPTS_DIR")]
    live_scripts_dir: Option<PathBuf>,
}

impl Args for LiveArgs {
    fn augment_args(command: Command) -> Command {
        let command = LiveProperty::ALL
            .iter()
            .fold(command, |command, property| command.arg(argument(*property)));
        ScriptsArgs::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LiveArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = LiveArgs {
            properties: Vec::new(),
            scripts: ScriptsArgs::from_arg_matches(matches)?,
        };
        for property in LiveProperty::ALL.iter().copied() {
            let id = property.flag();
            let text = match property.kind() {
                LivePropertyKind::Flag => matches.get_one::<bool>(id).map(ToString::to_string),
                LivePropertyKind::Seconds => matches.get_one::<f64>(id).map(ToString::to_string),
                LivePropertyKind::File => matches.get_one::<PathBuf>(id).map(|path| absolute(path)),
                LivePropertyKind::Text | LivePropertyKind::Choice(_) => matches.get_one::<String>(id).cloned(),
            };
            args.properties.extend(text.map(|text| (property, text)));
        }
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn argument(property: LiveProperty) -> Arg {
    let parser: ValueParser = match property.kind() {
        LivePropertyKind::Flag => BoolishValueParser::new().into(),
        LivePropertyKind::Seconds => value_parser!(f64).into(),
        LivePropertyKind::File => PathBufValueParser::new().into(),
        LivePropertyKind::Text | LivePropertyKind::Choice(_) => StringValueParser::new().into(),
    };
    let argument = Arg::new(property.flag())
        .long(property.flag())
        .env(property.variable())
        .value_name(property.variable())
        .help(help(property))
        .help_heading(HEADING)
        .value_parser(parser);
    if property.kind() == LivePropertyKind::Flag {
        argument.num_args(0..=1).default_missing_value("true")
    } else {
        argument
    }
}

/// Documentation of a property, with the variables of other properties in place of their camelCase names.
fn help(property: LiveProperty) -> String {
    let text = property.documentation().trim_end_matches('.').to_owned();
    LiveProperty::ALL.iter().fold(text, |text, other| {
        let name = other.name();
        let camel_case = format!("`{}{}`", name[..1].to_lowercase(), &name[1..]);
        text.replace(&camel_case, other.variable())
    })
}

impl LiveArgs {
    /// True if a processing method for chunks is given, or LIVE_SCRIPTS_DIR.
    pub fn processes_chunks(&self) -> bool {
        let methods = [
            LiveProperty::ProcessingAlgorithm,
            LiveProperty::ProcessingScript,
            LiveProperty::ProcessingScriptFilename,
        ];
        let given = self.properties.iter().any(|(property, _)| methods.contains(property));
        given || self.scripts.live_scripts_dir.is_some()
    }

    /// Request for the given properties, with the defaults of LIVE_SCRIPTS_DIR; `None` if nothing is given.
    ///
    /// # Errors
    /// A sentence for each error, after the variable's name.
    pub fn parse(&self, instrument: &str) -> Result<Option<LiveRequest>, Vec<String>> {
        let folder = self.scripts.live_scripts_dir.as_deref();
        if self.properties.is_empty() && folder.is_none() {
            return Ok(None);
        }
        let mut spec = LiveSpec::default();
        let mut errors: Vec<_> = self
            .properties
            .iter()
            .filter_map(|(property, text)| spec.set(*property, text).err())
            .collect();
        if folder.is_some() {
            set_folder_defaults(&mut spec);
        }
        let request = match parse_request(instrument, &spec) {
            Ok(request) => Some(request),
            Err(more) => {
                errors.extend(more);
                None
            }
        };
        let mut texts: Vec<String> = errors
            .into_iter()
            .map(|error| format!("{}: {}", error.property.variable(), error.message))
            .collect();
        let mut request = request;
        if let Some(folder) = folder {
            if spec.processes_chunks() {
                texts.push("LIVE_SCRIPTS_DIR names the scripts: give no other processing with it".into());
            }
            if let Some(request) = &mut request {
                let file = |kind: &str| PathBuf::from(absolute(folder)).join(format!("reduce_{instrument}_{kind}.py"));
                let accumulation = spec.accumulation_workspace.as_deref().unwrap_or_default();
                request.watch(file("live_proc"), file("live_post_proc"), accumulation);
            }
        }
        texts.dedup();
        if texts.is_empty() { Ok(request) } else { Err(texts) }
    }
}

/// Defaults of a folder of scripts: from the start of the run, with events, into `accumulation` and `result`.
fn set_folder_defaults(spec: &mut LiveSpec) {
    if spec.from_now != Some(true) && spec.from_time != Some(true) {
        spec.from_start_of_run.get_or_insert(true);
    }
    spec.preserve_events.get_or_insert(true);
    spec.accumulation_workspace
        .get_or_insert_with(|| "accumulation".to_owned());
    spec.output_workspace.get_or_insert_with(|| "result".to_owned());
}

/// Absolute form of a path: the working directory changes to the script's folder later.
fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;
    use live_data_reduction::live::{AccumulationMethod, ProcessingMethod, StartFrom};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        live: LiveArgs,
    }

    fn parsed(arguments: &[&str]) -> Result<Option<LiveRequest>, Vec<String>> {
        Program::try_parse_from(std::iter::once(&"worker").chain(arguments))
            .unwrap()
            .live
            .parse("WISH")
    }

    #[test]
    fn nothing_given_is_nothing_asked_for() {
        assert_eq!(parsed(&[]).unwrap(), None);
    }

    #[test]
    fn properties_become_a_request_and_mistakes_name_their_variables() {
        let request = parsed(&[
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
            parsed(&["--live-update-every", "5"]).unwrap_err(),
            ["LIVE_OUTPUT_WORKSPACE: Must specify the OutputWorkspace."]
        );
        let wrong = parsed(&[
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
        assert!(parsed(&both).unwrap_err()[0].contains("exactly one of"));
    }

    #[test]
    fn a_folder_names_both_scripts_and_sets_the_rest() {
        let request = parsed(&["--live-scripts-dir", "/scripts"]).unwrap().unwrap();
        assert_eq!(
            request.processing,
            Some(ProcessingMethod::Watched("/scripts/reduce_WISH_live_proc.py".into()))
        );
        assert_eq!(
            request.post_processing,
            Some(ProcessingMethod::Watched(
                "/scripts/reduce_WISH_live_post_proc.py".into()
            ))
        );
        assert_eq!(
            (request.start, request.accumulation),
            (StartFrom::StartOfRun, AccumulationMethod::Add)
        );
        assert_eq!(
            (request.preserve_events, request.accumulated_in()),
            (true, "accumulation")
        );
        assert_eq!(
            parsed(&["--live-scripts-dir", "/s", "--live-processing-algorithm", "Rebin"])
                .unwrap_err()
                .len(),
            1
        );
    }
}
