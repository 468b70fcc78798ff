//! Rows without secrets, for agents. What is secret is decided by all that stands around a line, not by
//! the line alone: the body of a key says nothing of itself.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::cli::reading::Reader;
use crate::search::{Part, Row, Rows};
use crate::session::SessionId;

/// How much of a line is kept, at most.
const LINE_BYTES: usize = 4096;
/// How much is read at a time.
const PORTION_BYTES: usize = 64 * 1024;

/// Takes secrets out of rows.
pub(super) struct Guard<'a> {
    reader: &'a Reader,
    /// What is known of the session whose rows come.
    known: Option<Known>,
}

struct Known {
    id: SessionId,
    /// Lines of the transcript that hold a secret, without it; none where it can't be read.
    lines: Option<BTreeMap<u64, Vec<u8>>>,
    command: String,
    notes: String,
}

impl<'a> Guard<'a> {
    pub(super) fn new(reader: &'a Reader) -> Self {
        Self {
            reader,
            known: None,
        }
    }

    /// The same rows without secrets.
    pub(super) fn clean(&mut self, id: &SessionId, rows: &Rows) -> Rows {
        let known = match self.known.take().filter(|known| known.id == *id) {
            Some(known) => known,
            None => Known::of(self.reader, id),
        };
        let clean = rows.with_texts(&mut |row| known.text(row));
        self.known = Some(known);
        clean
    }
}

impl Known {
    fn of(reader: &Reader, id: &SessionId) -> Self {
        let session = reader.read(id).ok();
        let metadata = session.map(|session| session.metadata);
        let columns = metadata.as_ref().and_then(|metadata| metadata.tty.size);
        let columns = columns.map(|size| size.columns);
        let (command, notes) = metadata
            .map(|metadata| (metadata.command, metadata.notes.unwrap_or_default()))
            .unwrap_or_default();
        let overlay = reader.overlay(id, columns);
        Self {
            id: id.clone(),
            lines: overlay.and_then(|mut overlay| secret_lines(&mut overlay).ok()),
            command,
            notes,
        }
    }

    /// What stands in a row's place, if anything.
    fn text(&self, row: &Row<'_>) -> Option<Vec<u8>> {
        let whole = match row.part {
            Part::Transcript => {
                return match &self.lines {
                    Some(lines) => lines.get(&row.line).cloned(),
                    None => Some(b"[not shown: it can't be searched for secrets]".to_vec()),
                };
            }
            Part::Command => &self.command,
            Part::Notes => &self.notes,
        };
        let number = usize::try_from(row.line)
            .ok()
            .and_then(|line| line.checked_sub(1));
        let line = whole
            .split('\n')
            .nth(number.unwrap_or_default())
            .unwrap_or_default();
        (line.as_bytes() != row.text).then(|| line.as_bytes().to_vec())
    }
}

/// The lines that hold a secret, with it overwritten, by their numbers.
fn secret_lines<R: Read>(
    overlay: &mut crate::redact::Overlay<R>,
) -> io::Result<BTreeMap<u64, Vec<u8>>> {
    let mut lines = BTreeMap::new();
    if overlay.is_clean() {
        return Ok(lines);
    }
    let mut buffer = vec![0; PORTION_BYTES];
    let (mut number, mut place, mut is_secret, mut line) = (1, 0, false, Vec::new());
    loop {
        let count = match overlay.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        for part in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
            let end = place + part.len() as u64;
            is_secret |= overlay.touches(place, end);
            place = end;
            let room = LINE_BYTES.saturating_sub(line.len());
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            line.extend_from_slice(&text[..text.len().min(room)]);
            if part.len() > text.len() {
                if std::mem::take(&mut is_secret) {
                    lines.insert(number, line.clone());
                }
                line.clear();
                number += 1;
            }
        }
        if count == 0 {
            break;
        }
    }
    if is_secret {
        lines.insert(number, line);
    }
    Ok(lines)
}
