//! What was typed: clap's types, and which of three things it is. No logic beyond that.

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser};

use super::error::{CliError, Kind};
use super::hook;
use super::word::{self, Word, WordLine};
use crate::config::layer::Given;
use crate::config::{Layer, Source};
use crate::environment::Environment;
use crate::record::shell::is_on_path;

/// Run a command exactly as without aido, and record it: transcript, exit code, sidecar
#[derive(Debug, Parser)]
#[command(
    name = "aido",
    version,
    disable_help_subcommand = true,
    // The last one wins, so that an alias with options can be overridden.
    args_override_self = true,
    override_usage = "aido [OPTIONS] COMMAND [ARG]...\n       \
                      aido [OPTIONS] -- COMMAND [ARG]...\n       \
                      aido [OPTIONS] -c 'SHELL LINE'\n       \
                      aido WORD [OPTIONS]"
)]
struct RunLine {
    #[command(flatten)]
    options: RunOptions,

    /// Run this line with a shell
    #[arg(short = 'c', value_name = "LINE", allow_hyphen_values = true)]
    line: Option<OsString>,

    /// The command and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    words: Vec<OsString>,
}

/// The options of a run. Values are checked together with those of variables and files.
#[derive(Debug, Default, Args)]
struct RunOptions {
    /// The agent's name in the session's id
    #[arg(long, value_name = "NAME", value_parser = any_text(), allow_hyphen_values = true)]
    agent: Option<String>,
    /// Where sessions are kept
    #[arg(long, value_name = "DIR")]
    session_dir: Option<String>,
    /// The task that this command belongs to
    #[arg(long, value_name = "NAME", value_parser = any_text(), allow_hyphen_values = true)]
    task: Option<String>,
    /// A note for the sidecar
    #[arg(long, value_name = "TEXT", value_parser = any_text(), allow_hyphen_values = true)]
    note: Option<String>,
    /// A label for the sidecar; may be given more than once
    #[arg(long, value_name = "TAG", value_parser = any_text(), allow_hyphen_values = true)]
    tag: Vec<String>,
    /// End the command after this time, such as 90s or 10m (exit 124)
    #[arg(long, value_name = "DUR")]
    timeout: Option<String>,
    /// When the command gets a terminal: always, auto (where the caller has one) or never
    #[arg(long, value_name = "MODE")]
    tty: Option<String>,
    /// Record at most this much output, plus its end; 0 is no limit [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    max_bytes: Option<String>,
    /// How hard the recording is forced to the disk: fast (not), normal (started) or full
    #[arg(long, value_name = "LEVEL")]
    durability: Option<String>,
    /// Save the work tree before the command, or before and after it: off, before or both [default: off]
    #[arg(long, value_name = "MODE")]
    checkpoint: Option<String>,
    /// The shell for -c [default: $SHELL if it is a POSIX shell, else /bin/sh]
    #[arg(long, value_name = "PATH")]
    shell: Option<String>,
    /// Run without recording
    #[arg(long)]
    no_record: bool,
    /// Don't start the command unless it can be recorded, and saved if --checkpoint is on (exit 125)
    #[arg(long)]
    strict: bool,
    /// Print one line on stderr about the outcome: never, failure or always [default: never]
    #[arg(long, value_name = "WHEN")]
    report: Option<String>,
    /// Say on stderr what aido does
    #[arg(long)]
    debug: bool,
    /// Say it in this file; a relative path is beside the session's files
    #[arg(long, value_name = "FILE")]
    debug_log: Option<String>,
    /// Put here by a hook: say, refuse and end nothing, whatever is set; --tty is auto
    #[arg(long)]
    hooked: bool,
}

/// Text of any bytes, as a variable has it: what is no UTF-8 becomes U+FFFD.
fn any_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|text| text.to_string_lossy().into_owned())
}

