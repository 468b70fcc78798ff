//! What kind of failure it was, and which line of the output tells.

use regex::bytes::Captures;

use super::command::{self, program};
use super::error_line::{self, clean, last_line, line_around};
use super::hidden::culprit;
use super::hint::hint;
use super::normal::head;
use super::outcome::{FirstLook, Run, first_look};
use super::rules::{Meaning, Place, Rule, Rules};
use super::template::fill;
use crate::session::{Judgement, Outcome};

/// The most text that is looked at, in bytes: the end of either stream.
const TEXT_BYTES: usize = 64 * 1024;
/// The longest piece of recorded text that a cause quotes, in bytes.
const QUOTED_BYTES: usize = 300;

/// Kinds of failures that no rule finds.
pub const WITHOUT_RULE: &[&str] = &["interactive-prompt", "pager", "unknown"];

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

impl Verdict {
    /// The same in a word, as a session's sidecar has it.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        match self {
            Self::Ok => Judgement::Ok,
            Self::Negative { .. } => Judgement::Negative,
            Self::Interrupted => Judgement::Interrupted,
            Self::Fault(_) => Judgement::Fault,
            Self::Suspect(_) => Judgement::Suspect,
        }
    }
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
    let mut complaints = texts.iter().map(|text| last_line(text));
    let blamed = complaints.find_map(|line| command::failed_preparation(&parts, line));
    let subject = blamed.or_else(|| culprit(run, &parts)).unwrap_or(subject);
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
            cause.lesson = with_hint(rule.lesson().map(str::to_owned), &text);
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
            let lesson = rule.lesson().and_then(|lesson| fill(lesson, &captures));
            // Of a rule that has nothing to say without a name, another of its class may have.
            let of_class = || {
                rules
                    .iter()
                    .find_map(|other| plain_lesson(other, rule.class()))
            };
            cause.lesson = with_hint(
                lesson
                    .or_else(of_class)
                    .map(|lesson| quote(&lesson).to_owned()),
                &text[start..],
            );
            return decided(rule, cause, Some(&captures));
        }
    }
    quote(error_line::choose(&texts)).clone_into(&mut cause.line);
    cause.lesson = with_hint(None, &text);
    verdict(cause)
}

/// A rule's lesson, if it is of this class and needs nothing to be found.
fn plain_lesson(rule: &Rule, class: &str) -> Option<String> {
    let lesson = rule.lesson().filter(|_| rule.class() == class)?;
    (!lesson.contains('$')).then(|| lesson.to_owned())
}

/// A lesson with what the tool itself suggests.
fn with_hint(lesson: Option<String>, text: &str) -> Option<String> {
    // A lesson that quotes the line has it already.
    let is_told = |hint: &&str| lesson.as_ref().is_some_and(|lesson| lesson.contains(*hint));
    let Some(hint) = hint(text).filter(|hint| !is_told(hint)) else {
        return lesson;
    };
    let asked = format!("did you mean `{hint}`?");
    Some(lesson.map_or_else(|| asked.clone(), |lesson| format!("{lesson}; {asked}")))
}

