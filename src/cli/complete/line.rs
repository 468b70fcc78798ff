//! What may stand at the cursor, from clap's definitions and the words before it. Knows no store and no
//! shell.

use clap::{Arg, Command};

use crate::config::layer::choices;

/// Something that may be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) value: String,
    pub(super) help: String,
}

/// What may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One of these; none where anything may.
    Values(Vec<Candidate>),
    /// A session's name.
    Sessions,
    /// What sessions were recorded with.
    Recorded(Recorded),
    /// A file.
    Files,
    /// A directory.
    Directories,
    /// A word of a command that begins after `offset` words. Where it begins at the cursor, it may be
    /// one of these instead.
    Command {
        offset: usize,
        words: Vec<Candidate>,
    },
}

/// Something that sessions are recorded with, and found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// The agent's name.
    Agent,
    /// The task.
    Task,
    /// The branch.
    Branch,
    /// A label.
    Tag,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) wanted: Wanted,
    /// What stands before the value in the same word, such as `--tty=`.
    pub(super) prefix: String,
    /// The beginning of the value.
    pub(super) typed: String,
    /// What `--session-dir` says.
    pub(super) session_dir: Option<String>,
}

/// Tells what may stand at the cursor. `words` are those after `aido`; the last one is being typed.
/// `run` and `own` define the two kinds of lines: a command to run, and a word of aido's own.
pub(super) fn ask(mut run: Command, mut own: Command, words: &[String]) -> Asked {
    run.build();
    own.build();
    let (typed, before) = match words.split_last() {
        Some((typed, before)) => (typed.as_str(), before),
        None => ("", words),
    };
    let mut place = Place::new(&run, &own);
    let wanted = before
        .iter()
        .enumerate()
        .find_map(|(index, word)| place.pass(index, word));
    let mut asked = Asked {
        wanted: Wanted::Values(Vec::new()),
        prefix: String::new(),
        typed: typed.to_owned(),
        session_dir: None,
    };
    let attached = place.attached(typed);
    asked.wanted = match (wanted, place.awaiting, attached) {
        (Some(wanted), ..) => wanted,
        (None, Some(option), _) => of_argument(option, before.len()),
        (None, None, Some((option, value))) => {
            asked.prefix = typed[..typed.len() - value.len()].to_owned();
            asked.typed = value.to_owned();
            of_argument(option, before.len())
        }
        (None, None, None) => place.at_cursor(typed, before.len()),
    };
    asked.session_dir = place.session_dir;
    asked
}

/// Where in the line we are, after some words of it.
struct Place<'a> {
    /// aido's own words, as long as one may come.
    own: Option<&'a Command>,
    command: &'a Command,
    /// The option whose value comes next.
    awaiting: Option<&'a Arg>,
    has_shell_line: bool,
    options_are_over: bool,
    positionals: usize,
    session_dir: Option<String>,
}

impl<'a> Place<'a> {
    fn new(run: &'a Command, own: &'a Command) -> Self {
        Self {
            own: Some(own),
            command: run,
            awaiting: None,
            has_shell_line: false,
            options_are_over: false,
            positionals: 0,
            session_dir: None,
        }
    }

    /// Whether this is a line that runs a command.
    fn is_run(&self) -> bool {
        self.own.is_some()
    }

    /// Goes past a word. If it decides what all the rest of the line is, tells so.
    fn pass(&mut self, index: usize, word: &str) -> Option<Wanted> {
        if let Some(option) = self.awaiting.take() {
            self.note_value(option, word);
            return None;
        }
        let is_option = word.len() > 1 && word.starts_with('-') && !self.options_are_over;
        if is_option && word != "--" {
            if let Some((option, value)) = self.attached(word) {
                self.note_value(option, value);
            } else if let Some(option) = self.option(word) {
                self.awaiting = takes_value(option).then_some(option);
            }
            return None;
        }
        if is_option {
            self.options_are_over = true;
            let is_command = self.is_run() && !self.has_shell_line;
            return is_command.then(|| command_at(index + 1));
        }
        if let Some(subcommand) = self.subcommand(word) {
            self.command = subcommand;
            self.own = None;
            self.positionals = 0;
            return None;
        }
        match self.positional() {
            _ if self.has_shell_line => Some(Wanted::Files),
            Some(argument) if is_command(argument) => Some(command_at(index)),
            Some(argument) => {
                let takes_more = argument
                    .get_num_args()
                    .is_some_and(|range| range.max_values() > 1);
                self.positionals += usize::from(!takes_more);
                None
            }
            None => None,
        }
    }

    fn note_value(&mut self, option: &Arg, value: &str) {
        match option.get_id().as_str() {
            "session_dir" => self.session_dir = Some(value.to_owned()),
            "line" => self.has_shell_line = true,
            _ => {}
        }
    }

