//! How a finished command is looked at first: most are settled here, without rules and without a
//! pattern being compiled.

use super::classify::Verdict;
use super::command::{self, program};
use super::hidden;
use super::shell::Join;
use crate::session::Outcome;

/// What is known of a command that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What was executed, argument by argument.
    pub argv: &'a [String],
    /// What was typed, where a shell ran it.
    pub shell_line: Option<&'a str>,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// An end of standard output as text without escape sequences; of a terminal, all output.
    pub output: &'a str,
    /// An end of standard error likewise.
    pub errors: &'a str,
}

/// What the first look at a run tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstLook {
    /// It is settled.
    Settled(Verdict),
    /// It failed, or looks as if it had: [`classify`](super::classify()) tells more.
    LookCloser,
}

/// Non-zero exit codes that answer a question.
struct Answer {
    programs: &'static [&'static str],
    /// Words that all have to be among the arguments.
    with: &'static [&'static str],
    codes: &'static [i32],
    class: &'static str,
}

const fn answer(
    programs: &'static [&'static str],
    with: &'static [&'static str],
    codes: &'static [i32],
    class: &'static str,
) -> Answer {
    Answer {
        programs,
        with,
        codes,
        class,
    }
}

const ANSWERS: &[Answer] = &[
    answer(
        &["grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ack"],
        &[],
        &[1],
        "no-match",
    ),
    answer(&["diff", "cmp", "colordiff"], &[], &[1], "different"),
    answer(&["git"], &["diff", "--exit-code"], &[1], "different"),
    answer(&["git"], &["diff", "--quiet"], &[1], "different"),
    answer(&["git"], &["diff", "--no-index"], &[1], "different"),
    answer(&["git"], &["grep"], &[1], "no-match"),
    answer(&["git"], &["merge-base", "--is-ancestor"], &[1], "no"),
    answer(&["git"], &["check-ignore"], &[1], "no"),
    answer(&["git"], &["config", "--get"], &[1], "no"),
    answer(&["test", "[", "[["], &[], &[1], "no"),
    answer(&["pgrep", "pidof"], &[], &[1], "no-match"),
    answer(&["which", "type", "hash"], &[], &[1], "no-match"),
    answer(&["command"], &["-v"], &[1, 127], "no-match"),
    answer(&["systemctl"], &["is-active"], &[1, 2, 3, 4], "no"),
    answer(&["systemctl"], &["is-enabled"], &[1, 2, 3, 4], "no"),
    answer(&["systemctl"], &["status"], &[1, 2, 3, 4], "no"),
    answer(&["pytest"], &[], &[5], "no-tests"),
    answer(&["terraform"], &["-detailed-exitcode"], &[2], "different"),
    answer(&["cargo"], &["fmt", "--check"], &[1], "format"),
    answer(&["rustfmt"], &["--check"], &[1], "format"),
    answer(&["prettier"], &["--check"], &[1], "format"),
    answer(&["black"], &["--check"], &[1], "format"),
    answer(&["ruff"], &["format", "--check"], &[1], "format"),
    answer(&["gofmt"], &["-l"], &[1], "format"),
    answer(&["jq"], &["-e"], &[1, 4], "no"),
];

/// Looks at how a command ended and at its text, in a time that grows with the text alone: a few
/// microseconds for what a sidecar quotes.
#[must_use]
pub fn first_look(run: &Run<'_>) -> FirstLook {
    if is_interrupted(run) {
        return FirstLook::Settled(Verdict::Interrupted);
    }
    let code = run.outcome.exit_code().unwrap_or_default();
    if code == 0 {
        return if hidden::looks_failed(run) {
            FirstLook::LookCloser
        } else {
            FirstLook::Settled(Verdict::Ok)
        };
    }
    match negative(run, code) {
        Some(class) if !hidden::has_another_failed(run) => FirstLook::Settled(Verdict::Negative {
            class: class.to_owned(),
        }),
        _ => FirstLook::LookCloser,
    }
}

fn is_interrupted(run: &Run<'_>) -> bool {
    match run.outcome {
        Outcome::Interrupted => true,
        // SIGHUP, SIGINT, SIGQUIT, SIGPIPE and SIGTERM: somebody has had enough.
        Outcome::Signaled(signal) => matches!(signal.0, 1 | 2 | 3 | 13 | 15),
        // A shell's word for the same; but 129 is git's for a wrong option.
        Outcome::Exited(130 | 131 | 143) => true,
        Outcome::Exited(141) => {
            let parts = command::parts(run.argv, run.shell_line);
            parts.iter().any(|part| part.join == Join::Pipe)
        }
        _ => false,
    }
}

