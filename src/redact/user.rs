//! Rules of the user's and the repository's own: `nexus/redact.toml`.
//!
//! A rule is written as gitleaks has it: `id`, `regex`, `keywords`, and where wanted `secretGroup` and
//! `entropy`. `allow` lists digests of values that are no secrets. Digests, because a repository may come
//! from a stranger, and a pattern there could let everything out; because a list of secrets that are
//! none should not be a list of secrets that are some.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};
use toml::{Table, Value};

use super::detect::{Found, look};
use super::view::View;

/// The repository's file, relative to its root.
pub const IN_REPOSITORY: &str = "nexus/redact.toml";

/// The most rules of one file.
const RULES: usize = 200;
/// The longest name of a rule.
const NAME_BYTES: usize = 64;
/// The least of a keyword.
const KEYWORD_BYTES: usize = 3;
/// The most memory that one compiled pattern takes, in bytes.
const PATTERN_BYTES: usize = 1 << 20;

/// Rules and exceptions of somebody's own.
#[derive(Clone, Debug, Default)]
pub struct UserRules {
    pub(super) rules: Vec<UserRule>,
    /// SHA-256 of values that are no secrets.
    pub(super) allowed: BTreeSet<[u8; 32]>,
}

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct UserRule {
    pub(super) id: String,
    /// Texts in small letters, of which a line with a match has one.
    pub(super) keywords: Vec<String>,
    regex: Regex,
    /// The group that is the secret; the first one if there is any, else all.
    group: usize,
    least_bits: f64,
}

/// What is wrong with a file of rules. The rest of it counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is no TOML, so nothing is known of its rules.
    #[error("{file}: {problem}")]
    NoToml {
        /// The file as the caller names it.
        file: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// A key of the file.
    #[error("{file}: {problem}")]
    File {
        /// The file as the caller names it.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// One rule, which is left out.
    #[error("{file}: rule {rule} is left out: {problem}")]
    Rule {
        /// The file as the caller names it.
        file: String,
        /// The rule's id, or its number where it has none.
        rule: String,
        /// What is wrong.
        problem: String,
    },
}

impl UserRules {
    /// Reads a file's text. What can't be used is left out and told.
    #[must_use]
    pub fn parse(file: &str, text: &str) -> (Self, Vec<RuleError>) {
        let mut read = Self::default();
        let mut errors = Vec::new();
        let problem = |problem: String| RuleError::File {
            file: file.to_owned(),
            problem,
        };
        let table = match text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start));
                let line = before.map_or(0, |before| before.matches('\n').count()) + 1;
                errors.push(RuleError::NoToml {
                    file: file.to_owned(),
                    problem: format!("line {line}: {}", error.message()),
                });
                return (read, errors);
            }
        };
        for (key, value) in &table {
            match (key.as_str(), value) {
                ("rules", Value::Array(rules)) => read.add_rules(file, rules, &mut errors),
                ("allow", Value::Array(digests)) => {
                    let problems = read.add_digests(digests);
                    errors.extend(problems.into_iter().map(problem));
                }
                ("title" | "description", _) => {}
                ("rules" | "allow", _) => errors.push(problem(format!("{key} is no list"))),
                _ => errors.push(problem(format!(
                    "{key} is not known here; there are [[rules]] and allow"
                ))),
            }
        }
        (read, errors)
    }

    /// Adds another file's.
    pub fn merge(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.allowed.extend(other.allowed);
    }

    fn add_rules(&mut self, file: &str, rules: &[Value], errors: &mut Vec<RuleError>) {
        let mut names = BTreeSet::new();
        for (index, value) in rules.iter().enumerate() {
            let id = value.get("id").and_then(Value::as_str);
            let read = match value.as_table() {
                _ if index >= RULES => Err(format!("there are more than {RULES}")),
                Some(table) => rule(table),
                None => Err("it is no table".to_owned()),
            };
            let read = read.and_then(|rule| match names.insert(rule.id.clone()) {
                true => Ok(rule),
                false => Err("there is one of this id before".to_owned()),
            });
            match read {
                Ok(rule) => self.rules.push(rule),
                Err(problem) => errors.push(RuleError::Rule {
                    file: file.to_owned(),
                    rule: id.map_or_else(|| format!("number {}", index + 1), str::to_owned),
                    problem,
                }),
            }
        }
    }

    fn add_digests(&mut self, digests: &[Value]) -> Vec<String> {
        let mut problems = Vec::new();
        for (index, value) in digests.iter().enumerate() {
            let text = value.as_str().unwrap_or_default();
            let mut digest = [0; 32];
            match hex::decode_to_slice(text.trim_start_matches("sha256:"), &mut digest) {
                Ok(()) => {
                    self.allowed.insert(digest);
                }
                Err(_) => problems.push(format!(
                    "allow: entry {} is no SHA-256 in hexadecimal digits; \
                     printf %s VALUE | sha256sum prints one",
                    index + 1
                )),
            }
        }
        problems
    }
}

