//! Rules that tell kinds of failures apart: data, built in and from files, in one form.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::command;
use super::needles::Needles;

/// The rules that aido brings along, in the form of a user's file.
const BUILT_IN: &str = include_str!("rules.toml");

/// The most memory that a compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 512 * 1024;
/// The longest pattern, in bytes.
const PATTERN_LENGTH: usize = 4096;
/// The longest file of rules that is read, in bytes.
const FILE_BYTES: usize = 256 * 1024;
/// The most rules of a file that are taken.
const RULES_MAX: usize = 500;

/// Which of the places where a pattern matches tells failures apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The first: what a compiler says first.
    #[default]
    First,
    /// The last: how a traceback ends.
    Last,
    /// The one that sorts first: of tests that run beside each other.
    Least,
}

/// How much a match means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    /// The command failed.
    #[default]
    Fault,
    /// Its exit code is an answer.
    Negative,
}

/// A rule as a file has it. All conditions have to hold; a rule without any is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    id: String,
    class: Option<String>,
    #[serde(default)]
    app: Vec<String>,
    #[serde(default)]
    exit: Vec<i32>,
    regex: Option<String>,
    #[serde(default)]
    multiline: bool,
    #[serde(default)]
    place: Place,
    key: Option<String>,
    message: Option<String>,
    lesson: Option<String>,
    #[serde(default)]
    outcome: Meaning,
}

/// A rule, its pattern compiled when it is first asked.
#[derive(Debug)]
pub struct Rule {
    text: RuleText,
    pattern: OnceLock<Option<Regex>>,
}

impl Rule {
    /// Its name, for people.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.text.id
    }

    /// The kind of failure that it finds: lower-case letters, digits and dashes.
    #[must_use]
    pub fn class(&self) -> &str {
        self.text.class.as_deref().unwrap_or(&self.text.id)
    }

    /// What a match means.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        self.text.outcome
    }

    /// Which match counts.
    #[must_use]
    pub fn place(&self) -> Place {
        self.text.place
    }

    /// What tells two failures of the class apart, with `${1}` for groups; none for the whole line.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.text.key.as_deref()
    }

    /// What to say about it, with `${1}` for groups.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.text.message.as_deref()
    }

    /// What to do about it, with `${1}` for groups.
    #[must_use]
    pub fn lesson(&self) -> Option<&str> {
        self.text.lesson.as_deref()
    }

    /// Whether it is a rule for this program and this exit code.
    #[must_use]
    pub fn applies(&self, program: &str, code: i32) -> bool {
        let (apps, codes) = (&self.text.app, &self.text.exit);
        // A rule may name a program as it is typed, such as `python3` or `/usr/bin/python3`.
        let is_app = |app: &String| command::program(std::slice::from_ref(app)) == program;
        (codes.is_empty() || codes.contains(&code)) && (apps.is_empty() || apps.iter().any(is_app))
    }

    /// The pattern; none where the rule is about exit codes alone.
    pub(super) fn pattern(&self) -> Option<&Regex> {
        let compile = || compile(self.text.regex.as_ref()?, self.text.multiline).ok();
        self.pattern.get_or_init(compile).as_ref()
    }

    /// Whether a text, which is given in lower case, may match: cheaper to ask than the pattern.
    pub(super) fn may_match(&self, lower: &[u8]) -> bool {
        let needles = || Needles::of(self.text.regex.as_deref().unwrap_or_default());
        self.pattern.get().is_some() || needles().are_in(lower)
    }

    /// Whether the text decides, as opposed to the exit code alone.
    #[must_use]
    pub fn reads_text(&self) -> bool {
        self.text.regex.is_some()
    }
}

/// Compiles a pattern over bytes: without Unicode's tables that takes a tenth of the time.
fn compile(pattern: &str, multiline: bool) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .multi_line(true)
        .dot_matches_new_line(multiline)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
}

/// All rules, in the order in which they are asked.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    problems: Vec<String>,
}

impl Rules {
    /// The rules that aido brings along.
    #[must_use]
    pub fn built_in() -> Self {
        Self::with_files([])
    }

    /// The rules of these files (name and contents), in this order, before those that aido brings
    /// along. A file or rule that can't be taken is left out and named in [`problems`](Self::problems).
    #[must_use]
    pub fn with_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Self {
            rules: Vec::new(),
            problems: Vec::new(),
        };
        for (name, text) in files {
            all.read(name, text, Trust::Checked);
        }
        all.read("built in", BUILT_IN, Trust::Tested);
        all
    }

    /// The same, with these lines about files that could not be read before its own.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<String>) -> Self {
        self.problems.splice(..0, problems);
        self
    }

    /// One line for each rule or file that was left out.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The rules, in the order in which they are asked.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    fn read(&mut self, name: &str, text: &str, trust: Trust) {
        let rules = match rules_of(text) {
            Ok(rules) => rules,
            Err(problem) => {
                self.problems.push(format!("{name} is ignored: {problem}"));
                return;
            }
        };
        if rules.len() > RULES_MAX {
            let rest = format!("{name}: only the first {RULES_MAX} rules are taken");
            self.problems.push(rest);
        }
        for (number, value) in (1..).zip(rules.into_iter().take(RULES_MAX)) {
            match rule(value, trust) {
                Ok(rule) => self.rules.push(rule),
                Err(problem) => {
                    let problem = problem.lines().next().unwrap_or_default().to_owned();
                    let problem = format!("{name}: rule {number} is ignored: {problem}");
                    self.problems.push(problem);
                }
            }
        }
    }
}

