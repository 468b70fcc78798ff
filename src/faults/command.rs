//! What a command is, below its wrappers: the key under which its failures are remembered.

use super::shell::{self, Join, Simple, is_assignment};

/// Programs whose first plain argument says what they do.
const WITH_SUBCOMMAND: &[&str] = &[
    "git",
    "cargo",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "deno",
    "docker",
    "podman",
    "kubectl",
    "helm",
    "go",
    "pip",
    "uv",
    "poetry",
    "make",
    "just",
    "gh",
    "terraform",
    "aws",
    "gcloud",
    "systemctl",
    "apt",
    "apt-get",
    "brew",
    "dotnet",
    "mvn",
    "gradle",
    "rustup",
];

/// Interpreters and compilers that carry their version in their name.
const VERSIONED: &[&str] = &[
    "python", "pip", "pypy", "gcc", "g++", "clang", "clang++", "php", "ruby", "perl", "lua", "node",
];

/// Programs that run the rest of their arguments as a command.
const WRAPPERS: &[&str] = &[
    "sudo", "doas", "env", "time", "timeout", "nice", "ionice", "nohup", "stdbuf", "xargs",
    "setsid", "command", "exec", "npx", "bunx", "aido",
];

/// Those of them under which a command does the same.
const UNCHANGING: &[&str] = &["timeout", "time", "nice", "ionice", "nohup", "stdbuf"];

/// The same in two words.
const TWO_WORD_WRAPPERS: &[(&str, &str)] = &[
    ("bundle", "exec"),
    ("poetry", "run"),
    ("uv", "run"),
    ("pipenv", "run"),
    ("pnpm", "exec"),
    ("pnpm", "dlx"),
];

/// Options of wrappers, and of programs before their subcommand, whose value is a word of its own.
const WITH_VALUE: &[&str] = &[
    "-u",
    "-n",
    "-C",
    "-c",
    "-s",
    "-k",
    "-I",
    "-P",
    "-p",
    "--signal",
    "--prefix",
    "--manifest-path",
    "-f",
    "-F",
    "--filter",
];

/// Shells, which run a line after `-c`.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "fish"];

/// Commands that prepare for what follows, and are not what somebody wanted to run.
const PREPARING: &[&str] = &[
    "cd", "pushd", "popd", "export", "unset", "set", "source", ".", "umask", "ulimit", "echo",
    "printf", "true", ":", "sleep", "mkdir", "trap", "shopt", "local", "declare", "alias", "wait",
    "exit", "return",
];

/// Commands at the end of a line that only say something, or how the line ends.
const CLOSING: &[&str] = &["true", ":", "echo", "printf", "exit", "return"];

/// Commands that show what another one writes, or a part of it.
const FILTERS: &[&str] = &[
    "tail", "head", "cat", "tee", "grep", "egrep", "rg", "sort", "less", "more", "sed", "awk",
    "uniq", "cut", "tr", "nl", "wc",
];

/// The deepest that commands inside commands are followed.
const DEPTH_MAX: usize = 4;

/// The simple commands that a run consists of: its line of shell, or its arguments, with lines that
/// it hands to a shell taken apart.
#[must_use]
pub fn parts(argv: &[String], shell_line: Option<&str>) -> Vec<Simple> {
    opened(typed(argv, shell_line), 0, peeled)
}

/// The same with assignments and wrappers left in front: what was typed, word for word.
#[must_use]
pub fn unpeeled(argv: &[String], shell_line: Option<&str>) -> Vec<Simple> {
    opened(typed(argv, shell_line), 0, |words| words)
}

fn typed(argv: &[String], shell_line: Option<&str>) -> Vec<Simple> {
    match shell_line {
        Some(line) => shell::commands(line),
        None if argv.is_empty() => Vec::new(),
        None => vec![Simple {
            join: Join::Then,
            words: argv.to_vec(),
        }],
    }
}

fn opened(parts: Vec<Simple>, depth: usize, bare: fn(&[String]) -> &[String]) -> Vec<Simple> {
    let mut found = Vec::new();
    for part in parts {
        let words = bare(&part.words);
        let Some(line) = line_of_shell(words).filter(|_| depth < DEPTH_MAX) else {
            let words = words.to_vec();
            found.push(Simple { words, ..part });
            continue;
        };
        let mut inside = opened(shell::commands(line), depth + 1, bare);
        if let Some(first) = inside.first_mut() {
            first.join = part.join;
        }
        found.extend(inside);
    }
    found
}

/// What `sh -c LINE` runs.
fn line_of_shell(words: &[String]) -> Option<&str> {
    let (shell, rest) = words.split_first()?;
    if !SHELLS.contains(&base_name(shell)) {
        return None;
    }
    let mut words = rest.iter();
    while let Some(option) = words.next().filter(|word| word.starts_with(['-', '+'])) {
        if is_c(option) {
            return words.next().map(String::as_str);
        }
        // `-o pipefail`, `-euo pipefail`, `+O extglob`: the next word is its value.
        if !option.starts_with("--") && option.ends_with(['o', 'O']) {
            words.next();
        }
    }
    None
}

