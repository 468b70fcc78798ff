//! Tasks: sessions that belong together, their records and sums, and what is said of them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};

use crate::support::{TestEnv, files_below};

mod damage;

/// Where the tasks of a repository are.
fn tasks(env: &TestEnv) -> PathBuf {
    env.path("work/nexus/.airuns")
}

fn read_json(path: PathBuf) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The sums of a task as its file has them.
fn status(env: &TestEnv, directory: &str) -> Value {
    read_json(tasks(env).join(directory).join("task.status.json"))
}

/// The records of a task, by their numbers.
fn records(env: &TestEnv, directory: &str) -> Vec<Value> {
    let files = files_below(&tasks(env).join(directory));
    let files = files
        .into_iter()
        .filter(|path| path.to_str().unwrap().ends_with(".meta.json"));
    let mut records: Vec<Value> = files.map(read_json).collect();
    records.sort_by_key(|record| record["number"].as_u64());
    records
}

#[track_caller]
fn run(env: &TestEnv, words: &[&str], code: i32) {
    let run = env.aido(words).output();
    assert!(
        run.code() == code && run.stderr.is_empty(),
        "{words:?}: {run:?}"
    );
}

#[test]
fn each_session_of_a_task_has_a_numbered_record_and_is_in_the_sums() {
    let env = TestEnv::in_repository();
    run(&env, &["--task", "parser", "--agent", "one", "true"], 0);
    let failing = env.aido(["sh", "-c", "exit 3"]).env("AIDO_TASK", "parser");
    let failing = failing.env("AIDO_AGENT", "two").output();
    assert!(
        failing.code() == 3 && failing.stderr.is_empty(),
        "{failing:?}"
    );
    run(&env, &["true"], 0);
    let sessions = env.recorded();
    let records = records(&env, "parser");
    assert_eq!(records.len(), 2);
    for (index, record) in records.iter().enumerate() {
        let meta = &sessions[index].meta;
        for field in [
            "session_id",
            "agent",
            "timestamp",
            "command",
            "exit_code",
            "ended_at",
            "task",
        ] {
            assert_eq!(record[field], meta[field], "{field}");
        }
        assert_eq!(record["number"], index + 1);
        assert_eq!(record["branch"], "main");
    }
    let status = status(&env, "parser");
    assert_eq!(status["task"], "parser");
    assert_eq!(status["state"], "open");
    let counts = ["sessions", "succeeded", "failed", "pruned"].map(|name| status[name].clone());
    assert_eq!(counts, [2, 1, 1, 0].map(Value::from));
    let agents = json!([
        {"agent": "one", "sessions": 1, "failed": 0},
        {"agent": "two", "sessions": 1, "failed": 1}
    ]);
    assert_eq!(status["agents"], agents);
    assert_eq!(status["first"]["session_id"], sessions[0].id);
    assert_eq!(status["last"]["session_id"], sessions[1].id);
    assert!(status["duration_ms"].as_u64() >= sessions[1].meta["duration_ms"].as_u64());
    // What is read is what the file has.
    assert_eq!(env.json(&["tasks", "--json"]), json!([status]));
    let lines = env.read(&["tasks", "--ndjson"]);
    assert_eq!(serde_json::from_str::<Value>(&lines).unwrap(), status);
    let shown = env.json(&["tasks", "show", "parser", "--json"]);
    assert_eq!(shown["status"], status);
    assert_eq!(shown["sessions"], json!(records));
    assert_eq!(env.listed(&["--task", "parser"]).len(), 2);
    // Nobody else may read it, and git never sees it.
    let ignore = fs::read_to_string(tasks(&env).join(".gitignore")).unwrap();
    assert_eq!(ignore, "*\n");
    for path in files_below(&tasks(&env)) {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
        let above = fs::metadata(path.parent().unwrap()).unwrap();
        assert_eq!(above.permissions().mode() & 0o777, 0o700);
    }
}

/// Each is numbered once, and the sums are exact, whoever adds to them at the same time.
#[test]
fn sessions_that_end_at_the_same_time_are_numbered_once_each() {
    const RUNS: usize = 32;
    let env = TestEnv::in_repository();
    thread::scope(|scope| {
        for number in 0..RUNS {
            let env = &env;
            scope.spawn(move || {
                let (agent, code) = (format!("agent-{}", number % 4), number % 3);
                let line = format!("exit {code}");
                let words = ["--task", "crowd", "--agent", &agent, "sh", "-c", &line];
                run(env, &words, i32::try_from(code).unwrap());
            });
        }
    });
    // Whoever could not have the task's lock at once left its session to who reads.
    let shown = env.json(&["tasks", "--json"]);
    let records = records(&env, "crowd");
    let numbers: Vec<u64> = records
        .iter()
        .filter_map(|it| it["number"].as_u64())
        .collect();
    assert!(numbers.iter().copied().eq(1..=RUNS as u64), "{numbers:?}");
    let of = |records: &[Value]| -> BTreeSet<String> {
        let ids = records
            .iter()
            .map(|it| it["session_id"].as_str().unwrap().to_owned());
        ids.collect()
    };
    let recorded: BTreeSet<String> = env.recorded().into_iter().map(|it| it.id).collect();
    assert_eq!(of(&records), recorded);
    let status = status(&env, "crowd");
    let failed = (0..RUNS).filter(|number| number % 3 != 0).count();
    let counts = ["sessions", "failed", "last_number"].map(|name| status[name].clone());
    assert_eq!(counts, [RUNS, failed, RUNS].map(Value::from));
    let agents: u64 = status["agents"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["sessions"].as_u64())
        .sum();
    assert_eq!(agents, RUNS as u64);
    // Nothing is left behind.
    let names: Vec<PathBuf> = files_below(&tasks(&env).join("crowd"));
    assert_eq!(names.len(), RUNS + 2, "records, sums and lock: {names:?}");
    assert_eq!(shown, json!([status]));
}

