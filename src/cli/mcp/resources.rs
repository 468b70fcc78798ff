//! Sessions as resources: `aido://session/ID`, and any other way to name one in the place of the id.

use crate::cli::error::CliError;
use crate::cli::reply::{Asking, Reply};
use crate::cli::{list, show};
use crate::view::session::Shown;
use crate::view::text::Audience;

/// What a session's URI begins with.
const PREFIX: &str = "aido://session/";
/// Every URI.
pub(super) const TEMPLATE: &str = "aido://session/{session}";
/// How many are listed at once.
const PAGE: usize = 50;
/// How much of a command line is a title.
const TITLE_CHARACTERS: usize = 120;

/// A session that is listed.
pub(super) struct Listed {
    pub(super) uri: String,
    pub(super) name: String,
    /// Its command line, or the beginning of it.
    pub(super) title: String,
    pub(super) what: String,
}

impl Listed {
    fn of(session: &Shown) -> Self {
        let metadata = &session.metadata;
        let id = metadata.session_id.as_str();
        let command = Audience::Agents.line(&metadata.command).into_owned();
        let mut title: String = command.chars().take(TITLE_CHARACTERS).collect();
        if title.len() < command.len() {
            title.push('…');
        }
        let what = format!(
            "{} by {} at {}",
            session.outcome(),
            metadata.session_id.agent(),
            metadata.timestamp
        );
        Self {
            uri: format!("{PREFIX}{id}"),
            name: id.to_owned(),
            title,
            what: Audience::Agents.line(&what).into_owned(),
        }
    }
}

/// The newest sessions, or those after one; and what to go on after.
///
/// # Errors
/// When the store can't be read, or the session to go on after is gone.
pub(super) fn page(
    after: Option<String>,
    asking: &Asking,
) -> Result<(Vec<Listed>, Option<String>), CliError> {
    let question = list::reply::Question {
        most: PAGE,
        after,
        ..list::reply::Question::default()
    };
    let reader = asking.reader()?;
    let (sessions, next) = list::reply::sessions(&question, asking, &reader)?;
    let listed = sessions.iter().map(Listed::of).collect();
    Ok((listed, next.map(|id| id.as_str().to_owned())))
}

/// The session that a URI names; none where it is no such URI.
pub(super) fn selector(uri: &str) -> Option<String> {
    let named = decoded(uri.strip_prefix(PREFIX)?)?;
    (!named.is_empty()).then_some(named)
}

/// What is read of a session: as `session_show` shows it.
///
/// # Errors
/// When it isn't there, or can't be read.
pub(super) fn read(selector: &str, asking: &Asking) -> Result<Reply, CliError> {
    show::reply::reply(&show::reply::whole(selector), asking)
}

/// A part of a URI without its escapes: clients may write `last%3Afailed`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_session_in_any_way() {
        for (uri, named) in [
            ("aido://session/last", Some("last")),
            ("aido://session/last%3Afailed", Some("last:failed")),
            ("aido://session/%40claude", Some("@claude")),
            ("aido://session/", None),
            ("aido://session/%4", None),
            ("aido://session/%zz", None),
            ("aido://session/%ff", None),
            ("aido://fault/1", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(selector(uri).as_deref(), named, "{uri}");
        }
    }
}