impl RunOptions {
    /// Refuses what says something of one command where none is run: before a word that lists sessions
    /// it looks like a filter, and would be none.
    fn check_word(&self, word: &str) -> Result<(), CliError> {
        let takes_all = ["start", "rerun", "hook"].contains(&word);
        // They say who asks.
        let takes_agent = takes_all || ["tasks", "handoff"].contains(&word);
        let given = [
            ("agent", self.agent.is_some() && !takes_agent),
            ("task", self.task.is_some() && !takes_all),
            ("note", self.note.is_some() && !takes_all),
            ("tag", !self.tag.is_empty() && !takes_all),
        ];
        let Some((option, _)) = given.into_iter().find(|(_, is_wrong)| *is_wrong) else {
            return Ok(());
        };
        let words = WordLine::command();
        let own = words.find_subcommand(word);
        let has_own = own.is_some_and(|own| {
            own.get_arguments()
                .any(|argument| argument.get_long() == Some(option))
        });
        let hint = match has_own {
            true => format!("the option of the word itself comes after it: aido {word} --{option}"),
            false => format!("it is said of a command: aido --{option} … COMMAND"),
        };
        let message = format!("--{option} before {word} means nothing");
        Err(CliError::new(Kind::Usage, message).with_hint(hint))
    }

    fn into_layer(self) -> Result<Layer, CliError> {
        let mut layer = Layer::default();
        let texts = [
            ("agent", self.agent),
            ("session_dir", self.session_dir),
            ("task", self.task),
            ("note", self.note),
            ("timeout", self.timeout),
            ("tty", self.tty),
            ("max_bytes", self.max_bytes),
            ("durability", self.durability),
            ("checkpoint", self.checkpoint),
            ("shell", self.shell),
            ("report", self.report),
            ("debug_log", self.debug_log),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                layer.set(name, &Given::Text(&text), &Source::Flag)?;
            }
        }
        let switches = [
            ("no_record", self.no_record),
            ("strict", self.strict),
            ("debug", self.debug),
        ];
        for (name, given) in switches {
            if given {
                layer.set(name, &Given::Switch(true), &Source::Flag)?;
            }
        }
        if !self.tag.is_empty() {
            layer.set("tags", &Given::List(self.tag), &Source::Flag)?;
        }
        Ok(layer)
    }
}

/// What is to be run.
#[derive(Debug)]
pub struct TypedRun {
    /// What the options say.
    pub flags: Layer,
    /// Whether a hook put aido before the command.
    pub is_hooked: bool,
    /// The line of `-c`.
    pub line: Option<OsString>,
    /// The command's words; with a line, its parameters.
    pub words: Vec<OsString>,
}

/// What the arguments ask for.
#[derive(Debug)]
pub enum Invocation {
    /// Help or the version.
    Print(String),
    /// Run a command.
    Run(TypedRun),
    /// One of aido's own words, and the options before it.
    Word(Box<Word>, Layer),
}

/// Tells what the arguments ask for.
///
/// # Errors
/// What is wrong with them.
pub fn parse(arguments: Vec<OsString>) -> Result<Invocation, CliError> {
    // The common case needs no parser: a command without options.
    let first = arguments.get(1);
    if first.is_some_and(|first| !is_option(first) && !is_own_word(first)) {
        return Ok(Invocation::Run(TypedRun {
            flags: Layer::default(),
            is_hooked: false,
            line: None,
            words: arguments.into_iter().skip(1).collect(),
        }));
    }
    // And so is what hooks put before a command.
    if let [_, option, dashes, words @ ..] = arguments.as_slice()
        && (option == "--hooked" && dashes == "--")
        && !words.is_empty()
    {
        return Ok(Invocation::Run(TypedRun {
            flags: Layer::default(),
            is_hooked: true,
            line: None,
            words: words.to_vec(),
        }));
    }
    let count = arguments.len();
    let after_dashes = |words: usize| arguments.get(count - words - 1) == Some(&"--".into());
    let typed = match RunLine::try_parse_from(&arguments) {
        Ok(typed) => typed,
        Err(error) => return refuse_or_print(&error, Kind::Run),
    };
    let is_word = typed.line.is_none() && is_own(&typed.words);
    if is_word && !after_dashes(typed.words.len()) {
        let for_programs = asks_for_json(&typed.words);
        let word = typed.words.first().cloned().unwrap_or_default();
        let invocation = typed
            .options
            .check_word(&word.to_string_lossy())
            .and_then(|()| typed.options.into_layer())
            .and_then(|flags| parse_word(typed.words, flags));
        return invocation.map_err(|error| match for_programs {
            true => error.for_programs(),
            false => error,
        });
    }
    if typed.line.is_none() && typed.words.is_empty() {
        // Help is for whoever typed nothing; options without a command are a mistake.
        if count > 1 {
            return Err(CliError::new(Kind::Run, "there is no command to run")
                .with_hint("aido [OPTIONS] COMMAND [ARG]...; aido --help says more"));
        }
        return Ok(Invocation::Print(help()));
    }
    Ok(Invocation::Run(TypedRun {
        is_hooked: typed.options.hooked,
        flags: typed.options.into_layer()?,
        line: typed.line,
        words: typed.words,
    }))
}

