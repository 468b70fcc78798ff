//! The agent programs that hooks can be installed in: where their settings are, and what is put there.

use std::path::{Path, PathBuf};

use super::payload::Dialect;

/// How every line begins that hosts are given to run: it does nothing where there is no aido.
pub const BEGINNING: &str = "command -v aido >/dev/null 2>&1 || exit 0; exec aido hook ";

/// Whether a line is one that aido gives to hosts, and nothing but that: whoever calls `aido hook` in a line of
/// their own keeps it.
#[must_use]
pub fn is_own_command(line: &str) -> bool {
    let Some(rest) = line.strip_prefix(BEGINNING) else {
        return false;
    };
    let is_name = |word: &str| Host::ALL.iter().any(|host| host.name() == word);
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_alphabetic());
    let words: Vec<&str> = rest.split(' ').collect();
    let words = match words.as_slice() {
        ["--mode", mode, rest @ ..] if is_word(mode) => rest,
        words => words,
    };
    match words {
        [name] => is_name(name),
        [name, event] => is_name(name) && is_word(event),
        _ => false,
    }
}

/// An agent program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Cursor.
    Cursor,
    /// GitHub Copilot CLI.
    Copilot,
    /// OpenCode.
    OpenCode,
}

/// What a hook does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Off,
    /// Files finished calls, and tells what is known.
    Observe,
    /// Has commands run under aido where that changes nothing, and files the others.
    Wrap,
}

/// Whose settings are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This user's, in this repository, where the host has such a file; else the repository's.
    Local,
    /// The repository's.
    Project,
    /// This user's everywhere.
    User,
}

/// Where the files of hosts are.
pub struct Homes<'a> {
    /// The repository's root.
    pub root: Option<&'a Path>,
    /// A variable of the environment that is an absolute path.
    pub variable: &'a dyn Fn(&str) -> Option<PathBuf>,
}

/// Something that is put into a list of hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event's name.
    pub event: &'static str,
    /// The element, as JSON indented by two blanks.
    pub element: String,
}

/// What is to be in a host's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Entries among others, and members that must be there beside them.
    Entries {
        /// The hooks.
        entries: Vec<Entry>,
        /// The version of the file's form, which some hosts ask for.
        version: Option<&'static str>,
    },
    /// The whole file.
    Whole(String),
}

