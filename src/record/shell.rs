//! What was typed and what is executed: shell lines, builtins, and why a command won't start.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::session::outcome::{NOT_EXECUTABLE, NOT_FOUND};

/// What to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Argument by argument.
    pub argv: Vec<OsString>,
    /// The line that was typed, where a shell runs it.
    pub shell_line: Option<OsString>,
}

/// Shells that take `-c LINE` and read it as POSIX has it.
const POSIX_SHELLS: &[&str] = &[
    "sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "yash", "busybox",
];

/// Builtins of shells that are no programs, and could only change the shell that runs them.
const BUILTINS: &[&str] = &[
    "alias", "bg", "bind", "builtin", "cd", "complete", "declare", "dirs", "disown", "enable",
    "eval", "exec", "export", "fc", "fg", "hash", "history", "jobs", "local", "logout", "popd",
    "pushd", "read", "readonly", "return", "set", "setopt", "shift", "shopt", "source", "trap",
    "type", "typeset", "ulimit", "umask", "unalias", "unset", "unsetopt", ".",
];

impl Command {
    /// A program with its arguments, or, where the only word holds white space and is no program,
    /// a shell line.
    #[must_use]
    pub fn of_words(words: Vec<OsString>, shell: Option<&Path>, environment: &Environment) -> Self {
        match words.as_slice() {
            [line] if has_white_space(line) && find_program(line, environment).is_none() => {
                Self::of_line(line.clone(), Vec::new(), shell, environment)
            }
            _ => Self {
                argv: words,
                shell_line: None,
            },
        }
    }

    /// A line for the shell, with its positional parameters, the first of which is `$0`.
    #[must_use]
    pub fn of_line(
        line: OsString,
        parameters: Vec<OsString>,
        shell: Option<&Path>,
        environment: &Environment,
    ) -> Self {
        let shell = shell.map_or_else(|| default_shell(environment), Path::to_owned);
        let mut argv = vec![shell.into_os_string(), "-c".into(), line.clone()];
        argv.extend(parameters);
        Self {
            argv,
            shell_line: Some(line),
        }
    }
}

fn has_white_space(word: &OsStr) -> bool {
    word.as_bytes().iter().any(u8::is_ascii_whitespace)
}

/// `$SHELL` where that is a POSIX shell, else `/bin/sh`.
fn default_shell(environment: &Environment) -> PathBuf {
    let named = environment.absolute_path("SHELL").filter(|shell| {
        let name = shell.file_name().and_then(OsStr::to_str);
        name.is_some_and(|name| POSIX_SHELLS.contains(&name) && name != "busybox")
            && is_executable(shell)
    });
    named.unwrap_or_else(|| "/bin/sh".into())
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|status| status.is_file() && status.permissions().mode() & 0o111 != 0)
}

/// Whether a program of this name is on PATH, for hints.
#[must_use]
pub fn is_on_path(name: &str, environment: &Environment) -> bool {
    !name.contains('/') && find_program(OsStr::new(name), environment).is_some()
}

/// Whether a shell would start this word by itself, now, and aido the same file: an executable in a format of
/// the system's own, or a script that says what runs it. What else a shell makes of a file is its own affair.
#[must_use]
pub fn is_plain_program(word: &str, environment: &Environment) -> bool {
    let path = environment.value("PATH").unwrap_or_default();
    // A relative directory leads elsewhere after a `cd`.
    if !std::env::split_paths(path).all(|directory| directory.is_absolute()) {
        return false;
    }
    let Some(found) = find_program(OsStr::new(word), environment) else {
        return false;
    };
    let mut beginning = [0; 4];
    let read = std::fs::File::open(&found)
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut beginning));
    if read.is_err() || !is_executable(&found) {
        return false;
    }
    match interpreter(&found) {
        Some(interpreter) => {
            let interpreter = Path::new(&interpreter);
            interpreter.is_absolute() && is_executable(interpreter)
        }
        None => beginning == *b"\x7fELF",
    }
}

/// The program that a word names: itself with a slash, else along PATH.
pub(super) fn find_program(word: &OsStr, environment: &Environment) -> Option<PathBuf> {
    if word.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(word)).filter(|path| path.exists());
    }
    let path = environment.value("PATH")?;
    std::env::split_paths(path)
        .map(|directory| directory.join(word))
        .find(|path| is_executable(path))
}

/// Why a command won't start.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// 126 or 127.
    pub code: i32,
    /// One line for people.
    pub reason: String,
}

