//! Moments as lines of text: what the formats for readers share.

use std::io;

use super::{Head, LineFeeds, shown_bytes};
use crate::transcript::render::{LineFeed, Renderer};
use crate::transcript::timeline::Moment;

/// Takes lines, in order and without their newlines.
type Receive<'a> = dyn FnMut(&str) -> io::Result<()> + 'a;

/// Renders moments.
pub(super) struct Rendering {
    /// None once everything was handed over.
    renderer: Option<Renderer>,
    line_feeds: LineFeeds,
    shown: Vec<u8>,
}

impl Rendering {
    /// Lines of text alone.
    pub(super) fn plain(head: &Head) -> Self {
        Self::of(head, head_renderer(head))
    }

    /// Lines with their colours.
    pub(super) fn coloured(head: &Head) -> Self {
        Self::of(head, head_renderer(head).coloured())
    }

    fn of(head: &Head, renderer: Renderer) -> Self {
        Self {
            renderer: Some(renderer),
            line_feeds: head.line_feeds,
            shown: Vec::new(),
        }
    }

    /// Takes what happened next.
    pub(super) fn moment(
        &mut self,
        moment: &Moment<'_>,
        receive: &mut Receive<'_>,
    ) -> io::Result<()> {
        shown_bytes(moment, self.line_feeds, &mut self.shown);
        let mut received = Ok(());
        if let Some(renderer) = &mut self.renderer {
            renderer.feed(&self.shown, &mut |line| take(&mut received, line, receive));
        }
        received
    }

    /// Hands over the rest.
    pub(super) fn end(&mut self, receive: &mut Receive<'_>) -> io::Result<()> {
        let mut received = Ok(());
        if let Some(renderer) = self.renderer.take() {
            renderer.finish(&mut |line| take(&mut received, line, receive));
        }
        received
    }
}

/// A line is handed over unless one before could not be.
fn take(received: &mut io::Result<()>, line: &str, receive: &mut Receive<'_>) {
    if received.is_ok() {
        *received = receive(line);
    }
}

fn head_renderer(head: &Head) -> Renderer {
    Renderer::new(head.size.columns, head.size.rows, LineFeed::Plain)
}
