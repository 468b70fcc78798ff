//! What is typed: apart, in one piece each, and never to somebody else later.

use super::*;
use crate::support::{Running, has_program};

/// Takes what comes at once for something pasted, as programs do that draw their own prompt.
const PASTES: &str = r#"
import os, tty
tty.setraw(0)
os.write(1, b"ready\r\n")
typed = b""
while True:
    piece = os.read(0, 65536)
    if piece == b"\r":
        os.write(1, b"sent: " + typed + b"\r\n")
        typed = b""
    else:
        os.write(1, b"pasted %d\r\n" % piece.count(b"\r") if b"\r" in piece else b"\r\n")
        typed += piece
"#;

#[test]
fn enter_comes_apart_from_what_was_before() {
    if !has_program("python3", "enter_comes_apart_from_what_was_before") {
        return;
    }
    let env = place();
    start(&env, "agent", &["python3", "-c", PASTES]);
    wait_for(&env, "agent", "ready");
    for word in ["one", "two", "three", "four", "five"] {
        done(&env, &["send", "agent", word, "-e"]);
        wait_for(&env, "agent", &format!("^sent: {word}$"));
    }
    assert!(!done(&env, &["capture", "agent"]).contains("pasted"));
    // The control: what comes at once is taken for a paste.
    done(&env, &["send", "agent", "--keys", "s i x Enter"]);
    wait_for(&env, "agent", "pasted 1");
}

#[test]
fn those_who_type_at_once_are_not_mixed() {
    let env = place();
    start(
        &env,
        "shared",
        &["sh", "-c", "stty -echo raw opost; echo ready; cat"],
    );
    wait_for(&env, "shared", "ready");
    let letters = ['a', 'b', 'c', 'd'];
    let typing: Vec<Running> = letters
        .iter()
        .map(|letter| {
            let line = format!("<{}>\n", letter.to_string().repeat(3000));
            env.aido(["send", "shared", "--stdin", "-e"])
                .stdin(line)
                .spawn()
        })
        .collect();
    for typist in typing {
        let typed = typist.wait();
        assert_eq!(typed.code(), 0, "{typed:?}");
    }
    done(&env, &["send", "shared", "over"]);
    wait_for(&env, "shared", "over");
    done(&env, &["stop", "shared"]);
    let session = env.only_session();
    for letter in letters {
        let line = format!("<{}>\r", letter.to_string().repeat(3000));
        assert!(contains(session.output(), line.as_bytes()), "{letter}");
    }
}

#[test]
fn what_is_never_read_is_given_up_and_not_typed_later() {
    let env = place();
    let script = "stty raw -echo; echo ready; while ! test -e go; do sleep 0.05; done; \
                  stty -raw echo; echo reads; cat";
    start(&env, "hears-not", &["sh", "-c", script]);
    wait_for(&env, "hears-not", "ready");
    let first = env
        .aido(["send", "hears-not", "--stdin"])
        .stdin("x".repeat(700_000))
        .spawn();
    let full = |run: &Output, said: &str| {
        assert_eq!(run.code(), 1, "{run:?}");
        assert!(run.stderr_text().contains(said), "{run:?}");
    };
    let first = first.wait();
    full(&first, "not all of it was typed: the command reads nothing");
    // The next one is told, too, and nothing of it comes later.
    full(
        &aido(&env, &["send", "hears-not", "LATER", "-e"]),
        "the command reads nothing",
    );
    env.write("work/go", "");
    wait_for(&env, "hears-not", "reads");
    done(&env, &["send", "hears-not", "--keys", "C-d"]);
    done(&env, &["send", "hears-not", "now", "-e"]);
    wait_for(&env, "hears-not", "now$");
    done(&env, &["stop", "hears-not"]);
    assert!(!contains(env.only_session().output(), b"LATER"));
}