/// `-c`, also together with others as in `-lc`.
fn is_c(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
}

/// The words without assignments and wrappers in front.
fn peeled(words: &[String]) -> &[String] {
    let mut rest = words;
    loop {
        let Some((first, after)) = rest.split_first() else {
            // Nothing but assignments or a wrapper: that is the command then.
            return words;
        };
        let name = base_name(first);
        let second = after.first().map_or("", String::as_str);
        if is_assignment(first) {
            rest = after;
        } else if takes_second_word(rest, second) && after.len() > 1 {
            rest = &after[1..];
        } else if WRAPPERS.contains(&name) && !after.is_empty() && !asks_for_place(name, second) {
            rest = after_options(after);
            let takes_number = name == "timeout" && rest.len() > 1;
            rest = if takes_number { &rest[1..] } else { rest };
        } else {
            return rest;
        }
    }
}

/// The words without wrappers in front that only say how long a command may take, or how urgent it is.
#[must_use]
pub fn undelayed(words: &[String]) -> &[String] {
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let name = base_name(first);
        if !UNCHANGING.contains(&name) {
            break;
        }
        let inner = after_options(after);
        let inner = inner
            .get(usize::from(name == "timeout")..)
            .unwrap_or_default();
        if inner.is_empty() {
            break;
        }
        rest = inner;
    }
    rest
}

/// Whether a program and its next word run the words that follow: `poetry run`, `python -m`.
fn takes_second_word(words: &[String], second: &str) -> bool {
    let program = program(words);
    TWO_WORD_WRAPPERS.contains(&(program, second)) || (program == "python" && second == "-m")
}

/// `command -v x` says where `x` is, and doesn't run it.
fn asks_for_place(name: &str, option: &str) -> bool {
    name == "command" && option.eq_ignore_ascii_case("-v")
}

fn after_options(words: &[String]) -> &[String] {
    let mut index = 0;
    while let Some(word) = words.get(index).filter(|word| word.starts_with('-')) {
        index += 1;
        if word == "--" {
            break;
        }
        index += usize::from(WITH_VALUE.contains(&word.as_str()));
    }
    words.get(index..).unwrap_or_default()
}

/// The last component of a path.
fn base_name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}

/// A program's name without directory, and without version where it is known to carry one.
#[must_use]
pub fn program(words: &[String]) -> &str {
    let name = words.first().map_or("", |word| base_name(word));
    let bare = name.trim_end_matches(|character: char| {
        character.is_ascii_digit() || matches!(character, '.' | '-')
    });
    if VERSIONED.contains(&bare) {
        bare
    } else {
        name
    }
}

/// The first plain argument of a program that has subcommands.
#[must_use]
pub fn subcommand(words: &[String]) -> Option<&str> {
    if !WITH_SUBCOMMAND.contains(&program(words)) {
        return None;
    }
    // `cargo +nightly test`.
    let rest = words.get(1..)?;
    let toolchain = rest.first().is_some_and(|word| word.starts_with('+'));
    let rest = after_options(&rest[usize::from(toolchain)..]);
    rest.first().map(String::as_str)
}

/// Whether a command only prepares for those after it, as `cd` does.
#[must_use]
pub fn is_preparing(words: &[String]) -> bool {
    PREPARING.contains(&program(words))
}

/// Whether a command only shows less of what another one writes.
#[must_use]
pub fn is_filter(words: &[String]) -> bool {
    FILTERS.contains(&program(words))
}

/// Whether a command at the end of a line does nothing for what stands before it, as in
/// `make; echo done` and `make; exit $?`.
#[must_use]
pub fn is_closing(words: &[String]) -> bool {
    CLOSING.contains(&program(words))
}

/// The commands without an `exit` or `return` at the end that hands on the exit code of what stands
/// before it.
#[must_use]
pub fn without_exit(parts: &[Simple]) -> &[Simple] {
    match parts.split_last() {
        Some((last, before)) if !before.is_empty() && hands_on(last) => before,
        _ => parts,
    }
}

fn hands_on(last: &Simple) -> bool {
    let is_exit = ["exit", "return"].contains(&program(&last.words));
    let code = last.words.get(1).map(String::as_str);
    is_exit && last.join == Join::Then && matches!(code, None | Some("$?" | "${?}"))
}

/// The preparing command that a shell says it could not carry out, where nothing ran after it: in
/// `cd x && ls`, with `sh: 1: cd: can't cd to x` as the last line, that is `cd x`.
#[must_use]
pub fn failed_preparation<'p>(parts: &'p [Simple], last_line: &str) -> Option<&'p [String]> {
    let named = named_by_shell(last_line)?;
    let is_end = |index: usize| {
        let next = parts.get(index + 1);
        next.is_none_or(|next| matches!(next.join, Join::And | Join::Or))
    };
    let mut found = parts.iter().enumerate();
    let found = found.find(|(index, part)| {
        is_preparing(&part.words) && program(&part.words) == named && is_end(*index)
    });
    found.map(|(_, part)| part.words.as_slice())
}

