//! `aido hook`
//!
//! Called by agents' programs, many times a minute. Whatever it is given, it ends with 0, says nothing on
//! standard error, and prints one object or nothing: no host may be kept from its work.

mod context;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use super::word::NAMES;
use super::{Answer, CliResult, io};
use crate::agents::payload::{self, Named};
use crate::agents::{Host, Mode, Moment, reply};
use crate::clock::Stopwatch;
use crate::config::{self, Layer};
use crate::environment::Environment;
use crate::hook::{Decision, Hooked, decide};
use crate::place::Place;
use crate::record::shell::is_plain_program;
use crate::sys::stream;
use crate::view::sanitize;

/// The most of a payload that is read; of a longer one there is nothing to be told.
const PAYLOAD_BYTES: usize = 1024 * 1024;
/// How long to wait for a payload.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is asked by a plugin, which has a line instead of a payload.
const REWRITE: &str = "rewrite";
/// The variable that switches hooks off, or what they do.
pub(super) const VARIABLE: &str = "AIDO_HOOK";

/// `aido hook`
#[derive(Debug, clap::Args)]
#[command(override_usage = "aido hook [OPTIONS] AGENT [EVENT]\n       \
                            aido hook [OPTIONS] rewrite LINE")]
pub struct Arguments {
    /// What to do: observe (file finished calls) or wrap (have commands run under aido, too)
    /// [default: observe; of `rewrite`: wrap]
    #[arg(long, value_name = "MODE")]
    pub mode: Option<OsString>,
    /// Say what would be done, and why, and do nothing
    #[arg(long)]
    pub explain: bool,
    /// Whose hook it is (claude, codex, gemini, cursor, copilot or auto), and the event where the payload
    /// doesn't say; or `rewrite` and a line of shell
    #[arg(
        value_name = "AGENT",
        allow_hyphen_values = true,
        trailing_var_arg = true
    )]
    pub words: Vec<OsString>,
}

impl Arguments {
    /// Words of which the parser takes some for a mistake: they are read as those behind an agent's name.
    pub(super) fn as_typed(words: impl Iterator<Item = OsString>) -> Self {
        Self {
            mode: None,
            explain: false,
            words: words.collect(),
        }
    }
}

/// Answers a hook. Never fails.
///
/// # Errors
/// None.
pub fn hook(arguments: &Arguments, flags: Layer) -> CliResult {
    // A host reads standard error, or shows it to people: a mistake of aido's is nothing to it.
    std::panic::set_hook(Box::new(|_| {}));
    let answer = catch_unwind(AssertUnwindSafe(|| answer(arguments, flags)));
    let text = answer.unwrap_or_default();
    let mut out = io::Out::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(Answer::Yes)
}

fn answer(arguments: &Arguments, flags: Layer) -> String {
    let environment = Environment::of_process();
    let asked = Asked::of(arguments);
    let word = |index: usize| asked.words.get(index)?.to_str();
    if word(0) == Some(REWRITE) {
        let mode = mode(asked.mode, Mode::Wrap, &environment);
        let line = word(1).unwrap_or_default();
        let rewritten = rewrite(line, mode, &environment, flags);
        return match (asked.explain, rewritten) {
            (true, rewritten) => explained(line, rewritten),
            (false, Ok(line)) => line + "\n",
            (false, Err(_)) => String::new(),
        };
    }
    let mode = mode(asked.mode, Mode::Observe, &environment);
    let named = Named {
        dialect: word(0).and_then(Host::named).and_then(Host::dialect),
        event: word(1),
    };
    let payload = read_payload();
    let call = match payload.map(|text| payload::read(&text, named)) {
        Some(Ok(call)) => call,
        problem => {
            if asked.explain {
                let why = match problem {
                    Some(Err(problem)) => problem.to_string(),
                    _ => "it is longer than is read, or no text, or it never came".to_owned(),
                };
                return format!("payload: {why}\nanswer: nothing\n");
            }
            return named.dialect.map_or("", reply::nothing).to_owned();
        }
    };
    let nothing = reply::nothing(call.dialect).to_owned();
    if mode == Mode::Off && !asked.explain {
        return nothing;
    }
    let started_in = std::env::current_dir().ok();
    // From here on the hook stands where the host does.
    if let Some(directory) = call.cwd.as_deref().map(PathBuf::from)
        && directory.is_absolute()
    {
        let _ = std::env::set_current_dir(directory);
    }
    let place = Place::find(std::env::current_dir().ok(), &environment);
    // Settings that can't be taken, or are partly ignored, would be said by every command.
    let resolved = config::resolve(flags.clone(), &environment, &place);
    let settings = resolved
        .ok()
        .filter(|resolved| resolved.warnings.is_empty());
    let hooked = Hooked {
        call: &call,
        mode,
        started_in,
        place,
        settings: settings.map(|resolved| resolved.settings),
        environment,
        flags,
        own_words: NAMES,
    };
    if asked.explain {
        return explanation(&hooked);
    }
    answered(&hooked).unwrap_or(nothing)
}

/// What a hook is asked for.
struct Asked<'a> {
    words: Vec<&'a OsStr>,
    mode: Option<&'a OsStr>,
    explain: bool,
}

