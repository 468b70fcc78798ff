//! How much of each is shown.

use crate::handoff::Handoff;

/// The shortest that a recorded text is cut to, in characters.
const TEXT_LEAST: usize = 24;

/// How much of each is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) failures: usize,
    pub(super) lessons: usize,
    pub(super) tasks: usize,
    pub(super) notes: usize,
    pub(super) commands: usize,
    pub(super) turns: usize,
    pub(super) unknown: usize,
    /// Of each recorded text, in characters.
    pub(super) text: usize,
}

impl Room {
    /// What may fit.
    pub(super) fn of(budget: usize, handoff: &Handoff) -> Self {
        let share = |least: usize, there: usize| (budget / least).min(there);
        Self {
            failures: share(250, handoff.failures.len()),
            lessons: share(200, handoff.lessons.len()),
            tasks: share(250, handoff.tasks.len()),
            notes: share(250, handoff.notes.len()),
            commands: share(150, handoff.commands.len()),
            turns: share(200, handoff.turns.len()),
            unknown: handoff.unknown.len(),
            text: (budget / 16).clamp(60, 400),
        }
    }

    /// Gives up what tells least; false if nothing is left to give up.
    pub(super) fn shrink(&mut self) -> bool {
        // How much each is worth giving up, the more there are of it.
        let shares = [
            (self.commands, 10),
            (self.turns, 13),
            (self.notes, 12),
            (self.tasks, 11),
            (self.lessons, 9),
            (self.failures, 6),
        ];
        let largest = shares.iter().enumerate();
        let largest = largest.max_by_key(|(_, (count, weight))| count * weight);
        let index = match largest {
            Some((index, (2.., _))) => Some(index),
            // One of each: shorter texts first, then the least telling.
            _ if self.text > TEXT_LEAST => {
                self.text = (self.text * 3 / 4).max(TEXT_LEAST);
                return true;
            }
            _ => shares.iter().position(|(count, _)| *count > 0),
        };
        let count = match index {
            Some(0) => &mut self.commands,
            Some(1) => &mut self.turns,
            Some(2) => &mut self.notes,
            Some(3) => &mut self.tasks,
            Some(4) => &mut self.lessons,
            Some(_) => &mut self.failures,
            None => &mut self.unknown,
        };
        let was = *count;
        *count = was.saturating_sub(1);
        was > 0
    }
}
