//! `aido rerun`: the exact arguments in the recorded directory, and nothing that a stranger wrote unless
//! the user says so.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde_json::{Value, json};

use crate::support::{Output, Session, TestEnv, signed};

mod differ;

/// The session that came last.
fn last(env: &TestEnv) -> Session {
    env.recorded().pop().unwrap()
}

/// Runs a session again, which has to be refused before anything ran.
#[track_caller]
fn refused(env: &TestEnv, words: &[&str]) -> String {
    let before = env.recorded().len();
    let run = env.aido(words).output();
    assert!(
        run.code() == 125 && run.stdout.is_empty(),
        "{words:?}: {run:?}"
    );
    assert_eq!(env.recorded().len(), before, "{words:?}");
    assert!(!env.work().join("RAN").exists(), "{words:?}: it ran");
    run.stderr_text()
}

#[test]
fn the_arguments_are_the_same_byte_for_byte() {
    let env = TestEnv::new();
    env.script(
        "bin/dump",
        "#!/bin/sh\nfor word; do printf '%s' \"$word\" | od -An -tx1; echo .; done\n",
    );
    let dump = env.path("bin/dump").into_os_string();
    let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let words: Vec<OsString> = vec![
        dump,
        "".into(),
        "a b".into(),
        "--json".into(),
        "$(touch RAN)".into(),
        "`touch RAN`; touch RAN".into(),
        "*".into(),
        "'\"\\\n\t".into(),
        "é日本".into(),
        bytes(b"\xff\xfe \x80"),
        bytes(b"\x01\x1b[2J\x7f"),
        "".into(),
    ];
    let run = env.aido(&words).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let first = last(&env);
    assert_eq!(run.stdout_text().matches('.').count(), words.len() - 1);
    for _ in 0..2 {
        // Each time the last one, so the second is the rerun of a rerun.
        let parent = last(&env);
        let again = env.aido(["rerun"]).output();
        assert_eq!((again.code(), &again.stdout), (0, &run.stdout), "{again:?}");
        let session = last(&env);
        for name in ["argv", "argv_hex", "command", "cwd", "shell_line"] {
            assert_eq!(session.meta[name], first.meta[name], "{name}");
        }
        assert_eq!(session.meta["parent"], parent.id.as_str());
        assert_eq!(env.signature(&session.id), "VALID");
    }
    assert_eq!(first.meta["parent"], Value::Null);
    assert!(env.read(&["show"]).contains("rerun of"));
}

#[test]
fn a_line_of_shell_is_run_by_the_shell_that_ran_it() {
    let env = TestEnv::new();
    let line: &OsStr = OsStrExt::from_bytes(b"printf '%s|' \"$0\" \"$@\" '\xff' $((1+2)); exit 4");
    let words: [&OsStr; 5] = [
        "-c".as_ref(),
        line,
        "zero".as_ref(),
        "a b".as_ref(),
        "".as_ref(),
    ];
    let run = env.aido(words).output();
    assert_eq!(
        (run.code(), &run.stdout[..]),
        (4, &b"zero|a b||\xff|3|"[..])
    );
    let first = last(&env);
    // Not the shell that would be taken now.
    let again = env
        .aido(["rerun", &first.id])
        .env("SHELL", "/bin/false")
        .output();
    assert_eq!((again.code(), &again.stdout), (4, &run.stdout), "{again:?}");
    let session = last(&env);
    for name in ["argv", "argv_hex", "command", "shell_line"] {
        assert_eq!(session.meta[name], first.meta[name], "{name}");
    }
}

