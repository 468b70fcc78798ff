//! Failure memory: what a failure leaves behind, and who hears of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Output, Run, TestEnv, files_below};

mod cost;
mod flaky;
mod held;
mod hostile;
mod lessons;
mod outcomes;
mod rules;
mod secrets;
mod sharing;

/// What a compiler says.
const COMPILE_ERROR: &str = "error[E0425]: cannot find value `x` in this scope\n \
                             --> src/lib.rs:3:5\nerror: could not compile `demo`\n";

/// A place with a `cargo` that says and does what it is told.
struct Place {
    env: TestEnv,
}

impl Place {
    fn new() -> Self {
        Self::in_env(TestEnv::in_repository())
    }

    fn in_env(env: TestEnv) -> Self {
        env.script(
            "home/bin/cargo",
            "#!/bin/sh\ncat \"$HOME/said\" >&2\nexit \"$(cat \"$HOME/code\")\"\n",
        );
        let place = Self { env };
        place.tell(0, "");
        place
    }

    /// What `cargo` does from now on.
    fn tell(&self, code: i32, said: &str) {
        self.env.write("home/said", said);
        self.env.write("home/code", &code.to_string());
    }

    /// aido with these words, where `cargo` is found.
    fn aido(&self, words: &[&str]) -> Run {
        let bin = self.env.path("home/bin");
        let path = format!("{}:/usr/bin:/bin", bin.display());
        self.env.aido(words).env("PATH", path)
    }

    /// Runs a command and checks its exit code; gives aido's own lines.
    #[track_caller]
    fn run(&self, words: &[&str], code: i32) -> Output {
        let run = self.aido(words).output();
        assert_eq!(run.code(), code, "{words:?}: {run:?}");
        run
    }

    /// What one of aido's own words prints as JSON, whatever it exits with.
    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let run = self.aido(&[words, &["--json"]].concat()).output();
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }

    /// All failures as `aido faults` has them.
    #[track_caller]
    fn faults(&self) -> Vec<Value> {
        let json = self.json(&["faults", "--all", "-n", "0"]);
        json["faults"].as_array().unwrap().clone()
    }

    /// The one failure that is known.
    #[track_caller]
    fn fault(&self) -> Value {
        let mut faults = self.faults();
        assert_eq!(faults.len(), 1, "{faults:#?}");
        faults.remove(0)
    }

    /// `aido check -- COMMAND`.
    #[track_caller]
    fn check(&self, command: &[&str], code: i32) -> String {
        self.run(&[&["check", "--"], command].concat(), code)
            .stdout_text()
    }

    fn directory(&self) -> PathBuf {
        self.env.work().join("nexus/faults")
    }
}

