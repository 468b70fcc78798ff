//! A line of shell, read far enough to tell its simple commands and what joins them.
//!
//! Not a parser of the language: quotes, escapes and operators are understood, words are taken as
//! they are written, and what a substitution would give is not asked. Compound commands come apart
//! at their separators, with their keywords dropped.

/// What stands between a simple command and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Nothing, `;`, `&` or the end of a line: it runs whatever happened before.
    Then,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|` or `|&`.
    Pipe,
}

/// A command of a line, with its words unquoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// How it hangs together with the one before.
    pub join: Join,
    /// Its words, at least one.
    pub words: Vec<String>,
}

/// The most commands that are read of one line. What follows is left out.
const COMMANDS_MAX: usize = 64;

/// Words that open or close a compound command, and stand before a command of it.
const KEYWORDS: &[&str] = &[
    "!", "{", "}", "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "time",
];

/// The simple commands of a line, in order.
#[must_use]
pub fn commands(line: &str) -> Vec<Simple> {
    let mut reader = Reader::default();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if reader.found.len() == COMMANDS_MAX {
            return reader.found;
        }
        let doubled = characters.peek() == Some(&character);
        match character {
            '\\' => match characters.next() {
                Some('\n') | None => {}
                Some(escaped) => reader.word_mut().push(escaped),
            },
            '\'' | '"' => quoted(&mut characters, character, reader.word_mut()),
            '#' if reader.word.is_none() => {
                while characters.peek().is_some_and(|next| *next != '\n') {
                    characters.next();
                }
            }
            '&' | '|' if doubled => {
                characters.next();
                reader.end_command(if character == '&' {
                    Join::And
                } else {
                    Join::Or
                });
            }
            // `2>&1`, `&>file` and `>|file` redirect.
            '&' | '|' if reader.word.as_deref().is_some_and(wants_target) => {
                reader.word_mut().push(character);
            }
            '&' if characters.peek() == Some(&'>') => {
                reader.end_word();
                reader.word_mut().push(character);
            }
            '|' => {
                characters.next_if_eq(&'&');
                reader.end_command(Join::Pipe);
            }
            ';' | '&' | '\n' | '(' | ')' => {
                // Parentheses inside a word belong to a substitution or a pattern.
                let word = reader.word.as_deref().unwrap_or_default();
                let is_inside = match character {
                    '(' => !word.is_empty(),
                    ')' => word.matches('(').count() > word.matches(')').count(),
                    _ => false,
                };
                if is_inside {
                    reader.word_mut().push(character);
                } else {
                    reader.end_command(Join::Then);
                }
            }
            '>' | '<' => {
                reader.begin_redirection();
                reader.word_mut().push(character);
                reader.wants_target = true;
            }
            // `> log` is read as `>log`: one word that redirects.
            ' ' | '\t' if reader.wants_target => {}
            _ if character.is_whitespace() => reader.end_word(),
            _ => reader.word_mut().push(character),
        }
    }
    reader.end_command(Join::Then);
    reader.found
}

/// Whether a word is a redirection that ends before its target.
fn wants_target(word: &str) -> bool {
    word.ends_with(['>', '<'])
}

/// Whether a word says where a stream goes: `2>&1`, `>file`, `&>log`.
#[must_use]
pub fn is_redirection(word: &str) -> bool {
    let rest = word.trim_start_matches(|character: char| character.is_ascii_digit());
    rest.starts_with(['>', '<']) || rest.starts_with("&>")
}

/// Whether a word in front of a command sets a variable.
#[must_use]
pub fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else {
        return false;
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(is_name)
}

/// Reads to the closing quote; in double quotes, a backslash takes the next character as it is.
fn quoted(rest: &mut impl Iterator<Item = char>, quote: char, word: &mut String) {
    while let Some(character) = rest.next() {
        match character {
            _ if character == quote => return,
            '\\' if quote == '"' => word.extend(rest.next()),
            _ => word.push(character),
        }
    }
}

#[derive(Default)]
struct Reader {
    found: Vec<Simple>,
    words: Vec<String>,
    word: Option<String>,
    /// Whether the word is a redirection whose file follows.
    wants_target: bool,
    join: Option<Join>,
}

impl Reader {
    fn word_mut(&mut self) -> &mut String {
        self.wants_target = false;
        self.word.get_or_insert_default()
    }

    /// A redirection is a word of its own, together with the number before it; not inside a substitution.
    fn begin_redirection(&mut self) {
        let is_part = |word: &str| {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            is_number || word == "&" || wants_target(word) || word.contains('(')
        };
        if !self.word.as_deref().is_none_or(is_part) {
            self.end_word();
        }
    }

    fn end_word(&mut self) {
        self.wants_target = false;
        let Some(word) = self.word.take() else {
            return;
        };
        if !(self.words.is_empty() && KEYWORDS.contains(&word.as_str())) {
            self.words.push(word);
        }
    }

    /// Ends the command that is being read; the next one is joined to it like this.
    fn end_command(&mut self, next: Join) {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        if words.is_empty() {
            // Of `;` at the end of a line, the line's end says no more.
            return;
        }
        let join = self.join.replace(next).unwrap_or(Join::Then);
        self.found.push(Simple { join, words });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> String {
        let show = |simple: Simple| format!("{:?} {}", simple.join, simple.words.join("·"));
        let shown: Vec<String> = commands(line).into_iter().map(show).collect();
        shown.join(", ")
    }

    #[test]
    fn lines_come_apart_at_their_operators_only() {
        for (line, wanted) in [
            ("cargo test | tail -5", "Then cargo·test, Pipe tail·-5"),
            (
                "a && b || true; c &\nd",
                "Then a, And b, Or true, Then c, Then d",
            ),
            (
                "echo 'a | b' \"c && d\" e\\;f",
                "Then echo·a | b·c && d·e;f",
            ),
            ("make 2>&1 | tee log", "Then make·2>&1, Pipe tee·log"),
            ("make &> log; x |& y", "Then make·&>log, Then x, Pipe y"),
            (
                "make > log 2>&1; x<in>out; y 2> /dev/null",
                "Then make·>log·2>&1, Then x·<in·>out, Then y·2>/dev/null",
            ),
            ("grep '>' a \"b>\" c", "Then grep·>·a·b>·c"),
            ("if true; then ls; fi # no", "Then true, Then ls"),
            ("(cd a; make)", "Then cd·a, Then make"),
            ("! grep x y", "Then grep·x·y"),
            ("echo $(date) | cat", "Then echo·$(date), Pipe cat"),
            ("", ""),
            ("| ; '", "Then "),
        ] {
            assert_eq!(read(line), wanted, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "[ -~\n]{0,40}|\\PC{0,40}") {
            prop_assert!(commands(&line).iter().all(|simple| !simple.words.is_empty()));
        }
    }
}