/// Turns the reason of execve(2) into an exit code as shells have it, and a line that helps.
#[must_use]
pub fn explain(command: &Command, error: &io::Error, environment: &Environment) -> Problem {
    let word = command
        .argv
        .first()
        .map_or(OsStr::new(""), OsString::as_os_str);
    let shown = word.to_string_lossy();
    if error.kind() != io::ErrorKind::NotFound {
        let reason = match error.raw_os_error() {
            Some(libc::E2BIG) => {
                format!("{shown}: the arguments and the environment are too long for the system")
            }
            _ if Path::new(word).is_dir() => format!("{shown}: is a directory"),
            _ => format!("{shown}: cannot be executed: {error}"),
        };
        return Problem {
            code: NOT_EXECUTABLE,
            reason,
        };
    }
    let reason = if let Some(path) = find_program(word, environment) {
        // It is there, so what is missing is what it asks to be run by.
        match interpreter(&path) {
            Some(interpreter) => format!("{shown}: its interpreter {interpreter} is not there"),
            None => format!("{shown}: a library or loader that it needs is not there"),
        }
    } else if word.to_str().is_some_and(|word| BUILTINS.contains(&word)) {
        format!(
            "{shown}: a shell builtin, not a program: it could not change the shell that called \
             aido (to run it in one of its own: aido -c '{shown} …')"
        )
    } else if word.as_bytes().contains(&b'/') {
        format!("{shown}: no such file")
    } else {
        format!("{shown}: command not found")
    };
    Problem {
        code: NOT_FOUND,
        reason,
    }
}

/// What the first line of a script asks to be run by.
fn interpreter(path: &Path) -> Option<String> {
    let mut bytes = [0; 256];
    let mut file = std::fs::File::open(path).ok()?;
    let count = io::Read::read(&mut file, &mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes[..count]);
    let line = text.strip_prefix("#!")?.lines().next()?;
    let name = line.trim().split([' ', '\t']).next()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn one_word_with_white_space_is_a_shell_line() {
        let environment =
            Environment::from_pairs([("PATH", "/usr/bin:/bin"), ("SHELL", "/bin/sh")]);
        let command = Command::of_words(words(&["echo a | wc -l"]), None, &environment);
        assert_eq!(command.argv, words(&["/bin/sh", "-c", "echo a | wc -l"]));
        assert_eq!(command.shell_line, Some("echo a | wc -l".into()));
        for plain in [&["echo"][..], &["echo", "a b"][..]] {
            let command = Command::of_words(words(plain), None, &environment);
            assert_eq!((command.argv, command.shell_line), (words(plain), None));
        }
    }

    #[test]
    fn a_program_with_a_space_in_its_name_is_a_program() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("my prog");
        std::fs::File::create(&path).unwrap();
        let command = Command::of_words(vec![path.clone().into()], None, &Environment::default());
        assert_eq!(command.argv, [path.into_os_string()]);
    }

    #[test]
    fn the_shell_is_the_users_where_that_is_a_posix_one() {
        for (shell, expected) in [
            ("/bin/sh", "/bin/sh"),
            ("/usr/bin/fish", "/bin/sh"),
            ("sh", "/bin/sh"),
        ] {
            let environment = Environment::from_pairs([("SHELL", shell)]);
            assert_eq!(default_shell(&environment), Path::new(expected), "{shell}");
        }
    }

    #[test]
    fn a_plain_program_is_one_that_every_shell_starts_alike() {
        let temporary = tempfile::tempdir().unwrap();
        let make = |name: &str, text: &str, mode: u32| {
            let path = temporary.path().join(name);
            let mut file = std::fs::File::create(&path).unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).unwrap();
        };
        make("script", "#!/bin/sh\n", 0o755);
        make("bare", "echo no interpreter\n", 0o755);
        make("lost", "#!/no/such/interpreter\n", 0o755);
        make("plain", "#!/bin/sh\n", 0o644);
        let path = format!("{}:/usr/bin:/bin", temporary.path().display());
        let environment = Environment::from_pairs([("PATH", path.as_str())]);
        for (word, expected) in [
            ("script", true),
            ("sh", true),
            ("/bin/sh", true),
            ("bare", false),
            ("lost", false),
            ("plain", false),
            ("no-such-thing", false),
            ("/tmp", false),
        ] {
            assert_eq!(is_plain_program(word, &environment), expected, "{word}");
        }
        let path = format!("{path}:relative");
        let environment = Environment::from_pairs([("PATH", path.as_str())]);
        assert!(!is_plain_program("sh", &environment));
    }

    #[test]
    fn reasons_help() {
        let missing = io::Error::from_raw_os_error(libc::ENOENT);
        let refused = io::Error::from_raw_os_error(libc::EACCES);
        let environment = Environment::from_pairs([("PATH", "/usr/bin:/bin")]);
        for (word, error, code, part) in [
            ("no-such-thing", &missing, 127, "command not found"),
            ("cd", &missing, 127, "builtin"),
            ("./no-such-file", &missing, 127, "no such file"),
            ("/tmp", &refused, 126, "is a directory"),
            ("/etc/passwd", &refused, 126, "cannot be executed"),
        ] {
            let command = Command::of_words(words(&[word]), None, &environment);
            let problem = explain(&command, error, &environment);
            assert_eq!(problem.code, code, "{word}");
            assert!(problem.reason.contains(part), "{}", problem.reason);
        }
    }
}
