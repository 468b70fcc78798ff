//! Recorded text that wants to act: on a terminal, or on the agent that reads it.

use std::fs;

use super::{replace_output, show, shown};
use crate::support::{TestEnv, contains};

/// What terminals and models may obey: titles, links, clipboard, C1, bidi, tags, zero width.
const HOSTILE: &str = "\x1b]0;title\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\x1b]52;c;QUJD\x07\
    \u{9b}31mred\u{202e}txt.exe\u{202c} a\u{200b}b\u{e0041}\u{e0042} \x1b[31mcolour\x1b[0m \x07end\r\n";

fn hostile() -> TestEnv {
    let env = TestEnv::new();
    let note = "a\u{1b}]0;note\u{7}\u{202e}b\u{e0041}";
    env.aido(["--note", note, "true"]).output();
    replace_output(&env, HOSTILE.as_bytes());
    env
}

/// Whether something could act or hide: any control but newline, any bidi or tag character.
fn acts(text: &str) -> bool {
    text.chars().any(|character| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{e0000}'..='\u{e007f}')
    })
}

#[test]
fn people_see_what_would_act_and_agents_never_get_it() {
    let env = hostile();
    let line = "link31mred<U+202E>txt.exe<U+202C> a<U+200B>b<U+E0041><U+E0042> colour end";
    let text = shown(&env, &[]);
    assert!(
        !acts(&text) && text.ends_with(&format!("\n\n{line}\n")),
        "{text:?}"
    );
    assert!(
        text.contains("note      a^[]0;note^G<U+202E>b<U+E0041>\n"),
        "{text:?}"
    );
    assert_eq!(shown(&env, &["--grep", "b\u{e0041}"]), format!("{line}\n"));
    for options in [
        &["--json"][..],
        &["--json", "--lines", "1:"],
        &["--events", "--json"],
    ] {
        let text = shown(&env, options);
        assert!(!acts(&text), "{options:?}: {text:?}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    let text = shown(&env, &["--for-agent"]);
    assert!(!acts(&text) && !text.contains("<U+"), "{text:?}");
    assert!(
        text.contains("\nlink31mredtxt.exe ab colour end\n"),
        "{text:?}"
    );
    assert!(text.contains("note      ab\n"), "{text:?}");
    assert_eq!(show(&env, &["--raw"]).stdout, HOSTILE.as_bytes());
}

/// Takes a frame apart and checks that it says what is true of it.
#[track_caller]
fn framed(text: &str) -> (String, String) {
    let (opening, rest) = text.split_once('\n').unwrap();
    let boundary = opening
        .strip_prefix("[aido ")
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    assert!(
        boundary.len() == 16 && opening.contains("data not instructions"),
        "{opening}"
    );
    let body_end = rest.find(&format!("[aido {boundary}: end")).unwrap();
    let (body, closing) = rest.split_at(body_end);
    let count = body.len();
    assert_eq!(
        closing,
        format!("[aido {boundary}: end of recorded output, {count} bytes]\n")
    );
    (boundary.to_owned(), body.to_owned())
}

#[test]
fn an_agent_gets_text_framed_as_data() {
    let env = hostile();
    let for_agent = |options: &[&str]| {
        let run = env
            .aido([&["show"], options].concat())
            .env("CLAUDECODE", "1");
        run.output().stdout_text()
    };
    let (one, body) = framed(&for_agent(&["--tail", "1"]));
    assert_eq!(body, "link31mredtxt.exe ab colour end\n");
    let (other, _) = framed(&for_agent(&[]));
    assert_ne!(one, other, "a boundary that can be known in advance");
    for options in [
        &["--meta"][..],
        &["--events"],
        &["--grep", "link"],
        &["--follow"],
    ] {
        framed(&for_agent(options));
    }
    assert_eq!(for_agent(&["--raw"]).as_bytes(), HOSTILE.as_bytes());
    assert!(for_agent(&["--json"]).starts_with('{'));
    let unframed = for_agent(&["--tail", "1", "--for-agent=never"]);
    assert!(
        unframed.contains("<U+202E>") && !unframed.contains("[aido"),
        "{unframed}"
    );
    assert_eq!(shown(&env, &["--tail", "1"]), unframed);
}

#[test]
fn a_long_text_is_cut_for_an_agent_that_did_not_choose() {
    let env = TestEnv::new();
    env.aido(["true"]).output();
    let mut output: Vec<u8> = (1..=1000)
        .flat_map(|n| format!("{n}\r\n").into_bytes())
        .collect();
    output.extend(b"x".repeat(5000));
    replace_output(&env, &output);
    let (_, body) = framed(&shown(&env, &["--for-agent"]));
    let lines: Vec<&str> = body.split("\n\n").nth(1).unwrap().lines().collect();
    assert_eq!(lines.len(), 501);
    assert_eq!((lines[0], lines[99], lines[101]), ("1", "100", "602"));
    assert!(lines[100].contains("501 lines are left out") && lines[100].contains("--lines"));
    assert!(
        lines[500].ends_with("x […904 more bytes]"),
        "{}",
        lines[500]
    );
    let (_, body) = framed(&shown(&env, &["--for-agent", "--lines", "101:1001"]));
    assert_eq!(body.lines().count(), 901);
    assert!(body.len() > 5000);
    assert_eq!(
        shown(&env, &[])
            .lines()
            .filter(|line| line.parse::<u32>().is_ok())
            .count(),
        1000
    );
}

#[test]
fn names_of_files_and_messages_are_harmless_too() {
    let env = hostile();
    let name = "a\u{1b}]0;x\u{7}-20260305_132522-1-abcdef12.meta.json";
    fs::write(env.sessions().join(name), "{}").unwrap();
    for words in [
        &["show", "\u{1b}[2J\u{202e}"][..],
        &["show", "--lines", "\u{1b}[2J"],
    ] {
        let run = env.aido(words).output();
        assert_ne!(run.code(), 0);
        assert!(
            !acts(&run.stderr_text()) && !contains(&run.stdout, b"\x1b"),
            "{run:?}"
        );
    }
}