#[test]
fn it_runs_in_a_directory_of_any_name() {
    let env = TestEnv::new();
    let strange = env.work().join(OsStr::from_bytes(b"de\xffep"));
    fs::create_dir(&strange).unwrap();
    let run = env.aido(["touch", "here"]).current_dir(&strange).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let first = last(&env);
    assert!(
        first.meta["cwd"]
            .as_str()
            .unwrap()
            .ends_with("de\u{fffd}ep")
    );
    fs::remove_file(strange.join("here")).unwrap();
    let again = env.aido(["rerun"]).output();
    assert_eq!(again.code(), 0, "{again:?}");
    assert!(strange.join("here").exists());
    assert_eq!(last(&env).meta["cwd_hex"], first.meta["cwd_hex"]);
    assert_eq!(env.signature(&first.id), "VALID");
    // Elsewhere the field isn't there.
    env.aido(["true"]).output();
    assert_eq!(last(&env).meta.get("cwd_hex"), None);
}

#[test]
fn json_is_refused_where_the_command_prints() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "echo; exit 0"]).output();
    let run = env.aido(["rerun", "--json"]).output();
    assert_eq!((run.code(), run.stdout.len()), (2, 0), "{run:?}");
    let error: Value = serde_json::from_str(&run.stderr_text()).unwrap();
    assert_eq!(error["error"]["code"], "usage");
    assert_eq!(env.recorded().len(), 1);
}

#[test]
fn it_runs_where_it_ran_with_what_the_caller_has_now() {
    let env = TestEnv::new();
    env.write("work/deep/down/file", "");
    let deep = env.path("work/deep/down");
    let script = "pwd; echo $NOW; cat";
    let run = env
        .aido(["--task", "t", "--note", "n", "sh", "-c", script])
        .current_dir(&deep)
        .env("NOW", "then")
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    let expected = |now: &str| format!("{}\n{now}\n", deep.display());
    assert_eq!(run.stdout_text(), expected("then"));
    let again = env
        .aido(["--tag", "again", "rerun", "last"])
        .env("NOW", "now")
        .stdin("fresh input\n")
        .output();
    assert_eq!(again.stdout_text(), expected("now") + "fresh input\n");
    let meta = last(&env).meta;
    assert_eq!(meta["cwd"], deep.to_str().unwrap());
    assert_eq!(meta["tags"], json!(["again"]));
    assert_eq!(
        (&meta["task"], &meta["notes"]),
        (&Value::Null, &Value::Null)
    );
}

/// The store stays the one that it was found in, however that was named.
#[test]
fn the_new_session_is_beside_the_old_one() {
    let env = TestEnv::in_repository();
    env.write("work/deep/file", "");
    for (words, variable) in [
        (&["--session-dir", "rec", "rerun"][..], None),
        (&["rerun", "--session-dir", "rec"], None),
        (&["rerun"], Some("rec")),
        (&["rerun"], None),
    ] {
        let options = ["--session-dir", "../rec", "true"];
        let in_rec = words.len() > 1 || variable.is_some();
        let options = if in_rec { &options[..] } else { &options[2..] };
        let run = env
            .aido(options)
            .current_dir(env.path("work/deep"))
            .output();
        assert_eq!(run.code(), 0, "{run:?}");
        let mut run = env.aido(words);
        if let Some(directory) = variable {
            run = run.env("AIDO_SESSION_DIR", directory);
        }
        let run = run.output();
        assert!(
            run.code() == 0 && run.stderr.is_empty(),
            "{words:?}: {run:?}"
        );
    }
    let count = |path: &str| crate::support::recorded_in(&env.path(path)).len();
    assert_eq!((count("work/rec"), count("work/nexus/.aisessions")), (6, 2));
    assert!(!env.path("work/deep/rec").exists());
}

#[test]
fn it_ends_as_the_command_does() {
    let env = TestEnv::new();
    let ends: [(&str, i32, Option<i32>); 4] = [
        ("exit 0", 0, None),
        ("exit 3", 3, None),
        ("kill -TERM $$", 143, Some(libc::SIGTERM)),
        ("kill -KILL $$", 137, Some(libc::SIGKILL)),
    ];
    for (script, code, signal) in ends {
        env.aido(["sh", "-c", script]).output();
        let run = env.aido(["rerun"]).output();
        assert_eq!(
            (run.code(), run.signal()),
            (code, signal),
            "{script}: {run:?}"
        );
    }
    env.script("work/gone", "#!/bin/sh\n");
    let gone = env.path("work/gone");
    env.aido([&gone]).output();
    fs::remove_file(&gone).unwrap();
    assert_eq!(env.aido(["rerun"]).output().code(), 127);
}

