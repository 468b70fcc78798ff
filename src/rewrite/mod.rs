//! A line of shell with aido put before the commands in it that are worth recording; or nothing, where it
//! isn't certain that this changes nothing. Reads nothing, runs nothing.
//!
//! aido goes directly before a program's name, and no other byte of the line is touched: the shell that the
//! line is for still expands the words, opens the files, and joins the commands. A line that isn't
//! understood to its last byte is left alone; so are commands that could tell the difference. That a
//! rewritten line does the same is proved in bash, dash and zsh by `tests/it/rewriting.rs`.

mod kept;
mod lexer;
mod settled;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::ops::Range;

use lexer::{Join, Token, Word};
pub use words::FILTERS;

/// What is put before a program's name. The option says that nobody asked for aido: it is silent, refuses and
/// ends nothing, and leaves a pipe a pipe.
pub const PREFIX: &str = "aido --hooked -- ";

/// Opened by their paths, streams tell what they are, which is not always a pipe.
const STREAMS: &[&str] = &["/dev/std", "/dev/fd", "/dev/tty", "/proc/"];

/// The longest line that is looked at.
const LINE_BYTES: usize = 64 * 1024;

/// Why a line is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no command in it.
    Empty,
    /// It is longer than any that is looked at.
    TooLong,
    /// It has a construct that is not understood, or that nothing may be put before.
    Construct(&'static str),
    /// A command changes the shell in a way that may change what the rest means.
    ChangesShell(String),
    /// aido is in it already.
    Recorded,
    /// No program of this name is on PATH, so it may be a function or an alias.
    NotAProgram(String),
    /// A variable that programs are found or started by is set.
    Variable(String),
    /// A command may change which programs the names after it lead to.
    MayChangePrograms(String),
    /// A command after one that would be recorded looks at all files, the recording's too.
    LooksAtFiles(String),
    /// Nothing in it is both worth recording and certain not to notice.
    NothingToRecord,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("there is no command in it"),
            Self::TooLong => formatter.write_str("it is too long"),
            Self::Construct(what) => write!(formatter, "it has {what}"),
            Self::ChangesShell(head) => {
                write!(formatter, "{head} is the shell's own, or changes it")
            }
            Self::Recorded => formatter.write_str("it runs under aido already"),
            Self::NotAProgram(head) => write!(formatter, "{head} is no program on PATH"),
            Self::Variable(name) => write!(formatter, "it sets {name}"),
            Self::MayChangePrograms(head) => {
                write!(formatter, "{head} may change which programs are run after it")
            }
            Self::LooksAtFiles(head) => {
                write!(formatter, "{head} would see the files of what is recorded before it")
            }
            Self::NothingToRecord => {
                formatter.write_str("its commands are left as they are: they look at what runs them, wait for keys, are often aliases, or are what a host has rules for")
            }
        }
    }
}

/// Puts aido before the commands of a line.
///
/// `is_program` says whether a shell would start the program of this name, or at this path, by itself, now.
///
/// # Errors
/// Why the line is left alone.
pub fn rewrite(line: &str, is_program: &dyn Fn(&str) -> bool) -> Result<String, Reason> {
    if line.len() > LINE_BYTES {
        return Err(Reason::TooLong);
    }
    if STREAMS.iter().any(|path| line.contains(path)) {
        return Err(Reason::Construct("a stream by its path"));
    }
    let commands = commands(line)?;
    let mut places = Vec::new();
    let mut changer = None;
    for (index, command) in commands.iter().enumerate() {
        let name = command.name();
        let is_recorded = command.is_to_be_recorded(index == 0, is_program)?;
        let mut arguments = command.plain_arguments();
        let sees_files = words::is_walking(name, command.plain_arguments())
            || arguments.any(|argument| argument.contains("**") || argument.contains("*/"));
        if !places.is_empty() && sees_files {
            return Err(Reason::LooksAtFiles(command.head.to_owned()));
        }
        match changer {
            // What only reads isn't worth leaving the whole line alone.
            Some(_) if !is_recorded || settled::only_reads(name) => {}
            Some(changer) => return Err(Reason::MayChangePrograms(String::from(changer))),
            None => {
                if is_recorded {
                    places.push(command.span.start);
                }
                changer = (!settled::leaves_programs(command)).then_some(command.head);
            }
        }
    }
    if places.is_empty() {
        return Err(Reason::NothingToRecord);
    }
    let mut rewritten = String::with_capacity(line.len() + places.len() * PREFIX.len());
    let mut taken = 0;
    for place in places {
        rewritten.push_str(&line[taken..place]);
        rewritten.push_str(PREFIX);
        taken = place;
    }
    rewritten.push_str(&line[taken..]);
    Ok(rewritten)
}

