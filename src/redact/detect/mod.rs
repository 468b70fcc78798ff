//! Looks closer where the gate found a keyword: is there a secret, and from where to where?
//!
//! Each detector is a function of a view alone. What it reports is the secret itself, without the name
//! or the quotes around it.

pub(super) mod address;
pub(super) mod code;
pub(super) mod command;
pub(super) mod header;
pub(super) mod key;
pub(super) mod look;
pub(super) mod pair;
pub(super) mod password_file;
pub(super) mod random;
pub(super) mod token;
mod words;

use super::class::Class;
use super::view::View;

/// How every replacement begins.
pub(super) const OPENING: &[u8] = b"[REDACTED:";

/// The longest replacement that is recognised as one, without its opening.
pub(super) const REPLACEMENT_BYTES: usize = 160;

/// How thorough a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// What is known to be a secret, or clearly named and looking like one.
    #[default]
    Normal,
    /// Besides, whatever a name says is a secret, and every run of bytes that looks drawn by lot.
    /// Ordinary text is replaced, too.
    Strict,
}

/// A secret that was found, by indexes in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it begins.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) to: usize,
    /// The class of bytes with which it may go on after the view.
    pub(super) open: Option<Class>,
}

impl Found {
    /// A secret that ends where it was seen to.
    pub(super) fn whole(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            open: None,
        }
    }

    /// A secret that goes on after the view with bytes of a class, if it reaches its end.
    fn reaching(view: &View<'_>, from: usize, to: usize, class: Class) -> Self {
        let is_open = to == view.high && !view.ends;
        Self {
            from,
            to,
            open: is_open.then_some(class),
        }
    }
}