#[test]
fn on_a_terminal_it_has_the_terminal() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "test -t 0 && echo yes || echo no"])
        .output();
    let mut user = env.terminal().aido("always", ["rerun"]);
    assert_eq!(user.wait_code(), 0);
    assert_eq!(user.output_so_far(), b"yes\r\n");
    assert_eq!(last(&env).meta["tty"]["situation"], "full");
}

/// How the text of a sidecar is made, with or without a mac.
type Sign<'a> = (&'static str, &'a dyn Fn(&TestEnv, &Value) -> String);
/// Why a session can't be run again, and what makes it so.
type Change<'a> = (&'static str, &'a dyn Fn(&mut Value));

/// A session whose sidecar says something else, with whatever mac.
fn with_sidecar(change: impl Fn(&mut Value), sign: impl Fn(&TestEnv, &Value) -> String) -> TestEnv {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "echo fine"]).output();
    let mut session = last(&env);
    change(&mut session.meta);
    let text = sign(&env, &session.meta);
    fs::write(env.file_of(&session.id, "meta.json"), text).unwrap();
    env
}

fn keep_mac(_: &TestEnv, meta: &Value) -> String {
    serde_json::to_string_pretty(meta).unwrap() + "\n"
}

fn no_mac(env: &TestEnv, meta: &Value) -> String {
    let mut meta = meta.clone();
    meta["mac"] = Value::Null;
    keep_mac(env, &meta)
}

#[test]
fn what_does_not_verify_is_run_only_if_it_is_trusted() {
    let evil = |meta: &mut Value| meta["argv"] = json!(["sh", "-c", "touch RAN; echo $0", "evil"]);
    let foreign = |_: &TestEnv, meta: &Value| signed(meta, b"another key of thirty-two bytes.");
    let strangers: [Sign<'_>; 3] = [
        ("ALTERED", &keep_mac),
        ("UNSIGNED", &no_mac),
        ("ALTERED", &foreign),
    ];
    for (signature, sign) in strangers {
        let env = with_sidecar(evil, sign);
        let said = refused(&env, &["rerun"]);
        assert!(
            said.contains(signature) && said.contains("--trust"),
            "{said}"
        );
        let said = refused(&env, &["rerun", "--json"]);
        let error: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(error["error"]["code"], "refused");
        refused(&env, &["rerun", "--dry-run"]);
        // It can be looked at before it is trusted.
        let shown = env.read(&["rerun", "--dry-run", "--trust"]);
        assert!(
            shown.contains("touch RAN") && !env.work().join("RAN").exists(),
            "{shown}"
        );
        let run = env.aido(["rerun", "--trust"]).output();
        assert_eq!(
            (run.code(), run.stdout_text()),
            (0, "evil\n".to_owned()),
            "{run:?}"
        );
        assert!(env.work().join("RAN").exists());
    }
    // Without a key nothing verifies.
    let env = with_sidecar(evil, |env, meta| signed(meta, &env.key()));
    fs::remove_file(env.path("home/.local/state/aido/key")).unwrap();
    refused(&env, &["rerun"]);
}

