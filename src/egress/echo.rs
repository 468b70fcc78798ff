//! Secrets that are known by their place in a command line alone, where its program prints them again.

use crate::redact::{OwnSecret, Redactor};
use crate::session::Metadata;

/// What stands in a secret's place begins and ends so.
const TOKEN: (&str, char) = ("[REDACTED:", ']');

/// The shortest secret that is looked for elsewhere, in bytes: a shorter one may be any word.
const LEAST_BYTES: usize = 6;

/// Secrets of a command line, and what stands in the place of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Echoes(Vec<(String, String)>);

impl Echoes {
    /// Those of a session that was marked.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let Some(known) = &metadata.redactions else {
            return Self::default();
        };
        let argv = known.argv.as_deref().unwrap_or_default();
        let line = between_lines(metadata, argv, known.shell_line.as_deref());
        Self::between_texts(line.chain(marked_texts(metadata)))
    }

    /// Those of any session, whether it was marked or not: what of its command line may not leave.
    #[must_use]
    pub fn of_leaving(metadata: &Metadata, redactor: &Redactor) -> Self {
        let line = super::command_line(metadata, redactor);
        let line = between_lines(metadata, &line.argv, line.shell_line.as_deref());
        Self::between_texts(line.chain(marked_texts(metadata)))
    }

    /// The same without tags: what is shared must not tell whose key it was.
    #[must_use]
    pub fn without_tags(mut self) -> Self {
        for (_, token) in &mut self.0 {
            *token = without_tags(token);
        }
        self
    }

    /// The same, to be searched for in bytes.
    #[must_use]
    pub fn secrets(&self) -> Vec<OwnSecret> {
        let rule = |token: &str| {
            let name = token.strip_prefix(TOKEN.0)?.strip_suffix(TOKEN.1)?;
            // A tag comes last.
            Some(name.split(':').next().unwrap_or(name).to_owned())
        };
        let known = self.0.iter();
        known
            .filter_map(|(secret, token)| Some(OwnSecret::of_replaced(&rule(token)?, secret)))
            .collect()
    }

    /// Whether one is known by this rule's name.
    #[must_use]
    pub fn has(&self, rule: &str) -> bool {
        let begins = |token: &str| {
            let name = token.strip_prefix(TOKEN.0).unwrap_or_default();
            name.strip_prefix(rule)
                .is_some_and(|rest| rest.starts_with([':', TOKEN.1]))
        };
        self.0.iter().any(|(_, token)| begins(token))
    }

    /// Those between a session's command line and what is shown of it.
    pub(super) fn between(metadata: &Metadata, argv: &[String], line: Option<&str>) -> Self {
        Self::between_texts(between_lines(metadata, argv, line))
    }

    /// Those between texts and what is shown of them.
    pub(super) fn between_texts<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut echoes = Self::default();
        for (text, shown) in texts {
            echoes.add(text, shown);
        }
        // One that holds another goes first.
        echoes
            .0
            .sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        echoes.0.dedup();
        echoes
    }

    /// Finds what was replaced by walking along both texts: what stands between tokens is the same.
    fn add(&mut self, given: &str, shown: &str) {
        let (mut given, mut shown) = (given, shown);
        while let Some(at) = shown.find(TOKEN.0) {
            let Some(rest) = given.strip_prefix(&shown[..at]) else {
                return;
            };
            let Some(end) = shown[at..].find(TOKEN.1).map(|length| at + length + 1) else {
                return;
            };
            let after = &shown[end..];
            let next = &after[..after.find(TOKEN.0).unwrap_or(after.len())];
            let length = match (next.is_empty(), next.len() == after.len()) {
                (true, _) => rest.len(),
                // The last piece is the end of both.
                (false, true) => rest.len().saturating_sub(next.len()),
                (false, false) => rest.find(next).unwrap_or(rest.len()),
            };
            let Some(secret) = rest.get(..length) else {
                return;
            };
            if secret.len() >= LEAST_BYTES {
                self.0.push((secret.to_owned(), shown[at..end].to_owned()));
            }
            (given, shown) = (&rest[length..], after);
        }
    }

    /// A text without them.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for (secret, token) in &self.0 {
            if hidden.contains(secret.as_str()) {
                hidden = hidden.replace(secret.as_str(), token);
            }
        }
        hidden
    }
}

