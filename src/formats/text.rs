//! Plain text, as a person would have read it at the end.

use std::io::{self, Write};

use super::rendering::{Rendering, write_line};
use super::{Format, Head};
use crate::redact::Redactor;
use crate::transcript::timeline::Moment;

/// Whether a line says first which session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// It doesn't: there is one session.
    None,
    /// It does: there are several.
    Line,
}

/// Writes text.
pub struct Text<'r, W> {
    head: Head,
    heading: Heading,
    rendering: Rendering<'r>,
    out: W,
}

impl<'r, W: Write> Text<'r, W> {
    /// Will write to `out`. What the redactor finds in lines is masked.
    pub fn new(head: Head, heading: Heading, redactor: Option<&'r Redactor>, out: W) -> Self {
        Self {
            rendering: Rendering::plain(&head, redactor),
            head,
            heading,
            out,
        }
    }
}

impl<W: Write> Format for Text<'_, W> {
    fn masked(&self) -> usize {
        self.rendering.masked()
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.heading == Heading::None {
            return Ok(());
        }
        let (title, command) = (&self.head.title, &self.head.command);
        write_line(&mut self.out, &format!("==> {title}: {command} <=="))
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        let out = &mut self.out;
        self.rendering
            .moment(moment, &mut |line| write_line(out, line))
    }

    fn end(&mut self) -> io::Result<()> {
        let out = &mut self.out;
        self.rendering.end(&mut |line| write_line(out, line))?;
        if self.heading == Heading::Line {
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::{head, write};
    use crate::session::Stream;

    #[test]
    fn lines_are_as_they_were_read_and_none_of_them_acts() {
        let mut out = Vec::new();
        let mut text = Text::new(head(), Heading::Line, None, &mut out);
        let pieces: [(Stream, &[u8]); 2] = [
            (
                Stream::Stdout,
                b"50%\r100%\r\n\x1b[31mred\x1b[0m\xe2\x80\xaex",
            ),
            (Stream::Stderr, b"\nwhy\n"),
        ];
        write(&mut text, &pieces);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "==> ai-agent-20260305_132522-3216-2f587606: git status <==\n100%\nred<U+202E>x\nwhy\n\n"
        );
    }
}