    /// What may stand at the cursor, where neither the words before nor the option in front decide it.
    fn at_cursor(&self, typed: &str, index: usize) -> Wanted {
        if typed.starts_with('-') && !self.options_are_over {
            return Wanted::Values(options(self.command));
        }
        if self.is_run() {
            let words = self.own.map(subcommands).unwrap_or_default();
            return match self.has_shell_line {
                true => Wanted::Files,
                false => Wanted::Command {
                    offset: index,
                    words,
                },
            };
        }
        let words = subcommands(self.command);
        match self.positional() {
            Some(argument) if words.is_empty() => of_argument(argument, index),
            _ => Wanted::Values(words),
        }
    }

    fn subcommand(&self, word: &str) -> Option<&'a Command> {
        if self.options_are_over || self.has_shell_line {
            return None;
        }
        self.own.unwrap_or(self.command).find_subcommand(word)
    }

    fn positional(&self) -> Option<&'a Arg> {
        self.command.get_positionals().nth(self.positionals)
    }

    /// The option that a word is, without a value in the same word.
    fn option(&self, word: &str) -> Option<&'a Arg> {
        let mut arguments = self.command.get_arguments();
        arguments.find(|argument| {
            let long = argument.get_long().map(|long| format!("--{long}"));
            let short = argument.get_short().map(|short| format!("-{short}"));
            long.as_deref() == Some(word) || short.as_deref() == Some(word)
        })
    }

    /// The option and the value that a word is: `--tty=auto`, `-n5`.
    fn attached<'w>(&self, word: &'w str) -> Option<(&'a Arg, &'w str)> {
        let (name, value) = match word.split_once('=') {
            _ if self.options_are_over => return None,
            Some(parts) if word.starts_with("--") => parts,
            _ => {
                let second = word.char_indices().nth(2)?.0;
                let is_short = word.starts_with('-') && !word.starts_with("--");
                is_short.then(|| word.split_at(second))?
            }
        };
        let option = self.option(name).filter(|option| takes_value(option))?;
        Some((option, value))
    }
}

fn command_at(offset: usize) -> Wanted {
    Wanted::Command {
        offset,
        words: Vec::new(),
    }
}

fn takes_value(argument: &Arg) -> bool {
    argument.get_action().takes_values()
}

fn value_name(argument: &Arg) -> &str {
    let names = argument.get_value_names().unwrap_or_default();
    names.first().map_or("", |name| name.as_str())
}

/// Whether this and all that follows is a command with its arguments.
fn is_command(argument: &Arg) -> bool {
    argument.is_positional() && value_name(argument) == "COMMAND"
}

/// What an argument's value may be. The names of values are the same in all of aido's definitions.
fn of_argument(argument: &Arg, index: usize) -> Wanted {
    let possible = argument.get_possible_values();
    if !possible.is_empty() {
        let shown = possible.iter().filter(|value| !value.is_hide_set());
        let candidate = shown.map(|value| Candidate {
            value: value.get_name().to_owned(),
            help: value
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default(),
        });
        return Wanted::Values(candidate.collect());
    }
    match (value_name(argument), argument.get_id().as_str()) {
        ("NAME", "agent") => return Wanted::Recorded(Recorded::Agent),
        ("NAME", "branch") => return Wanted::Recorded(Recorded::Branch),
        ("NAME" | "TASK", "task") => return Wanted::Recorded(Recorded::Task),
        ("TAG", _) => return Wanted::Recorded(Recorded::Tag),
        _ => {}
    }
    match value_name(argument) {
        "SESSION" => Wanted::Sessions,
        "FILE" | "PATH" => Wanted::Files,
        "DIR" => Wanted::Directories,
        "COMMAND" => command_at(index),
        _ => {
            let values = choices(argument.get_id().as_str()).into_iter();
            let candidate = |value: &str| Candidate {
                value: value.to_owned(),
                help: String::new(),
            };
            Wanted::Values(values.map(candidate).collect())
        }
    }
}

/// The options of a command, by their long names where they have one.
fn options(command: &Command) -> Vec<Candidate> {
    let shown = command
        .get_arguments()
        .filter(|argument| !argument.is_positional() && !argument.is_hide_set());
    let candidate = |argument: &Arg| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = || argument.get_short().map(|short| format!("-{short}"));
        Some(Candidate {
            value: long.or_else(short)?,
            help: argument
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default(),
        })
    };
    shown.filter_map(candidate).collect()
}

