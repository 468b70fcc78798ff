//! The tools: what each is called and takes, and what it does. None runs a command: that would pass by what
//! the agent's program lets it do.

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::given::{Given, Parameter, Takes};
use super::shapes;
use crate::cli::error::{CliError, Kind};
use crate::cli::filter::{Filters, Outcome};
use crate::cli::lessons::About;
use crate::cli::reply::{Asking, Reply, TEXT};
use crate::cli::search::NamedPart;
use crate::cli::{check, handoff, lessons, list, search, show};
use crate::session::Stream;
use crate::view::handoff::{LEAST, MOST};

/// How many sessions are listed, unless asked otherwise.
const SESSIONS: u64 = 20;
/// How many at most.
const SESSIONS_MAX: u64 = 100;
/// How many lines of what was found are given, unless asked otherwise.
const FOUND: u64 = 50;
/// How many characters a hand-off has, unless asked otherwise.
const HANDOFF: u64 = 4000;
/// What can't be read in this time is left out of it.
const HANDOFF_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// What a tool changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changes {
    /// Nothing.
    Nothing,
    /// It adds something; the same twice is there once.
    Adds,
}

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What it does, for a model.
    pub(super) what: &'static str,
    pub(super) changes: Changes,
    pub(super) parameters: &'static [Parameter],
    /// The JSON Schema of its answer.
    pub(super) answer: fn() -> Map<String, Value>,
    /// What may help where it could not answer.
    pub(super) way: &'static str,
    pub(super) call: fn(&Given, &Asking) -> Result<Reply, CliError>,
}

const fn text(name: &'static str, what: &'static str) -> Parameter {
    Parameter {
        name,
        takes: Takes::Text,
        is_required: false,
        what,
    }
}

const fn required(name: &'static str, what: &'static str) -> Parameter {
    Parameter {
        is_required: true,
        ..text(name, what)
    }
}

const fn number(name: &'static str, most: u64, what: &'static str) -> Parameter {
    Parameter {
        takes: Takes::Number(most),
        ..text(name, what)
    }
}

const fn flag(name: &'static str, what: &'static str) -> Parameter {
    Parameter {
        takes: Takes::Flag,
        ..text(name, what)
    }
}