/// What this is all for.
#[test]
fn a_build_that_failed_in_one_shell_is_known_in_another_with_what_worked() {
    let place = Place::new();
    place.run(&["--agent", "one", "cargo", "build"], 0);
    let worked = place.env.only_session().id;
    assert_eq!(
        place.check(&["cargo", "build"], 0),
        "nothing is known against it\n"
    );
    place.tell(101, COMPILE_ERROR);
    place.run(&["--agent", "one", "cargo", "build"], 101);
    let said = place.check(&["cargo", "build"], 1);
    for wanted in [
        "cargo-compile-error: E0425: cannot find value `x` in this scope",
        "seen     once, last 0s ago, by one",
        "fix the first compiler error",
        &format!("aido show {}", &worked[worked.len() - 8..]),
        &format!("commit {}", &TestEnv::COMMIT[..10]),
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    // As it would be typed otherwise, but not from elsewhere, and no other command.
    for line in ["cargo build", "cargo build 2>&1 | tail -3"] {
        place.run(&["check", "-c", line], 1);
    }
    place.check(&["cargo", "test"], 0);
    fs::create_dir(place.env.path("work/elsewhere")).unwrap();
    let elsewhere = place.aido(&["check", "--", "cargo", "build"]);
    let elsewhere = elsewhere.current_dir(place.env.path("work/elsewhere"));
    assert_eq!(elsewhere.output().code(), 0);
    // Another agent mends it.
    place.tell(0, "");
    place.run(&["--agent", "two", "cargo", "build"], 0);
    place.check(&["cargo", "build"], 0);
    let fault = place.fault();
    assert_eq!(fault["status"], "resolved");
    let last = place.env.recorded().pop().unwrap();
    assert_eq!(
        (&last.meta["agent"], &fault["ended_by"]),
        (&json!("two"), &json!(last.id))
    );
    // It comes back.
    place.tell(101, COMPILE_ERROR);
    place.run(&["--agent", "two", "cargo", "build"], 101);
    let fault = place.fault();
    assert_eq!(
        (&fault["status"], &fault["reopened"]),
        (&json!("open"), &json!(1))
    );
    assert_eq!(fault["agents"], json!({"one": 1, "two": 1}));
    let mut sessions = place.env.recorded();
    sessions.retain(|session| session.meta["exit_code"] == 101);
    let ids: Vec<&str> = sessions.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(fault["sessions"], json!(ids));
}

#[test]
fn what_worked_instead_is_offered_to_whoever_comes_next() {
    let place = Place::new();
    place.tell(1, "error: unexpected argument '--relase' found\n");
    place.run(&["cargo", "build", "--relase"], 1);
    assert!(
        !place
            .check(&["cargo", "build", "--relase"], 1)
            .contains("worked instead")
    );
    place.tell(0, "");
    place.run(&["cargo", "build", "--release"], 0);
    let said = place.check(&["cargo", "build", "--relase"], 1);
    assert!(
        said.contains("try      `cargo build --release` worked instead\n"),
        "{said}"
    );
    // The words are wrong in every directory.
    let root = place.aido(&["check", "--", "cargo", "build", "--relase"]);
    fs::create_dir(place.env.path("work/sub")).unwrap();
    assert_eq!(
        root.current_dir(place.env.path("work/sub")).output().code(),
        1
    );
    // The next one to fail has it in the sidecar, signed.
    place.tell(1, "error: unexpected argument '--relase' found\n");
    place.run(&["cargo", "build", "--relase"], 1);
    let session = place.env.recorded().pop().unwrap();
    assert_eq!(session.meta["fault"], place.fault()["fault"]);
    assert_eq!(
        session.meta["lessons"][0],
        "`cargo build --release` worked instead"
    );
    assert_eq!(place.env.signature(&session.id), "VALID");
    assert_eq!(place.fault()["cure"]["command"], "cargo build --release");
}

#[test]
fn a_failed_session_says_which_fault_it_ran_into() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    let session = place.env.only_session();
    let fault = session.meta["fault"].as_str().unwrap().to_owned();
    assert!(fault.ends_with("-cargo-compile-error"), "{fault}");
    assert_eq!(
        session.meta["lessons"],
        json!(["fix the first compiler error"])
    );
    assert_eq!(place.env.signature(&session.id), "VALID");
    assert_eq!(
        place.env.listed(&["--fault", &fault]),
        [session.id.as_str()]
    );
    let shown = place.env.read(&["show", "last", "--meta"]);
    assert!(shown.contains(&fault), "{shown}");
    // A terminal or none, one stream or two: it is the same.
    for mode in crate::support::MODES {
        place.run(&["--tty", mode, "cargo", "build"], 101);
        place.run(&["--tty", mode, "-c", "cargo build 2>&1"], 101);
    }
    let faults: BTreeSet<String> = place
        .env
        .recorded()
        .iter()
        .map(|session| session.meta["fault"].to_string())
        .collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(place.fault()["count"], 7);
}

/// The error is far from the end, and in the middle of much else.
#[test]
fn a_failure_is_told_by_more_than_what_the_sidecar_quotes() {
    let place = Place::new();
    let noise = "   Compiling something that is of no interest at all v1.0.0\n".repeat(500);
    let said = format!("{noise}{COMPILE_ERROR}{noise}");
    place.tell(101, &said);
    place.run(&["cargo", "build"], 101);
    place.run(&["--tty", "auto", "-c", "cargo build 2>&1"], 101);
    let fault = place.fault();
    assert_eq!(
        (&fault["class"], &fault["count"]),
        (&json!("compile-error"), &json!(2))
    );
}

#[test]
fn what_is_no_failure_leaves_nothing_behind() {
    let place = Place::new();
    place.run(&["true"], 0);
    place.run(&["grep", "x", "/dev/null"], 1);
    place.run(&["-c", "kill -INT $$"], 130);
    place.run(&["cat", "/proc/self/stat"], 0);
    place.tell(0, "warning: unused\n");
    place.run(&["cargo", "build"], 0);
    for session in place.env.recorded() {
        assert_eq!(
            session.meta["fault"],
            Value::Null,
            "{}",
            session.meta["command"]
        );
        assert_eq!(session.meta["lessons"], json!([]));
    }
    assert!(!place.directory().exists());
    assert_eq!(
        place.env.read(&["faults"]),
        "no open failures are known here\n"
    );
    assert_eq!(
        place.env.read(&["lessons"]),
        "nothing was learned here yet\n"
    );
}

