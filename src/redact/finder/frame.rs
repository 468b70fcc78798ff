//! What is looked at in one go, and where its bytes stand in the input.

use super::{AHEAD_BYTES, BEHIND_BYTES};
use crate::redact::view::{Text, View};

/// What is looked at: the input, and a text made from it.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) raw: &'a [u8],
    pub(super) text: Text<'a>,
    /// Whether nothing comes after it.
    pub(super) is_last: bool,
    /// Whether escape sequences are taken out of it.
    pub(super) is_visible: bool,
}

impl<'a> Frame<'a> {
    /// What is looked at around an index in the text.
    pub(super) fn view(&self, columns: Option<u16>, at: usize) -> View<'a> {
        self.view_at(columns, self.text.offset(at))
    }

    /// What is looked at around an offset in the input.
    pub(super) fn view_at(&self, columns: Option<u16>, offset: usize) -> View<'a> {
        let end = offset + AHEAD_BYTES;
        let is_whole = end >= self.raw.len();
        View {
            text: self.text,
            low: self.text.index(offset.saturating_sub(BEHIND_BYTES)),
            high: if is_whole {
                self.text.bytes.len()
            } else {
                self.text.index(end)
            },
            ends: self.is_last && is_whole,
            end_offset: end.min(self.raw.len()),
            joint: None,
            columns,
        }
    }

    /// The stretches of the input that make up a part of the text, without what is invisible between
    /// them, widened to whole characters.
    pub(super) fn stretches(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut stretches: Vec<(usize, usize)> = Vec::new();
        if self.text.stretches.is_empty() {
            stretches.push((from, to));
        }
        for (index, offset, length) in self.text.stretches_between(from, to) {
            // A line end that stands for a movement of the cursor is in the text alone.
            let is_line_end = self.text.bytes.get(index) == Some(&b'\n');
            let is_there = !is_line_end || self.raw.get(offset) == Some(&b'\n');
            let skipped = usize::from(!is_there);
            if length > skipped {
                stretches.push((offset + skipped, offset + length));
            }
        }
        let echoes = self.text.echoes_between(from, to);
        stretches.extend(echoes.map(|offset| (offset, offset + 1)));
        for (from, to) in &mut stretches {
            *from = character_start(self.raw, *from);
            *to += (0..3)
                .take_while(|more| is_inside(self.raw, *to + more))
                .count();
        }
        stretches
    }
}

/// Whether an offset is inside of a character in UTF-8.
fn is_inside(raw: &[u8], offset: usize) -> bool {
    raw.get(offset).is_some_and(|byte| byte & 0xc0 == 0x80)
}

/// The nearest offset, not after this one, that isn't inside of a character.
pub(super) fn character_start(raw: &[u8], offset: usize) -> usize {
    let back = (0..4.min(offset + 1)).find(|back| !is_inside(raw, offset - back));
    offset - back.unwrap_or(0)
}
