//! `aido show` at a terminal: colours, the pager, and nothing that acts.

use super::replace_output;
use crate::support::{TestEnv, contains, has_program};

/// A session that failed, and an output that wants to act on the terminal.
fn recorded() -> TestEnv {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "exit 3"]).output();
    let output = "\x1b]0;title\x07\x1b[35mone\x1b[0m\r\ntwo \u{9b}2J\u{202e}\r\nthree\r\n";
    replace_output(&env, output.as_bytes());
    env
}

/// What appears on a terminal, its line ends as the program wrote them.
fn on_terminal(env: &TestEnv, variables: &[(&str, &str)], words: &[&str]) -> (i32, String) {
    let mut terminal = env.terminal();
    for (name, value) in variables {
        terminal = terminal.env(name, value);
    }
    let mut session = terminal.run([&["aido", "show"], words].concat());
    let code = session.wait_code();
    let text = String::from_utf8(session.output_so_far()).unwrap();
    (code, text.replace("\r\n", "\n"))
}

const NO_PAGER: (&str, &str) = ("PAGER", "cat");

#[test]
fn a_terminal_gets_aidos_own_colours_and_no_others() {
    let env = recorded();
    let (code, text) = on_terminal(&env, &[NO_PAGER], &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("outcome   \x1b[31mexit 3, exited\x1b[0m\n"),
        "{text:?}"
    );
    assert!(
        text.ends_with("\n\none\ntwo 2J<U+202E>\nthree\n"),
        "{text:?}"
    );
    assert_eq!(text.matches('\x1b').count(), 2, "{text:?}");
    let (_, text) = on_terminal(&env, &[NO_PAGER], &["--grep", "t[wh]", "-n"]);
    assert_eq!(
        text,
        "\x1b[36m2:\x1b[0m\x1b[1;31mtw\x1b[0mo 2J<U+202E>\n\x1b[36m3:\x1b[0m\x1b[1;31mth\x1b[0mree\n"
    );
    for (variables, words) in [
        (&[NO_PAGER, ("NO_COLOR", "1")][..], &[][..]),
        (&[NO_PAGER, ("TERM", "dumb")], &[]),
        (&[NO_PAGER, ("CLICOLOR", "0")], &[]),
        (&[("CLAUDECODE", "1")], &[]),
        (&[NO_PAGER, ("FORCE_COLOR", "1")], &["--color", "never"]),
    ] {
        let (code, text) = on_terminal(&env, variables, words);
        assert!(
            code == 0 && text.contains("exit 3"),
            "{variables:?}: {text:?}"
        );
        assert!(
            !text.contains(['\x1b', '\u{9b}', '\x07']),
            "{variables:?}: {text:?}"
        );
        assert!(
            !text.contains("[aido"),
            "a person is at the terminal: {text:?}"
        );
    }
}

