//! A day's work with nothing but aido: two REPLs and a full-screen program are started, talked to, sat
//! down at, lost, stopped, and handed over.

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::support::{Running, has_program};

/// What tmux runs in: a server of the test's own.
struct Window<'e> {
    env: &'e TestEnv,
    socket: String,
}

impl<'e> Window<'e> {
    fn open(env: &'e TestEnv, line: &str) -> Self {
        let socket = env.path("tmux").to_str().unwrap().to_owned();
        let window = Self { env, socket };
        let size = ["-x", "100", "-y", "30"];
        window.tmux(&[&["new-session", "-d"], &size[..], &[line]].concat());
        window
    }

    #[track_caller]
    fn tmux(&self, words: &[&str]) -> String {
        let server = ["tmux", "-f", "/dev/null", "-S", &self.socket];
        let run = self.env.bare([&server[..], words].concat()).output();
        assert_eq!(run.code(), 0, "{words:?}: {run:?}");
        run.stdout_text()
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        wait_until(&format!("{text:?} in the window"), || {
            self.tmux(&["capture-pane", "-p"]).contains(text)
        });
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let server = ["tmux", "-S", &self.socket, "kill-server"];
        let _ = self.env.bare(server).output();
    }
}

fn waiting(env: &TestEnv, words: &[&str]) -> Running {
    env.aido(words).spawn()
}

#[test]
fn a_day_with_nothing_but_aido() {
    // Without tmux, only sitting down is left out.
    let name = "a_day_with_nothing_but_aido";
    if !["bash", "python3", "less"]
        .iter()
        .all(|program| has_program(program, name))
    {
        return;
    }
    let env = TestEnv::in_repository();
    let lines: String = (1..=500).map(|number| format!("line {number}\n")).collect();
    env.write("work/long.txt", &lines);

    // Two REPLs and a full-screen program.
    let shell = start(&env, "shell", &["bash", "--norc", "--noprofile", "-i"]);
    let python = start(&env, "python", &["python3", "-q"]);
    start(&env, "pager", &["less", "long.txt"]);
    let listed = done(&env, &["list", "--running"]);
    for name in ["shell", "python", "pager"] {
        assert!(listed.contains(name), "{listed}");
        // Each by a wait of its own kind: pselect, select or read.
        done(&env, &["wait", name, "--input", "--timeout", "15s"]);
    }

    // They are talked to, and answer.
    done(&env, &["send", "shell", "echo $((6 * 7))", "-e"]);
    wait_for(&env, "shell", "^42$");
    let sent = done(
        &env,
        &["send", "python", "2 ** 70", "-e", "--if-screen", ">>> $"],
    );
    let words = [
        "wait",
        "python",
        "--after",
        sent.trim(),
        "--text",
        "^1180591620717411303424",
    ];
    done(&env, &[&words[..], &["--timeout", "15s"]].concat());
    done(&env, &["send", "pager", "--keys", "G"]);
    wait_for(&env, "pager", "^line 500$");
    let shown: Value = serde_json::from_str(&done(&env, &["capture", "pager", "--json"])).unwrap();
    assert_eq!(
        shown["alternate"], true,
        "a full-screen program has the screen"
    );
    assert!(!done(&env, &["capture", "pager"]).contains("line 1\n"));
    // Something takes longer; its end rings.
    done(
        &env,
        &["send", "shell", r"sleep 0.3; printf 'built\a\n'", "-e"],
    );
    done(&env, &["wait", "shell", "--bell", "--timeout", "15s"]);
    done(&env, &["wait", "shell", "--input", "--timeout", "15s"]);

    // Somebody sits down at one in tmux, types, and leaves.
    if has_program("tmux", name) {
        let line = format!(
            "{} attach shell; echo left with $?; exec cat",
            crate::support::AIDO
        );
        let window = Window::open(&env, &line);
        window.wait_for("built");
        window.keys(&["echo from $((3 * 100)) tmux", "Enter"]);
        window.wait_for("from 300 tmux");
        wait_for(&env, "shell", "from 300 tmux");
        wait_until("it is said that somebody is there", || {
            done(&env, &["list", "--running"]).contains("ACTIVE")
        });
        window.keys(&[r"C-\", "d"]);
        window.wait_for("left with 0");
        done(&env, &["send", "shell", "echo still $((7 * 7))", "-e"]);
        wait_for(&env, "shell", "^still 49$");
    }

    // A supervisor is killed: who waits for it is told, and nothing calls it a success.
    let end = waiting(&env, &["wait", "python"]);
    let text = waiting(&env, &["wait", "python", "--text", "never"]);
    done(&env, &["wait", "python", "--idle", "100ms"]);
    kill_process(
        Pid::from_raw(ends::supervisor(&python)).unwrap(),
        Signal::KILL,
    )
    .unwrap();
    let end = end.wait();
    assert_eq!(end.code(), 125, "{end:?}");
    assert!(end.stderr_text().contains("was killed"), "{end:?}");
    assert_eq!(text.wait().code(), 1);
    assert!(done(&env, &["list"]).contains("interrupted"));
    assert!(done(&env, &["capture", "python"]).contains("1180591620717411303424"));

    // The others are stopped, with all that they started.
    done(&env, &["stop", "shell", "pager"]);
    wait_until("all are gone", || {
        let mut left = processes_of(&env.home());
        left.retain(|pid| !is_tmux(*pid));
        left.is_empty()
    });
    let run = env.aido(["list", "--running", "--json"]).output();
    assert_eq!((run.code(), run.stdout_text().trim_end()), (1, "[]"));

    // Whoever comes next is told what there was and how it ended.
    let told = done(&env, &["handoff", "--within", "60s"]);
    for needle in ["bash", "less long.txt", "python3 -q", "interrupted"] {
        assert!(told.contains(needle), "{needle}: {told}");
    }
    assert!(done(&env, &["verify", &shell]).contains("VALID"));
}

/// Whether a process is the window's server, which goes with the window.
fn is_tmux(pid: i32) -> bool {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.starts_with("tmux")
}
