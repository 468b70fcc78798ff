//! Words, joins and redirections of a line, as far as bash, dash and zsh read them alike. Everything else is
//! refused, with its name.

use std::ops::Range;

use super::{Reason, words};

/// What stands between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// `;`
    Then,
    /// The end of a line.
    Line,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
}

/// One word, as it stands in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word<'l> {
    pub(super) text: &'l str,
    pub(super) span: Range<usize>,
}

impl<'l> Word<'l> {
    /// Whether it means itself: a name, or a path, of the letters that programs are made of.
    pub(super) fn is_plain(&self) -> bool {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+-:,@".contains(&byte);
        // The shells' own tests and their way of doing nothing.
        self.text == "["
            || (self.text.bytes().all(is_letter) && !self.text.starts_with(['-', '+', '@', ',']))
    }

    /// The variable that it sets, if it is an assignment.
    pub(super) fn assigned(&self) -> Option<&'l str> {
        let (name, _) = self.text.split_once('=')?;
        let name = name.strip_suffix('+').unwrap_or(name);
        is_name(name).then_some(name)
    }
}

/// Whether a text can be a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(is_letter)
        && text
            .bytes()
            .next()
            .is_some_and(|first| !first.is_ascii_digit())
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'l> {
    Word(Word<'l>),
    /// One that only says where streams go, and opens no file for writing.
    Redirection,
    Join(Join),
}

const fn refuse<T>(what: &'static str) -> Result<T, Reason> {
    Err(Reason::Construct(what))
}

