//! Failures that an exit code hides: what the output says of them, and whose they are.

use super::command::{self, program};
use super::outcome::{Run, negative};
use super::shell::{Join, Simple};

/// Programs whose output is what others have written: an error in it is not theirs.
const READERS: &[&str] = &[
    "cat",
    "bat",
    "less",
    "more",
    "head",
    "tail",
    "tac",
    "nl",
    "grep",
    "egrep",
    "fgrep",
    "zgrep",
    "rg",
    "ag",
    "ack",
    "sed",
    "awk",
    "gawk",
    "cut",
    "sort",
    "uniq",
    "wc",
    "jq",
    "yq",
    "strings",
    "xxd",
    "hexdump",
    "find",
    "fd",
    "ls",
    "tree",
    "echo",
    "printf",
    "diff",
    "cmp",
    "journalctl",
    "dmesg",
    "man",
    "history",
    "tee",
    "column",
    "base64",
    "zcat",
    "xz",
    "tar",
    "env",
    "printenv",
    "stat",
    "file",
    "type",
    "which",
];

/// The same by program and subcommand.
const READING_SUBCOMMANDS: &[&str] = &[
    "git log",
    "git show",
    "git diff",
    "git grep",
    "git blame",
    "git status",
    "git stash",
    "git reflog",
    "docker logs",
    "podman logs",
    "kubectl logs",
    "kubectl describe",
    "gh run",
    "gh pr",
    "gh issue",
    "gh api",
    "aido show",
    "aido list",
    "aido search",
];

/// What a line begins with that only a failure writes, whatever the exit code says.
const STRONG: &[&str] = &[
    "error: ",
    "error[E",
    "fatal: ",
    "Traceback (most recent call last)",
    "BUILD FAILED",
    "FAILED (",
    "npm ERR!",
    "npm error ",
    "make: *** ",
    "test result: FAILED",
    "panic: ",
];

/// What a line contains that is the sign of a failure where the line of shell hides exit codes.
const HIDDEN: &[&str] = &[
    "command not found",
    "No such file or directory",
    "Permission denied",
    "error: ",
    "Error: ",
    "ERROR: ",
    "FAILED",
    "error TS",
    "Connection refused",
    "Cannot find module",
];

/// What a program's complaint holds, behind its own name: `cat: x: No such file or directory`.
const COMPLAINTS: &[&str] = &[
    "No such file or directory",
    "Permission denied",
    "annot access",
    "annot open",
    "Failed to connect",
    "Could not ",
    "Couldn't ",
    "Is a directory",
    "Connection refused",
    "unrecognized option",
    "invalid option",
    "returned error: ",
];

/// Whether a run that exited with 0 has said that it failed.
pub(super) fn looks_failed(run: &Run<'_>) -> bool {
    let texts = [run.errors, run.output];
    let is_strong = texts.iter().any(|text| has_strong_line(text));
    let may_hide =
        run.shell_line.is_some() || run.argv.iter().any(|word| word.contains(['|', ';']));
    let has = |signs: &[&str]| {
        let mut texts = texts.iter();
        may_hide && texts.any(|text| signs.iter().any(|sign| text.contains(sign)))
    };
    let (is_weak, complains) = (has(HIDDEN), has(COMPLAINTS));
    if !is_strong && !is_weak && !complains {
        return false;
    }
    // What was run is asked last: it takes longer to read than most text.
    let parts = command::parts(run.argv, run.shell_line);
    let subject = command::subject(&parts);
    let reads = reads(subject);
    if is_strong && (!reads || sent_to_shown_file(&parts).is_some()) {
        return true;
    }
    hides_exit_code(&parts) && ((is_weak && !reads) || complains_itself(subject, texts))
}

/// Whether a line that ended with an answer has said that another of its commands failed, as in
/// `make; grep x log` with an error of make's: what prints nothing, or what others have not written, can't
/// have said it.
pub(super) fn has_another_failed(run: &Run<'_>) -> bool {
    [run.errors, run.output].into_iter().any(has_strong_line)
        && before_answer(&command::parts(run.argv, run.shell_line)).is_some()
}

/// The command that failed where that is not the one that a line is about: what stands before an answer, or
/// what was sent to the file that is shown.
pub(super) fn culprit<'p>(run: &Run<'_>, parts: &'p [Simple]) -> Option<&'p [String]> {
    let code = run.outcome.exit_code().unwrap_or_default();
    if code == 0 {
        sent_to_shown_file(parts)
    } else {
        negative(run, code).and_then(|_| before_answer(parts))
    }
}