impl<'a> Asked<'a> {
    /// Options count behind the agent's name too. The parser takes everything there as words, since it
    /// must refuse nothing that a host may come to send; what isn't known is passed over.
    fn of(arguments: &'a Arguments) -> Self {
        let mut asked = Self {
            words: Vec::new(),
            mode: arguments.mode.as_deref(),
            explain: arguments.explain,
        };
        let mut rest = arguments.words.iter().map(OsString::as_os_str);
        while let Some(word) = rest.next() {
            // A line of shell is no option, whatever it begins with.
            if asked.words == [REWRITE] && (word != "--explain" || rest.len() == 0) {
                asked.words.push(word);
                continue;
            }
            let option = word.to_str().unwrap_or_default();
            match option.split_once('=').unwrap_or((option, "")) {
                ("--explain", _) => asked.explain = true,
                ("--mode", "") => asked.mode = rest.next(),
                ("--mode", mode) => asked.mode = Some(mode.as_ref()),
                (name, _) if name.starts_with("--") => {}
                _ => asked.words.push(word),
            }
        }
        asked
    }
}

/// The answer to the host; none where there is nothing to say.
fn answered(hooked: &Hooked<'_>) -> Option<String> {
    match hooked.call.moment {
        Moment::Start => {
            let text = context::at_start(hooked)?;
            reply::with_context(hooked.call, &text)
        }
        Moment::Before => match hooked.decide() {
            Decision::Rewrite { answer, .. } => Some(answer),
            Decision::Leave(_) => None,
        },
        Moment::After | Moment::AfterFailure => {
            hooked.file();
            let text = context::after_failure(hooked)?;
            reply::with_context(hooked.call, &text)
        }
        Moment::Other => None,
    }
}

/// What would be done, and why.
fn explanation(hooked: &Hooked<'_>) -> String {
    let call = hooked.call;
    let mut lines = vec![
        format!("shape: {:?}", call.dialect),
        format!("event: {}", call.event),
    ];
    if let Some(command) = &call.command {
        lines.push(format!("line: {command}"));
    }
    let does = match (hooked.mode, call.moment) {
        (Mode::Off, _) => "nothing: hooks are off".to_owned(),
        (_, Moment::Start) => match context::at_start(hooked) {
            Some(text) => format!("{} characters of what is known", text.chars().count()),
            None => "nothing: there is nothing to say".to_owned(),
        },
        (_, Moment::Before) => match hooked.decide() {
            Decision::Rewrite { line, .. } => format!("another line: {line}"),
            Decision::Leave(why) => format!("nothing: {why}"),
        },
        (_, Moment::After | Moment::AfterFailure) => match hooked.report() {
            Ok(report) => match report.exit_code {
                Some(code) => format!("the call is filed: exit {code}"),
                None => "the call is filed: its exit code is not known".to_owned(),
            },
            Err(why) => format!("nothing is filed: {why}"),
        },
        (_, Moment::Other) => "nothing: the event is none of aido's".to_owned(),
    };
    lines.push(format!("answer: {does}"));
    let lines = lines
        .iter()
        .map(|line| sanitize::line(line).into_owned() + "\n");
    lines.collect()
}

/// The variable before the option: a hook's command is the same for everybody who shares a repository.
fn mode(asked: Option<&OsStr>, unasked: Mode, environment: &Environment) -> Mode {
    let named = |name: &str| match name {
        "0" | "off" | "false" | "no" => Some(Mode::Off),
        "observe" => Some(Mode::Observe),
        "wrap" => Some(Mode::Wrap),
        _ => None,
    };
    // What isn't known can't be asked for: the least that a hook does.
    let asked = asked.map(|asked| asked.to_str().and_then(named).unwrap_or(Mode::Observe));
    let variable = environment.text(VARIABLE).and_then(named);
    variable.or(asked).unwrap_or(unasked)
}

/// The line that a plugin asks for.
///
/// # Errors
/// Why it stays as it is.
fn rewrite(
    line: &str,
    mode: Mode,
    environment: &Environment,
    flags: Layer,
) -> Result<String, String> {
    match mode {
        Mode::Off => return Err("hooks are off".to_owned()),
        Mode::Observe => return Err("hooks only observe".to_owned()),
        Mode::Wrap => {}
    }
    let place = Place::find(std::env::current_dir().ok(), environment);
    let resolved = config::resolve(flags, environment, &place);
    if !resolved.is_ok_and(|resolved| resolved.warnings.is_empty()) {
        return Err("a setting is not in order, and every command would say so".to_owned());
    }
    decide::for_plugin(line, &place, environment).ok_or_else(|| {
        let is_program = |name: &str| is_plain_program(name, environment);
        match crate::rewrite::rewrite(line, &is_program) {
            Err(reason) => reason.to_string(),
            Ok(_) => "PATH doesn't lead to this aido, or the host may have a rule about it".into(),
        }
    })
}

/// What is said of a line instead of the line.
fn explained(line: &str, rewritten: Result<String, String>) -> String {
    let does = match rewritten {
        Ok(line) => format!("another line: {line}"),
        Err(why) => format!("nothing: {why}"),
    };
    let (line, does) = (sanitize::line(line), sanitize::line(&does));
    format!("line: {line}\nanswer: {does}\n")
}

/// Standard input, if it is a text of reasonable size that comes in reasonable time. More is read than is
/// taken, so that nobody who writes it meets a closed pipe.
fn read_payload() -> Option<String> {
    let stdin = rustix::stdio::stdin();
    let stopwatch = Stopwatch::start();
    let mut bytes = Vec::new();
    let mut is_too_long = false;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let left = PATIENCE.checked_sub(stopwatch.elapsed())?;
        if stream::wait_to_read([stdin], Some(left)) != [true] {
            return None;
        }
        match stream::read_some(stdin, &mut piece) {
            Ok(0) => break,
            Ok(count) if bytes.len() + count <= PAYLOAD_BYTES => {
                bytes.extend_from_slice(&piece[..count]);
            }
            Ok(_) => is_too_long = true,
            Err(_) => return None,
        }
    }
    String::from_utf8(bytes).ok().filter(|_| !is_too_long)
}