#[test]
fn exit_0_over_a_hidden_failure_is_one_too() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    let run = place.run(&["--report", "failure", "-c", "cargo build 2>&1 | tail"], 0);
    assert!(
        run.stderr_text()
            .contains("exit 0; it says that it failed; "),
        "{run:?}"
    );
    let session = place.env.only_session();
    assert_eq!(session.meta["fault"], place.fault()["fault"]);
    place.check(&["cargo", "build"], 1);
    // Behind a pipe that shows less, and of a failure with an exit code of its own, success proves nothing.
    place.tell(0, "");
    place.run(&["-c", "cargo build 2>&1 | tail -2"], 0);
    place.check(&["cargo", "build"], 1);
    place.run(&["-c", "cargo build 2>&1 | tail -20"], 0);
    place.check(&["cargo", "build"], 0);
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    assert_eq!(place.fault()["fault"], session.meta["fault"]);
    place.tell(0, "");
    place.run(&["-c", "cargo build 2>&1 | tail"], 0);
    place.check(&["cargo", "build"], 1);
    place.run(&["-c", "cargo build; exit $?"], 0);
    place.check(&["cargo", "build"], 0);
    // A filter that showed the failure and finds nothing any more.
    place.tell(101, COMPILE_ERROR);
    place.run(&["-c", "cargo build 2>&1 | grep error"], 0);
    place.check(&["cargo", "build"], 1);
    place.tell(0, "");
    place.run(&["-c", "cargo build 2>&1 | grep warning"], 1);
    place.check(&["cargo", "build"], 1);
    place.run(&["-c", "cargo build 2>&1 | grep error"], 1);
    place.check(&["cargo", "build"], 0);
}

#[test]
fn with_reports_on_a_line_comes_before_and_a_line_after() {
    let place = Place::new();
    place.tell(1, "error: unexpected argument '--relase' found\n");
    let command = ["--report", "failure", "cargo", "build", "--relase"];
    let lines = |run: &Output| -> Vec<String> {
        let text = run.stderr_text();
        let own = text.lines().filter(|line| line.starts_with("aido: "));
        own.map(str::to_owned).collect()
    };
    let first = lines(&place.run(&command, 1));
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(
        first[0].contains("cargo-usage-unknown; check --help")
            && first[0].contains("; full output: aido show "),
        "{first:?}"
    );
    let second = lines(&place.run(&command, 1));
    assert_eq!(second.len(), 2, "{second:?}");
    assert!(
        second[0].starts_with("aido: known to fail: `cargo build --relase`: error: unexpected")
            && second[0].contains("seen once, last "),
        "{second:?}"
    );
    assert!(
        second[1].contains("cargo-usage-unknown, seen 2 times"),
        "{second:?}"
    );
    place.tell(0, "");
    assert!(
        lines(&place.run(&["--report", "failure", "cargo", "build", "--release"], 0)).is_empty()
    );
    let third = lines(&place.run(&command, 0));
    assert!(
        third[0].ends_with("`cargo build --release` worked instead"),
        "{third:?}"
    );
    // It works now, so nothing is said any more; and without reports nothing ever is.
    assert!(lines(&place.run(&command, 0)).is_empty());
    place.tell(1, "error: unexpected argument '--relase' found\n");
    assert!(lines(&place.run(&command[2..], 1)).is_empty());
    assert!(lines(&place.run(&command[2..], 1)).is_empty());
}

