//! Markdown for issues and reviews: what was run, and what it printed as a fenced block (CommonMark 0.31,
//! 4.5).

use std::io::{self, Write};

use super::rendering::{Rendering, write_line};
use super::{Format, Head};
use crate::redact::Redactor;
use crate::transcript::timeline::Moment;
use crate::view::quote::{self, longest_run};
use crate::view::{sanitize, units};

/// The shortest fence.
const FENCE_LEAST: usize = 3;

/// Measures how long a fence has to be, so that nothing in a recording ends it.
pub struct Fence<'r> {
    rendering: Rendering<'r>,
    longest: usize,
}

impl<'r> Fence<'r> {
    /// Will measure a recording, as [`Markdown`] shows it.
    #[must_use]
    pub fn new(head: &Head, redactor: Option<&'r Redactor>) -> Self {
        Self {
            rendering: Rendering::plain(head, redactor),
            longest: 0,
        }
    }

    /// Its length, in back quotes.
    #[must_use]
    pub fn length(&self) -> usize {
        (self.longest + 1).max(FENCE_LEAST)
    }
}

impl Format for Fence<'_> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        let longest = &mut self.longest;
        self.rendering.moment(moment, &mut |line| {
            *longest = longest_run(line).max(*longest);
            Ok(())
        })
    }

    fn end(&mut self) -> io::Result<()> {
        let longest = &mut self.longest;
        self.rendering.end(&mut |line| {
            *longest = longest_run(line).max(*longest);
            Ok(())
        })
    }
}

/// Writes Markdown.
pub struct Markdown<'r, W> {
    head: Head,
    fence: String,
    rendering: Rendering<'r>,
    out: W,
}

impl<'r, W: Write> Markdown<'r, W> {
    /// Will write to `out`, with the fence that was measured for this recording. What the redactor finds in lines is masked.
    pub fn new(head: Head, fence: &Fence<'_>, redactor: Option<&'r Redactor>, out: W) -> Self {
        Self {
            rendering: Rendering::plain(&head, redactor),
            fence: "`".repeat(fence.length()),
            head,
            out,
        }
    }
}

/// A text as a code span.
fn code(text: &str) -> String {
    quote::span(&sanitize::line(text))
}

impl<W: Write> Format for Markdown<'_, W> {
    fn masked(&self) -> usize {
        self.rendering.masked()
    }

    fn begin(&mut self) -> io::Result<()> {
        let head = &self.head;
        let took = head.duration_ms.map(units::duration);
        let took = took.map(|took| format!(", {took}")).unwrap_or_default();
        writeln!(self.out, "## {}\n", code(&head.command))?;
        let (agent, began) = (code(&head.agent), head.began);
        writeln!(
            self.out,
            "{}{took}, {agent}, {began}",
            sanitize::line(&head.outcome)
        )?;
        if let Some(directory) = &head.directory {
            writeln!(self.out, "in {}", code(directory))?;
        }
        writeln!(self.out, "as {}\n\n{}text", code(&head.title), self.fence)
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        let out = &mut self.out;
        self.rendering
            .moment(moment, &mut |line| write_line(out, line))
    }

    fn end(&mut self) -> io::Result<()> {
        let out = &mut self.out;
        self.rendering.end(&mut |line| write_line(out, line))?;
        writeln!(self.out, "{}\n", self.fence)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::{head, write};
    use crate::session::Stream;

    #[test]
    fn nothing_that_was_printed_ends_the_fence() {
        let pieces: [(Stream, &[u8]); 2] = [
            (Stream::Stdout, b"````\r\n# no heading\r\n``"),
            (Stream::Stdout, b"````\r\n"),
        ];
        let mut head = head();
        head.command = "echo `a`".to_owned();
        let mut fence = Fence::new(&head, None);
        write(&mut fence, &pieces);
        let mut out = Vec::new();
        write(&mut Markdown::new(head, &fence, None, &mut out), &pieces);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "## `` echo `a` ``\n\nexit 3, 1.50s, `ai-agent`, 1970-01-01T00:00:00.000Z\nin `/srv/a`\n\
             as `ai-agent-20260305_132522-3216-2f587606`\n\n```````text\n````\n# no heading\n``````\n\
             ```````\n\n"
        );
    }
}
