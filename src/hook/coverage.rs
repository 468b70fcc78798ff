//! What of a line aido recorded as it ran: that is not filed again, and everything else is.

use crate::faults::command;
use crate::faults::shell::{Join, Simple, commands, is_assignment, is_redirection};
use crate::rewrite;

/// Commands that change or end the shell itself, print a word or compare two.
const OF_THE_SHELL: &[&str] = &[
    ":", "[", "cd", "echo", "exit", "export", "false", "popd", "printf", "pushd", "pwd", "return",
    "set", "test", "true", "umask", "unset",
];

/// Switches of a run, which take no value.
const SWITCHES: &[&str] = &["--hooked", "--strict", "--debug"];

/// What a line is made of, as far as recording is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Commands that run under aido.
    pub recorded: bool,
    /// Words of aido's own, and runs that were asked not to be recorded.
    pub own: bool,
    /// Commands that do something, and that nobody recorded.
    pub others: bool,
}

impl Parts {
    /// Takes a line apart. These are aido's own words, which are no programs.
    #[must_use]
    pub fn of(line: &str, own_words: &[&str]) -> Self {
        let commands = commands(line);
        let mut parts = Self::default();
        // What passes on what a recorded command printed adds nothing to it.
        for pipeline in commands.chunk_by(|_, next| next.join == Join::Pipe) {
            let kinds = pipeline.iter().map(|command| kind(command, own_words));
            let kinds: Vec<Kind> = kinds.collect();
            let is_recorded = kinds.contains(&Kind::Recorded) || kinds.contains(&Kind::Own);
            for kind in kinds {
                match kind {
                    Kind::Recorded => parts.recorded = true,
                    Kind::Own => parts.own = true,
                    Kind::Filter if is_recorded => {}
                    Kind::Filter | Kind::Other => parts.others = true,
                    Kind::OfTheShell => {}
                }
            }
        }
        parts
    }

    /// Whether aido is in the line.
    #[must_use]
    pub fn has_aido(self) -> bool {
        self.recorded || self.own
    }
}

/// What a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Recorded,
    Own,
    Filter,
    OfTheShell,
    Other,
}

fn kind(command: &Simple, own_words: &[&str]) -> Kind {
    let is_before = |word: &String| is_assignment(word) || is_redirection(word);
    let start = command.words.iter().position(|word| !is_before(word));
    let Some(words) = start.map(|start| &command.words[start..]) else {
        return Kind::OfTheShell;
    };
    let head = words.first().map_or("", String::as_str);
    if head.rsplit('/').next() == Some("aido") {
        return of_aido(&words[1..], own_words);
    }
    match () {
        () if OF_THE_SHELL.contains(&head) => Kind::OfTheShell,
        () if is_passing_on(words) => Kind::Filter,
        () => Kind::Other,
    }
}

/// Whether a command only passes on what it is given: all that aido isn't put before in a pipeline, and all that
/// failure memory looks through. Neither does anything by itself there, but for `perl`, which is any program, and
/// for `sed -i`, which changes files. `tee` and `sort -o` write what is recorded already.
fn is_passing_on(words: &[String]) -> bool {
    let program = command::program(words);
    let is_filter = command::is_filter(words) || rewrite::FILTERS.contains(&program);
    is_filter
        && program != "perl"
        && !(program == "sed" && words.iter().any(|word| is_in_place(word)))
}

/// `-i`, `-i.bak`, `-Ei`, `--in-place=.bak`.
fn is_in_place(word: &str) -> bool {
    let letters = word.strip_prefix('-').unwrap_or_default();
    letters
        .trim_start_matches(['n', 'E', 'r', 's', 'u', 'z'])
        .starts_with('i')
        || letters.starts_with("-in-place")
}

fn of_aido(words: &[String], own_words: &[&str]) -> Kind {
    let mut words = words.iter().filter(|word| !is_redirection(word));
    while let Some(word) = words.next() {
        match word.as_str() {
            "-c" => return Kind::Recorded,
            "--" => return words.next().map_or(Kind::Own, |_| Kind::Recorded),
            "--no-record" => return Kind::Own,
            option if SWITCHES.contains(&option) || option.contains('=') => {}
            option if option.starts_with("--") => {
                words.next();
            }
            option if option.starts_with('-') => {}
            word if own_words.contains(&word) => return Kind::Own,
            _ => return Kind::Recorded,
        }
    }
    // Help, or a mistake.
    Kind::Own
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &[&str] = &["handoff", "list", "show"];

    #[test]
    fn what_nobody_recorded_is_told_from_what_is_recorded() {
        for (line, recorded, own, others) in [
            ("make", false, false, true),
            ("make; aido handoff", false, true, true),
            ("aido make", true, false, false),
            ("/usr/bin/aido --hooked -- make", true, false, false),
            (
                "A=b aido --hooked -- make >/dev/null 2>&1",
                true,
                false,
                false,
            ),
            (
                "cd web && aido --hooked -- npm ci; aido --hooked -- npm test",
                true,
                false,
                false,
            ),
            (
                "aido --hooked -- make 2>&1 | tail -20; exit $?",
                true,
                false,
                false,
            ),
            ("aido -c 'make && x' || echo no", true, false, false),
            ("aido --hooked -- list", true, false, false),
            (
                "aido --session-dir x show last | head -3",
                false,
                true,
                false,
            ),
            ("aido --no-record make", false, true, false),
            ("aido --help", false, true, false),
            ("aido make; grep -q x a.txt", true, false, true),
            ("aido make | ./deploy", true, false, true),
            ("grep x a.txt | tail", false, false, true),
            ("aido make; rm x", true, false, true),
            ("A=b", false, false, false),
        ] {
            let expected = Parts {
                recorded,
                own,
                others,
            };
            assert_eq!(Parts::of(line, OWN), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_wrapped_in_a_pipeline_is_not_filed_for_it() {
        for name in rewrite::FILTERS {
            let line = format!("aido --hooked -- make -s | {name} x");
            let is_any_program = *name == "perl";
            assert_eq!(Parts::of(&line, OWN).others, is_any_program, "{line}");
        }
        for (line, others) in [
            ("aido make | sed -n s/a/b/p", false),
            ("aido make | grep -i x", false),
            ("aido make | sed -i s/a/b/ file", true),
            ("aido make | sed -Ei.bak s/a/b/ file", true),
            ("aido make | sed --in-place=.bak s/a/b/ file", true),
            ("jq . file", true),
        ] {
            assert_eq!(Parts::of(line, OWN).others, others, "{line}");
        }
    }
}