/// The builtin that a shell complains of: `bash: line 1: cd: x: No such file or directory`,
/// `sh: 1: cd: can't cd to x`, `zsh:cd:1: no such file or directory: x`.
fn named_by_shell(line: &str) -> Option<&str> {
    let mut pieces = line.split(':').map(str::trim);
    let shell = pieces.next()?;
    if !SHELLS.contains(&base_name(shell.trim_start_matches('-'))) {
        return None;
    }
    let is_number = |piece: &str| piece.bytes().all(|byte| byte.is_ascii_digit());
    pieces.find(|piece| !is_number(piece.trim_start_matches("line ")))
}

/// The command that a run is about: in the last list of the line, the first one that does not only
/// prepare for others. In `cd a && cargo test | tail`, that is `cargo test`.
#[must_use]
pub fn subject(parts: &[Simple]) -> &[String] {
    let lists = parts.chunk_by(|_, next| next.join != Join::Then);
    let found = lists
        .rev()
        .find_map(|list| list.iter().find(|part| !is_preparing(&part.words)));
    // Where all of them only prepare, `exit` says the least.
    let is_exit = |part: &&Simple| ["exit", "return"].contains(&program(&part.words));
    found
        .or_else(|| parts.iter().rev().find(|part| !is_exit(part)))
        .or(parts.last())
        .map_or(&[], |part| part.words.as_slice())
}

/// Whether nothing but preparing commands stands before the last one: what a run ended with is
/// then the last one's answer.
#[must_use]
pub fn ends_with_its_subject(parts: &[Simple]) -> bool {
    let Some((last, before)) = parts.split_last() else {
        return false;
    };
    match last.join {
        Join::Then | Join::Pipe => true,
        Join::Or => false,
        Join::And => before.iter().all(|part| is_preparing(&part.words)),
    }
}

/// Program and subcommand, such as `cargo build`: what failures are counted under.
#[must_use]
pub fn key(words: &[String]) -> String {
    let program = program(words);
    match subcommand(words) {
        Some(subcommand) => format!("{program} {subcommand}"),
        None => program.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(line: &str) -> String {
        key(subject(&parts(&[], Some(line))))
    }

    #[test]
    fn a_command_is_known_below_its_wrappers() {
        for (line, wanted) in [
            (
                "RUST_LOG=x /usr/bin/cargo +nightly --locked test a",
                "cargo test",
            ),
            (
                "sudo -u me env A=b timeout -k 5 10s git -C x push",
                "git push",
            ),
            (
                "cd a && mkdir -p b; cargo build 2>&1 | tail -3",
                "cargo build",
            ),
            ("bash -lc 'cd x && npm run build'", "npm run"),
            ("bash -o pipefail -c 'make all'", "make all"),
            ("bash -euo pipefail -c 'make all | tail'", "make all"),
            ("bash +O extglob -eu -c 'make all'", "make all"),
            ("sh -o", "sh"),
            ("sh -c \"bash -c 'make all'\"", "make all"),
            ("python3.11 -m pytest -q", "pytest"),
            ("python3 a.py", "python"),
            ("uv run pytest -q", "pytest"),
            ("make -j4; echo done", "make"),
            ("base64 x", "base64"),
            ("sudo", "sudo"),
            ("A=b", "A=b"),
            ("export A=b", "export"),
            ("cargo build; exit $?", "cargo build"),
            ("cargo build || exit 1", "cargo build"),
            ("cargo build; return", "cargo build"),
            ("echo no; exit 3", "echo"),
            ("exit 3", "exit"),
            ("", ""),
        ] {
            assert_eq!(key_of(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_shell_says_which_preparation_failed() {
        for (line, said, wanted) in [
            ("cd x && ls", "sh: 1: cd: can't cd to x", Some("cd x")),
            (
                "cd x && ls",
                "bash: line 1: cd: x: No such file or directory",
                Some("cd x"),
            ),
            (
                "cd x && ls",
                "zsh:cd:1: no such file or directory: x",
                Some("cd x"),
            ),
            (
                "cd x || exit 1; ls",
                "/bin/sh: 1: cd: can't cd to x",
                Some("cd x"),
            ),
            // It went on, and the exit code is that of what came last.
            ("cd x; ls y", "sh: 1: cd: can't cd to x", None),
            ("cd x && ls y", "ls: y: No such file or directory", None),
            ("make && ls", "make: cd: x", None),
        ] {
            let parts = parts(&[], Some(line));
            let found = failed_preparation(&parts, said).map(|words| words.join(" "));
            assert_eq!(found.as_deref(), wanted, "{line}: {said}");
        }
    }

    #[test]
    fn an_answer_is_the_last_commands_unless_another_may_have_failed() {
        for (line, wanted) in [
            ("cd a && grep x y", true),
            ("make; grep x y", true),
            ("cat y | grep x", true),
            ("make && grep x y", false),
            ("make || grep x y", false),
        ] {
            assert_eq!(
                ends_with_its_subject(&parts(&[], Some(line))),
                wanted,
                "{line}"
            );
        }
    }
}
