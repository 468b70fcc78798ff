//! What kind of failure it was, and which line of the output tells.

use regex::bytes::Captures;

use super::command::{self, program};
use super::error_line::{self, clean, last_line, line_around};
use super::normal::head;
use super::outcome::{FirstLook, Run, first_look};
use super::rules::{Meaning, Place, Rule, Rules};
use crate::session::Outcome;

/// The most text that is looked at, in bytes: the end of either stream.
const TEXT_BYTES: usize = 64 * 1024;
/// The longest piece of recorded text that a cause quotes, in bytes.
const QUOTED_BYTES: usize = 300;

/// How a command ended, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it should.
    Ok,
    /// Its exit code is an answer, such as that of `grep`.
    Negative {
        /// The kind of answer.
        class: String,
    },
    /// Somebody stopped it, or nobody can know how it ended.
    Interrupted,
    /// It failed.
    Fault(Box<Cause>),
    /// It exited with 0, and has said that it failed.
    Suspect(Box<Cause>),
}

/// What is known about a failure. Its texts are recorded text: neither redacted nor made harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The kind of failure: lower-case letters, digits and dashes.
    pub class: String,
    /// The rule that found it, if one did.
    pub rule: Option<String>,
    /// What it is counted under: program and subcommand.
    pub command_key: String,
    /// The line of the output that tells, or nothing where none does.
    pub line: String,
    /// What tells this failure from others of its class, where the rule knows better than the line.
    pub key: Option<String>,
    /// What the rule names first, such as the missing module; see [`cure`](super::cure).
    pub named: Option<String>,
    /// What to say about it, where the rule has words for it.
    pub message: Option<String>,
    /// What usually helps.
    pub lesson: Option<String>,
    /// The exit code as a shell would show it.
    pub code: i32,
}

impl Cause {
    /// The same with every text changed, such as by taking out what must not be remembered.
    #[must_use]
    pub fn with_texts(&self, change: &dyn Fn(&str) -> String) -> Self {
        let changed = |text: &Option<String>| text.as_deref().map(change);
        Self {
            class: self.class.clone(),
            rule: self.rule.clone(),
            command_key: change(&self.command_key),
            line: change(&self.line),
            key: changed(&self.key),
            named: changed(&self.named),
            message: changed(&self.message),
            lesson: changed(&self.lesson),
            code: self.code,
        }
    }
}

/// Judges how a command ended. Compiles patterns only where it failed or looks like it.
#[must_use]
pub fn classify(run: &Run<'_>, rules: &Rules) -> Verdict {
    match first_look(run) {
        FirstLook::Settled(verdict) => verdict,
        FirstLook::LookCloser => look_closer(run, rules),
    }
}