/// The pieces of a line.
///
/// # Errors
/// What is in it that is not understood.
pub(super) fn tokens(line: &str) -> Result<Vec<Token<'_>>, Reason> {
    if line
        .bytes()
        .any(|byte| byte.is_ascii_control() && byte != b'\n' && byte != b'\t')
    {
        return refuse("a control character");
    }
    let mut reader = Reader {
        line,
        bytes: line.as_bytes(),
        at: 0,
    };
    let mut tokens: Vec<Token<'_>> = Vec::new();
    while let Some(token) = reader.token()? {
        // A line may go on after these.
        let continues = matches!(
            tokens.last(),
            Some(Token::Join(Join::And | Join::Or | Join::Pipe))
        );
        if !(continues && token == Token::Join(Join::Line)) {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

struct Reader<'l> {
    line: &'l str,
    bytes: &'l [u8],
    at: usize,
}

impl<'l> Reader<'l> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.bytes[self.at..].starts_with(text.as_bytes())
    }

    fn token(&mut self) -> Result<Option<Token<'l>>, Reason> {
        while matches!(self.peek(0), Some(b' ' | b'\t')) || self.starts_with("\\\n") {
            self.at += if self.peek(0) == Some(b'\\') { 2 } else { 1 };
        }
        let Some(byte) = self.peek(0) else {
            return Ok(None);
        };
        let (join, length) = match (byte, self.peek(1)) {
            (b'\n', _) => (Join::Line, 1),
            (b';', Some(b';' | b'&' | b'|')) => return refuse("the end of a case"),
            (b';', _) => (Join::Then, 1),
            (b'&', Some(b'&')) => (Join::And, 2),
            (b'&', _) => return refuse("a command in the background"),
            (b'|', Some(b'|')) => (Join::Or, 2),
            (b'|', Some(b'&')) => return refuse("|&"),
            (b'|', _) => (Join::Pipe, 1),
            (b'<' | b'>', _) => {
                self.redirection(None)?;
                return Ok(Some(Token::Redirection));
            }
            (b'(' | b')', _) => return refuse("a parenthesis"),
            (b'#', _) => return refuse("a comment"),
            _ => return self.word().map(Some),
        };
        self.at += length;
        Ok(Some(Token::Join(join)))
    }

    /// A word, or the redirection that its digits belong to.
    fn word(&mut self) -> Result<Token<'l>, Reason> {
        let span = self.read_word()?;
        let text = &self.line[span.clone()];
        if matches!(text, "{" | "}") {
            return refuse("a brace");
        }
        if matches!(self.peek(0), Some(b'<' | b'>')) {
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                self.redirection(Some(text))?;
                return Ok(Token::Redirection);
            }
            if text.ends_with('}') {
                return refuse("a redirection of a named descriptor");
            }
        }
        Ok(Token::Word(Word { text, span }))
    }

    fn read_word(&mut self) -> Result<Range<usize>, Reason> {
        let start = self.at;
        while let Some(byte) = self.peek(0) {
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' => break,
                b'(' | b')' => return refuse("a parenthesis"),
                b'!' => return refuse("an exclamation mark"),
                b'^' if self.at == 0 => return refuse("a change of history"),
                b'\'' => self.single_quoted()?,
                b'"' => self.double_quoted()?,
                b'`' => return refuse("a command substitution"),
                b'$' => self.expansion()?,
                b'\\' => self.escaped()?,
                _ => self.at += 1,
            }
        }
        Ok(start..self.at)
    }

    fn single_quoted(&mut self) -> Result<(), Reason> {
        let rest = &self.bytes[self.at + 1..];
        match rest.iter().position(|byte| *byte == b'\'') {
            Some(length) => self.at += length + 2,
            None => return refuse("a quote that is not closed"),
        }
        Ok(())
    }

    fn double_quoted(&mut self) -> Result<(), Reason> {
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return refuse("a quote that is not closed"),
                Some(b'"') => break,
                Some(b'`') => return refuse("a command substitution"),
                // An interactive shell looks its history up inside of these quotes, too.
                Some(b'!') => return refuse("an exclamation mark"),
                Some(b'$') => self.expansion()?,
                Some(b'\\') => self.escaped()?,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escaped(&mut self) -> Result<(), Reason> {
        let Some(next) = self.line[self.at + 1..].chars().next() else {
            return refuse("a backslash at its end");
        };
        self.at += 1 + next.len_utf8();
        Ok(())
    }

    /// A variable by its plain name; what else begins with `$` is read differently by different shells, or
    /// runs a command.
    fn expansion(&mut self) -> Result<(), Reason> {
        self.at += 1;
        let name_bytes = |bytes: &[u8]| {
            let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
            bytes.iter().take_while(is_letter).count()
        };
        match self.peek(0) {
            Some(b'(') => refuse("a command substitution"),
            Some(b'{') => {
                let length = name_bytes(&self.bytes[self.at + 1..]);
                let is_closed = self.peek(length + 1) == Some(b'}');
                if length == 0 || !is_closed {
                    return refuse("an expansion with an operator");
                }
                self.refuse_telling(self.at + 1, length)?;
                self.at += length + 2;
                Ok(())
            }
            Some(b'?' | b'$' | b'#' | b'@' | b'*' | b'-') => {
                self.at += 1;
                self.refuse_subscript()
            }
            Some(byte) if byte.is_ascii_digit() => {
                self.at += 1;
                self.refuse_subscript()
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length = name_bytes(&self.bytes[self.at..]);
                self.refuse_telling(self.at, length)?;
                self.at += length;
                self.refuse_subscript()
            }
            Some(b' ' | b'/' | b'.' | b',' | b'%' | b'=') => Ok(()),
            _ => refuse("a dollar sign"),
        }
    }

    fn refuse_telling(&self, start: usize, length: usize) -> Result<(), Reason> {
        match words::is_telling(&self.line[start..start + length]) {
            true => refuse("a variable that holds the line itself"),
            false => Ok(()),
        }
    }

    /// zsh reads a subscript after a bare name, and blanks in it.
    fn refuse_subscript(&self) -> Result<(), Reason> {
        if self.peek(0) == Some(b'[') || self.starts_with("\\\n") {
            return refuse("a subscript");
        }
        Ok(())
    }

    /// Says where a stream goes; `number` is the descriptor, where one is named.
    fn redirection(&mut self, number: Option<&str>) -> Result<(), Reason> {
        let is_input = self.peek(0) == Some(b'<');
        let fits = match number {
            None => true,
            Some(number) if is_input => number == "0",
            Some(number) => matches!(number, "1" | "2"),
        };
        if !fits {
            return refuse("a redirection of another descriptor");
        }
        self.at += 1;
        if is_input {
            if matches!(self.peek(0), Some(b'<' | b'>' | b'&')) {
                return refuse("a here-document, or a redirection of both ways");
            }
            return self.target().map(drop);
        }
        if self.peek(0) == Some(b'&') {
            let is_known = matches!(self.peek(1), Some(b'1' | b'2'));
            let ends = self.peek(2).is_none_or(|byte| b" \t\n;&|".contains(&byte));
            if !is_known || !ends {
                return refuse("a redirection to another descriptor");
            }
            self.at += 2;
            return Ok(());
        }
        if matches!(self.peek(0), Some(b'>' | b'|')) {
            return refuse("output that goes to a file");
        }
        match self.target()? {
            "/dev/null" => Ok(()),
            _ => refuse("output that goes to a file"),
        }
    }

    fn target(&mut self) -> Result<&'l str, Reason> {
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let is_continued = self.starts_with("\\\n");
        let span = self.read_word()?;
        if span.is_empty() || is_continued {
            return refuse("a redirection to nowhere");
        }
        // zsh takes `<1-5>` for a pattern of numbers.
        if matches!(self.peek(0), Some(b'<' | b'>')) {
            return refuse("a redirection right behind another");
        }
        Ok(&self.line[span])
    }
}