/// The kind of answer that an exit code is, if it is one.
pub(super) fn negative(run: &Run<'_>, code: i32) -> Option<&'static str> {
    if !matches!(run.outcome, Outcome::Exited(_)) {
        return None;
    }
    let parts = command::parts(run.argv, run.shell_line);
    let parts = command::without_exit(&parts);
    if !command::ends_with_its_subject(parts) {
        return None;
    }
    let words = parts.last()?.words.as_slice();
    let (program, arguments) = (program(words), words.get(1..)?);
    let has = |wanted: &&str| arguments.iter().any(|word| word == wanted);
    let found = ANSWERS.iter().find(|answer| {
        answer.codes.contains(&code)
            && answer.programs.contains(&program)
            && answer.with.iter().all(has)
    });
    found.map(|answer| answer.class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::classify::tests::judged;
    use crate::faults::{Rules, classify};
    use crate::session::Signal;

    fn judge(line: &str, outcome: &Outcome, text: &str) -> String {
        match judged(line, outcome, text) {
            Verdict::Ok => "ok".to_owned(),
            Verdict::Negative { class } => format!("negative {class}"),
            Verdict::Interrupted => "interrupted".to_owned(),
            Verdict::Fault(cause) => format!("fault {}", cause.class),
            Verdict::Suspect(cause) => format!("suspect {}", cause.class),
        }
    }

    #[test]
    fn exit_codes_that_answer_are_no_failures() {
        for (line, code, wanted) in [
            ("grep x y", 1, "negative no-match"),
            ("cat y | grep x", 1, "negative no-match"),
            ("cd a && rg x", 1, "negative no-match"),
            ("grep x y", 2, "fault unknown"),
            ("make && grep x y", 1, "fault unknown"),
            ("grep x y; exit $?", 1, "negative no-match"),
            ("grep x y; exit 1", 1, "fault unknown"),
            ("diff a b", 1, "negative different"),
            ("cmp a b", 2, "fault unknown"),
            ("git diff --exit-code", 1, "negative different"),
            ("git diff", 1, "fault unknown"),
            ("git merge-base --is-ancestor a b", 1, "negative no"),
            ("test -f x", 1, "negative no"),
            ("[ -f x ]", 1, "negative no"),
            ("pgrep x", 1, "negative no-match"),
            ("command -v x", 1, "negative no-match"),
            ("systemctl is-active x", 3, "negative no"),
            ("python3 -m pytest", 5, "negative no-tests"),
            ("pytest", 1, "fault unknown"),
            // It answers nothing.
            ("false", 1, "fault unknown"),
            ("terraform plan -detailed-exitcode", 2, "negative different"),
            ("cargo fmt --check", 1, "negative format"),
            ("ruff format --check .", 1, "negative format"),
            ("jq -e .a x", 1, "negative no"),
            ("jq .a x", 1, "fault unknown"),
            ("curl -f x", 22, "fault http-error"),
        ] {
            assert_eq!(
                judge(line, &Outcome::Exited(code), ""),
                wanted,
                "{line} {code}"
            );
        }
    }

    #[test]
    fn who_was_stopped_has_not_failed() {
        for (line, outcome, wanted) in [
            ("make", Outcome::Exited(141), "fault unknown"),
            ("bash -c 'yes | head'", Outcome::Exited(141), "interrupted"),
            ("make", Outcome::Signaled(Signal(2)), "interrupted"),
            ("make", Outcome::Signaled(Signal(15)), "interrupted"),
            ("make", Outcome::Exited(130), "interrupted"),
            ("yes | head", Outcome::Exited(141), "interrupted"),
            ("make", Outcome::Interrupted, "interrupted"),
            ("make", Outcome::Signaled(Signal(9)), "fault killed"),
            ("make", Outcome::Signaled(Signal(11)), "fault segfault"),
            ("make", Outcome::TimedOut(None), "fault timeout"),
            ("git foo -z", Outcome::Exited(129), "fault usage"),
        ] {
            assert_eq!(judge(line, &outcome, ""), wanted, "{line} {outcome:?}");
        }
        let argv = ["bash", "-c", "set -o pipefail; seq 1 1000000 | head -1"].map(str::to_owned);
        let run = Run {
            argv: &argv,
            shell_line: None,
            outcome: &Outcome::Exited(141),
            output: "1",
            errors: "",
        };
        assert_eq!(classify(&run, &Rules::built_in()), Verdict::Interrupted);
        let late = Outcome::TimedOut(None);
        for (text, wanted) in [
            ("Proceed? [y/N]", "fault interactive-prompt"),
            ("Password:", "fault interactive-prompt"),
            ("one\n(END)", "fault pager"),
            ("error: a\nstill waiting", "fault timeout"),
        ] {
            assert_eq!(judge("x", &late, text), wanted, "{text}");
        }
        let never = Outcome::NotStarted {
            code: 127,
            reason: "nosuch: command not found".to_owned(),
        };
        assert_eq!(judge("nosuch", &never, ""), "fault command-not-found");
    }
}
