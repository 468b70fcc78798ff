//! Moments as lines of text: what the formats for readers share.
//!
//! Secrets are looked for once more in the lines: only a terminal puts together what a program wrote in
//! pieces and in any order.

use std::io::{self, Write};

use super::{Format, Head, LineFeeds, shown_bytes};
use crate::redact::{self, Redactor};
use crate::transcript::render::{LineFeed, Renderer};
use crate::transcript::timeline::{Moment, What};
use crate::view::sanitize;

/// Takes lines, in order and without their newlines.
type Receive<'a> = dyn FnMut(&str) -> io::Result<()> + 'a;

/// Renders moments.
pub(super) struct Rendering<'r> {
    /// None once everything was handed over.
    renderer: Option<Renderer>,
    line_feeds: LineFeeds,
    shown: Vec<u8>,
    mask: Option<Mask<'r>>,
    masked: usize,
}

impl<'r> Rendering<'r> {
    /// Lines of text alone, without what the redactor finds in them.
    pub(super) fn plain(head: &Head, redactor: Option<&'r Redactor>) -> Self {
        Self::of(head, head_renderer(head), redactor)
    }

    /// Lines with their colours, likewise.
    pub(super) fn coloured(head: &Head, redactor: Option<&'r Redactor>) -> Self {
        Self::of(head, head_renderer(head).coloured(), redactor)
    }

    fn of(head: &Head, renderer: Renderer, redactor: Option<&'r Redactor>) -> Self {
        Self {
            renderer: Some(renderer),
            line_feeds: head.line_feeds,
            shown: Vec::new(),
            mask: redactor.map(Mask::new),
            masked: 0,
        }
    }

    /// How many secrets were masked in lines, once everything was handed over.
    pub(super) fn masked(&self) -> usize {
        self.masked
    }

    /// Takes what happened next.
    pub(super) fn moment(
        &mut self,
        moment: &Moment<'_>,
        receive: &mut Receive<'_>,
    ) -> io::Result<()> {
        shown_bytes(moment, self.line_feeds, &mut self.shown);
        let mut received = Ok(());
        let mask = &mut self.mask;
        let mut line = |line: &str| take(mask, &mut received, line, receive);
        if let Some(renderer) = &mut self.renderer {
            match &moment.what {
                What::Resize(size) => renderer.resize(size.columns, size.rows, &mut line),
                _ => renderer.feed(&self.shown, &mut line),
            }
        }
        received
    }

    /// Hands over the rest.
    pub(super) fn end(&mut self, receive: &mut Receive<'_>) -> io::Result<()> {
        let mut received = Ok(());
        if let Some(renderer) = self.renderer.take() {
            let mask = &mut self.mask;
            renderer.finish(&mut |line| take(mask, &mut received, line, receive));
        }
        received?;
        if let Some(mask) = self.mask.take() {
            self.masked = mask.finish(receive)?;
        }
        Ok(())
    }
}

/// Writes a line, harmless.
pub(super) fn write_line(out: &mut impl Write, line: &str) -> io::Result<()> {
    out.write_all(sanitize::line(line).as_bytes())?;
    out.write_all(b"\n")
}

/// A line is handed over unless one before could not be.
fn take(
    mask: &mut Option<Mask<'_>>,
    received: &mut io::Result<()>,
    line: &str,
    receive: &mut Receive<'_>,
) {
    if received.is_ok() {
        *received = match mask {
            Some(mask) => mask.line(line, receive),
            None => receive(line),
        };
    }
}

/// Masks secrets in lines. It holds some back, since a secret may go over several.
struct Mask<'r> {
    stream: redact::Stream<'r>,
    /// What came out of it, and was not handed on: less than a line.
    out: Vec<u8>,
}

impl<'r> Mask<'r> {
    fn new(redactor: &'r Redactor) -> Self {
        Self {
            stream: redactor.stream(redact::Style::Mask),
            out: Vec::new(),
        }
    }

    fn line(&mut self, line: &str, receive: &mut Receive<'_>) -> io::Result<()> {
        self.stream.push(line.as_bytes(), &mut self.out);
        self.stream.push(b"\n", &mut self.out);
        hand_on(&mut self.out, receive)
    }

    /// Hands on the rest, and tells how many secrets there were.
    fn finish(mut self, receive: &mut Receive<'_>) -> io::Result<usize> {
        let found = self.stream.finish(&mut self.out);
        hand_on(&mut self.out, receive)?;
        Ok(usize::try_from(found.total()).unwrap_or(usize::MAX))
    }
}

/// Hands on whole lines.
fn hand_on(out: &mut Vec<u8>, receive: &mut Receive<'_>) -> io::Result<()> {
    let Some(end) = memchr::memrchr(b'\n', out) else {
        return Ok(());
    };
    for line in out[..end].split(|byte| *byte == b'\n') {
        // What was UTF-8 is, with asterisks in it.
        receive(&String::from_utf8_lossy(line))?;
    }
    out.drain(..=end);
    Ok(())
}

/// Counts the secrets that only a terminal puts together: formats for players hold the bytes in which they
/// can't be masked.
pub struct Assembled<'r>(Rendering<'r>);

impl<'r> Assembled<'r> {
    /// Will count in a recording from which what stands in its bytes was taken.
    #[must_use]
    pub fn new(head: &Head, redactor: &'r Redactor) -> Self {
        Self(Rendering::plain(head, Some(redactor)))
    }
}

impl Format for Assembled<'_> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.0.moment(moment, &mut |_| Ok(()))
    }

    fn end(&mut self) -> io::Result<()> {
        self.0.end(&mut |_| Ok(()))
    }

    fn masked(&self) -> usize {
        self.0.masked()
    }
}

fn head_renderer(head: &Head) -> Renderer {
    Renderer::new(head.size.columns, head.size.rows, LineFeed::Plain)
}
