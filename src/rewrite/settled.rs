//! What a line may run before a program whose name was looked up by the hook: nothing that may change where
//! that name leads. The shell remembers where it found a program, and has its own words for one that is gone;
//! aido looks anew, and has others.

use super::{Simple, words};

/// Programs that only read and print, or make what is no program. Sorted.
const READING: &[&str] = &[
    "arch",
    "b2sum",
    "base32",
    "base64",
    "basename",
    "cat",
    "cksum",
    "cmp",
    "column",
    "comm",
    "cut",
    "date",
    "df",
    "diff",
    "dir",
    "dirname",
    "du",
    "egrep",
    "expr",
    "fgrep",
    "file",
    "fold",
    "free",
    "getconf",
    "grep",
    "groups",
    "head",
    "hostname",
    "id",
    "join",
    "jq",
    "ldd",
    "locale",
    "ls",
    "md5sum",
    "mkdir",
    "nl",
    "nm",
    "nproc",
    "numfmt",
    "od",
    "paste",
    "printenv",
    "ps",
    "readlink",
    "realpath",
    "rev",
    "seq",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "size",
    "sleep",
    "stat",
    "strings",
    "sum",
    "tac",
    "tail",
    "touch",
    "tr",
    "tree",
    "tty",
    "uname",
    "uptime",
    "w",
    "wc",
    "who",
    "whoami",
    "yes",
];

/// Programs that build, test or keep the project that they are started in, by the word that says what they
/// do; no word is any. Sorted.
const OF_PROJECTS: &[(&str, &[&str])] = &[
    ("black", &[]),
    (
        "cargo",
        &[
            "b", "bench", "build", "c", "check", "clippy", "doc", "fmt", "metadata", "nextest",
            "t", "test", "tree",
        ],
    ),
    ("cmake", &[]),
    ("ctest", &[]),
    ("deno", &["check", "fmt", "lint", "test"]),
    ("dotnet", &["build", "restore", "test"]),
    ("eslint", &[]),
    ("flake8", &[]),
    (
        "git",
        &[
            "add",
            "blame",
            "branch",
            "checkout",
            "commit",
            "diff",
            "fetch",
            "log",
            "merge",
            "pull",
            "push",
            "rebase",
            "reset",
            "restore",
            "rev-parse",
            "show",
            "status",
            "switch",
            "tag",
        ],
    ),
    ("gmake", &[]),
    ("go", &["build", "fmt", "list", "test", "vet"]),
    ("isort", &[]),
    ("jest", &[]),
    ("make", &[]),
    ("meson", &["compile", "setup", "test"]),
    ("mvn", &[]),
    ("mypy", &[]),
    ("ninja", &[]),
    (
        "npm",
        &["ci", "i", "install", "ls", "run", "run-script", "t", "test"],
    ),
    ("pnpm", &["i", "install", "ls", "run", "test"]),
    ("prettier", &[]),
    ("pylint", &[]),
    ("pyright", &[]),
    ("pytest", &[]),
    ("rspec", &[]),
    ("ruff", &[]),
    ("swift", &["build", "test"]),
    ("tsc", &[]),
    ("vitest", &[]),
    ("yarn", &["build", "install", "lint", "run", "test"]),
];

/// What of a program's arguments or variables says that it works elsewhere, too.
const ELSEWHERE: &[&str] = &[
    "install", "global", "prefix", "destdir", "link", "upgrade", "--out", "--root", "$",
];

/// Whether a command leaves the programs of all names as they are.
pub(super) fn leaves_programs(command: &Simple<'_>) -> bool {
    let head = command.head;
    if words::KEPT.contains(&head) || READING.contains(&head) {
        return true;
    }
    let Some((_, doing)) = OF_PROJECTS.iter().find(|(name, _)| *name == head) else {
        return false;
    };
    let mut arguments = command.arguments.iter().map(|word| word.text);
    if !doing.is_empty() && !arguments.next().is_some_and(|word| doing.contains(&word)) {
        return false;
    }
    // What is said of a commit is only said.
    if head == "git" {
        return true;
    }
    let is_elsewhere = |text: &str| {
        let plain = text.replace(['\'', '"', '\\'], "").to_ascii_lowercase();
        matches!(plain.as_str(), "-g" | "-o" | "-p")
            || ELSEWHERE.iter().any(|part| plain.contains(part))
    };
    let mut all = arguments.chain(command.assigned.iter().copied());
    !all.any(is_elsewhere)
}

/// Whether a program of this name is only worth recording before anything else.
pub(super) fn only_reads(name: &str) -> bool {
    READING.contains(&name) || words::FILTERS.contains(&name)
}