/// The line that a rewritten one was made of.
#[must_use]
pub fn undo(line: &str) -> String {
    line.replace(PREFIX, "")
}

/// One command of a line.
struct Simple<'l> {
    /// The first word, without quotes or expansions.
    head: &'l str,
    span: Range<usize>,
    /// The assignments before it.
    assigned: Vec<&'l str>,
    arguments: Vec<Word<'l>>,
    /// Whether it is one of several that are joined by `|`.
    in_pipeline: bool,
}

impl Simple<'_> {
    /// The program's name, without its directory.
    fn name(&self) -> &str {
        self.head.rsplit('/').next().unwrap_or(self.head)
    }

    /// Its arguments without quotes, as far as that tells options.
    fn plain_arguments(&self) -> impl Iterator<Item = String> {
        let arguments = self.arguments.iter();
        arguments.map(|word| word.text.replace(['\'', '"', '\\'], ""))
    }

    /// Whether aido goes before it.
    ///
    /// # Errors
    /// When it makes the whole line uncertain.
    fn is_to_be_recorded(
        &self,
        is_first: bool,
        is_program: &dyn Fn(&str) -> bool,
    ) -> Result<bool, Reason> {
        let head = self.head;
        let name = self.name();
        if name == "aido" {
            return Err(Reason::Recorded);
        }
        if words::KEPT.contains(&head) {
            return kept::check(head, &self.arguments).map(|()| false);
        }
        if words::is_of_a_shell(head) {
            return Err(Reason::ChangesShell(head.to_owned()));
        }
        if words::is_left_alone(name) || (self.in_pipeline && words::FILTERS.contains(&name)) {
            return Ok(false);
        }
        if head.contains('/') {
            // An earlier command may have made it, moved it, or left the directory.
            return Ok(is_first && is_program(head));
        }
        if is_program(head) {
            Ok(true)
        } else {
            Err(Reason::NotAProgram(head.to_owned()))
        }
    }
}

/// The commands of a line, each with what it is joined to.
fn commands(line: &str) -> Result<Vec<Simple<'_>>, Reason> {
    let mut commands: Vec<Simple<'_>> = Vec::new();
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut has_redirection = false;
    let mut joined_by = None;
    for token in lexer::tokens(line)? {
        match token {
            Token::Word(word) => words.push(word),
            Token::Redirection => has_redirection = true,
            Token::Join(join) => {
                let was_pipe = joined_by == Some(Join::Pipe);
                if words.is_empty() && !has_redirection {
                    // Blank lines are nothing; everything else here is a mistake.
                    if join == Join::Line {
                        continue;
                    }
                    return Err(Reason::Construct("a command that is empty"));
                }
                let words = std::mem::take(&mut words);
                let in_pipeline = was_pipe || join == Join::Pipe;
                commands.push(simple(words, in_pipeline)?);
                has_redirection = false;
                joined_by = Some(join);
            }
        }
    }
    if !words.is_empty() || has_redirection {
        commands.push(simple(words, joined_by == Some(Join::Pipe))?);
    } else if matches!(joined_by, Some(Join::Pipe | Join::And | Join::Or)) {
        return Err(Reason::Construct("a command that is empty"));
    }
    if commands.is_empty() {
        return Err(Reason::Empty);
    }
    Ok(commands)
}

/// A command from its words: assignments, its name, the rest.
fn simple(words: Vec<Word<'_>>, in_pipeline: bool) -> Result<Simple<'_>, Reason> {
    let mut words = words.into_iter();
    let mut assigned = Vec::new();
    for word in words.by_ref() {
        if let Some(name) = word.assigned() {
            if words::is_sensitive(name) {
                return Err(Reason::Variable(name.to_owned()));
            }
            assigned.push(word.text);
            continue;
        }
        if !word.is_plain() {
            return Err(Reason::Construct("a command whose name is computed"));
        }
        return Ok(Simple {
            head: word.text,
            span: word.span,
            assigned,
            arguments: words.collect(),
            in_pipeline,
        });
    }
    Err(Reason::Construct("an assignment alone"))
}
