//! Where each option may be set: flag, environment, repository, user, default.

use super::{REPOSITORY_FILE, USER_FILE, meta};
use crate::support::{Output, TestEnv, contains};

/// The places of a setting, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    User,
    Repository,
    Environment,
    Flag,
}

/// A setting, two values that can be told apart, and how to tell.
struct Setting {
    key: &'static str,
    places: &'static [Place],
    /// Set in one place: has to win over `loser` in every weaker place.
    winner: &'static str,
    loser: &'static str,
    flags: fn(value: &str) -> Vec<String>,
    command: &'static [&'static str],
    /// Whether the winner's effect is there.
    won: fn(&TestEnv, &Output) -> bool,
}

use Place::{Environment, Flag, Repository, User};

const EVERYWHERE: &[Place] = &[User, Repository, Environment, Flag];
const NOT_IN_THE_REPOSITORY: &[Place] = &[User, Environment, Flag];

fn with_value(name: &str, value: &str) -> Vec<String> {
    vec![name.to_owned(), value.to_owned()]
}

const SETTINGS: &[Setting] = &[
    Setting {
        key: "agent",
        places: NOT_IN_THE_REPOSITORY,
        winner: "winner",
        loser: "loser",
        flags: |value| with_value("--agent", value),
        command: &["true"],
        won: |env, _| meta(env)["agent"] == "winner",
    },
    Setting {
        key: "session_dir",
        places: NOT_IN_THE_REPOSITORY,
        winner: "{tmp}/winner",
        loser: "{tmp}/loser",
        flags: |value| with_value("--session-dir", value),
        command: &["true"],
        won: |env, _| env.path("winner").exists() && !env.path("loser").exists(),
    },
    Setting {
        key: "task",
        places: EVERYWHERE,
        winner: "winner",
        loser: "loser",
        flags: |value| with_value("--task", value),
        command: &["true"],
        won: |env, _| meta(env)["task"] == "winner",
    },
    Setting {
        key: "note",
        places: EVERYWHERE,
        winner: "the winner",
        loser: "the loser",
        flags: |value| with_value("--note", value),
        command: &["true"],
        won: |env, _| meta(env)["notes"] == "the winner",
    },
    Setting {
        key: "timeout",
        places: EVERYWHERE,
        winner: "1s",
        loser: "60s",
        flags: |value| with_value("--timeout", value),
        command: &["sleep", "15"],
        won: |_, run| run.code() == 124,
    },
    Setting {
        key: "tty",
        places: EVERYWHERE,
        winner: "never",
        loser: "always",
        flags: |value| with_value("--tty", value),
        command: &["test", "-t", "1"],
        won: |env, run| run.code() == 1 && meta(env)["tty"]["mode"] == "never",
    },
    Setting {
        key: "max_bytes",
        places: EVERYWHERE,
        winner: "100000",
        loser: "900000000",
        flags: |value| with_value("--max-bytes", value),
        command: &["head", "-c", "300000", "/dev/zero"],
        won: |env, _| meta(env)["dropped_bytes"].as_u64() > Some(0),
    },
    Setting {
        key: "durability",
        places: EVERYWHERE,
        winner: "full",
        loser: "fast",
        flags: |value| with_value("--durability", value),
        command: &["true"],
        won: |env, _| meta(env)["durable"] == true,
    },
    Setting {
        key: "shell",
        places: NOT_IN_THE_REPOSITORY,
        winner: "{tmp}/winner-shell",
        loser: "{tmp}/loser-shell",
        flags: |value| with_value("--shell", value),
        command: &["-c", "echo line"],
        won: |_, run| run.stdout_text() == "winner -c echo line\n",
    },
    Setting {
        key: "record",
        places: NOT_IN_THE_REPOSITORY,
        winner: "false",
        loser: "true",
        flags: |_| vec!["--no-record".to_owned()],
        command: &["true"],
        won: |env, _| env.transcripts().is_empty(),
    },
    Setting {
        key: "strict",
        places: EVERYWHERE,
        winner: "true",
        loser: "false",
        flags: |_| vec!["--strict".to_owned()],
        command: &["true"],
        won: |_, run| run.code() == 125,
    },
    Setting {
        key: "report",
        places: EVERYWHERE,
        winner: "failure",
        loser: "never",
        flags: |value| with_value("--report", value),
        command: &["false"],
        won: |_, run| contains(&run.stderr, b"aido show"),
    },
    Setting {
        key: "debug_log",
        places: NOT_IN_THE_REPOSITORY,
        winner: "{tmp}/winner.log",
        loser: "{tmp}/loser.log",
        flags: |value| with_value("--debug-log", value),
        command: &["true"],
        won: |env, _| env.path("winner.log").exists() && !env.path("loser.log").exists(),
    },
];

