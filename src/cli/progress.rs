//! One line on a terminal that says how far a long task is. Nobody but a person sees it, and only
//! when the task takes long; nothing of it stays.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::io;
use crate::caller;
use crate::clock::Stopwatch;
use crate::environment::Environment;
use crate::store::observer::{Observer, Task};
use crate::sys::terminal;

/// A task that ends within this time shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks of the line.
const PAUSE: Duration = Duration::from_millis(100);

/// Shows how far the store is.
#[derive(Debug)]
pub struct StoreProgress(Mutex<Progress>);

impl StoreProgress {
    /// Somebody to tell; none where nobody watches.
    #[must_use]
    pub fn watched() -> Option<Arc<dyn Observer>> {
        let progress = Progress::start();
        let is_watched = progress.watched.is_some();
        is_watched.then(|| Arc::new(Self(Mutex::new(progress))) as Arc<dyn Observer>)
    }

    fn line(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for StoreProgress {
    fn reached(&self, task: Task, done: usize, total: usize) {
        let what = match task {
            Task::Indexing => "making the index",
            Task::Checking => "reading",
        };
        self.line()
            .show(|| format!("{what}: {done} of {total} sessions"));
    }

    fn ended(&self) {
        self.line().clear();
    }
}

/// The line. Dropping it takes it away.
#[derive(Debug)]
#[must_use]
pub struct Progress {
    /// None where nobody watches.
    watched: Option<Stopwatch>,
    /// When the line is drawn next.
    due: Duration,
    /// Columns that are taken now.
    drawn: usize,
}

impl Progress {
    /// Starts a task. A person watches where standard error is a terminal and no agent program is
    /// known to sit before it.
    pub fn start() -> Self {
        let is_watched = std::io::stderr().is_terminal()
            && caller::identify(None, &Environment::of_process())
                .harness
                .is_none();
        Self {
            watched: is_watched.then(Stopwatch::start),
            due: PATIENCE,
            drawn: 0,
        }
    }

    /// Shows what `line` says, if it is time to.
    pub fn show(&mut self, line: impl FnOnce() -> String) {
        let Some(elapsed) = self.watched.map(|stopwatch| stopwatch.elapsed()) else {
            return;
        };
        if elapsed < self.due {
            return;
        }
        self.due = elapsed + PAUSE;
        // A line that reaches the edge would wrap, and then stay.
        let size = terminal::size(std::io::stderr());
        let width = size
            .map_or(80, |size| usize::from(size.columns))
            .saturating_sub(1);
        let text = redrawn(&line(), self.drawn, width);
        self.drawn = text.width();
        io::draw(&format!("\r{text}"));
    }

    /// Takes the line away, so that something else can be printed.
    pub fn clear(&mut self) {
        if self.drawn > 0 {
            io::draw(&format!("\r{}\r", " ".repeat(self.drawn)));
            self.drawn = 0;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A line cut to a width, with blanks over what is left of the one before. Without escape
/// sequences: every terminal knows blanks.
fn redrawn(line: &str, drawn: usize, width: usize) -> String {
    let mut text = String::new();
    for character in line.chars() {
        text.push(character);
        if text.width() > width {
            text.pop();
            break;
        }
    }
    let blanks = drawn.min(width).saturating_sub(text.width());
    text.extend(std::iter::repeat_n(' ', blanks));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_covers_the_one_before_and_never_wraps() {
        for (line, drawn, width, expected) in [
            ("3 of 10", 0, 79, "3 of 10"),
            ("3 of 10", 10, 79, "3 of 10   "),
            ("3 of 10", 0, 4, "3 of"),
            ("日本", 0, 3, "日"),
            ("3", 10, 4, "3   "),
            ("3 of 10", 7, 0, ""),
        ] {
            assert_eq!(redrawn(line, drawn, width), expected, "{line}");
        }
    }
}