/// What is run is the arguments. What the sidecar says of them for people reaches no shell, and is not
/// handed on as if this user had typed it.
#[test]
fn a_poisoned_command_is_never_run() {
    let poison = |meta: &mut Value| {
        for name in ["command", "shell_line"] {
            meta[name] = "touch RAN; $(touch RAN) `touch RAN`".into();
        }
        meta["env"]["SHELL"] = "touch RAN".into();
        meta["typescript_file"] = "$(touch RAN)".into();
        meta["agent"] = "$(touch RAN)".into();
    };
    let resigned = |env: &TestEnv, meta: &Value| signed(meta, &env.key());
    let signs: [Sign<'_>; 2] = [("VALID", &resigned), ("ALTERED", &keep_mac)];
    for (signature, sign) in signs {
        let env = with_sidecar(poison, sign);
        assert_eq!(env.signature(&last(&env).id), signature);
        let run: Output = env.aido(["rerun", "--trust"]).output();
        assert_eq!(
            (run.code(), run.stdout_text()),
            (0, "fine\n".to_owned()),
            "{run:?}"
        );
        assert!(!env.work().join("RAN").exists(), "{signature}");
        let session = last(&env);
        assert_eq!(session.meta["argv"], json!(["sh", "-c", "echo fine"]));
        if signature == "ALTERED" {
            assert_eq!(session.meta["command"], "sh -c 'echo fine'");
            assert_eq!(session.meta["shell_line"], Value::Null);
        }
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let file = |meta: &mut Value| meta["cwd"] = "/etc/passwd".into();
    let changes: [Change<'_>; 8] = [
        ("not recorded", &|meta| meta["argv"] = json!([])),
        ("damaged", &|meta| meta["argv_hex"] = json!([null])),
        ("damaged", &|meta| {
            meta["argv_hex"] = json!([null, null, "x"])
        }),
        ("not recorded", &|meta| meta["cwd"] = Value::Null),
        ("/no/such/directory", &|meta| {
            meta["cwd"] = "/no/such/directory".into()
        }),
        ("/etc/passwd", &file),
        ("its directory", &|meta| meta["cwd"] = "".into()),
        ("its directory", &|meta| meta["cwd"] = "x\u{0}y".into()),
    ];
    for (why, change) in changes {
        let env = with_sidecar(change, |env, meta| signed(meta, &env.key()));
        let said = refused(&env, &["rerun"]);
        assert!(said.contains(why), "{why}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_dry_run_runs_nothing() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "test -e ran && touch RAN; touch ran", "a b"])
        .output();
    let cwd = env.work().display().to_string();
    let line = "sh -c 'test -e ran && touch RAN; touch ran' 'a b'";
    let shown = env.read(&["rerun", "--dry-run"]);
    assert_eq!(shown, format!("command   {line}\ndirectory {cwd}\n"));
    let json = env.json(&["rerun", "--dry-run", "--json"]);
    let session = env.only_session();
    assert_eq!(
        json,
        json!({"schema_version": "1.0", "parent": session.id, "argv": session.meta["argv"],
               "command": line, "cwd": cwd})
    );
    assert!(!env.work().join("RAN").exists());
}

#[test]
fn what_runs_and_what_is_not_there_is_refused() {
    let env = TestEnv::new();
    assert_eq!(env.aido(["rerun"]).output().code(), 1);
    let run = env.aido(["sh", "-c", "echo READY; exec sleep 600"]).spawn();
    run.wait_for_stdout(b"READY");
    assert!(refused(&env, &["rerun"]).contains("still running"));
    run.kill();
    // Nobody signed what was interrupted, finished or not.
    for _ in 0..2 {
        let said = refused(&env, &["rerun"]);
        assert!(said.contains("UNSIGNED"), "{said}");
        env.read(&["recover"]);
    }
    let again = env.aido(["rerun", "--trust"]).spawn();
    again.wait_for_stdout(b"READY");
    again.signal(libc::SIGTERM);
    assert_eq!(again.wait().signal(), Some(libc::SIGTERM));
    for selector in ["no-such", "../../etc/passwd", ""] {
        let run = env.aido(["rerun", selector]).output();
        assert!(
            run.code() == 1 && run.stdout.is_empty(),
            "{selector:?}: {run:?}"
        );
    }
}