/// A key and a value as a line of TOML.
fn toml_line(key: &str, value: &str) -> String {
    match value {
        "true" | "false" => format!("{key} = {value}\n"),
        _ => format!("{key} = \"{value}\"\n"),
    }
}

/// Runs a setting's command with a value in each of the given places.
fn run_with(env: &TestEnv, setting: &Setting, values: &[(Place, &str)]) -> Output {
    let mut flags = Vec::new();
    let mut variable = None;
    for (place, value) in values {
        let value = value.replace(
            "{tmp}",
            env.path("").to_str().unwrap().trim_end_matches('/'),
        );
        match place {
            User => env.write(USER_FILE, &toml_line(setting.key, &value)),
            Repository => env.write(REPOSITORY_FILE, &toml_line(setting.key, &value)),
            Environment => variable = Some(value),
            Flag => flags = (setting.flags)(&value),
        }
    }
    flags.extend(setting.command.iter().map(|&word| word.to_owned()));
    let mut run = env.aido(flags).env("XDG_CONFIG_HOME", env.path("xdg"));
    if let Some(value) = variable {
        run = run.env(format!("AIDO_{}", setting.key.to_uppercase()), value);
    }
    run.output()
}

fn prepared(setting: &Setting) -> TestEnv {
    let env = TestEnv::in_repository();
    for name in ["winner", "loser"] {
        env.script(
            &format!("{name}-shell"),
            &format!("#!/bin/sh\necho \"{name} $*\"\n"),
        );
    }
    if setting.key == "strict" {
        env.write(
            "work/nexus/.aisessions",
            "a file where the directory should be\n",
        );
    }
    env
}

#[test]
fn a_stronger_place_wins_over_every_weaker_one() {
    for setting in SETTINGS {
        for (strength, &place) in setting.places.iter().enumerate() {
            let weaker = setting.places[..strength]
                .iter()
                .map(|&weaker| (weaker, setting.loser));
            let values: Vec<_> = weaker.chain([(place, setting.winner)]).collect();
            let env = prepared(setting);
            let run = run_with(&env, setting, &values);
            assert!(
                (setting.won)(&env, &run),
                "{} in {values:?}: {run:?}",
                setting.key
            );
        }
        let env = prepared(setting);
        if setting.key != "timeout" {
            let run = run_with(&env, setting, &[]);
            assert!(
                !(setting.won)(&env, &run),
                "{} is the default: {run:?}",
                setting.key
            );
        }
    }
}

#[test]
fn a_strangers_repository_may_not_set_everything() {
    for setting in SETTINGS
        .iter()
        .filter(|setting| !setting.places.contains(&Repository))
    {
        let env = prepared(setting);
        let run = run_with(&env, setting, &[(Repository, setting.winner)]);
        assert!(
            !(setting.won)(&env, &run),
            "{} from the repository: {run:?}",
            setting.key
        );
        assert_eq!(run.code(), 0, "{}: {run:?}", setting.key);
        run.assert_one_warning(setting.key);
        let message = run.stderr_text();
        assert!(
            message.contains(setting.key) && message.contains("nexus/aido.toml"),
            "{message}"
        );
    }
    let env = TestEnv::in_repository();
    env.write(REPOSITORY_FILE, "debug = true\n");
    let run = env.aido(["sh", "-c", "exit 3"]).output();
    run.assert_one_warning("debug");
    assert_eq!(run.code(), 3);
}

/// What a repository's commands leave behind is the evidence of what it did.
#[test]
fn a_strangers_repository_may_not_have_less_kept() {
    for (users, line, key) in [
        ("", "keep_days = 1", Some("keep_days")),
        ("", "keep_days = 365", None),
        ("", "keep_bytes = \"1K\"", Some("keep_bytes")),
        ("", "keep_bytes = 0", None),
        ("", "keep_sessions = 1", Some("keep_sessions")),
        ("keep_sessions = 1\n", "keep_sessions = 2", None),
        ("keep_days = 0\n", "keep_days = 365", Some("keep_days")),
        ("", "housekeeping = false", Some("housekeeping")),
    ] {
        let env = TestEnv::in_repository();
        env.write(USER_FILE, users);
        env.write(REPOSITORY_FILE, &format!("{line}\n"));
        let run = env
            .aido(["true"])
            .env("XDG_CONFIG_HOME", env.path("xdg"))
            .output();
        assert_eq!(run.code(), 0, "{line}: {run:?}");
        match key {
            None => assert!(run.stderr.is_empty(), "{users}{line}: {run:?}"),
            Some(key) => {
                run.assert_one_warning(key);
                let message = run.stderr_text();
                assert!(message.contains("nexus/aido.toml"), "{message}");
            }
        }
    }
}
