//! What rarely happens to a session, and must not cost it: a full disk, another user, a window that is
//! closed, long paths, many at once.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::process::{Resource, geteuid};

use super::*;
use crate::robustness::{limited, with_mount};
use crate::support::{AIDO, skipped};

/// After a line a flood, then a program that answers still.
const FLOOD: &str = "read x; seq 100000; echo over; cat";

#[test]
fn a_session_goes_on_when_its_recording_can_grow_no_more() {
    let env = place();
    let words = ["start", "--name", "full", "--", "sh", "-c", FLOOD];
    let limit = limited(Resource::Fsize, 65_536);
    let started = env.aido(words).before_exec(limit).output();
    assert_eq!(started.code(), 0, "{started:?}");
    done(&env, &["send", "full", "-e"]);
    wait_for(&env, "full", "^over");
    done(&env, &["send", "full", "still here", "-e"]);
    wait_for(&env, "full", "^still here");
    assert!(done(&env, &["capture", "full"]).contains("still here"));
    done(&env, &["stop", "full"]);
    let session = env.only_session();
    let dropped = session.meta["dropped_bytes"].as_u64();
    assert!(dropped > Some(400_000), "{}", session.meta);
    assert!(!contains(session.output(), b"still here"));
    // Of the screen only what was recorded is known, and that is said.
    let captured = aido(&env, &["capture", "full"]);
    assert!(
        captured.stderr_text().contains("not recorded"),
        "{captured:?}"
    );
}

#[test]
fn a_session_goes_on_when_the_disk_is_full() {
    let env = place();
    let steps = [
        "mount -t tmpfs -o size=256k,mode=700 none \"$1\"".to_owned(),
        format!("{AIDO} start --name full -- sh -c '{FLOOD}' >&2"),
        format!("{AIDO} send full -e >&2"),
        format!("{AIDO} wait full --text ^over --timeout 15s"),
        format!("{AIDO} send full 'still here' -e >&2"),
        format!("{AIDO} wait full --text '^still here' --timeout 15s"),
        format!("{AIDO} capture full | grep -q 'still here'"),
        format!("{AIDO} stop full"),
    ];
    let test = "a_session_goes_on_when_the_disk_is_full";
    let words = ["show", "full", "--meta", "--json"];
    let Some(run) = with_mount(&env, test, &steps.join(" && "), &words) else {
        return;
    };
    let run = run.output();
    assert_eq!(run.code(), 0, "{run:?}");
    let meta: Value = serde_json::from_str(&run.stdout_text()).unwrap();
    assert!(meta["dropped_bytes"].as_u64() > Some(400_000), "{meta}");
    assert_eq!(meta["exit_code"], 143, "{meta}");
}

/// The only file with this ending in the directory for sockets.
fn met_at(env: &TestEnv, ending: &str) -> PathBuf {
    let mut found = files_below(&env.home().join(".local/state/aido/run"));
    found.retain(|path| path.extension() == Some(ending.as_ref()));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Does something as nobody, on a thread of its own: a raw call changes that thread only.
fn as_nobody<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    const NOBODY: libc::uid_t = 65_534;
    let as_nobody = || {
        // SAFETY: setresuid(2) takes three numbers; the thread ends with this closure.
        let failed = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
        assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
        act()
    };
    std::thread::scope(|scope| scope.spawn(as_nobody).join().unwrap())
}

#[test]
fn another_user_is_let_in_by_neither_door() {
    if !geteuid().is_root() {
        return skipped(
            "another_user_is_let_in_by_neither_door",
            "becoming another needs root",
        );
    }
    let env = place();
    start(&env, "own", &["sh", "-c", ASKING]);
    wait_for(&env, "own", ">>> $");
    let (socket, door) = (met_at(&env, "s"), met_at(&env, "d"));
    // As it is, nobody even gets near.
    let denied = as_nobody(|| UnixStream::connect(&socket)).unwrap_err();
    assert_eq!(denied.kind(), std::io::ErrorKind::PermissionDenied);
    // If all modes were wide open the peer itself would be looked at.
    let mut path = socket.clone();
    while path.pop() && path.starts_with(env.path("")) {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for path in [&socket, &door] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    }
    let greeting = as_nobody(|| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let mut greeting = Vec::new();
        // It is closed without a word.
        let _ = stream.read_to_end(&mut greeting);
        greeting
    });
    assert_eq!(greeting, b"");
    let mut own = UnixStream::connect(&socket).unwrap();
    let mut first = [0];
    own.read_exact(&mut first).unwrap();
    // Whoever knocks without pipes of this user's own is not let in, and the session goes on.
    as_nobody(|| fs::write(&door, "0123456789abcdef\n")).unwrap();
    done(&env, &["send", "own", "still here", "-e"]);
    wait_for(&env, "own", "^= still here");
    done(&env, &["stop", "own"]);
}