/// A command has ended, and its caller waits: what holds up the task's files doesn't hold up that.
#[test]
fn nobody_waits_for_a_task_that_somebody_else_changes_and_nothing_is_lost() {
    let env = TestEnv::in_repository();
    run(&env, &["--task", "t", "true"], 0);
    let lock = fs::File::open(tasks(&env).join("t/.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let held_up = env.aido(["--task", "t", "sh", "-c", "exit 3"]).output();
    assert_eq!((held_up.code(), held_up.stderr_text().as_str()), (3, ""));
    assert_eq!(records(&env, "t").len(), 1);
    drop(lock);
    run(&env, &["--task", "t", "true"], 0);
    let shown = env.json(&["tasks", "show", "t", "--json"]);
    let counts = ["sessions", "failed"].map(|name| shown["status"][name].clone());
    assert_eq!(counts, [3, 1].map(Value::from));
    assert_eq!(status(&env, "t"), shown["status"]);
}

#[test]
fn any_name_is_a_task_of_its_own_and_leads_nowhere_else() {
    let env = TestEnv::in_repository();
    let long = "long ".repeat(2000);
    let names = [
        "plain",
        "..",
        "../../../escape",
        "/etc/passwd",
        "a/b",
        "a-b",
        "größer",
        "日本 語",
        "-n",
        ".gitignore",
        "x\ny\u{1b}[2J",
        "task.status.json",
        &long,
    ];
    for name in names {
        let run = env.aido(["true"]).env("AIDO_TASK", name).output();
        assert!(
            run.code() == 0 && run.stderr.is_empty(),
            "{name:?}: {run:?}"
        );
    }
    let known = env.json(&["tasks", "--json"]);
    let known: BTreeSet<&str> = known
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["task"].as_str())
        .collect();
    assert_eq!(known, BTreeSet::from(names));
    for name in names {
        let shown = env.json(&["tasks", "show", "--json", "--", name]);
        assert_eq!(shown["sessions"].as_array().unwrap().len(), 1, "{name:?}");
    }
    let text = env.read(&["tasks"]);
    assert!(
        !text.contains('\u{1b}') && text.lines().count() == names.len() + 1,
        "{text}"
    );
    // One directory each, all of them where they belong.
    let directories = fs::read_dir(tasks(&env)).unwrap().flatten();
    let directories = directories.filter(|it| it.file_type().unwrap().is_dir());
    assert_eq!(directories.count(), names.len());
    assert!(!env.path("escape").exists() && !env.path("work/escape").exists());
}

/// The command comes first: whatever is the matter with its task, it runs and is recorded, and one
/// line says what is missing. Nothing is written where a link leads.
#[test]
fn what_is_in_the_way_of_a_task_costs_a_warning_and_nothing_else() {
    let is_root = rustix::process::geteuid().is_root();
    for case in [
        "link",
        "file",
        "task link",
        "task file",
        "read-only",
        "others",
    ] {
        let env = TestEnv::in_repository();
        run(&env, &["--task", "first", "true"], 0);
        let airuns = tasks(&env);
        let elsewhere = env.path("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let mode = |mode| fs::set_permissions(&airuns, fs::Permissions::from_mode(mode)).unwrap();
        match case {
            "link" => {
                fs::remove_dir_all(&airuns).unwrap();
                symlink(&elsewhere, &airuns).unwrap();
            }
            "file" => {
                fs::remove_dir_all(&airuns).unwrap();
                fs::write(&airuns, "").unwrap();
            }
            "task link" => symlink(&elsewhere, airuns.join("t")).unwrap(),
            "task file" => fs::write(airuns.join("t"), "").unwrap(),
            "read-only" if is_root => continue,
            "read-only" => mode(0o500),
            _ => mode(0o777),
        }
        let run = env
            .aido(["--task", "t", "sh", "-c", "echo out; exit 3"])
            .output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (3, "out\n"),
            "{case}: {run:?}"
        );
        run.assert_one_warning(case);
        assert!(
            run.stderr_text()
                .contains("recorded, but not added to the task"),
            "{run:?}"
        );
        assert_eq!(env.recorded().len(), 2, "{case}");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0, "{case}");
        // Who wants it recorded in full or not at all gets that.
        let strict = env
            .aido(["--strict", "--task", "t", "touch", "ran"])
            .output();
        assert_eq!(strict.code(), 125, "{case}: {strict:?}");
        assert!(!env.path("work/ran").exists(), "{case}");
        mode_back(&airuns);
        // What was not added then is found by who reads.
        if matches!(case, "read-only" | "others") {
            let shown = env.json(&["tasks", "show", "t", "--json"]);
            assert_eq!(shown["status"]["failed"], 1, "{case}");
            assert_eq!(status(&env, "t"), shown["status"], "{case}");
        }
    }
}

