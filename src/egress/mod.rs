//! WHAT OF A SESSION MAY LEAVE: its fields with secrets replaced, the record that is exported, and the
//! proof of where such a record came from.
//!
//! Responsible for which fields leave, one by one, and for passing each through [`crate::redact`]. Not
//! responsible for finding secrets, for reading sessions, or for printing. A recorded transcript never
//! leaves by it.
//!
//! What is marked when a session ends ([`mark()`]) is what nobody can find later: the values of the
//! caller's own secrets, which are known only then.

mod clean;
mod echo;
mod mark;
mod marked_place;
mod patch;
mod proof;
mod record;

pub use clean::{clean, clean_event};
pub use echo::{Echoes, without_tags};
pub use mark::{mark, mark_again, mark_recovered, marked_at_start};
pub use patch::clean_patch;
pub use proof::{Claim, Proof, ReadError, read, weigh};
pub use record::{Profile, Redaction, Subject, Terms, leave, record};

use std::ffi::OsString;

use crate::redact::Redactor;
use crate::session::Metadata;
use crate::session::quote::shell_line;

/// A command line with its secrets replaced.
struct CommandLine {
    command: String,
    argv: Vec<String>,
    shell_line: Option<String>,
}

/// Puts what was marked in the place of what was recorded, as far as anything was: what the session's
/// recorder knew to be secret, nobody else may.
pub fn put_marks(metadata: &mut Metadata) {
    put_marks_of_place(metadata);
    let Some(known) = metadata.redactions.clone() else {
        return;
    };
    let put = |place: &mut Option<String>, known: Option<String>| {
        if known.is_some() {
            *place = known;
        }
    };
    metadata.command = known
        .command
        .unwrap_or_else(|| std::mem::take(&mut metadata.command));
    if let Some(argv) = known.argv {
        // The same bytes again, in hex.
        (metadata.argv, metadata.argv_hex) = (argv, None);
    }
    put(&mut metadata.shell_line, known.shell_line);
    put(&mut metadata.notes, known.notes);
    put(&mut metadata.task, known.task);
    if let Some(tags) = known.tags {
        metadata.tags = tags;
    }
}

/// The same of where the command ran: its variables, its directory and its branch.
fn put_marks_of_place(metadata: &mut Metadata) {
    let Some(known) = &metadata.redactions else {
        return;
    };
    for (name, shown) in &known.env {
        if let Some(value) = metadata.env.get_mut(name) {
            *value = shown.as_str().into();
        }
    }
    if let (Some(cwd), Some(shown)) = (&mut metadata.cwd, &known.cwd) {
        cwd.clone_from(shown);
        // The same bytes again, in hex.
        metadata.cwd_hex = None;
    }
    let branch = metadata.git.as_mut().and_then(|git| git.branch.as_mut());
    if let (Some(branch), Some(shown)) = (branch, &known.branch) {
        branch.clone_from(shown);
    }
}

/// What of a command line may leave: what was replaced when it was recorded stays replaced.
fn command_line(metadata: &Metadata, redactor: &Redactor) -> CommandLine {
    let known = metadata.redactions.as_ref();
    let argv = known.and_then(|known| known.argv.as_ref());
    let typed = known.and_then(|known| known.shell_line.as_ref());
    let (argv, _) = redactor.argv(argv.unwrap_or(&metadata.argv));
    let shell = typed.or(metadata.shell_line.as_ref());
    let shell = shell.map(|line| redactor.shell_line(line).0);
    let command = match &shell {
        Some(line) => line.clone(),
        None if argv == metadata.argv => redactor.text(&metadata.command).0,
        None => {
            let words: Vec<OsString> = argv.iter().map(OsString::from).collect();
            shell_line(&words)
        }
    };
    CommandLine {
        command,
        argv,
        shell_line: shell,
    }
}
