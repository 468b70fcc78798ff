//! The rules that a host has about commands. They are about the line that the agent wrote, and would not
//! find a command behind aido; so a line that any of them may be about is left to the host. What isn't
//! understood of them may be about any.

mod sources;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::host::is_own_command;
use super::json::{self, Node};

pub use sources::{Form, OPENCODE, Place, Source, sources};

/// What the rules are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether some rule may be about any command.
    about_all: bool,
    /// The first words of commands that there are rules about.
    words: BTreeSet<String>,
    /// What such words begin with.
    beginnings: BTreeSet<String>,
}

/// What a rule does with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Has it run without a question.
    Allows,
    /// Asks about it, or forbids it.
    Restrains,
}

/// What hosts call their shell in rules.
const SHELLS: &[&str] = &[
    "bash",
    "run_in_terminal",
    "run_shell_command",
    "runInTerminal",
    "runTerminalCommand",
    "sh",
    "shell",
    "ShellTool",
    "terminal",
];

/// Those whose rules are what a command begins with, be it in the middle of a word.
const BY_BEGINNING: &[&str] = &["run_shell_command", "ShellTool"];

/// What a rule about recorded commands would be about.
const OWN: &str = "aido";

/// Hooks that are given the line as it will be run, and may refuse it.
const GUARDS: &[&str] = &["beforeShellExecution", "preToolUse", "BeforeTool"];

impl Rules {
    /// Adds what is in one of a host's files, or variables; what can't be read may say anything.
    pub fn add(&mut self, form: Form, text: Option<&str>) {
        let root = text.map(json::parse);
        match (form, text, root) {
            (Form::Settings, Some(text), Some(Ok(root))) => self.add_settings(&root, text),
            (Form::Permission, _, Some(Ok(root))) => self.add_permission(Some(&root)),
            (Form::Naming(names), Some(text), _) => {
                self.about_all |= names.iter().any(|name| text.contains(name));
            }
            _ => self.about_all = true,
        }
    }