fn subcommands(command: &Command) -> Vec<Candidate> {
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    let candidate = |one: &Command| Candidate {
        value: one.get_name().to_owned(),
        help: one.get_about().map(ToString::to_string).unwrap_or_default(),
    };
    shown.map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args;
    use crate::cli::word::WordLine;

    fn ask(line: &[&str]) -> Asked {
        let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        super::ask(args::command(), WordLine::command(), &words)
    }

    /// What is wanted, in one line.
    fn wanted(line: &[&str]) -> String {
        let asked = ask(line);
        let values = |candidates: &[Candidate]| {
            let fit = candidates
                .iter()
                .filter(|one| one.value.starts_with(&asked.typed));
            let values: Vec<&str> = fit.map(|one| one.value.as_str()).collect();
            values.join(" ")
        };
        let what = match &asked.wanted {
            Wanted::Values(candidates) => format!("values {}", values(candidates)),
            Wanted::Sessions => "sessions".to_owned(),
            Wanted::Recorded(what) => format!("recorded {what:?}"),
            Wanted::Files => "files".to_owned(),
            Wanted::Directories => "directories".to_owned(),
            Wanted::Command { offset, words } => format!("command {offset} {}", values(words)),
        };
        format!("{}|{}", asked.prefix, what.trim_end())
    }

    #[test]
    fn every_place_of_a_line_is_told() {
        let names = crate::cli::word::NAMES.iter().copied();
        let words: Vec<&str> = names.filter(|name| !name.starts_with('_')).collect();
        let all = format!("|command 0 {}", words.join(" "));
        for (line, expected) in [
            // A command, from the first word that is no option.
            (&[][..], &*all),
            (&["sch"], "|command 0 schema"),
            (&["git"], "|command 0"),
            (&["git", ""], "|command 0"),
            (&["git", "--st"], "|command 0"),
            (&["git", "show", ""], "|command 0"),
            (&["--strict", "li"], "|command 1 list"),
            (&["--tty", "auto", "git", "x"], "|command 2"),
            (&["--tty=auto", "git", "x"], "|command 1"),
            (&["--", "list", "x"], "|command 1"),
            (&["--strict", "--", "show"], "|command 2"),
            // Options, and their values.
            (&["--st"], "|values --strict"),
            (&["--tty", ""], "|values always auto never"),
            (&["--tty", "a"], "|values always auto"),
            (&["--tty=a"], "--tty=|values always auto"),
            (&["--durability", "f"], "|values fast full"),
            (&["--report="], "--report=|values never failure always"),
            (&["--shell", ""], "|files"),
            (&["--shell=/bin/"], "--shell=|files"),
            (&["--session-dir", ""], "|directories"),
            (&["--note", ""], "|values"),
            (&["--note", "--tty"], "|values"),
            (&["--note", "--", "git", ""], "|command 2"),
            (&["--no-such", "git", ""], "|command 1"),
            // A line of shell, and its parameters.
            (&["-c", ""], "|values"),
            (&["-c", "ls $1", ""], "|files"),
            (&["-c", "ls $1", "list"], "|files"),
            (&["-cls", "x"], "|files"),
            (&["-c", "ls", "--tt"], "|values --tty"),
            (&["-c", "ls", "zero", "one"], "|files"),
            // aido's own words.
            (&["show", ""], "|sessions"),
            (&["show", "--r"], "|values --raw"),
            (&["show", "--raw", "la"], "|sessions"),
            (&["show", "--", "--r"], "|sessions"),
            (&["show", "last", ""], "|values"),
            (&["--strict", "show", ""], "|sessions"),
            (&["list", ""], "|values"),
            (&["list", "-n", ""], "|values"),
            (&["list", "--agent", "c"], "|recorded Agent"),
            (&["list", "--task="], "--task=|recorded Task"),
            (&["search", "--branch", ""], "|recorded Branch"),
            (&["stats", "--tag", ""], "|recorded Tag"),
            (&["--tag", "", "git"], "|command 2"),
            (&["--tag", ""], "|recorded Tag"),
            (&["note", "last", "--untag", ""], "|recorded Tag"),
            (&["tasks", "show", ""], "|recorded Task"),
            (&["tasks", "done", "par"], "|recorded Task"),
            (&["list", "-n5", "--js"], "|values --json"),
            (&["list", "--session-dir="], "--session-dir=|directories"),
            (&["completions", ""], "|values bash zsh fish"),
            (&["completions", "z"], "|values zsh"),
            (&["faults", "re"], "|values resolve reopen"),
            (&["check", "--", "gi"], "|command 2"),
        ] {
            assert_eq!(wanted(line), expected, "{line:?}");
        }
    }

    #[test]
    fn options_are_those_of_the_word_and_have_descriptions() {
        let Wanted::Values(options) = ask(&["schema", "-"]).wanted else {
            panic!("options");
        };
        let values: Vec<&str> = options.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(values, ["--json", "--help"]);
        assert!(options.iter().all(|one| !one.help.is_empty()));
    }

    #[test]
    fn the_store_is_the_one_that_the_line_names() {
        for (line, named) in [
            (&["show", ""][..], None),
            (&["--session-dir", "a", "show", ""], Some("a")),
            (&["--session-dir=b", "show", ""], Some("b")),
            (&["show", "--session-dir", "c", ""], Some("c")),
        ] {
            assert_eq!(ask(line).session_dir.as_deref(), named, "{line:?}");
        }
    }
}