fn help() -> String {
    command().render_help().to_string()
}

/// The definition of a line that runs a command.
pub(super) fn command() -> clap::Command {
    with_words(RunLine::command())
}

/// What aido exits with, and what else a page of options doesn't say.
pub(super) const EXIT_STATUS: &str = "\
    Exit status: the command's own; 124 timed out, 125 aido failed, 126 not executable,\n\
    127 not found. Every option but --hooked has a variable (AIDO_TTY) and a key in nexus/aido.toml.";

/// Lists aido's own words below the options.
fn with_words(command: clap::Command) -> clap::Command {
    let mut text = String::from(
        "Options end at the first word that is not one; everything after belongs to the command.\n\n\
         Words of its own (`aido WORD --help` says more):\n",
    );
    let words = WordLine::command();
    let words = words.get_subcommands().filter(|word| !word.is_hide_set());
    let words: Vec<_> = words.collect();
    let width = words.iter().map(|word| word.get_name().len()).max();
    let width = width.unwrap_or_default();
    for word in words {
        let about = word
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        text.push_str(&format!("  {:<width$}  {about}\n", word.get_name()));
    }
    text.push_str(&format!("\n{EXIT_STATUS}"));
    command.after_help(text)
}

fn parse_word(words: Vec<OsString>, flags: Layer) -> Result<Invocation, CliError> {
    let name = words.first().cloned().unwrap_or_default();
    let line = std::iter::once(OsString::from("aido")).chain(words.iter().cloned());
    match WordLine::try_parse_from(line) {
        Ok(typed) => Ok(Invocation::Word(Box::new(typed.word), flags)),
        // A host would take a refusal for one of the call.
        Err(error) if name == "hook" && error.use_stderr() => {
            let arguments = hook::Arguments::as_typed(words.into_iter().skip(1));
            Ok(Invocation::Word(Box::new(Word::Hook(arguments)), flags))
        }
        Err(error) => refuse_or_print(&error, Kind::Usage).map_err(|error| {
            let name = name.to_string_lossy();
            if is_on_path(&name, &Environment::of_process()) {
                error.with_hint(format!("to run the program {name}: aido -- {name}"))
            } else {
                error
            }
        }),
    }
}

/// Whether a word's arguments, which may be wrong, ask for JSON.
fn asks_for_json(words: &[OsString]) -> bool {
    let mut own = words.iter().take_while(|word| *word != "--");
    own.any(|word| word == "--json" || word == "--ndjson")
}

fn refuse_or_print(error: &clap::Error, kind: Kind) -> Result<Invocation, CliError> {
    match error.kind() {
        ErrorKind::DisplayHelp if kind == Kind::Run => Ok(Invocation::Print(help())),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Ok(Invocation::Print(error.render().to_string()))
        }
        _ => {
            let text = error.render().to_string();
            let text = text.trim_end();
            Err(CliError::new(
                kind,
                text.strip_prefix("error: ").unwrap_or(text),
            ))
        }
    }
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// Whether these are one of aido's own words and what belongs to it. `export NAME=value` is the
/// shell's: no session is named so.
fn is_own(words: &[OsString]) -> bool {
    let [first, rest @ ..] = words else {
        return false;
    };
    let is_assignment = |word: &OsString| {
        let name = word.to_str().and_then(|word| word.split_once('='));
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(is_part))
    };
    is_own_word(first) && !(first == "export" && rest.first().is_some_and(is_assignment))
}

fn is_own_word(word: &OsStr) -> bool {
    word.to_str()
        .is_some_and(|word| word::NAMES.contains(&word))
}