const fn one(name: &'static str, words: &'static [&'static str], what: &'static str) -> Parameter {
    Parameter {
        takes: Takes::One(words),
        ..text(name, what)
    }
}

const FAILED: Parameter = flag("failed", "Only sessions that failed");
const AGENT: Parameter = text("agent", "Only sessions of this agent");
const SINCE: Parameter = text(
    "since",
    "Only what started at this time or later: 2h, yesterday, 2026-03-05, 2026-03-05T13:25",
);
const UNTIL: Parameter = text("until", "Only what started before this time");
const TASK: Parameter = text("task", "Only what belongs to this task");
const BRANCH: Parameter = text("branch", "Only sessions on this git branch");
const CWD: Parameter = text(
    "cwd",
    "Only sessions that ran in this directory or below it",
);
const FIXED: Parameter = flag(
    "fixed",
    "Take the pattern as plain text, not as a regular expression",
);
const IGNORE_CASE: Parameter = flag("ignore_case", "Find upper case and lower case alike");

/// All of them.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "sessions_list",
        title: "List recorded commands",
        what: "Lists the commands that were run and recorded in this repository, newest first: id, \
               state, exit code, agent, age, how long it took, and the command line. \
               Use it to see what was run before, by you or other agents.",
        changes: Changes::Nothing,
        parameters: &[
            FAILED,
            one(
                "outcome",
                &["ok", "negative", "interrupted", "fault", "suspect"],
                "Only sessions with this outcome",
            ),
            AGENT,
            SINCE,
            UNTIL,
            TASK,
            BRANCH,
            CWD,
            text(
                "grep",
                "Only sessions whose command, note or label matches this regular expression",
            ),
            number("limit", SESSIONS_MAX, "At most so many [default: 20]"),
            text(
                "after",
                "Go on after this session: the `next` of the answer before",
            ),
        ],
        answer: shapes::sessions,
        way: "",
        call: sessions_list,
    },
    Tool {
        name: "session_show",
        title: "Show a recorded command and its output",
        what: "Shows one recorded command: what is known of it, and its output as text. Without head, \
               tail, lines or grep both ends of a long output are given. Use it when output \
               was truncated or lost, instead of running the command again.",
        changes: Changes::Nothing,
        parameters: &[
            text(
                "session",
                "last, last~2, last:failed, @agent, an id, or the beginning or end of one [default: last]",
            ),
            number("head", 1_000_000_000, "Only the first lines, so many"),
            number("tail", 1_000_000_000, "Only the last lines, so many"),
            text(
                "lines",
                "Only these lines, counted from 1: A:B, A:, :B or A",
            ),
            text("grep", "Only lines that match this regular expression"),
            number("context", 100, "With grep: also so many lines around each"),
            IGNORE_CASE,
            FIXED,
            one(
                "stream",
                &["stdout", "stderr"],
                "Only this stream, where they were recorded apart",
            ),
        ],
        answer: shapes::session,
        way: "sessions_list lists the sessions",
        call: session_show,
    },
    Tool {
        name: "sessions_search",
        title: "Search recorded output",
        what: "Searches the output, command lines and notes of recorded commands for a regular \
               expression, newest first. Gives lines ID:LINE:TEXT; session_show shows what \
               is around one.",
        changes: Changes::Nothing,
        parameters: &[
            required(
                "query",
                "A regular expression, which is looked for in each line",
            ),
            FIXED,
            IGNORE_CASE,
            one(
                "in",
                &["transcript", "command", "notes"],
                "Only in this part",
            ),
            number("context", 20, "Also so many lines around each match"),
            number(
                "limit",
                TEXT.lines as u64,
                "At most so many lines, those around matches among them [default: 50]",
            ),
            number(
                "per_session",
                1_000_000,
                "At most so many matches of one session",
            ),
            FAILED,
            AGENT,
            SINCE,
            UNTIL,
            TASK,
            BRANCH,
            CWD,
        ],
        answer: shapes::found,
        way: "`fixed` looks for the text as it is",
        call: sessions_search,
    },
    Tool {
        name: "lessons_check",
        title: "Check a command before running it",
        what: "Says whether a command is known to fail here, why, and what worked instead. Runs nothing. Use \
               it before running something again that failed.",
        changes: Changes::Nothing,
        parameters: &[required(
            "command",
            "The command line, as a shell would get it",
        )],
        answer: shapes::check,
        way: "",
        call: lessons_check,
    },
    Tool {
        name: "handoff",
        title: "What the next agent should know",
        what: "Sums up what was run here, what failed and is open, tasks and notes. Use it when you begin, or \
               take work over.",
        changes: Changes::Nothing,
        parameters: &[
            text("for", "Who reads it: what others did since then is counted"),
            SINCE,
            TASK,
            number(
                "budget",
                20_000,
                "At most so many characters, at least 800 [default: 4000]",
            ),
        ],
        answer: shapes::handoff,
        way: "",
        call: handoff_tool,
    },
    Tool {
        name: "lesson_add",
        title: "Write a lesson down",
        what: "Keeps one sentence that was learned from a failure; it is shown when the failure comes again, \
               to you and other agents. Say what to do, not what happened.",
        changes: Changes::Adds,
        parameters: &[
            required("text", "The lesson: one sentence"),
            text(
                "fault",
                "It is about this failure: its id, the beginning of it, or last",
            ),
            text(
                "class",
                "It is about this kind of failure, such as test-failure",
            ),
            text("command", "It is about failures of this command"),
        ],
        answer: shapes::lessons,
        way: "",
        call: lesson_add,
    },
];

