//! Recall and precision on sets that are written down here, and the properties of the whole.
//!
//! Secrets are made up when the tests run, from pieces, so that nothing in this repository looks like
//! one.

mod argv;
mod hostile;
mod logs;
pub(crate) mod made;
mod ordinary;
mod properties;
mod recall;
mod seams;
mod user;

use super::{Options, Redactor, Style};

/// What a default redactor makes of some text.
fn redacted(text: &str) -> String {
    Redactor::default().text(text).0
}

/// The same in asterisks.
fn masked(text: &str) -> String {
    let (bytes, _) = Redactor::default().bytes(text.as_bytes(), Style::Mask);
    String::from_utf8(bytes).unwrap()
}

/// A redactor that knows the terminal's width.
fn redactor_for(columns: u16) -> Redactor {
    Redactor::new(Options {
        columns: Some(columns),
        ..Options::default()
    })
}
