//! One line on a terminal that says how far a long task is. Nobody but a person sees it, and only
//! when the task takes long; nothing of it stays.

use std::cell::RefCell;
use std::io::{IsTerminal, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::io;
use crate::caller;
use crate::clock::Stopwatch;
use crate::environment::Environment;
use crate::store::Recorded;
use crate::store::observer::{Observer, Task};
use crate::sys::{stream, terminal};
use crate::view::units;

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

/// Shows how far the reading of a recording is, and gives way to what is printed of it; by default nobody
/// watches.
#[derive(Clone, Debug, Default)]
pub struct ReadingProgress(Option<Rc<RefCell<Reading>>>);

#[derive(Debug)]
struct Reading {
    line: Progress,
    /// Whether standard output is a file: then nothing that is printed is in the line's way.
    goes_to_file: bool,
    /// Whether something was printed where the line would be drawn.
    is_in_the_way: bool,
}

impl ReadingProgress {
    /// Starts to watch. Nobody does where [`Progress`] would show nothing.
    #[must_use]
    pub fn start() -> Self {
        let line = Progress::start();
        let is_watched = line.watched.is_some();
        Self(is_watched.then(|| {
            Rc::new(RefCell::new(Reading {
                line,
                goes_to_file: stream::is_file(std::io::stdout()),
                is_in_the_way: false,
            }))
        }))
    }

    /// Something is about to be printed: on the same terminal, or by a program that may draw there. The
    /// line goes, and comes again only if [`Self::go_on`] says so.
    pub fn give_way(&self) {
        let Some(mut reading) = self.0.as_ref().map(|reading| reading.borrow_mut()) else {
            return;
        };
        if !reading.goes_to_file && !reading.is_in_the_way {
            reading.line.clear();
            reading.is_in_the_way = true;
        }
    }

    /// All that was printed is seen, and the next line is free.
    pub fn go_on(&self) {
        if let Some(reading) = &self.0 {
            reading.borrow_mut().is_in_the_way = false;
        }
    }

    /// The same file, whose reading is shown.
    #[must_use]
    pub fn of(&self, file: Box<dyn Recorded>, size_bytes: u64) -> Box<dyn Recorded> {
        match &self.0 {
            None => file,
            Some(reading) => Box::new(Watched {
                file,
                reading: Rc::clone(reading),
                place: 0,
                size_bytes,
            }),
        }
    }
}

/// A file of which somebody watches how far it is read.
struct Watched {
    file: Box<dyn Recorded>,
    reading: Rc<RefCell<Reading>>,
    place: u64,
    size_bytes: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.place += count as u64;
        let mut reading = self.reading.borrow_mut();
        if !reading.is_in_the_way {
            let (done, all) = (self.place.min(self.size_bytes), self.size_bytes);
            reading
                .line
                .show(|| format!("reading: {} of {}", units::size(done), units::size(all)));
        }
        Ok(count)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.place = self.file.seek(to)?;
        Ok(self.place)
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

    /// A reading of which somebody watches, with a line that is drawn from the first moment on.
    fn watched(goes_to_file: bool) -> ReadingProgress {
        let line = Progress {
            watched: Some(Stopwatch::start()),
            due: Duration::ZERO,
            drawn: 0,
        };
        ReadingProgress(Some(Rc::new(RefCell::new(Reading {
            line,
            goes_to_file,
            is_in_the_way: false,
        }))))
    }

    #[test]
    fn reading_gives_way_to_what_is_printed_unless_that_goes_to_a_file() {
        for (goes_to_file, drawn_after) in [(false, false), (true, true)] {
            let progress = watched(goes_to_file);
            let is_drawn = || progress.0.as_ref().unwrap().borrow().line.drawn > 0;
            let due_again = || progress.0.as_ref().unwrap().borrow_mut().line.due = Duration::ZERO;
            let mut file = progress.of(Box::new(std::io::Cursor::new(vec![0; 4])), 4);
            let mut read = || file.read(&mut [0]).unwrap();
            assert_eq!(read(), 1);
            assert!(is_drawn());
            progress.give_way();
            assert_eq!(is_drawn(), drawn_after);
            due_again();
            read();
            assert_eq!(is_drawn(), drawn_after);
            progress.go_on();
            due_again();
            read();
            assert!(is_drawn());
        }
    }

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