/// A text in which nothing tells whose key what was replaced was told apart by.
#[must_use]
pub fn without_tags(text: &str) -> String {
    let mut untagged = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(TOKEN.0) {
        let name = at + TOKEN.0.len();
        let length = rest[name..].find([':', TOKEN.1]);
        let end = name + length.unwrap_or(rest.len() - name);
        untagged.push_str(&rest[..end]);
        rest = &rest[end..];
        if rest.starts_with(':')
            && let Some(tag) = rest.find(TOKEN.1)
        {
            rest = &rest[tag..];
        }
    }
    untagged + rest
}

/// A command line and what is shown of it.
fn between_lines<'a>(
    metadata: &'a Metadata,
    argv: &'a [String],
    line: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let words = metadata.argv.iter().zip(argv);
    let words = words.map(|(word, shown)| (word.as_str(), shown.as_str()));
    words.chain(metadata.shell_line.as_deref().zip(line))
}

/// What was said of a session and where it ran, as far as it was marked, and what is shown of it.
fn marked_texts(metadata: &Metadata) -> impl Iterator<Item = (&str, &str)> {
    let known = metadata.redactions.as_ref();
    let branch = metadata.git.as_ref().and_then(|git| git.branch.as_deref());
    let texts = known.into_iter().flat_map(move |known| {
        [
            metadata.notes.as_deref().zip(known.notes.as_deref()),
            metadata.task.as_deref().zip(known.task.as_deref()),
            metadata.cwd.as_deref().zip(known.cwd.as_deref()),
            branch.zip(known.branch.as_deref()),
        ]
    });
    let tags = known.and_then(|known| known.tags.as_deref());
    let tags = metadata.tags.iter().zip(tags.unwrap_or_default());
    let tags = tags.map(|(tag, shown)| (tag.as_str(), shown.as_str()));
    let env = known.into_iter().flat_map(|known| &known.env);
    let env = env.filter_map(|(name, shown)| {
        let value = metadata.env.get(name)?.as_str()?;
        Some((value, shown.as_str()))
    });
    texts.flatten().chain(tags).chain(env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_is_found_between_what_was_not() {
        for (given, shown, expected) in [
            (
                "--user=me:zork99q",
                "--user=me:[REDACTED:argument]",
                &["zork99q"][..],
            ),
            ("zork99q", "[REDACTED:argument]", &["zork99q"]),
            (
                "a secret1 b secret2 c",
                "a [REDACTED:x] b [REDACTED:y:12ab] c",
                &["secret1", "secret2"],
            ),
            ("short", "[REDACTED:x]", &[]),
            ("plain", "plain", &[]),
            ("other", "something [REDACTED:x]", &[]),
        ] {
            let mut echoes = Echoes::default();
            echoes.add(given, shown);
            let found: Vec<&str> = echoes.0.iter().map(|(secret, _)| secret.as_str()).collect();
            assert_eq!(found, expected, "{given:?}");
        }
    }

    #[test]
    fn an_echo_is_found_in_bytes_under_the_name_that_it_had() {
        let mut echoes = Echoes::default();
        echoes.add("zork99q", "[REDACTED:env.WORD:12ab]");
        assert!(echoes.has("env.WORD") && !echoes.has("env.WOR") && !echoes.has("argument"));
        let redactor = Redactor::new(crate::redact::Options {
            own: echoes.secrets(),
            ..Default::default()
        });
        assert_eq!(redactor.text("is zork99q").0, "is [REDACTED:env.WORD]");
    }

    #[test]
    fn what_is_shared_has_no_tag() {
        let mut echoes = Echoes::default();
        echoes.add("zork99q", "[REDACTED:env.WORD:12ab]");
        echoes.add("other-one", "[REDACTED:argument]");
        let echoes = echoes.without_tags();
        assert_eq!(
            echoes.hide("zork99q, other-one"),
            "[REDACTED:env.WORD], [REDACTED:argument]"
        );
    }

    #[test]
    fn an_echo_is_hidden_wherever_it_stands() {
        let mut echoes = Echoes::default();
        echoes.add("word=zork99q", "word=[REDACTED:argument]");
        assert_eq!(
            echoes.hide("bad argument: zork99q, zork99q"),
            "bad argument: [REDACTED:argument], [REDACTED:argument]"
        );
    }
}