impl Host {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Claude,
        Self::Codex,
        Self::Gemini,
        Self::Cursor,
        Self::Copilot,
        Self::OpenCode,
    ];

    /// Its name, as hooks and options have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Cursor => "cursor",
            Self::Copilot => "copilot",
            Self::OpenCode => "opencode",
        }
    }

    /// The host of this name; `claude-code` and `gemini-cli` are names, too.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let short = ["-code", "-cli"].iter();
        let short = short.fold(name, |name, ending| {
            name.strip_suffix(ending).unwrap_or(name)
        });
        let mut all = Self::ALL.iter().copied();
        all.find(|host| host.name() == name || host.name() == short)
    }

    /// The shape of its payloads; none where it sends none.
    #[must_use]
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Claude => Some(Dialect::Claude),
            Self::Codex => Some(Dialect::Codex),
            Self::Gemini => Some(Dialect::Gemini),
            Self::Cursor => Some(Dialect::Cursor),
            Self::Copilot => Some(Dialect::Copilot),
            Self::OpenCode => None,
        }
    }

    /// What in a repository says that it is used there.
    #[must_use]
    pub fn traces(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &[".claude", "CLAUDE.md"],
            Self::Codex => &[".codex"],
            Self::Gemini => &[".gemini", "GEMINI.md"],
            Self::Cursor => &[".cursor", ".cursorrules"],
            Self::Copilot => &[
                ".github/copilot",
                ".github/hooks",
                ".github/copilot-instructions.md",
            ],
            Self::OpenCode => &[".opencode", "opencode.json"],
        }
    }

    /// Its programs' names.
    #[must_use]
    pub fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &["claude"],
            Self::Codex => &["codex"],
            Self::Gemini => &["gemini"],
            Self::Cursor => &["cursor-agent", "cursor"],
            Self::Copilot => &["copilot"],
            Self::OpenCode => &["opencode"],
        }
    }

    /// The file that its hooks are in; none where there is no such place.
    #[must_use]
    pub fn file(self, scope: Scope, homes: &Homes<'_>) -> Option<PathBuf> {
        let home = |variable: &str, below: &str| {
            let own = (homes.variable)(variable);
            own.or_else(|| Some((homes.variable)("HOME")?.join(below)))
        };
        if scope == Scope::User {
            return Some(match self {
                Self::Claude => home("CLAUDE_CONFIG_DIR", ".claude")?.join("settings.json"),
                Self::Codex => home("CODEX_HOME", ".codex")?.join("hooks.json"),
                Self::Gemini => (homes.variable)("HOME")?.join(".gemini/settings.json"),
                Self::Cursor => (homes.variable)("HOME")?.join(".cursor/hooks.json"),
                Self::Copilot => home("COPILOT_HOME", ".copilot")?.join("hooks/aido.json"),
                Self::OpenCode => {
                    home("XDG_CONFIG_HOME", ".config")?.join("opencode/plugins/aido.ts")
                }
            });
        }
        Some(homes.root?.join(match (self, scope) {
            (Self::Claude, Scope::Local) => ".claude/settings.local.json",
            (Self::Claude, _) => ".claude/settings.json",
            (Self::Codex, _) => ".codex/hooks.json",
            (Self::Gemini, _) => ".gemini/settings.json",
            (Self::Cursor, _) => ".cursor/hooks.json",
            (Self::Copilot, _) => ".github/hooks/aido.json",
            (Self::OpenCode, _) => ".opencode/plugins/aido.ts",
        }))
    }

    /// What is to be in its file.
    #[must_use]
    pub fn content(self, mode: Mode) -> Content {
        let before: &[&'static str] = match mode {
            Mode::Wrap => &["before"],
            Mode::Observe | Mode::Off => &[],
        };
        let entry = |event: &'static str, matcher: &str| Entry {
            event,
            element: self.element(event, matcher, mode),
        };
        let (entries, version) = match self {
            Self::Claude => {
                let mut entries = vec![entry("SessionStart", "startup|resume|clear|compact")];
                entries.extend(before.iter().map(|_| entry("PreToolUse", "Bash")));
                entries.push(entry("PostToolUse", "Bash"));
                entries.push(entry("PostToolUseFailure", "Bash"));
                (entries, None)
            }
            Self::Codex => {
                let mut entries = vec![entry("SessionStart", "startup|resume|clear|compact")];
                entries.extend(before.iter().map(|_| entry("PreToolUse", "^Bash$")));
                entries.push(entry("PostToolUse", "^Bash$"));
                (entries, None)
            }
            Self::Gemini => {
                let mut entries = vec![entry("SessionStart", "")];
                entries.extend(
                    before
                        .iter()
                        .map(|_| entry("BeforeTool", "run_shell_command")),
                );
                entries.push(entry("AfterTool", "run_shell_command"));
                (entries, None)
            }
            Self::Cursor => {
                let mut entries = vec![entry("sessionStart", "")];
                entries.extend(before.iter().map(|_| entry("preToolUse", "Shell")));
                entries.push(entry("afterShellExecution", ""));
                (entries, Some("1"))
            }
            Self::Copilot => {
                let mut entries = vec![entry("sessionStart", "")];
                entries.extend(before.iter().map(|_| entry("preToolUse", "bash")));
                entries.push(entry("postToolUse", "bash"));
                entries.push(entry("postToolUseFailure", "bash"));
                (entries, Some("1"))
            }
            Self::OpenCode => return Content::Whole(plugin(mode)),
        };
        Content::Entries { entries, version }
    }

    /// The line that the host runs. It is the same for every version of aido, since some hosts want it to be
    /// trusted again when it changes; and where there is no aido, nothing happens.
    #[must_use]
    pub fn command(self, event: &str, mode: Mode) -> String {
        let mode = match mode {
            Mode::Wrap => "--mode wrap ",
            Mode::Observe | Mode::Off => "",
        };
        let mut line = format!("{BEGINNING}{mode}{}", self.name());
        // Its payload doesn't say which event it is.
        if self == Self::Copilot {
            line.push(' ');
            line.push_str(event);
        }
        line
    }

    fn element(self, event: &str, matcher: &str, mode: Mode) -> String {
        let command = self.command(event, mode);
        let matcher = match matcher {
            "" => String::new(),
            matcher => format!("\"matcher\": \"{matcher}\","),
        };
        match self {
            Self::Cursor if matcher.is_empty() => {
                format!("{{ \"command\": \"{command}\", \"timeout\": 10 }}")
            }
            Self::Cursor => {
                format!("{{ \"command\": \"{command}\", {matcher} \"timeout\": 10 }}")
            }
            Self::Copilot if matcher.is_empty() => {
                format!("{{ \"type\": \"command\", \"bash\": \"{command}\", \"timeoutSec\": 10 }}")
            }
            Self::Copilot => format!(
                "{{ \"type\": \"command\", {matcher} \"bash\": \"{command}\", \"timeoutSec\": 10 }}"
            ),
            _ => {
                let matcher = match matcher.as_str() {
                    "" => String::new(),
                    matcher => format!("  {matcher}\n"),
                };
                let name = format!("\"name\": \"aido-{}\", ", event.to_ascii_lowercase());
                let (name, timeout) = match self {
                    Self::Gemini => (name.as_str(), "5000"),
                    _ => ("", "10"),
                };
                format!(
                    "{{\n{matcher}  \"hooks\": [\n    {{ {name}\"type\": \"command\", \"command\": \"{command}\", \"timeout\": {timeout} }}\n  ]\n}}"
                )
            }
        }
    }
}

/// OpenCode runs a plugin instead of a command.
fn plugin(mode: Mode) -> String {
    let wrap = match mode {
        Mode::Wrap => {
            "\n  \"tool.execute.before\": async (input, output) => {\n    \
               if (input.tool !== \"bash\" || typeof output.args?.command !== \"string\") return\n    \
               const told = await $`aido hook rewrite ${output.args.command}`.quiet().nothrow()\n    \
               const line = told.stdout.toString().replace(/\\n$/, \"\")\n    \
               if (told.exitCode === 0 && line) output.args.command = line\n  },"
        }
        Mode::Observe | Mode::Off => "",
    };
    format!(
        "// Made by `aido init`; `aido init --uninstall` removes it. It calls: aido hook rewrite\n\
         export const Aido = async ({{ $ }}) => ({{\n  \
           \"shell.env\": async (input, output) => {{\n    \
             output.env.AI_AGENT = \"opencode\"\n    \
             if (input.sessionID) output.env.OPENCODE_SESSION_ID = input.sessionID\n  \
           }},{wrap}\n\
         }})\n"
    )
}