    fn add_settings(&mut self, root: &Node, text: &str) {
        let permissions = root.get("permissions");
        self.about_all |= permissions.is_some_and(|node| node.members().is_none());
        let tools = root.get("tools");
        let sandbox = root.get("sandbox");
        let lists = [
            (permissions, "allow", Effect::Allows),
            (permissions, "ask", Effect::Restrains),
            (permissions, "deny", Effect::Restrains),
            (tools, "allowed", Effect::Allows),
            (tools, "exclude", Effect::Restrains),
            (tools, "confirmationRequired", Effect::Restrains),
            (Some(root), "allowedTools", Effect::Allows),
            (Some(root), "excludeTools", Effect::Restrains),
        ];
        for (node, name, effect) in lists {
            self.add_list(node.and_then(|node| node.get(name)), &mut |rules, rule| {
                rules.add_rule(rule, effect);
            });
        }
        // These run outside of the sandbox.
        let excluded = sandbox.and_then(|sandbox| sandbox.get("excludedCommands"));
        self.add_list(excluded, &mut |rules, pattern| {
            rules.add_pattern(pattern, Effect::Allows, false);
        });
        self.add_permission(root.get("permission"));
        self.add_switches(tools, text);
        for agent in ["agent", "mode"] {
            let agents = root.get(agent).and_then(Node::members).unwrap_or_default();
            for member in agents {
                self.add_permission(member.value.get("permission"));
                self.add_switches(member.value.get("tools"), text);
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
        for elsewhere in ["policyPaths", "adminPolicyPaths"] {
            let paths = root.get(elsewhere);
            self.about_all |= paths.is_some_and(|paths| paths.elements() != Some(&[]));
        }
        let hooks = root.get("hooks");
        let guards = GUARDS.iter().filter_map(|name| hooks?.get(name));
        self.about_all |= guards.into_iter().any(has_guard);
    }

    /// OpenCode's: one word for all commands, or one for each pattern.
    fn add_permission(&mut self, permission: Option<&Node>) {
        let Some(permission) = permission else { return };
        let is_not_allow = |node: &Node| node.text() != Some("allow");
        let others = permission.members().unwrap_or_default();
        let mut others = others.iter().filter(|member| member.name.contains('*'));
        self.about_all |= others.any(|member| is_not_allow(&member.value));
        let shell = permission.get("bash").unwrap_or(permission);
        match shell.members() {
            Some(patterns) => {
                for pattern in patterns {
                    let effect = match is_not_allow(&pattern.value) {
                        true => Effect::Restrains,
                        false => Effect::Allows,
                    };
                    self.add_pattern(&pattern.name, effect, false);
                }
            }
            None => self.about_all |= is_not_allow(shell),
        }
    }

    /// OpenCode's, too: whether there is a shell at all.
    fn add_switches(&mut self, tools: Option<&Node>, text: &str) {
        let members = tools.and_then(Node::members).unwrap_or_default();
        let mut switches = members.iter();
        self.about_all |= switches.any(|member| {
            let is_shell = member.name == "bash" || member.name.contains('*');
            is_shell && &text[member.value.span.clone()] != "true"
        });
    }

    fn add_list(&mut self, list: Option<&Node>, add: &mut dyn FnMut(&mut Self, &str)) {
        let Some(list) = list else { return };
        let Some(elements) = list.elements() else {
            self.about_all = true;
            return;
        };
        for element in elements {
            match element.text() {
                Some(text) => add(self, text),
                None => self.about_all = true,
            }
        }
    }

    /// A tool, and in parentheses which of its uses.
    fn add_rule(&mut self, rule: &str, effect: Effect) {
        let (tool, inner) = match rule.split_once('(') {
            Some((tool, inner)) => (tool.trim(), inner.trim_end().strip_suffix(')')),
            None => (rule.trim(), Some("*")),
        };
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_-./:*".contains(letter);
        let Some(inner) = inner.filter(|_| !tool.is_empty() && tool.chars().all(is_letter)) else {
            return self.add_unknown(rule, effect);
        };
        let has = |names: &[&str]| match tool.split_once('*') {
            Some((beginning, _)) => names.iter().any(|name| {
                let start = name.get(..beginning.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
            }),
            None => names.iter().any(|name| name.eq_ignore_ascii_case(tool)),
        };
        if has(SHELLS) {
            self.add_pattern(inner, effect, has(BY_BEGINNING));
        }
    }

    fn add_pattern(&mut self, pattern: &str, effect: Effect, by_beginning: bool) {
        let pattern = pattern.trim();
        // What is allowed altogether is allowed under aido.
        if pattern.chars().all(|letter| "*: ".contains(letter)) {
            self.about_all |= effect == Effect::Restrains;
            return;
        }
        let head = pattern.split([' ', '\t', ':']).next().unwrap_or_default();
        let is_known = |letter: char| is_letter(letter) || "*?".contains(letter);
        if mentions_own(pattern) || head.is_empty() || !head.chars().all(is_known) {
            return self.add_unknown(pattern, effect);
        }
        // A wildcard may be about more than one word, so only what is before it is certain.
        let wildcard = head.find(['*', '?']);
        if wildcard.is_none() && !by_beginning {
            match base(head) {
                "" => self.about_all = true,
                word => _ = self.words.insert(word.to_owned()),
            }
            return;
        }
        let beginning = bare(&head[..wildcard.unwrap_or(head.len())]);
        // Such a rule would be about the line with aido in it, whatever it was about without.
        match OWN.starts_with(beginning) {
            true => self.about_all = true,
            false => _ = self.beginnings.insert(beginning.to_owned()),
        }
    }

    /// A rule that is not understood: one that restrains may be about anything, one that allows about what has
    /// any of its words.
    fn add_unknown(&mut self, rule: &str, effect: Effect) {
        let words: Vec<&str> = words(rule).collect();
        let begins_anyhow = rule
            .trim_start()
            .starts_with(['*', '?', '/', '^', '[', '(']);
        if effect == Effect::Restrains || mentions_own(rule) || begins_anyhow || words.is_empty() {
            self.about_all = true;
            return;
        }
        let words = words.into_iter().map(|word| base(word).to_owned());
        self.words.extend(words);
    }

    /// Whether one of them may be about a line: any word of it counts, wherever it stands.
    #[must_use]
    pub fn may_be_about(&self, line: &str) -> bool {
        let begins = |word: &str, beginning: &str| {
            let name = base(beginning);
            let has_path = beginning.contains('/');
            word.starts_with(beginning)
                || base(word).starts_with(beginning)
                || (has_path && word.contains(beginning))
                || (has_path && !name.is_empty() && base(word).starts_with(name))
        };
        self.about_all
            || words(line).map(bare).any(|word| {
                self.words.contains(base(word))
                    || self
                        .beginnings
                        .iter()
                        .any(|beginning| begins(word, beginning))
            })
    }
}

/// Whether anything but aido's own is in a list of hooks.
fn has_guard(list: &Node) -> bool {
    let Some(elements) = list.elements() else {
        return true;
    };
    elements.iter().any(|element| {
        let within = element.get("hooks").and_then(Node::elements);
        match within {
            Some(hooks) => hooks.iter().any(|hook| !hook.any_text(&is_own_command)),
            None => !element.any_text(&is_own_command),
        }
    })
}

fn mentions_own(text: &str) -> bool {
    words(text).any(|word| base(word) == OWN)
}

fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || "_.-+/@".contains(letter)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter| !is_letter(letter));
    words.filter(|word| !word.is_empty())
}

/// A path without what only says that it is one.
fn bare(word: &str) -> &str {
    word.strip_prefix("./").unwrap_or(word)
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