fn look_closer(run: &Run<'_>, rules: &Rules) -> Verdict {
    let code = run.outcome.exit_code().unwrap_or_default();
    let parts = command::parts(run.argv, run.shell_line);
    let subject = command::subject(&parts);
    let reason = match run.outcome {
        Outcome::NotStarted { reason, .. } => reason.as_str(),
        _ => "",
    };
    let (errors, output) = (clean(end(run.errors)), clean(end(run.output)));
    let texts: Vec<&str> = [reason, &errors, &output]
        .into_iter()
        .filter(|text| !text.trim().is_empty())
        .collect();
    let text = texts.join("\n");
    let mut cause = Cause {
        class: "unknown".to_owned(),
        rule: None,
        command_key: command::key(subject),
        line: String::new(),
        key: None,
        named: None,
        message: None,
        lesson: None,
        code,
    };
    let waited = matches!(run.outcome, Outcome::TimedOut(_)) || matches!(code, 124 | 137);
    if let Some((class, lesson)) = waits(&text).filter(|_| waited) {
        class.clone_into(&mut cause.class);
        cause.lesson = Some(lesson.to_owned());
        last_line(&text).clone_into(&mut cause.line);
        return Verdict::Fault(Box::new(cause));
    }
    let timed_out = matches!(run.outcome, Outcome::TimedOut(_));
    let lower = text.to_ascii_lowercase().into_bytes();
    let applying = rules
        .iter()
        // What a command said before its time was over is not why it ended.
        .filter(|rule| !(timed_out && rule.reads_text()))
        .filter(|rule| rule.applies(program(subject), code))
        .filter(|rule| !rule.reads_text() || rule.may_match(&lower));
    for rule in applying {
        let Some(pattern) = rule.pattern() else {
            if rule.reads_text() {
                continue;
            }
            error_line::choose(&texts).clone_into(&mut cause.line);
            return decided(rule, cause, None);
        };
        let found = pattern.captures_iter(text.as_bytes());
        let chosen = match rule.place() {
            Place::First => { found }.next(),
            Place::Last => found.last(),
            Place::Least => found.min_by_key(|captures| named(captures).unwrap_or_default()),
        };
        if let Some(captures) = chosen {
            let start = captures.get(0).map_or(0, |whole| whole.start());
            quote(line_around(&text, start)).clone_into(&mut cause.line);
            return decided(rule, cause, Some(&captures));
        }
    }
    if code == 0 {
        // Nothing but a strong line is known of it, and that line is what the look found.
        "false-success".clone_into(&mut cause.class);
    }
    quote(error_line::choose(&texts)).clone_into(&mut cause.line);
    verdict(cause)
}

fn decided(rule: &Rule, mut cause: Cause, captures: Option<&Captures<'_>>) -> Verdict {
    if rule.meaning() == Meaning::Negative && cause.code != 0 {
        return Verdict::Negative {
            class: rule.class().to_owned(),
        };
    }
    let expand = |template: &str| match captures {
        Some(captures) => {
            let mut expanded = Vec::new();
            captures.expand(template.as_bytes(), &mut expanded);
            quote(String::from_utf8_lossy(&expanded).trim()).to_owned()
        }
        None => template.to_owned(),
    };
    rule.class().clone_into(&mut cause.class);
    cause.rule = Some(rule.id().to_owned());
    cause.key = rule.key().filter(|_| captures.is_some()).map(expand);
    cause.message = rule.message().map(expand);
    cause.lesson = rule.lesson().map(expand);
    cause.named = captures.and_then(named);
    verdict(cause)
}

fn verdict(cause: Cause) -> Verdict {
    if cause.code == 0 {
        Verdict::Suspect(Box::new(cause))
    } else {
        Verdict::Fault(Box::new(cause))
    }
}

/// The first group that took part in a match.
fn named(captures: &Captures<'_>) -> Option<String> {
    let group = captures.iter().skip(1).flatten().next()?;
    Some(quote(&String::from_utf8_lossy(group.as_bytes())).to_owned())
}

/// What a command that ran out of time was waiting for, as its last line says.
fn waits(text: &str) -> Option<(&'static str, &'static str)> {
    let last = last_line(text).trim_end();
    let lower = last.to_ascii_lowercase();
    if last == ":" || last.ends_with("(END)") || last.starts_with("--More--") {
        return Some(("pager", "a pager waited for keys; use --no-pager or | cat"));
    }
    let asks = [
        "?",
        "[y/n]",
        "[y/n]:",
        "(y/n)",
        "(yes/no)",
        "password:",
        "(y/n):",
    ];
    let asks = asks.iter().any(|ending| lower.ends_with(ending))
        || (lower.contains("password for") && lower.ends_with(':'));
    let lesson = "it waited for an answer; pass --yes or what it asks for";
    asks.then_some(("interactive-prompt", lesson))
}

/// The end of a text, from a character's beginning.
fn end(text: &str) -> &str {
    let mut start = text.len().saturating_sub(TEXT_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// As much of a text as is quoted.
fn quote(text: &str) -> &str {
    head(text, QUOTED_BYTES)
}
