//! Recorded output as lines of text, read piece by piece: memory does not grow with the output.

use std::io::{self, Read, Seek};

use super::output::Output;
use super::render::{LineFeed, Renderer};
use super::slices::Slices;

/// Bytes that are read at a time.
const PORTION_BYTES: usize = 64 * 1024;

/// The terminal that recorded bytes were made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Cells in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
    /// What a line feed means.
    pub line_feed: LineFeed,
}

impl Form {
    /// A renderer for such bytes.
    #[must_use]
    pub fn renderer(self) -> Renderer {
        Renderer::new(self.columns, self.rows, self.line_feed)
    }
}

/// Recorded output that can be read more than once.
pub enum Source<T, E> {
    /// All of it, as it is in the transcript.
    Whole(Output<T>),
    /// Told apart by the events.
    Slices(Slices<T, E>),
}

impl<T: Read + Seek, E: Read + Seek> Source<T, E> {
    /// Goes to a place; slices know but their beginning.
    ///
    /// # Errors
    /// When a file can't be read again.
    pub fn go_to(&mut self, place: u64) -> io::Result<()> {
        match self {
            Self::Whole(output) => {
                output.go_to(place);
                Ok(())
            }
            Self::Slices(slices) => slices.rewind(),
        }
    }
}

impl<T: Read + Seek, E: Read + Seek> Read for Source<T, E> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(output) => output.read(buffer),
            Self::Slices(slices) => slices.read(buffer),
        }
    }
}

/// Whether there may be more lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There may be.
    More,
    /// That was all.
    End,
}

/// Renders what a source holds, from where it stands.
pub struct TextReader<'a, R> {
    source: &'a mut R,
    /// None once everything was handed over.
    renderer: Option<Renderer>,
    buffer: Vec<u8>,
}

impl<'a, R: Read> TextReader<'a, R> {
    /// A reader of this source.
    pub fn new(source: &'a mut R, form: Form) -> Self {
        Self {
            source,
            renderer: Some(form.renderer()),
            buffer: vec![0; PORTION_BYTES],
        }
    }

    /// Reads a portion and hands over the lines that it finishes, without their newlines.
    ///
    /// # Errors
    /// When the source can't be read.
    pub fn step(&mut self, line: &mut dyn FnMut(&str)) -> io::Result<Step> {
        let count = loop {
            match self.source.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        if count > 0 {
            if let Some(renderer) = &mut self.renderer {
                renderer.feed(&self.buffer[..count], line);
                return Ok(Step::More);
            }
        } else if let Some(renderer) = self.renderer.take() {
            renderer.finish(line);
        }
        Ok(Step::End)
    }
}