/// The command before the last one that may have said that it failed; none where any of them shows what
/// others have written.
fn before_answer(parts: &[Simple]) -> Option<&[String]> {
    let (_, before) = command::without_exit(parts).split_last()?;
    let mut found = None;
    for part in before
        .iter()
        .filter(|part| !command::is_preparing(&part.words))
    {
        if reads(&part.words) {
            return None;
        }
        found = Some(part.words.as_slice());
    }
    found
}

/// The command whose output was sent to the file that the line shows then: `make > log; tail log`.
fn sent_to_shown_file(parts: &[Simple]) -> Option<&[String]> {
    let shown = command::subject(parts);
    if !reads(shown) {
        return None;
    }
    let index = parts
        .iter()
        .position(|part| std::ptr::eq(part.words.as_slice(), shown))?;
    let is_shown = |file: &str| shown.iter().skip(1).any(|word| word == file);
    let mut before = parts[..index].iter().rev();
    let found = before.find(|part| {
        let mut targets = part.words.iter().filter_map(|word| target(word));
        !reads(&part.words) && targets.any(is_shown)
    });
    found.map(|part| part.words.as_slice())
}

/// The file that a redirection writes: `log` of `>log`, `2>>log` and `&>log`.
fn target(word: &str) -> Option<&str> {
    let rest = word.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '&');
    let file = rest.strip_prefix('>')?.trim_start_matches(['>', '|']);
    (!file.is_empty() && !file.starts_with('&')).then_some(file)
}

/// Whether a command shows what others have written.
fn reads(words: &[String]) -> bool {
    READERS.contains(&program(words)) || READING_SUBCOMMANDS.contains(&command::key(words).as_str())
}

/// Whether a command complains under its own name, as in `ls: cannot access 'x'`. One that shows what others
/// have written does so only where that is all there is: else it has shown something.
fn complains_itself(words: &[String], texts: [&str; 2]) -> bool {
    let typed = words.first().map_or("", String::as_str);
    let is_own = |line: &&str| {
        let rest = [typed, program(words)].into_iter().find_map(|name| {
            let rest = line.strip_prefix(name).filter(|_| !name.is_empty())?;
            rest.strip_prefix(": ")
        });
        rest.is_some_and(|rest| COMPLAINTS.iter().any(|sign| rest.contains(sign)))
    };
    let mut lines = texts.iter().flat_map(|text| text.lines());
    let mut lines = lines
        .by_ref()
        .filter(|line| !line.trim().is_empty())
        .peekable();
    if reads(words) {
        lines.peek().is_some() && lines.all(|line| is_own(&line))
    } else {
        lines.any(|line| is_own(&line))
    }
}

/// Whether a line begins as only failures do.
fn has_strong_line(text: &str) -> bool {
    let panics = |line: &str| line.starts_with("thread '") && line.contains(" panicked at ");
    let mut lines = text.lines();
    let found = lines.any(|line| STRONG.iter().any(|sign| line.starts_with(sign)) || panics(line));
    // Tests that have to panic do so in a run that passes.
    found && !text.lines().any(|line| line.starts_with("test result: ok"))
}

/// Whether the exit code of a line is that of a filter or of a command that can't fail, as in
/// `x | tail`, `x || true`, `x; true` and `x; exit 0`.
#[must_use]
pub fn hides_exit_code(parts: &[Simple]) -> bool {
    let Some((last, before)) = command::without_exit(parts).split_last() else {
        return false;
    };
    let cannot_fail = match program(&last.words) {
        "true" | ":" | "echo" | "printf" => true,
        "exit" | "return" => last.words.get(1).is_some_and(|code| code == "0"),
        _ => false,
    };
    match last.join {
        Join::Pipe => !before.iter().any(sets_pipefail),
        Join::Or => cannot_fail,
        Join::Then => cannot_fail && !before.is_empty(),
        // It ran because what stands before it succeeded, or seemed to.
        Join::And => {
            let is_of_list = |part: &Simple| part.join != Join::Then;
            before.last().is_some_and(is_of_list) && hides_exit_code(before)
        }
    }
}