#[test]
fn recorded_bytes_are_refused_at_a_terminal() {
    let env = recorded();
    for words in [&["--raw"][..], &["--raw", "--follow"]] {
        let (code, text) = on_terminal(&env, &[NO_PAGER], words);
        assert!(
            code == 2 && text.contains("could act on this terminal"),
            "{text}"
        );
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}

#[test]
fn a_person_at_a_terminal_gets_a_pager() {
    let env = recorded();
    // One for the shell, one without; both say that the text came through them.
    env.script("work/my pager", "#!/bin/sh\nsed 's/^/PAGED /'\n");
    env.script("work/simple", "#!/bin/sh\necho \"$@\"; sed 's/^/PAGED /'\n");
    let quoted = format!("'{}'", env.path("work/my pager").display());
    let simple = format!("{} -a b", env.path("work/simple").display());
    for (variables, paged, first) in [
        (&[("PAGER", &*quoted)][..], true, "PAGED session"),
        (&[("PAGER", &*simple)], true, "-a b\nPAGED session"),
        (
            &[("AIDO_PAGER", &*simple), ("PAGER", "false")],
            true,
            "-a b\nPAGED",
        ),
        (
            &[("AIDO_PAGER", "cat"), ("PAGER", &*quoted)],
            false,
            "session",
        ),
        (&[("PAGER", &*quoted), ("TERM", "dumb")], false, "session"),
        (&[("PAGER", &*quoted), ("AI_AGENT", "x")], false, "session"),
    ] {
        let (code, text) = on_terminal(&env, variables, &[]);
        assert_eq!(code, 0, "{variables:?}: {text}");
        assert!(text.starts_with(first), "{variables:?}: {text:?}");
        assert_eq!(
            text.contains("PAGED three"),
            paged,
            "{variables:?}: {text:?}"
        );
    }
    let pager = [("PAGER", &*quoted)];
    for words in [
        &["--no-pager"][..],
        &["--json"],
        &["--follow"],
        &["--for-agent"],
    ] {
        let (code, text) = on_terminal(&env, &pager, words);
        assert!(code == 0 && !text.contains("PAGED"), "{words:?}: {text}");
    }
    // Not at a terminal.
    let run = env.aido(["show"]).env("PAGER", &quoted).output();
    assert!(!contains(&run.stdout, b"PAGED"), "{run:?}");
}

#[test]
fn a_pager_that_is_not_there_or_leaves_early_does_no_harm() {
    let env = recorded();
    let (code, text) = on_terminal(&env, &[("PAGER", "no-such-pager -x")], &["--tail", "1"]);
    assert!(code == 0 && text.starts_with("three\n"), "{text}");
    assert!(
        text.contains("aido: the pager no-such-pager -x: "),
        "{text}"
    );
    let long = b"a line of text\r\n".repeat(100_000);
    replace_output(&env, &long);
    let (code, text) = on_terminal(&env, &[("PAGER", "head -n 1")], &["--lines", "1:"]);
    assert_eq!((code, text.as_str()), (0, "a line of text\n"));
}

#[test]
fn an_interrupt_is_the_pagers() {
    let env = recorded();
    let pager = "trap '' INT; cat; echo READY; read answer </dev/tty; echo BYE $answer";
    let terminal = env.terminal().env("PAGER", pager);
    let mut session = terminal.run(["aido", "show", "--tail", "1"]);
    session.wait_for("READY");
    session.send("\x03");
    session.wait_for("^C");
    session.send("now\n");
    session.wait_for("BYE");
    assert_eq!(session.wait_code(), 0);
    session.assert_restored("after a pager");
}

#[test]
fn less_is_the_pager_where_nobody_named_one() {
    if !has_program("less", "less_is_the_pager_where_nobody_named_one") {
        return;
    }
    let env = recorded();
    replace_output(&env, &b"a line of text\r\n".repeat(1000));
    let mut session = env.terminal().run(["aido", "show"]);
    // A screen full, then it waits for a key.
    session.wait_for("a line of text");
    session.send("q");
    assert_eq!(session.wait_code(), 0);
    assert!(session.count("a line of text") < 1000);
    // What fits on one screen is printed and that is all.
    let (code, text) = on_terminal(&env, &[], &["--tail", "1"]);
    assert!(code == 0 && text.contains("a line of text"), "{text}");
}

#[test]
fn a_session_is_followed_at_a_terminal_until_ctrl_c() {
    let env = TestEnv::new();
    let run = env
        .aido(["sh", "-c", "echo one; echo READY; exec sleep 600"])
        .spawn();
    run.wait_for_stdout(b"READY");
    let mut session = env
        .terminal()
        .run(["aido", "show", "--follow", "--tail", "2"]);
    session.wait_for("one\r\nREADY\r\n");
    session.send("\x03");
    assert_eq!(session.wait_code(), 128 + libc::SIGINT);
    session.assert_restored("after following");
    drop(run);
}

/// So much that nobody waits for its end: it takes no room, since nothing was ever written there.
#[test]
fn whoever_watches_a_long_reading_sees_how_far_it_is_and_nothing_of_that_stays() {
    let env = recorded();
    let session = env.only_session();
    let transcript = env.file_of(&session.id, "typescript");
    let length: u64 = 64 << 30;
    let file = std::fs::File::options().write(true).open(transcript);
    file.unwrap().set_len(length).unwrap();
    let mut meta = session.meta.clone();
    meta["output_bytes"] = length.into();
    std::fs::write(env.file_of(&session.id, "meta.json"), meta.to_string()).unwrap();
    for line in [
        "aido show --no-pager --grep no-such-text",
        "aido show --lines 99:",
        "aido show --diff last",
        "aido show --json --grep no-such-text",
        "aido show > everything",
    ] {
        let mut watched = env.terminal().env("PAGER", "cat >everything").line(line);
        watched.wait_for("reading: ");
        watched.wait_for(" of 64.0 GiB");
        watched.send("\x03");
        watched.wait_exit();
    }
    // What is read at once says nothing of that.
    let (code, text) = on_terminal(&recorded(), &[NO_PAGER], &[]);
    assert!(code == 0 && !text.contains("reading: "), "{text:?}");
}
