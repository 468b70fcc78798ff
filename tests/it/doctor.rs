//! `aido doctor`: what is wrong, and how to mend it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::support::TestEnv;

/// The checks of one name that are no "fine", and the exit code.
fn troubles(env: &TestEnv, name: &str) -> (i32, Vec<String>) {
    let run = env.aido(["doctor", "--json"]).output();
    let json: Value = serde_json::from_str(&run.stdout_text()).unwrap();
    let checks = json["checks"].as_array().unwrap();
    let named = checks.iter().filter(|check| check["name"] == name);
    let troubled = named.filter(|check| check["verdict"] != "fine");
    let found = troubled.map(|check| {
        assert!(check["mend"].is_string(), "{check}");
        check["found"].as_str().unwrap().to_owned()
    });
    (run.code(), found.collect())
}

#[test]
fn a_healthy_store_has_nothing_wrong() {
    let env = TestEnv::in_repository();
    env.aido(["true"]).output();
    let run = env.aido(["doctor"]).output();
    let text = run.stdout_text();
    assert_eq!(run.code(), 0, "{text}");
    assert!(!text.contains("PROBLEM"), "{text}");
    assert!(text.contains(": 1 session, "), "{text}");
    for name in ["store", "key", "git", "disk", "index", "settings"] {
        assert_eq!(troubles(&env, name), (0, Vec::new()), "{name}");
    }
    assert_eq!(env.recorded().len(), 1, "doctor leaves nothing behind");
}

#[test]
fn failure_memory_that_others_may_write_to_is_named() {
    let env = TestEnv::in_repository();
    env.aido(["sh", "-c", "echo broken >&2; exit 3"]).output();
    let local = env.path("work/nexus/faults/local");
    fs::set_permissions(&local, fs::Permissions::from_mode(0o777)).unwrap();
    let (code, found) = troubles(&env, "failures");
    assert_eq!(code, 1);
    assert!(
        found.len() == 1 && found[0].contains("local: other users may write"),
        "{found:?}"
    );
    let listed = env.aido(["faults"]).output();
    assert!(
        listed
            .stderr_text()
            .contains("local: other users may write"),
        "{listed:?}"
    );
    fs::set_permissions(&local, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(troubles(&env, "failures"), (0, Vec::new()));
}

#[test]
fn each_trouble_is_named() {
    type Harm = fn(&TestEnv);
    let harms: [(&str, Harm, &str); 5] = [
        (
            "privacy",
            |env| {
                let open = fs::Permissions::from_mode(0o777);
                fs::set_permissions(env.sessions(), open).unwrap();
            },
            "other users",
        ),
        (
            "git",
            |env| fs::remove_file(env.sessions().join(".gitignore")).unwrap(),
            ".gitignore",
        ),
        (
            "sessions",
            |env| {
                let name = format!("{}.meta.json", env.recorded()[0].id);
                fs::write(env.sessions().join(name), "{").unwrap();
            },
            "can't be read",
        ),
        (
            "key",
            |env| {
                let key = env.home().join(".local/state/aido/key");
                fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
            },
            "readable by others",
        ),
        (
            "store",
            |env| {
                fs::rename(env.path("work/nexus"), env.path("elsewhere")).unwrap();
                symlink(env.path("elsewhere"), env.path("work/nexus")).unwrap();
            },
            "symbolic link",
        ),
    ];
    for (name, harm, wanted) in harms {
        let env = TestEnv::in_repository();
        env.aido(["true"]).output();
        harm(&env);
        let (code, found) = troubles(&env, name);
        assert!(
            found.iter().any(|found| found.contains(wanted)),
            "{name}: {found:?}"
        );
        assert_eq!(code, 1, "{name}");
    }
}

#[test]
fn a_variable_that_means_nothing_is_named() {
    let env = TestEnv::in_repository();
    let run = env.aido(["doctor"]).env("AIDO_AGNET", "x").output();
    assert!(run.stdout_text().contains("AIDO_AGNET"), "{run:?}");
    assert_eq!(run.code(), 0);
}

#[test]
fn a_wrong_setting_is_a_problem_and_the_rest_is_looked_at_all_the_same() {
    let env = TestEnv::in_repository();
    env.write("work/nexus/aido.toml", "tty = \"maybe\"\n");
    let run = env.aido(["doctor"]).output();
    let text = run.stdout_text();
    assert_eq!(run.code(), 1, "{text}");
    assert!(
        text.contains("maybe") && text.contains("terminals"),
        "{text}"
    );
}

#[test]
fn a_configuration_that_can_not_be_read_has_another_way_out_than_a_key() {
    let env = TestEnv::in_repository();
    let mend = || {
        let json = env.aido(["doctor", "--json"]).output();
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        let checks = json["checks"].as_array().unwrap().clone();
        let mut settings = checks.into_iter().filter(|it| it["name"] == "settings");
        settings.next().unwrap()["mend"].clone()
    };
    // A link to itself can't be read by anybody, root included.
    let file = env.path("home/.config/aido/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    symlink(&file, &file).unwrap();
    assert_eq!(mend(), "make the file readable for you, or move it away");
    fs::remove_file(&file).unwrap();
    env.write("work/nexus/aido.toml", "shell = \"/bin/sh\"\n");
    assert_eq!(mend(), "remove the key there");
}