/// Reads one rule.
fn rule(table: &Table) -> Result<UserRule, String> {
    const KNOWN: &str = "there are id, description, regex, keywords, secretGroup, entropy, tags";
    let is_known = |key: &&String| {
        [
            "id",
            "description",
            "regex",
            "keywords",
            "secretGroup",
            "entropy",
            "tags",
        ]
        .contains(&key.as_str())
    };
    if let Some(unknown) = table.keys().find(|key| !is_known(key)) {
        return Err(format!("{unknown} is not known here; {KNOWN}"));
    }
    let text = |key: &str| {
        let value = table.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("{key} is missing, or no text"))
    };
    let id = text("id")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if id.is_empty() || id.len() > NAME_BYTES || !id.bytes().all(is_plain) {
        return Err(format!(
            "its id is no name of up to {NAME_BYTES} letters, digits, and _ - ."
        ));
    }
    let regex = RegexBuilder::new(text("regex")?)
        .unicode(false)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
        .map_err(|error| format!("regex: {}", last_line(&error.to_string())))?;
    let group = match table.get("secretGroup") {
        None => usize::from(regex.captures_len() > 1),
        Some(value) => value
            .as_integer()
            .and_then(|group| usize::try_from(group).ok())
            .filter(|group| *group < regex.captures_len())
            .ok_or("secretGroup is no number of a group in its regex")?,
    };
    let least_bits = match table.get("entropy") {
        None => 0.0,
        Some(Value::Float(bits)) => *bits,
        Some(Value::Integer(bits)) => f64::from(u8::try_from(*bits).unwrap_or(u8::MAX)),
        Some(_) => return Err("entropy is no number".to_owned()),
    };
    Ok(UserRule {
        id: id.to_owned(),
        keywords: keywords(table.get("keywords"))?,
        regex,
        group,
        least_bits,
    })
}

fn keywords(value: Option<&Value>) -> Result<Vec<String>, String> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice);
    let list = list.unwrap_or_default().iter();
    let words: Option<Vec<String>> = list
        .map(|word| Some(word.as_str()?.to_ascii_lowercase()))
        .collect();
    let words = words.ok_or("keywords is no list of texts")?;
    let is_short = |word: &&String| word.len() < KEYWORD_BYTES || word.contains(['\n', '\r']);
    if words.is_empty() {
        return Err(format!(
            "keywords is missing: texts of at least {KEYWORD_BYTES} bytes, \
             of which every line with a match has one"
        ));
    }
    match words.iter().find(is_short) {
        Some(short) => Err(format!(
            "the keyword {short:?} has fewer than {KEYWORD_BYTES} bytes, or a line end"
        )),
        None => Ok(words),
    }
}

fn last_line(message: &str) -> &str {
    message.lines().next_back().unwrap_or(message).trim()
}

impl UserRule {
    /// Finds what the rule says on the line that has one of its keywords at this index.
    pub(super) fn find(&self, view: &View<'_>, at: usize, found: &mut dyn FnMut(Found)) {
        let before = view.slice(view.low, at);
        let from = at - before.len() + memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let after = view.slice(at, view.high);
        let to = at + memchr::memchr(b'\n', after).unwrap_or(after.len());
        for captures in self.regex.captures_iter(view.slice(from, to)) {
            let Some(secret) = captures.get(self.group).or_else(|| captures.get(0)) else {
                continue;
            };
            let bytes = secret.as_bytes();
            let is_one = !bytes.is_empty()
                && (self.least_bits <= 0.0 || look::entropy(bytes) >= self.least_bits);
            if is_one {
                found(Found::whole(from + secret.start(), from + secret.end()));
            }
        }
    }
}