#[test]
fn a_directory_of_somebody_else_is_not_used() {
    let env = place();
    let place = env.path("tmp").join(format!("aido-{}", geteuid().as_raw()));
    fs::create_dir_all(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
    env.write("home/.local/state/aido/run", "in the way");
    let started = env
        .aido(["start", "--name", "on", "cat"])
        .env("TMPDIR", env.path("tmp"))
        .output();
    assert!(
        started.stderr_text().contains("nowhere for a socket"),
        "{started:?}"
    );
    // Nor one that is a link to somewhere.
    fs::remove_dir(&place).unwrap();
    fs::create_dir(env.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(env.path("elsewhere"), &place).unwrap();
    let started = env
        .aido(["start", "--name", "two", "cat"])
        .env("TMPDIR", env.path("tmp"))
        .output();
    assert!(
        started.stderr_text().contains("nowhere for a socket"),
        "{started:?}"
    );
    assert!(files_below(&env.path("elsewhere")).is_empty());
    done(&env, &["stop", "on", "two"]);
}

#[test]
fn a_starter_whose_window_is_closed_leaves_the_session() {
    let env = place();
    let mut shell = env.terminal().shell();
    shell.send(format!("{AIDO} start --name on -- cat; echo code $?\n"));
    shell.wait_for("code 0");
    shell.close_master();
    shell.wait_exit();
    done(&env, &["send", "on", "still here", "-e"]);
    wait_for(&env, "on", "^still here");
}

#[test]
fn a_path_of_any_length_will_do() {
    let env = place();
    let part = "a b\n".repeat(50);
    let deep = env.path("").join(&part).join(&part).join(&part);
    let runtime = env.path("").join("r".repeat(250)).join("r".repeat(250));
    for path in [&deep, &runtime] {
        fs::create_dir_all(path).unwrap();
    }
    let with = |words: &[&str]| {
        let run = env
            .aido(words)
            .env("AIDO_SESSION_DIR", deep.join("sessions"));
        let run = run.env("XDG_RUNTIME_DIR", &runtime).output();
        assert_eq!(run.code(), 0, "{words:?}: {run:?}");
        run.stdout_text()
    };
    with(&["start", "--name", "deep", "--", "cat"]);
    with(&["send", "deep", "found", "-e"]);
    with(&["wait", "deep", "--text", "^found", "--timeout", "15s"]);
    assert_eq!(with(&["capture", "deep"]), "found\nfound\n");
    assert!(with(&["list", "--running"]).contains("deep"));
    with(&["stop", "deep"]);
}

#[test]
fn many_sessions_run_at_once() {
    const MANY: usize = 64;
    let env = place();
    let names: Vec<String> = (0..MANY).map(|number| format!("many-{number}")).collect();
    for some in names.chunks(8) {
        let starting = some.iter().map(|name| {
            let words = ["start", "--name", name, "--", "cat"];
            env.aido(words)
                .timeout(std::time::Duration::from_secs(60))
                .spawn()
        });
        let starting: Vec<_> = starting.collect();
        for start in starting {
            let started = start.wait();
            assert_eq!(started.code(), 0, "{started:?}");
        }
    }
    let listed = done(&env, &["list", "--running", "-n", "0", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), MANY);
    for name in [&names[0], &names[MANY / 2], &names[MANY - 1]] {
        done(&env, &["send", name, name, "-e"]);
        wait_for(&env, name, &format!("^{name}"));
    }
    let mut stop = vec!["stop", "--kill"];
    stop.extend(names.iter().map(String::as_str));
    done(&env, &stop);
    wait_until("all are gone", || processes_of(&env.home()).is_empty());
    assert!(
        env.recorded()
            .iter()
            .all(|session| session.meta["signal"] == "SIGKILL")
    );
}

#[test]
fn what_is_left_private_is_private_whatever_the_umask() {
    let env = place();
    let hook = || {
        rustix::process::umask(rustix::fs::Mode::empty());
        Ok(())
    };
    let words = ["start", "--name", "own", "--", "sh", "-c", ASKING];
    let started = env.aido(words).before_exec(hook).output();
    assert_eq!(started.code(), 0, "{started:?}");
    wait_for(&env, "own", ">>> $");
    let run = env.home().join(".local/state/aido/run");
    let files = [files_below(&run), files_below(&env.sessions())].concat();
    assert!(files.len() > 4, "{files:?}");
    for path in files.iter().chain([&run]) {
        let mode = fs::symlink_metadata(path).unwrap().permissions().mode();
        // A socket's own mode says nothing: its directory keeps others out.
        let is_socket = path.extension() == Some("s".as_ref());
        assert!(
            is_socket || mode & 0o077 == 0,
            "{}: {mode:o}",
            path.display()
        );
    }
    done(&env, &["stop", "own"]);
}
