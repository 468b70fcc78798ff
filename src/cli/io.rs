//! The only place that prints.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::sys::stream;
use crate::view::sanitize;

/// Buffered output whose reader may go away, which is no error.
pub struct Out {
    writer: BufWriter<Box<dyn Write>>,
    broken: bool,
}

impl Out {
    /// Standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::to(Box::new(io::stdout().lock()))
    }

    /// Something else that is read: a pager.
    #[must_use]
    pub fn to(target: Box<dyn Write>) -> Self {
        Self {
            writer: BufWriter::with_capacity(64 * 1024, target),
            broken: false,
        }
    }

    /// Writes text and all that waits.
    ///
    /// # Errors
    /// As [`Write::write_all`], but a reader that went away is success.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.write_all(text.as_bytes())?;
        self.flush()
    }

    /// Writes a value as JSON in which nothing acts on a terminal.
    ///
    /// # Errors
    /// As [`Write::write_all`], but a reader that went away is success.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.write_all(sanitize::json(&text).as_bytes())
    }

    /// Whether anybody still reads.
    #[must_use]
    pub fn is_read(&self) -> bool {
        !self.broken
    }

    fn forgive<T: Default>(&mut self, result: io::Result<T>) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.broken = true;
                Ok(T::default())
            }
            result => result,
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Ok(bytes.len());
        }
        let written = self.writer.write(bytes);
        self.forgive(written)
            .map(|count| if self.broken { bytes.len() } else { count })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.broken {
            return Ok(());
        }
        let flushed = self.writer.flush();
        self.forgive(flushed)
    }
}

/// Says a line on standard error; lost if nobody takes it.
pub fn say(line: &str) {
    let mut text = line.to_owned();
    text.push('\n');
    stream::say(&text);
}

/// Draws on standard error, where there is a terminal; lost if it takes nothing just now.
pub fn draw(text: &str) {
    stream::say(text);
}

/// An exit code. std's own can't be turned into a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode(pub u8);

impl ExitCode {
    /// Done.
    pub const SUCCESS: Self = Self(0);
    /// Not done.
    pub const FAILURE: Self = Self(1);
}

/// An exit code of 0 to 255.
#[must_use]
pub fn code(code: i32) -> ExitCode {
    ExitCode(u8::try_from(code).unwrap_or(u8::MAX))
}

/// The exit code of a program that only prints.
#[must_use]
pub fn finish(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("aido: standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}