#[test]
fn many_agents_that_fail_at_once_are_all_counted() {
    const AGENTS: usize = 16;
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.env.script(
        "home/bin/make",
        "#!/bin/sh\necho \"make: *** [all] Error $1\" >&2; exit 2\n",
    );
    let running: Vec<_> = (0..AGENTS)
        .flat_map(|number| {
            let agent = format!("agent-{number}");
            let cargo = place.aido(&["--agent", &agent, "cargo", "build"]).spawn();
            let make = place
                .aido(&["--agent", &agent, "make", &number.to_string()])
                .spawn();
            [cargo, make]
        })
        .collect();
    for run in running {
        let run = run.wait();
        assert!(matches!(run.code(), 101 | 2), "{run:?}");
        assert!(!run.stderr_text().contains("aido:"), "{run:?}");
    }
    let faults = place.faults();
    let counts: Vec<u64> = faults
        .iter()
        .map(|fault| fault["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 2 * AGENTS as u64, "{faults:#?}");
    let build = faults
        .iter()
        .find(|fault| fault["class"] == "compile-error")
        .unwrap();
    assert_eq!(build["count"], AGENTS);
    let agents = build["agents"].as_object().unwrap();
    assert!(
        agents.len() == AGENTS && agents.values().all(|count| *count == 1),
        "{agents:?}"
    );
    let sessions: BTreeSet<&str> = build["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session.as_str().unwrap())
        .collect();
    assert_eq!(sessions.len(), AGENTS);
    for path in files_below(&place.directory()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.ends_with(".tmp"), "{name} was left behind");
        if name.ends_with(".json") {
            let text = fs::read_to_string(&path).unwrap();
            serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    for number in 0..AGENTS {
        place.check(&["make", &number.to_string()], 1);
    }
}

#[test]
fn what_people_say_of_a_failure_counts() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    let fault = place.fault()["fault"].as_str().unwrap().to_owned();
    let status = || place.fault()["status"].as_str().unwrap().to_owned();
    assert!(place.env.read(&["faults"]).contains(&fault));
    place.run(&["faults", "ignore", &fault[..6]], 0);
    assert_eq!(status(), "ignored");
    place.check(&["cargo", "build"], 0);
    place.run(&["cargo", "build"], 101);
    assert_eq!(status(), "ignored");
    assert_eq!(
        place.env.read(&["faults"]),
        "no open failures are known here\n"
    );
    place.run(&["faults", "reopen", "last"], 0);
    place.check(&["cargo", "build"], 1);
    place.run(&["faults", "resolve", &fault], 0);
    assert_eq!(status(), "resolved");
    place.check(&["cargo", "build"], 0);
    let shown = place.env.read(&["faults", "show", &fault]);
    assert!(
        shown.contains("resolved, 0s ago") && shown.contains("2 times"),
        "{shown}"
    );
    place.run(&["cargo", "build"], 101);
    assert_eq!(status(), "open");
    for (words, code) in [
        (&["faults", "like", "E0425"][..], 0),
        (&["faults", "like", "cannot", "find", "VALUE"], 0),
        (&["faults", "like", "no such text"], 1),
        (&["faults", "like"], 2),
        (&["faults", "show"], 2),
        (&["faults", "show", "00000000"], 1),
        (&["faults", "show", "../../x"], 1),
        (&["faults", "list", "x"], 2),
        (&["faults", "mend", "x"], 2),
        (&["check"], 2),
        (&["check", "--", ""], 0),
        (&["lesson", "accept", "00000000"], 1),
        (&["lesson", "add"], 2),
        (&["lesson", "add", " "], 2),
    ] {
        place.run(words, code);
    }
}

/// Outside a repository, and where the user names the session directory, failures are remembered beside it.
#[test]
fn failures_are_remembered_beside_the_sessions_wherever_those_are() {
    let named = Place::in_env(TestEnv::new());
    named.tell(101, COMPILE_ERROR);
    named.run(&["cargo", "build"], 101);
    named.check(&["cargo", "build"], 1);
    assert!(named.env.path("faults/local").is_dir());
    let own = |words: &[&str]| named.aido(words).env_remove("AIDO_SESSION_DIR").output();
    assert_eq!(own(&["cargo", "build"]).code(), 101);
    assert_eq!(own(&["check", "--", "cargo", "build"]).code(), 1);
    assert!(
        named
            .env
            .path("home/.local/state/aido/faults/local")
            .is_dir()
    );
}

/// Whatever stands in the way of failure memory, the command runs, and its sidecar says what is known.
#[test]
fn a_run_is_the_same_where_nothing_can_be_remembered() {
    let place = Place::new();
    place.env.write("work/nexus/faults", "in the way");
    place.tell(101, COMPILE_ERROR);
    let run = place.run(&["--report", "failure", "cargo", "build"], 101);
    let own: Vec<String> = run
        .stderr_text()
        .lines()
        .filter(|line| line.starts_with("aido:"))
        .map(str::to_owned)
        .collect();
    assert!(
        own.len() == 1
            && own[0].starts_with("aido: exit 101; ")
            && own[0].contains("; full output: aido show "),
        "{own:?}"
    );
    let session = place.env.only_session();
    assert!(
        session.meta["fault"]
            .as_str()
            .unwrap()
            .ends_with("compile-error")
    );
    assert_eq!(place.env.signature(&session.id), "VALID");
    place.check(&["cargo", "build"], 0);
    place.run(&["faults"], 1);
}
