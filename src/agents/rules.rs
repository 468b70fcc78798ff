//! The rules that a host has about commands. They are about the line that the agent wrote, and would not
//! find a command behind aido; so a line that any of them may be about is left to the host.

use std::collections::BTreeSet;

use super::json::{self, Node};
use super::payload::Dialect;

/// What the rules are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether some rule may be about any command.
    about_all: bool,
    /// The first words of commands that there are rules about.
    words: BTreeSet<String>,
}

/// A file of rules that a host reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it is looked for.
    pub place: Place,
    /// Its path there.
    pub path: &'static str,
    /// What it is.
    pub form: Form,
}

/// Where a file of rules is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the repository, and in the directory that the host stands in.
    Project,
    /// In the user's home.
    Home,
    /// In the directory that this variable names in the home's stead.
    Variable(&'static str),
    /// From the root.
    System,
}

/// What a file of rules is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON settings, which are read.
    Settings,
    /// Something else that is there or not: then any command may have a rule.
    Anything,
}

const fn source(place: Place, path: &'static str, form: Form) -> Source {
    Source { place, path, form }
}

const CLAUDE: &[Source] = &[
    source(Place::Project, ".claude/settings.json", Form::Settings),
    source(
        Place::Project,
        ".claude/settings.local.json",
        Form::Settings,
    ),
    source(Place::Home, ".claude/settings.json", Form::Settings),
    source(Place::Home, ".claude/settings.local.json", Form::Settings),
    source(
        Place::Variable("CLAUDE_CONFIG_DIR"),
        "settings.json",
        Form::Settings,
    ),
    source(
        Place::Variable("CLAUDE_CONFIG_DIR"),
        "settings.local.json",
        Form::Settings,
    ),
    source(
        Place::System,
        "/etc/claude-code/managed-settings.json",
        Form::Settings,
    ),
    source(
        Place::System,
        "/etc/claude-code/managed-settings.d",
        Form::Anything,
    ),
];
const CODEX: &[Source] = &[
    source(Place::Project, ".codex/rules", Form::Anything),
    source(Place::Home, ".codex/rules", Form::Anything),
    source(Place::Variable("CODEX_HOME"), "rules", Form::Anything),
    source(Place::System, "/etc/codex/rules", Form::Anything),
];
const GEMINI: &[Source] = &[
    source(Place::Project, ".gemini/settings.json", Form::Settings),
    source(Place::Home, ".gemini/settings.json", Form::Settings),
    source(
        Place::System,
        "/etc/gemini-cli/settings.json",
        Form::Settings,
    ),
    source(Place::Project, ".gemini/policies", Form::Anything),
    source(Place::Home, ".gemini/policies", Form::Anything),
    source(Place::System, "/etc/gemini-cli/policies", Form::Anything),
];
const CURSOR: &[Source] = &[
    source(Place::Project, ".cursor/cli.json", Form::Settings),
    source(Place::Home, ".cursor/cli-config.json", Form::Settings),
];

/// The files of OpenCode, which has a plugin and no payloads.
pub const OPENCODE: &[Source] = &[
    source(Place::Project, "opencode.json", Form::Settings),
    source(Place::Project, "opencode.jsonc", Form::Anything),
    source(Place::Project, ".opencode/opencode.json", Form::Settings),
    source(
        Place::Home,
        ".config/opencode/opencode.json",
        Form::Settings,
    ),
    source(
        Place::Home,
        ".config/opencode/opencode.jsonc",
        Form::Anything,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/opencode.json",
        Form::Settings,
    ),
];

/// The files in which a host's rules are looked for.
#[must_use]
pub fn sources(dialect: Dialect) -> &'static [Source] {
    match dialect {
        Dialect::Claude => CLAUDE,
        Dialect::Codex => CODEX,
        Dialect::Gemini => GEMINI,
        Dialect::Cursor => CURSOR,
        // Its rules are options of its command line, and Claude Code's settings, which it reads.
        Dialect::Copilot | Dialect::CopilotAsClaude => CLAUDE,
    }
}

impl Rules {
    /// Adds what is in one of a host's files; one that can't be read may say anything.
    pub fn add(&mut self, form: Form, text: Option<&str>) {
        let root = match (form, text) {
            (Form::Settings, Some(text)) => json::parse(text).ok(),
            _ => None,
        };
        let Some(root) = root else {
            self.about_all = true;
            return;
        };
        if let Some(permissions) = root.get("permissions") {
            for (name, is_allow) in [("allow", true), ("ask", false), ("deny", false)] {
                self.add_list(permissions.get(name), is_allow);
            }
        }
        let tools = root.get("tools");
        for (name, is_allow) in [
            ("allowed", true),
            ("exclude", false),
            ("confirmationRequired", false),
        ] {
            self.add_list(tools.and_then(|tools| tools.get(name)), is_allow);
        }
        self.add_list(root.get("excludeTools"), false);
        self.add_permission(root.get("permission"));
        for agent in ["agent", "mode"] {
            let agents = root.get(agent).and_then(Node::members).unwrap_or_default();
            for member in agents {
                self.add_permission(member.value.get("permission"));
            }
        }
        // Only what is in these may be used at all.
        for core in [
            root.get("coreTools"),
            tools.and_then(|tools| tools.get("core")),
        ] {
            let in_part = |text: &str| text.contains('(');
            self.about_all |= core.is_some_and(|core| core.any_text(&in_part));
        }
    }