fn decided(rule: &Rule, mut cause: Cause, captures: Option<&Captures<'_>>) -> Verdict {
    if rule.meaning() == Meaning::Negative && cause.code != 0 {
        return Verdict::Negative {
            class: rule.class().to_owned(),
        };
    }
    let expand = |template: &str, captures: &Captures<'_>| {
        let mut expanded = Vec::new();
        captures.expand(template.as_bytes(), &mut expanded);
        quote(String::from_utf8_lossy(&expanded).trim()).to_owned()
    };
    rule.class().clone_into(&mut cause.class);
    cause.rule = Some(rule.id().to_owned());
    let key = rule.key().zip(captures);
    cause.key = key.map(|(key, captures)| expand(key, captures));
    cause.message = rule.message().and_then(|message| match captures {
        Some(captures) => fill(message, captures).map(|text| quote(&text).to_owned()),
        None => Some(message.to_owned()),
    });
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::faults::fault_id;

    /// What a line that ended like this, with this output, is taken for.
    pub(in crate::faults) fn judged(line: &str, outcome: &Outcome, text: &str) -> Verdict {
        let run = Run {
            argv: &[],
            shell_line: Some(line),
            outcome,
            output: text,
            errors: "",
        };
        classify(&run, &Rules::built_in())
    }

    fn cause(line: &str, code: i32, text: &str) -> Cause {
        match judged(line, &Outcome::Exited(code), text) {
            Verdict::Fault(cause) | Verdict::Suspect(cause) => *cause,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_failure_has_its_id_however_its_exit_code_was_handed_on_or_hidden() {
        for (text, plain) in [
            ("error[E0308]: mismatched types\n --> src/a.rs:1:1", 101),
            // No rule knows it.
            ("fatal: gave up on the widget", 3),
        ] {
            let id = fault_id(&cause("cargo build", plain, text));
            for (line, code) in [
                ("cargo build; exit $?", plain),
                ("cargo build; exit", plain),
                ("cargo build; return", plain),
                ("cargo build || exit 1", 1),
                ("cargo build; exit 0", 0),
                ("cargo build; true", 0),
                ("cargo build; :", 0),
                ("cargo build || true", 0),
                ("cargo build; echo done", 0),
                ("cargo build 2>&1 | tail -5", 0),
                ("cargo build 2>&1 | grep -v warning", 0),
                ("set -o pipefail; cargo build | tail", plain),
            ] {
                assert_eq!(fault_id(&cause(line, code, text)), id, "{line}");
            }
        }
    }

    #[test]
    fn a_lesson_says_nothing_that_was_not_found() {
        for (line, code, text, wanted) in [
            (
                "make",
                2,
                "make: *** No targets specified and no makefile found.  Stop.",
                Some("there is no makefile here, or no target in it"),
            ),
            (
                "node a.js",
                1,
                "Error: listen EADDRINUSE: address already in use",
                Some("something already listens on that port"),
            ),
            (
                "./a",
                126,
                "sh: 1: ./a: Permission denied",
                Some("chmod +x ./a"),
            ),
            (
                "cat x",
                1,
                "No such file or directory",
                Some("path is wrong or cwd differs"),
            ),
            (
                "./run",
                127,
                "env: 'pyhton3': No such file or directory",
                Some("the command is not installed or misspelled"),
            ),
            (
                "cargo biuld",
                101,
                "error: no such command: `biuld`\n\nhelp: a command with a similar name exists: `build`",
                Some("check --help: biuld; did you mean `build`?"),
            ),
            (
                "x",
                1,
                "it broke; did you mean 'y'?",
                Some("did you mean `y`?"),
            ),
            (
                "python3 a.py",
                1,
                "NameError: name 'a' is not defined. Did you mean: 'b'?",
                Some("NameError: name 'a' is not defined. Did you mean: 'b'?"),
            ),
            ("x", 1, "it broke", None),
        ] {
            let found = cause(line, code, text).lesson;
            assert_eq!(found.as_deref(), wanted, "{line}: {text}");
        }
    }

    #[test]
    fn the_name_of_an_error_is_a_word_by_itself() {
        for (text, wanted) in [
            (
                "FileNotFoundError: [Errno 2] No such file or directory: 'a.csv'",
                "no-such-file",
            ),
            ("app.ValueNotFound: x", "unknown"),
            ("getaddrinfo ENOTFOUND a.example", "network-dns"),
            ("widget: REENOENTER", "unknown"),
            ("Error: ENOENT: no such file or directory", "no-such-file"),
        ] {
            assert_eq!(cause("python3 a.py", 1, text).class, wanted, "{text}");
        }
    }

    #[test]
    fn where_the_way_was_wrong_nothing_behind_it_failed() {
        for said in [
            "sh: 1: cd: can't cd to /nodir",
            "bash: line 1: cd: /nodir: No such file or directory",
        ] {
            let cause = cause("cd /nodir && ls", 2, said);
            assert_eq!((&*cause.command_key, &*cause.class), ("cd", "no-such-file"));
        }
    }
}
