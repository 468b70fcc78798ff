//! The index: one short line a finished session, so that a reader of many needn't open every
//! sidecar. Derived: deleting it loses nothing.
//!
//! A line is an [`Entry`] as JSON. Lines are appended in the order of the sessions' ends, a session
//! that was changed gets a further line, and the last one counts. Reading from the end
//! ([`Backwards`]) and sorting as far as needed ([`newest_first`]) finds the newest sessions without
//! reading the rest. [`endings`] finds a session by its hex ending among a million.

use std::io;

use crate::session::Entry;

pub mod backwards;
pub mod endings;
pub mod newest;

pub use backwards::{Backwards, ReadAt};
pub use newest::{Walked, newest_first};

/// The line of an entry, with its newline.
///
/// # Errors
/// As [`serde_json::to_string`]; never for values that this program makes.
pub fn line(entry: &Entry<'_>) -> io::Result<String> {
    let mut line = serde_json::to_string(entry)?;
    line.push('\n');
    Ok(line)
}

/// Adds the line of an entry to a text.
///
/// # Errors
/// As [`line()`].
pub fn write_line(text: &mut Vec<u8>, entry: &Entry<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *text, entry)?;
    text.push(b'\n');
    Ok(())
}

/// Reads a line; none if it is torn or something else.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Entry<'_>> {
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    entry.id().is_some().then_some(entry)
}

/// Whether a text has the form of the times that lines are ordered by.
#[must_use]
pub fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00.000Z";
    let fits = |(found, form): (u8, &u8)| match form {
        b'0' => found.is_ascii_digit(),
        other => found == *other,
    };
    text.len() == FORM.len() && text.bytes().zip(FORM).all(fits)
}

/// The id that a line begins with, without reading the rest of it.
#[must_use]
pub fn id_of(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(b"{\"session_id\":\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&rest[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    #[test]
    fn a_line_is_one_line_whatever_the_command_is() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.command = format!("echo 'a\nb' {}", "é".repeat(1000));
        let line = line(&Entry::of(&metadata, 0)).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.ends_with('\n') && line.len() < 1000, "{}", line.len());
        assert_eq!(id_of(line.as_bytes()), Some(metadata.session_id.as_str()));
        let read = parse(line.trim_end().as_bytes());
        assert_eq!(read.unwrap().id(), Some(metadata.session_id));
    }

    #[test]
    fn a_time_is_told_from_what_a_stranger_wrote() {
        assert!(is_time("2026-03-05T13:25:22.000Z"));
        for text in [
            "",
            "zzzz",
            "2026-03-05",
            "2026-03-05T13:25:22.000Zzz",
            "9\u{1b}",
        ] {
            assert!(!is_time(text), "{text:?}");
        }
    }

    #[test]
    fn a_line_of_what_is_no_session_is_none() {
        let metadata = minimal("a-20260305_132522-1-abcdef12");
        let mut entry = Entry::of(&metadata, 0);
        for id in ["", "../../etc/passwd", "\u{1b}[2J"] {
            entry.session_id = id.into();
            let line = line(&entry).unwrap();
            assert!(parse(line.trim_end().as_bytes()).is_none(), "{id:?}");
        }
    }

    #[test]
    fn a_torn_line_is_none() {
        let metadata = minimal("a-20260305_132522-1-abcdef12");
        let line = line(&Entry::of(&metadata, 0)).unwrap();
        for length in 0..line.len() - 1 {
            assert!(parse(&line.as_bytes()[..length]).is_none(), "{length}");
        }
    }
}