    /// OpenCode's: one word for all commands, or one for each pattern.
    fn add_permission(&mut self, permission: Option<&Node>) {
        let Some(shell) = permission.map(|all| all.get("bash").unwrap_or(all)) else {
            return;
        };
        let patterns = shell.members().unwrap_or_default();
        for pattern in patterns {
            let is_allow = pattern.value.text() == Some("allow");
            self.add_pattern(&pattern.name, is_allow);
        }
        self.about_all |= shell.text().is_some_and(|word| word != "allow");
    }

    fn add_list(&mut self, list: Option<&Node>, is_allow: bool) {
        for rule in list.and_then(Node::elements).unwrap_or_default() {
            let Some(rule) = rule.text() else { continue };
            let (tool, inner) = match rule.split_once('(') {
                Some((tool, inner)) => (tool, Some(inner.trim_end_matches(')'))),
                None => (rule, None),
            };
            let is_shell =
                ["Bash", "Shell", "run_shell_command", "ShellTool", "*"].contains(&tool.trim());
            if !is_shell {
                continue;
            }
            self.add_pattern(inner.unwrap_or("*"), is_allow);
        }
    }

    fn add_pattern(&mut self, pattern: &str, is_allow: bool) {
        let pattern = pattern.trim();
        let length = pattern.find([' ', ':', '*', '\t', '?']);
        match &pattern[..length.unwrap_or(pattern.len())] {
            // What is allowed altogether is allowed under aido.
            "" => self.about_all |= !is_allow,
            word => _ = self.words.insert(base(word).to_owned()),
        }
    }

    /// Whether one of them may be about a line: any word of it counts, wherever it stands.
    #[must_use]
    pub fn may_be_about(&self, line: &str) -> bool {
        let is_letter = |letter: char| letter.is_alphanumeric() || "_.-+/@".contains(letter);
        let mut words = line.split(|letter| !is_letter(letter));
        self.about_all || words.any(|word| self.words.contains(base(word)))
    }
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        let mut rules = Rules::default();
        rules.add(Form::Settings, Some(text));
        rules
    }

    #[test]
    fn a_line_that_a_rule_may_be_about_is_left_to_the_host() {
        let claude = rules(
            r#"{"permissions": {"allow": ["Bash(npm run test:*)", "Read(x)"],
                "deny": ["Bash(git push:*)", "Bash(/opt/x/deploy)"], "ask": ["WebFetch"]}}"#,
        );
        for line in [
            "git push",
            "cd x && git status",
            "env git push",
            "npm ci",
            "./deploy now",
        ] {
            assert!(claude.may_be_about(line), "{line}");
        }
        for line in ["cargo test", "make gitignore"] {
            assert!(!claude.may_be_about(line), "{line}");
        }
        assert!(!rules(r#"{"permissions": {"allow": ["Bash", "Bash(*)"]}}"#).may_be_about("make"));
        for text in [
            r#"{"permissions": {"deny": ["Bash"]}}"#,
            r#"{"permissions": {"ask": ["Bash(*)"]}}"#,
            r#"{"permissions": {"deny": ["Bash(* push)"]}}"#,
            r#"{"tools": {"core": ["run_shell_command(git)"]}}"#,
            r#"{"tools": {"confirmationRequired": ["run_shell_command"]}}"#,
            "{ // comment\n}",
        ] {
            assert!(rules(text).may_be_about("make"), "{text}");
        }
        let gemini = rules(
            r#"{"tools": {"exclude": ["run_shell_command(rm)"]}, "excludeTools": ["ShellTool(dd)"]}"#,
        );
        assert!(gemini.may_be_about("rm x") && gemini.may_be_about("dd if=x"));
        assert!(!gemini.may_be_about("make"));
        let opencode =
            rules(r#"{"permission": {"bash": {"git push": "deny", "*": "allow"}, "edit": "ask"}}"#);
        assert!(opencode.may_be_about("git status") && !opencode.may_be_about("make"));
        for text in [
            r#"{"permission": {"bash": "ask"}}"#,
            r#"{"permission": {"bash": {"*": "ask"}}}"#,
            r#"{"permission": "ask"}"#,
            r#"{"agent": {"plan": {"permission": {"bash": "deny"}}}}"#,
        ] {
            assert!(rules(text).may_be_about("make"), "{text}");
        }
        let mut there = Rules::default();
        there.add(Form::Anything, None);
        assert!(there.may_be_about("make"));
    }
}
