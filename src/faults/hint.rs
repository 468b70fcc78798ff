//! What a tool itself suggests: "did you mean", as cargo, git, npm, pip, rustc, gcc, clap and Python say it.

use super::normal::head;

/// What stands before a suggestion, in lower case.
const SIGNS: &[&str] = &[
    "did you mean",
    "maybe you meant",
    "perhaps you meant",
    "similar name exists",
    "similar argument exists",
    "similar command exists",
    "similar subcommand exists",
    "most similar command is",
    "most similar commands are",
];

/// Words between a sign and its suggestion that say nothing.
const FILLING: &[&str] = &["this", "one of these", "to use", "to run"];

/// The most lines that are looked at.
const LINES_MAX: usize = 2000;
/// How many lines below a sign its suggestion stands, at most.
const BELOW_MAX: usize = 5;
/// The longest suggestion, in bytes.
const HINT_BYTES: usize = 80;

/// The first suggestion in a text, if there is one.
pub(super) fn hint(text: &str) -> Option<&str> {
    let mut lines = text.lines().take(LINES_MAX);
    while let Some(line) = lines.next() {
        // Lower case of ASCII leaves every character where it was.
        let lower = line.to_ascii_lowercase();
        let end = SIGNS
            .iter()
            .find_map(|sign| lower.find(sign).map(|start| start + sign.len()));
        let Some(rest) = end.and_then(|end| line.get(end..)) else {
            continue;
        };
        let found = in_line(rest).or_else(|| below(lines.clone().take(BELOW_MAX)));
        if let Some(found) = found.filter(|found| found.len() <= HINT_BYTES) {
            return Some(head(found, HINT_BYTES));
        }
    }
    None
}

/// What follows a sign in its line: in quotes, or up to the question mark.
fn in_line(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(|character: char| {
        character.is_whitespace() || matches!(character, ':' | ',')
    });
    for (open, close) in [('`', '`'), ('\'', '\''), ('"', '"'), ('‘', '’'), ('“', '”')] {
        if let Some(quoted) = rest.strip_prefix(open) {
            return quoted.split(close).next().filter(|text| !text.is_empty());
        }
    }
    let text = rest.split('?').next().unwrap_or_default().trim();
    let says_nothing = text.is_empty() || FILLING.contains(&text) || !rest.contains('?');
    (!says_nothing).then_some(text)
}

/// What stands in the lines below a sign: a command by itself, or the line that a compiler would write.
fn below<'t>(lines: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    for line in lines {
        let line = line.trim();
        let line = ["npm error", "npm ERR!"]
            .iter()
            .find_map(|start| line.strip_prefix(start))
            .unwrap_or(line);
        let command = line.split(" # ").next().unwrap_or_default().trim();
        let number = command.trim_start_matches(|character: char| character.is_ascii_digit());
        match number.strip_prefix(" + ") {
            Some(written) => return Some(written.trim()),
            // The frame of a compiler's suggestion, and the line as it is.
            None if number.starts_with(" - ") || matches!(command, "" | "|") => {}
            None if command.starts_with('|') || number.starts_with(" |") => return None,
            None => return Some(command),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_tools_suggest_is_found() {
        for (text, wanted) in [
            (
                "error: no such command: `biuld`\n\nhelp: a command with a similar name exists: `build`\n",
                Some("build"),
            ),
            (
                "error: no such command: `biuld`\n\n\tDid you mean `build`?\n",
                Some("build"),
            ),
            (
                "git: 'statsu' is not a git command. See 'git --help'.\n\nThe most similar command is\n\tstatus\n",
                Some("status"),
            ),
            (
                "error: unexpected argument '--colour' found\n\n  tip: a similar argument exists: '--color'\n",
                Some("--color"),
            ),
            (
                "Unknown command: \"isntall\"\n\n\nDid you mean this?\n  npm install # Install a package\n",
                Some("npm install"),
            ),
            (
                "npm error Missing script: \"tset\"\nnpm error\nnpm error Did you mean this?\nnpm error   npm run test # run it\n",
                Some("npm run test"),
            ),
            (
                "ERROR: unknown command \"instal\" - maybe you meant \"install\"",
                Some("install"),
            ),
            (
                "NameError: name 'cuont' is not defined. Did you mean: 'count'?",
                Some("count"),
            ),
            (
                "a.c:1:9: error: implicit declaration of function ‘pritnf’; did you mean ‘printf’?",
                Some("printf"),
            ),
            (
                "error[E0425]: cannot find value `cuont` in this scope\n  |\nhelp: a local variable with a similar name exists\n  |\n3 -     cuont\n3 +     count\n  |\n",
                Some("count"),
            ),
            (
                "help: a local variable with a similar name exists: `count`",
                Some("count"),
            ),
            ("did you mean it", None),
            ("Did you mean this?\n", None),
            ("did you mean ''?", None),
            ("", None),
        ] {
            assert_eq!(hint(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(
            before in "\\PC{0,20}",
            sign in prop::sample::select(SIGNS),
            after in "[ -~\n‘’`]{0,60}|\\PC{0,60}",
        ) {
            let text = format!("{before}{sign}{after}");
            prop_assert!(hint(&text).is_none_or(|found| found.len() <= HINT_BYTES));
        }
    }
}