/// Whether a pattern still has to be tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// A test has compiled it.
    Tested,
    /// It is compiled at once, so that what is wrong with it can be said.
    Checked,
}

fn rules_of(text: &str) -> Result<Vec<toml::Value>, String> {
    if text.len() > FILE_BYTES {
        return Err(format!("it has more than {FILE_BYTES} bytes"));
    }
    let mut table = text.parse::<toml::Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let message = error.message().lines().next().unwrap_or_default();
        format!("line {line}: {message}")
    })?;
    let rules = table.remove("rule");
    if let Some(other) = table.keys().next() {
        return Err(format!(
            "there is no {other:?} in a file of rules, only [[rule]]"
        ));
    }
    match rules {
        None => Ok(Vec::new()),
        Some(toml::Value::Array(rules)) => Ok(rules),
        Some(_) => Err("rules begin with [[rule]]".to_owned()),
    }
}

fn rule(value: toml::Value, trust: Trust) -> Result<Rule, String> {
    let text: RuleText = value.try_into().map_err(|error| error.to_string())?;
    let class = text.class.as_deref().unwrap_or(&text.id);
    if !is_class(class) {
        return Err(format!(
            "{class:?} is no class: up to 40 lower-case letters and digits, with single dashes between"
        ));
    }
    if text.regex.is_none() && text.exit.is_empty() {
        return Err(format!("{} has neither regex nor exit", text.id));
    }
    let rule = Rule {
        text,
        pattern: OnceLock::new(),
    };
    if let Some(pattern) = rule.text.regex.as_ref().filter(|_| trust == Trust::Checked) {
        if pattern.len() > PATTERN_LENGTH {
            let id = rule.id();
            return Err(format!(
                "the regex of {id} has more than {PATTERN_LENGTH} bytes"
            ));
        }
        let compiled = compile(pattern, rule.text.multiline).map_err(|error| {
            let shown = error.to_string();
            let reason = shown.lines().last().unwrap_or_default();
            format!(
                "the regex of {}: {}",
                rule.id(),
                reason.trim_start_matches("error: ")
            )
        })?;
        if compiled.is_match(b"") {
            return Err(format!(
                "the regex of {} matches where there is nothing",
                rule.id()
            ));
        }
        let _ = rule.pattern.set(Some(compiled));
    }
    Ok(rule)
}

/// Whether this may be part of an id.
fn is_class(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= 40 && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rule_compiles_within_the_limit() {
        let rules = Rules::built_in();
        assert_eq!(rules.problems(), [""; 0]);
        assert!(rules.rules.len() > 50);
        for rule in rules.iter().filter(|rule| rule.reads_text()) {
            let pattern = rule.text.regex.as_ref().unwrap();
            let compiled = compile(pattern, rule.text.multiline);
            assert!(compiled.is_ok(), "{}: {compiled:?}", rule.id());
            assert!(!compiled.unwrap().is_match(b""), "{}", rule.id());
        }
    }

    #[test]
    fn a_bad_rule_or_file_is_named_and_the_others_are_taken() {
        let rules = Rules::with_files([
            (
                "a.toml",
                "[[rule]]\nid = \"one\"\nregex = \"x+\"\n\n[[rule]]\nid = \"two\"\nregex = \"(\"\n",
            ),
            ("b.toml", "[[rule]]\nid = "),
            (
                "c.toml",
                "[[rule]]\nid = \"three\"\nregexp = \"x\"\n[[rule]]\nid = \"four\"\nexit = [9]\n",
            ),
            (
                "d.toml",
                "[[rule]]\nid = \"../up\"\nexit = [1]\n[[rule]]\nid = \"five\"\n",
            ),
            (
                "e.toml",
                "[[rule]]\nid = \"six\"\nregex = \"(?:a{1000}){1000}\"\n",
            ),
            ("f.toml", "[[rule]]\nid = \"seven\"\nregex = \"x*\"\n"),
            ("g.toml", "rule = 1\n"),
            ("h.toml", "other = 1\n"),
            ("i.toml", ""),
        ]);
        let own: Vec<&str> = rules.iter().take(2).map(Rule::id).collect();
        assert_eq!(own, ["one", "four"]);
        let built_in = Rules::built_in().rules.len();
        assert_eq!(rules.rules.len(), built_in + 2);
        let wanted = [
            "a.toml: rule 2 is ignored: the regex of two: unclosed group",
            "b.toml is ignored: line 2:",
            "c.toml: rule 1 is ignored: unknown field `regexp`",
            "d.toml: rule 1 is ignored: \"../up\" is no class",
            "d.toml: rule 2 is ignored: five has neither regex nor exit",
            "e.toml: rule 1 is ignored: the regex of six:",
            "f.toml: rule 1 is ignored: the regex of seven matches where there is nothing",
            "g.toml is ignored: rules begin with [[rule]]",
            "h.toml is ignored: there is no \"other\"",
        ];
        assert_eq!(
            rules.problems().len(),
            wanted.len(),
            "{:#?}",
            rules.problems()
        );
        for (problem, wanted) in rules.problems().iter().zip(wanted) {
            assert!(problem.starts_with(wanted), "{problem}, not {wanted}");
        }
    }
}
