//! What was typed, understood or refused.

use std::os::unix::ffi::OsStrExt;

use super::*;

fn parse_words(words: &[&str]) -> Result<Invocation, CliError> {
    let own = std::iter::once(&"aido");
    parse(own.chain(words).map(OsString::from).collect())
}

fn run_of(words: &[&str]) -> Vec<OsString> {
    match parse_words(words) {
        Ok(Invocation::Run(typed)) => typed.words,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn clap_finds_no_mistake_in_the_definitions() {
    RunLine::command().debug_assert();
    WordLine::command().debug_assert();
}

#[test]
fn options_end_at_the_first_word_that_is_none() {
    for (words, command) in [
        (&["git", "--help"][..], &["git", "--help"][..]),
        (&["--tty", "auto", "git", "-c", "x"], &["git", "-c", "x"]),
        (&["--strict", "sh", "--strict"], &["sh", "--strict"]),
        (&["--", "list"], &["list"]),
        (
            &["--tty", "auto", "--", "list", "--json"],
            &["list", "--json"],
        ),
        (&["--strict", "--", "list", "--json"], &["list", "--json"]),
        (&["--", "--version"], &["--version"]),
        (&["git", "--", "x"], &["git", "--", "x"]),
        (&["--", "--", "x"], &["--", "x"]),
        (&["export", "A=b"], &["export", "A=b"]),
    ] {
        assert_eq!(run_of(words), command, "{words:?}");
    }
}

#[test]
fn what_hooks_put_before_a_command_is_read_as_the_parser_reads_it() {
    let prefix: Vec<&str> = crate::rewrite::PREFIX.split_whitespace().collect();
    let words = [&prefix[1..], &["cargo", "--", "-x"]].concat();
    let (Ok(Invocation::Run(quick)), Ok(parsed)) = (
        parse_words(&words),
        RunLine::try_parse_from(["aido"].iter().chain(&words)),
    ) else {
        panic!("a run");
    };
    assert_eq!(quick.words, parsed.words);
    assert!(quick.is_hooked && parsed.options.hooked);
    assert_eq!(quick.flags, parsed.options.into_layer().unwrap());
}

#[test]
fn own_words_come_first() {
    for words in [
        &["list"][..],
        &["list", "--json"],
        &["--session-dir", "x", "show", "last"],
    ] {
        let parsed = parse_words(words);
        assert!(matches!(parsed, Ok(Invocation::Word(..))), "{words:?}");
    }
}

fn flags_of(words: &[&OsStr]) -> Layer {
    let own = std::iter::once(OsStr::new("aido"));
    match parse(
        own.chain(words.iter().copied())
            .map(OsString::from)
            .collect(),
    ) {
        Ok(Invocation::Run(typed)) => typed.flags,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn text_of_any_bytes_is_taken_as_a_variable_takes_it() {
    let strange: &OsStr = OsStrExt::from_bytes(b"\xff");
    for option in ["agent", "task", "note", "tag"] {
        for (given, text) in [(strange, "\u{fffd}"), ("-x".as_ref(), "-x")] {
            let flag = format!("--{option}");
            let flags = flags_of(&[flag.as_ref(), given, "true".as_ref()]);
            let mut expected = Layer::default();
            let text = Given::Text(text);
            expected.set(option, &text, &Source::Flag).unwrap();
            assert_eq!(flags, expected, "{option} {given:?}");
        }
    }
}

#[test]
fn of_an_option_that_is_given_twice_the_last_counts() {
    let words = [
        "--tty", "never", "--strict", "--strict", "--tty", "auto", "x",
    ];
    let flags = flags_of(&words.map(OsStr::new));
    assert_eq!(
        flags,
        flags_of(&["--strict", "--tty", "auto", "x"].map(OsStr::new))
    );
    let tags = flags_of(&["--tag", "a", "--tag", "b", "x"].map(OsStr::new));
    assert_eq!(tags.into_settings().tags, ["a", "b"]);
}

#[test]
fn what_is_said_of_a_command_is_refused_before_a_word_that_runs_none() {
    for (words, hint) in [
        (&["--agent", "x", "list"][..], "aido list --agent"),
        (&["--task", "x", "list", "--json"], "aido list --task"),
        (&["--strict", "--note", "x", "show"], "--note … COMMAND"),
        (&["--tag", "x", "search", "y"], "aido search --tag"),
    ] {
        let error = parse_words(words).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{words:?}");
        assert!(format!("{error:?}").contains(hint), "{error:?}");
    }
    for words in [
        &["--tty", "auto", "--strict", "list"][..],
        &["--agent", "x", "handoff"],
        &["--task", "x", "--note", "y", "rerun"],
        &["--tag", "x", "start", "sh"],
    ] {
        let parsed = parse_words(words);
        assert!(matches!(parsed, Ok(Invocation::Word(..))), "{words:?}");
    }
}

#[test]
fn a_shell_line_may_have_parameters() {
    let Ok(Invocation::Run(typed)) = parse_words(&["-c", "-x $1", "zero", "one"]) else {
        panic!("a run");
    };
    assert_eq!(typed.line, Some("-x $1".into()));
    assert_eq!(typed.words, ["zero", "one"]);
}

#[test]
fn a_wrong_option_is_refused_with_aidos_own_code() {
    for words in [
        &["--bogus", "ls"][..],
        &["--tty", "maybe", "ls"],
        &["--strict"],
    ] {
        assert_eq!(
            parse_words(words).unwrap_err().exit_code(),
            125,
            "{words:?}"
        );
    }
    for words in [&["list", "--bogus"][..], &["show", "a", "b"]] {
        assert_eq!(parse_words(words).unwrap_err().exit_code(), 2, "{words:?}");
    }
}

#[test]
fn no_argument_of_a_hook_is_refused() {
    for words in [
        &["hook", "--mode"][..],
        &["hook", "--mode", "wrap", "--mode", "observe", "claude"],
        &["hook", "--explain", "--explain"],
        &["hook", "--explain=1", "claude"],
        &["hook", "--bogus"],
        &["hook", "claude", "--mode"],
    ] {
        let parsed = parse_words(words);
        let is_hook = |word: &Word| matches!(word, Word::Hook(_));
        assert!(
            matches!(&parsed, Ok(Invocation::Word(word, _)) if is_hook(word)),
            "{words:?}: {parsed:?}"
        );
    }
    let help = parse_words(&["hook", "--help"]);
    assert!(matches!(help, Ok(Invocation::Print(_))));
}