fn mode_back(path: &std::path::Path) {
    if path.symlink_metadata().unwrap().is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn tasks_stand_beside_a_named_session_directory_and_in_the_users_own() {
    let env = TestEnv::new();
    run(&env, &["--task", "t", "true"], 0);
    assert!(env.path(".airuns/t/session-1.meta.json").is_file());
    let run = env.aido(["--task", "t", "true"]);
    let run = run.env_remove("AIDO_SESSION_DIR").output();
    assert_eq!(run.code(), 0, "{run:?}");
    let own = env.path("home/.local/state/aido/.airuns/t/session-1.meta.json");
    assert!(own.is_file(), "{:?}", files_below(&env.home()));
    // The two would stand in each other's way.
    let directory = env.path("x/.airuns");
    let run = env
        .aido(["--task", "t", "true"])
        .env("AIDO_SESSION_DIR", directory)
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    run.assert_one_warning("a session directory with the tasks' name");
}

#[test]
fn what_is_said_of_a_task_at_the_same_time_is_kept() {
    const NOTES: usize = 16;
    let env = TestEnv::in_repository();
    run(&env, &["--task", "t", "true"], 0);
    thread::scope(|scope| {
        for number in 0..NOTES {
            let env = &env;
            scope.spawn(move || {
                let text = format!("note {number}\n\"and\" more");
                let run = env.aido(["tasks", "note", "t", &text]).output();
                assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
            });
            scope.spawn(move || run(env, &["--task", "t", "true"], 0));
        }
    });
    env.read(&["tasks", "fail", "t", "no time"]);
    env.read(&["tasks", "reopen", "t"]);
    let said = env.aido(["tasks", "done", "t", "all of it", "--json"]);
    let said = said.env("AI_AGENT", "finisher/2.0").output();
    assert_eq!(said.code(), 0, "{said:?}");
    let shown = env.json(&["tasks", "show", "t", "--json", "-n", "3"]);
    assert_eq!(
        serde_json::from_str::<Value>(&said.stdout_text()).unwrap(),
        shown["status"]
    );
    let counts = ["sessions", "notes", "state"].map(|name| shown["status"][name].clone());
    assert_eq!(counts, [json!(NOTES + 1), json!(NOTES + 2), json!("done")]);
    assert_eq!(shown["sessions"].as_array().unwrap().len(), 3);
    let notes = shown["notes"].as_array().unwrap();
    let texts: BTreeSet<&str> = notes
        .iter()
        .filter_map(|note| note["text"].as_str())
        .collect();
    assert_eq!(texts.len(), NOTES + 2);
    let states: Vec<&str> = notes
        .iter()
        .filter_map(|note| note["state"].as_str())
        .collect();
    assert_eq!(states, ["failed", "open", "done"]);
    assert_eq!(notes.last().unwrap()["agent"], "finisher");
    assert_eq!(env.json(&["tasks", "--open", "--json"]), json!([]));
    let text = env.read(&["tasks", "show", "t"]);
    assert!(
        text.contains("state     done") && text.contains("finisher  [done]  all of it"),
        "{text}"
    );
}

#[test]
fn a_task_that_is_not_there_is_not_made_by_asking() {
    let env = TestEnv::in_repository();
    assert_eq!(env.json(&["tasks", "--json"]), json!([]));
    assert!(env.read(&["tasks"]).starts_with("no tasks"));
    run(&env, &["--task", "parser", "true"], 0);
    for words in [
        &["tasks", "show", "parsre"][..],
        &["tasks", "done", "parsre"],
        &["tasks", "note", "parsre", "text"],
        &["tasks", "show", ""],
    ] {
        let run = env.aido(words).output();
        assert_eq!(run.code(), 1, "{words:?}: {run:?}");
        assert!(
            run.stderr_text().contains("hint: there is parser"),
            "{run:?}"
        );
    }
    let run = env.aido(["tasks", "show", "x", "--json"]).output();
    let error: Value = serde_json::from_str(&run.stderr_text()).unwrap();
    assert_eq!(
        (run.code(), &error["error"]["code"]),
        (1, &json!("not_found"))
    );
    for words in [
        &["tasks", "parser"][..],
        &["tasks", "note", "parser"],
        &["tasks", "note", "parser", ""],
    ] {
        assert_eq!(env.aido(words).output().code(), 2, "{words:?}");
    }
    let directories = fs::read_dir(tasks(&env)).unwrap().count();
    assert_eq!(directories, 2, "one task, and .gitignore");
}