/// `set -o pipefail`, `set -euo pipefail`: a pipe fails if any of its commands does.
fn sets_pipefail(part: &Simple) -> bool {
    program(&part.words) == "set" && part.words.iter().any(|word| word == "pipefail")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Verdict;
    use crate::faults::classify::tests::judged;
    use crate::session::Outcome;

    fn judge(line: &str, code: i32, text: &str) -> String {
        match judged(line, &Outcome::Exited(code), text) {
            Verdict::Ok => "ok".to_owned(),
            Verdict::Negative { class } => format!("negative {class}"),
            Verdict::Interrupted => "interrupted".to_owned(),
            Verdict::Fault(cause) => format!("fault {}: {}", cause.command_key, cause.class),
            Verdict::Suspect(cause) => format!("suspect {}", cause.class),
        }
    }

    #[test]
    fn an_exit_code_is_hidden_by_what_comes_last() {
        for (line, wanted) in [
            ("x | tail", true),
            ("x || true", true),
            ("x; :", true),
            ("x; echo done", true),
            ("x; exit 0", true),
            ("x | tail && echo ok", true),
            ("x | tail; exit $?", true),
            ("x; exit $?", false),
            ("x; exit", false),
            ("x; exit ${PIPESTATUS[0]}", false),
            ("x | tail; exit ${PIPESTATUS[0]}", false),
            ("set -o pipefail; x | tail", false),
            ("set -euo pipefail && x | tail", false),
            ("x && y", false),
            ("y; true && x", false),
            ("true", false),
        ] {
            let parts = command::parts(&[], Some(line));
            assert_eq!(hides_exit_code(&parts), wanted, "{line}");
        }
    }

    #[test]
    fn a_hidden_failure_is_suspect_and_a_reader_is_not() {
        let failed = "error[E0308]: mismatched types\nerror: could not compile `a`";
        let absent = "cat: x: No such file or directory";
        for (line, text, wanted) in [
            (
                "cargo build 2>&1 | tail -3",
                failed,
                "suspect compile-error",
            ),
            ("cargo build || true", failed, "suspect compile-error"),
            ("cargo build; true", failed, "suspect compile-error"),
            ("cargo build", failed, "suspect compile-error"),
            ("./deploy", "fatal: gave up", "suspect unknown"),
            ("cp x y || true", absent, "suspect no-such-file"),
            ("./a | head", "a: command not found", "suspect unknown"),
            (
                "cargo test | tail",
                "test result: FAILED. 1 failed",
                "suspect test-failure",
            ),
            (
                "cargo test | tail",
                "thread 'a' panicked at x\ntest result: ok.",
                "ok",
            ),
            ("cp x y", absent, "ok"),
            ("cargo build | tail", "Finished in 3s", "ok"),
            ("cat build.log", failed, "ok"),
            ("grep error build.log | head", failed, "ok"),
            ("git log | head", failed, "ok"),
            ("./a", "no error: all is well", "ok"),
        ] {
            assert_eq!(judge(line, 0, text), wanted, "{line}: {text}");
        }
    }

    #[test]
    fn an_error_is_whose_it_must_be() {
        let made = "make: *** [Makefile:2: fail] Error 1";
        let refused = "curl: (7) Failed to connect to 127.0.0.1 port 1 after 0 ms: Could not connect to server";
        for (line, code, text, wanted) in [
            (
                "make fail > log 2>&1; tail -3 log",
                0,
                made,
                "suspect make-target",
            ),
            (
                "make fail >log 2>&1; echo \"exit: $?\"; cat log",
                0,
                made,
                "suspect make-target",
            ),
            (
                "make fail &> log || cat log | head",
                0,
                made,
                "suspect make-target",
            ),
            // Somebody else's file.
            ("make fail > log; tail old", 0, made, "ok"),
            (
                "make fail >log; cd . && tail log",
                0,
                made,
                "suspect make-target",
            ),
            (
                "make fail; grep zzz log",
                1,
                made,
                "fault make fail: make-target",
            ),
            ("make fine; grep zzz log", 1, "", "negative no-match"),
            ("cat build.log; grep zzz log", 1, made, "negative no-match"),
            (
                "curl -sS http://127.0.0.1:1 | head",
                0,
                refused,
                "suspect network-refused",
            ),
            ("curl -s x | head", 0, "about curl: Failed to connect", "ok"),
            (
                "ls nofile || true",
                0,
                "ls: cannot access 'nofile': No such file or directory",
                "suspect no-such-file",
            ),
            (
                "/bin/ls nofile; true",
                0,
                "/bin/ls: cannot access 'nofile': No such file or directory",
                "suspect no-such-file",
            ),
            (
                "cat nofile | tail",
                0,
                "cat: nofile: No such file or directory",
                "suspect no-such-file",
            ),
            (
                "cat log | tail",
                0,
                "sh: 1: x: No such file or directory",
                "ok",
            ),
            (
                "cat a nofile | tail",
                0,
                "one\ncat: nofile: No such file or directory",
                "ok",
            ),
        ] {
            assert_eq!(judge(line, code, text), wanted, "{line}: {text}");
        }
    }
}
