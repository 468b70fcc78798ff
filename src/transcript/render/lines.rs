//! Responsible for turning pieces of text into finished lines: joins what the terminal wrapped, trims
//! trailing blanks, holds blank lines back until something follows them, and hands over a line that
//! outgrows the limit in pieces. Not responsible for knowing what is on the screen.
//!
//! Invariant: the lines handed over depend on the text alone, never on how it was cut into `append`s.

/// Bytes of one line that are collected before it is handed over in pieces.
pub(super) const LINE_LIMIT_BYTES: usize = 1024 * 1024;

/// Blanks that are copied at a time when held-back blanks turn out to be inside a line.
const BLANKS: &str = "                                                                ";

/// Takes finished lines, in order, without their newline.
pub(super) type Receiver<'a> = dyn FnMut(&str) + 'a;

/// The line that is being put together, and the blank space before it that may still be dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    text: String,
    /// Blanks seen after `text`: part of the line only if something else follows on it.
    blanks: usize,
    /// Empty lines seen since the last line: part of the text only if another line follows.
    empty_lines: u64,
    /// Whether a piece of the current line was already handed over.
    split: bool,
}

impl Lines {
    /// Tells whether the current line has begun.
    pub(super) fn is_open(&self) -> bool {
        self.split || self.blanks > 0 || !self.text.is_empty()
    }

    /// Adds text to the current line.
    pub(super) fn append(&mut self, text: &str, receiver: &mut Receiver<'_>) {
        let visible = text.trim_end_matches(' ');
        if !visible.is_empty() {
            let mut blanks = std::mem::take(&mut self.blanks);
            while blanks > 0 {
                let some = blanks.min(BLANKS.len());
                self.push(&BLANKS[..some], receiver);
                blanks -= some;
            }
            self.push(visible, receiver);
        }
        self.blanks += text.len() - visible.len();
    }

    /// Ends the current line.
    pub(super) fn end(&mut self, receiver: &mut Receiver<'_>) {
        if !self.text.is_empty() {
            self.hand_over(receiver);
        } else if !self.split {
            self.empty_lines += 1;
        }
        self.blanks = 0;
        self.split = false;
    }

    /// Ends the current line if it has begun.
    pub(super) fn end_open(&mut self, receiver: &mut Receiver<'_>) {
        if self.is_open() {
            self.end(receiver);
        }
    }

    /// Adds a whole line, without copying it where it can be handed over as it is.
    pub(super) fn whole(&mut self, text: &str, receiver: &mut Receiver<'_>) {
        if self.is_open() || text.len() > LINE_LIMIT_BYTES {
            self.append(text, receiver);
            self.end(receiver);
            return;
        }
        let visible = text.trim_end_matches(' ');
        if visible.is_empty() {
            self.empty_lines += 1;
        } else {
            self.hand_over_empty_lines(receiver);
            receiver(visible);
        }
    }

    /// Counts the bytes held, for tests of the memory bound.
    #[cfg(test)]
    pub(super) fn retained_bytes(&self) -> usize {
        self.text.capacity()
    }

    fn push(&mut self, mut text: &str, receiver: &mut Receiver<'_>) {
        while self.text.len() + text.len() > LINE_LIMIT_BYTES {
            let mut room = LINE_LIMIT_BYTES - self.text.len();
            while !text.is_char_boundary(room) {
                room -= 1;
            }
            // A colour stays in one piece; it is far shorter than the limit.
            if let Some(escape) = text[..room].rfind('\u{1b}')
                && !text[escape..room].contains('m')
            {
                room = escape;
            }
            let (piece, rest) = text.split_at(room);
            self.text.push_str(piece);
            self.hand_over(receiver);
            self.split = true;
            text = rest;
        }
        self.text.push_str(text);
    }

    fn hand_over(&mut self, receiver: &mut Receiver<'_>) {
        self.hand_over_empty_lines(receiver);
        receiver(&self.text);
        self.text.clear();
    }

    fn hand_over_empty_lines(&mut self, receiver: &mut Receiver<'_>) {
        for _ in 0..std::mem::take(&mut self.empty_lines) {
            receiver("");
        }
    }
}
