//! What is printed: whatever it is, the session goes on, and nothing of the recording is lost.

use super::*;
use crate::support::pty::PtySession;

#[test]
fn nothing_that_is_printed_ends_a_session() {
    let env = place();
    let script = r"head -c 300000 /dev/urandom
        printf '\033c\033]0;'; head -c 800000 /dev/zero | tr '\0' x
        printf '\007\033P'; head -c 800000 /dev/zero | tr '\0' y
        printf '\033\\\033c'; head -c 800000 /dev/zero | tr '\0' z
        printf '\033[999999999;999999999H\033[2147483648X\033[99999b\r\n'
        printf '\033c\033[?2026h'; echo shown; cat";
    start(&env, "wild", &["sh", "-c", script]);
    done(
        &env,
        &["wait", "wild", "--text", "^shown", "--timeout", "18s"],
    );
    // A frame that is begun and never ends is drawn all the same.
    let words = [crate::support::AIDO, "attach", "wild"];
    let mut seat: PtySession = env.terminal().size(100, 20).run(words);
    seat.wait_for("shown");
    seat.send(b"\x1cd");
    assert_eq!(seat.wait_code(), 0);
    done(&env, &["stop", "wild"]);
    let session = env.only_session();
    assert!(
        session.output().len() > 2_700_000,
        "{}",
        session.output().len()
    );
    assert!(done(&env, &["verify", &session.id]).contains("VALID"));
}

#[test]
fn clearing_the_screen_takes_nothing_from_the_recording() {
    let env = place();
    let script = r"echo kept; seq 60; printf '\033[2J\033[3J\033c'; echo after; cat";
    start(&env, "clears", &["sh", "-c", script]);
    wait_for(&env, "clears", "^after");
    assert_eq!(
        done(&env, &["capture", "clears", "--scrollback"]),
        "after\n"
    );
    done(&env, &["stop", "clears"]);
    assert!(contains(env.only_session().output(), b"kept\r\n1\r\n"));
    assert!(done(&env, &["show", "clears"]).contains("kept"));
}

#[test]
fn a_spinner_is_neither_idle_nor_stable_nor_waiting() {
    let env = place();
    let script = r"while :; do for c in / - '\' '|'; do printf '\r%s' $c; sleep 0.02; done; done";
    start(&env, "spins", &["sh", "-c", script]);
    for condition in [&["--idle", "2s"][..], &["--stable", "2s"], &["--input"]] {
        let words = [&["wait", "spins", "--timeout", "3s"], condition].concat();
        let waited = aido(&env, &words);
        assert_eq!(waited.code(), 124, "{condition:?}: {waited:?}");
    }
}

#[test]
fn a_title_does_nothing_to_whoever_reads_it() {
    let env = place();
    let script = r"printf '\033]2;a\002b\033[2Jc\007\033]9;\033[31m\007'; echo ready; cat";
    start(&env, "titled", &["sh", "-c", script]);
    wait_for(&env, "titled", "ready");
    for words in [
        &["list", "--running"][..],
        &["capture", "titled"],
        &["capture", "titled", "--json"],
    ] {
        let shown = done(&env, words);
        assert!(
            !shown.contains(['\x1b', '\x02', '\x07']),
            "{words:?}: {shown:?}"
        );
    }
}

#[test]
fn lines_are_drawn_whatever_the_locale() {
    let env = place();
    let script = r"printf '\033(0lqk\033(B \342\224\214\342\224\200\r\n'; cat";
    let run = env
        .aido([
            "start", "--name", "boxes", "--env", "LC_ALL=C", "sh", "-c", script,
        ])
        .env("LC_ALL", "C")
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    wait_for(&env, "boxes", "─");
    assert_eq!(done(&env, &["capture", "boxes"]), "┌─┐ ┌─\n");
}
