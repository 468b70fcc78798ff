//! A hand-off in so many characters and no more: as Markdown that is framed as data, or as JSON.
//!
//! What doesn't fit is left out piece by piece, the least telling first (`room`), until the text does.
//! Recorded text stands in code spans that it can't end (`quote`), between two lines that it can't
//! know.

mod json;
mod markdown;
mod quote;
mod room;
#[cfg(test)]
mod tests;

pub use json::json;
pub use markdown::markdown;

use crate::handoff::Handoff;
use crate::session::Timestamp;
use room::Room;

/// The least budget: room for the frame, where the work stands, and how to see more.
pub const LEAST: usize = 800;
/// The largest budget: beyond it a hand-off is no summary.
pub const MOST: usize = 50_000;

/// How many recorded texts the largest item has.
const TEXTS_MAX: usize = 6;
/// How many characters of aido's own it has besides, about.
const WORDS_MAX: usize = 400;

/// A hand-off, and how it is to be shown.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// What to show.
    pub handoff: &'a Handoff,
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The most characters, line ends included; at least [`LEAST`].
    pub budget: usize,
    /// The option that names the store to further words, where they need one.
    pub store_option: Option<&'a str>,
}

/// Makes a text as large as fits.
fn fit(shown: &Shown<'_>, make: &dyn Fn(&Room) -> String) -> String {
    let mut room = Room::of(shown.budget, shown.handoff);
    loop {
        let text = make(&room);
        let excess = text.chars().count().saturating_sub(shown.budget);
        if excess == 0 || !room.shrink() {
            return text;
        }
        // Where much is too much, as many steps at once as can't give up more than that.
        let largest = TEXTS_MAX * room.text + WORDS_MAX;
        for _ in 0..excess.saturating_sub(largest) / largest {
            room.shrink();
        }
    }
}
