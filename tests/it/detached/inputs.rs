//! `wait --input`: who takes what is typed, as the kernel tells it, and who doesn't.

use super::*;
use crate::support::has_program;

const TEST: &str = "whoever_takes_a_key_is_known";

/// Waits a while for a session to read; whether it did.
fn reads(env: &TestEnv, name: &str, timeout: &str) -> bool {
    let waited = aido(env, &["wait", name, "--input", "--timeout", timeout]);
    assert!(matches!(waited.code(), 0 | 124), "{name}: {waited:?}");
    waited.code() == 0
}

#[test]
fn whoever_takes_a_key_is_known() {
    let env = place();
    env.write("work/page.txt", &"line\n".repeat(500));
    // In read, pselect, select or poll, and epoll.
    for (program, more) in [
        ("cat", &[][..]),
        ("less", &["page.txt"]),
        ("bash", &["--norc", "--noprofile", "-i"]),
        ("python3", &["-q"]),
        ("vim", &["-u", "NONE", "page.txt"]),
        ("top", &[]),
        ("node", &[]),
    ] {
        if has_program(program, TEST) {
            start(&env, program, &[&[program], more].concat());
            assert!(reads(&env, program, "15s"), "{program}");
            let listed = done(&env, &["list", "--running"]);
            let line = listed.lines().find(|line| line.contains(program)).unwrap();
            // The list may not look into what isn't its own everywhere; whoever is root may.
            let is_root = rustix::process::geteuid().is_root();
            assert!(!is_root || line.contains("INPUT"), "{line}");
        }
    }
}

#[test]
fn whoever_waits_for_something_else_is_not_taken_for_one() {
    let test = "whoever_waits_for_something_else_is_not_taken_for_one";
    let env = place();
    let select = "import select, socket\ns = socket.socketpair()\nselect.select([s[0]], [], [])";
    for (name, words) in [
        ("sleeper", &["sleep", "600"][..]),
        // A child in the foreground works, and the shell waits for that.
        (
            "shell",
            &["bash", "--norc", "-i", "-c", "sleep 600; read x"],
        ),
        ("python", &["python3", "-c", select]),
        ("node", &["node", "-e", "setInterval(() => {}, 1e6)"]),
        // One that passes on what another terminal says.
        ("relay", &["script", "-qc", "sleep 600", "/dev/null"]),
    ] {
        if has_program(words[0], test) {
            start(&env, name, words);
            assert!(!reads(&env, name, "1s"), "{name}");
        }
    }
}

#[test]
fn a_relay_takes_keys_when_who_sits_behind_it_does() {
    let test = "a_relay_takes_keys_when_who_sits_behind_it_does";
    if has_program("script", test) {
        let env = place();
        start(&env, "relay", &["script", "-qc", "cat", "/dev/null"]);
        assert!(reads(&env, "relay", "15s"));
    }
}

#[test]
fn a_program_that_works_is_not_waiting_until_it_asks_again() {
    if !has_program(
        "python3",
        "a_program_that_works_is_not_waiting_until_it_asks_again",
    ) {
        return;
    }
    let env = place();
    start(&env, "python", &["python3", "-q"]);
    assert!(reads(&env, "python", "15s"));
    // It reads again only once there is a file.
    let work = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n\n";
    let typed = env.aido(["send", "python", "--stdin"]).stdin(work).output();
    assert_eq!(typed.code(), 0, "{typed:?}");
    wait_for(&env, "python", r"sleep\(0.01\)");
    done(&env, &["send", "python", "-e"]);
    assert!(!reads(&env, "python", "1s"));
    env.write("work/go", "");
    assert!(reads(&env, "python", "15s"));
}

#[test]
fn a_hidden_prompt_counts_though_nobody_can_be_seen_to_read() {
    let env = place();
    // As if it were sudo, into which the supervisor may not look.
    let script = "stty -echo; printf 'Password: '; sleep 600";
    start(&env, "asks", &["sh", "-c", script]);
    wait_for(&env, "asks", "Password: ");
    assert!(reads(&env, "asks", "15s"));
}