fn filters(given: &Given) -> Filters {
    let outcome = given.text("outcome");
    Filters {
        failed: given.is_so("failed"),
        outcome: outcome.and_then(|name| Outcome::from_str(&name, false).ok()),
        agent: given.text("agent"),
        since: given.text("since"),
        until: given.text("until"),
        task: given.text("task"),
        branch: given.text("branch"),
        cwd: given.text("cwd"),
        grep: given.text("grep"),
        ..Filters::default()
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn sessions_list(given: &Given, asking: &Asking) -> Result<Reply, CliError> {
    let filters = filters(given);
    if filters.failed && filters.outcome.is_some() {
        let message = "only one of failed and outcome can be asked for";
        return Err(CliError::new(Kind::Usage, message).with_hint("leave one out"));
    }
    let question = list::reply::Question {
        filters,
        most: count(given.number("limit").unwrap_or(SESSIONS).max(1)),
        after: given.text("after"),
    };
    list::reply::reply(&question, asking)
}

fn session_show(given: &Given, asking: &Asking) -> Result<Reply, CliError> {
    let lines = given.text("lines").map(|range| {
        let range = range.parse();
        range.map_err(|error| CliError::new(Kind::Usage, format!("lines: {error}")))
    });
    let question = show::reply::Question {
        selector: given.text("session").unwrap_or_else(|| "last".to_owned()),
        head: given.number("head"),
        tail: given.number("tail"),
        lines: lines.transpose()?,
        grep: given.text("grep"),
        is_fixed: given.is_so("fixed"),
        ignores_case: given.is_so("ignore_case"),
        context: count(given.number("context").unwrap_or(0)),
        stream: given.text("stream").map(|name| match name.as_str() {
            "stderr" => Stream::Stderr,
            _ => Stream::Stdout,
        }),
    };
    show::reply::reply(&question, asking)
}

fn sessions_search(given: &Given, asking: &Asking) -> Result<Reply, CliError> {
    let part = given.text("in");
    let part = part.and_then(|name| NamedPart::from_str(&name, false).ok());
    let context = given.number("context").unwrap_or(0);
    let question = search::reply::Question {
        pattern: given.text("query").unwrap_or_default(),
        is_fixed: given.is_so("fixed"),
        ignores_case: given.is_so("ignore_case"),
        parts: Vec::from_iter(part),
        context: u16::try_from(context).unwrap_or(u16::MAX),
        most: count(given.number("limit").unwrap_or(FOUND).max(1)),
        most_of_session: given.number("per_session").map(|most| most.max(1)),
        filters: filters(given),
    };
    search::reply::reply(question, asking)
}

fn lessons_check(given: &Given, asking: &Asking) -> Result<Reply, CliError> {
    check::reply(&given.text("command").unwrap_or_default(), asking)
}

fn handoff_tool(given: &Given, asking: &Asking) -> Result<Reply, CliError> {
    let budget = count(given.number("budget").unwrap_or(HANDOFF));
    let arguments = handoff::Arguments {
        store: asking.store(),
        reader: given.text("for"),
        since: given.text("since"),
        task: given.text("task"),
        format: handoff::Format::Md,
        budget: budget.clamp(LEAST, MOST),
        within: HANDOFF_WITHIN,
    };
    handoff::reply(&arguments, asking)
}

fn lesson_add(given: &Given, asking: &Asking) -> Result<Reply, CliError> {
    let about = About {
        fault: given.text("fault"),
        class: given.text("class"),
        command: given.text("command"),
    };
    lessons::reply(&about, &given.text("text").unwrap_or_default(), asking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_clients_take_and_stand_for_one_tool_each() {
        let mut names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        let fits = |name: &&str| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        assert!(names.iter().all(fits) && names.iter().all(|name| name.len() < 30));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TOOLS.len());
    }

    #[test]
    fn no_parameter_is_named_twice_and_each_says_what_it_is() {
        for tool in TOOLS {
            let mut names: Vec<&str> = tool.parameters.iter().map(|it| it.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), tool.parameters.len(), "{}", tool.name);
            assert!(tool.parameters.iter().all(|it| !it.what.is_empty()));
        }
    }
}
