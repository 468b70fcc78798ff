//! A repository that is a mount of its own, of the same file system as everything else: a volume of a
//! container, a bind mount. Files can't be renamed into it from outside.

use std::fs;

use rustix::process::geteuid;
use serde_json::Value;

use crate::support::{AIDO, Output, TestEnv, skipped, wait_until};

/// Runs a shell line in the work directory (`$1`), which is mounted on itself with these options; `$2` is
/// aido. None where mounting isn't allowed.
fn in_mount(env: &TestEnv, test: &str, options: &str, line: &str) -> Option<Output> {
    let work = env.work();
    let run = |line: &str| {
        let private = ["unshare", "-m", "--propagation", "private", "sh", "-c"];
        let words = [line, "sh", work.to_str().unwrap(), AIDO];
        env.bare([&private[..], &words].concat()).output()
    };
    let mount = "mount --bind \"$1\" \"$1\"";
    if !geteuid().is_root() || run(mount).code() != 0 {
        skipped(test, "mounting needs root");
        return None;
    }
    let options = match options {
        "" => String::new(),
        options => format!(" && mount -o remount,bind,{options} \"$1\""),
    };
    // The directory is entered anew: the process stands in what is below the mount.
    Some(run(&format!(
        "{mount}{options} && cd \"$1\" || exit 99\n{line}"
    )))
}

#[test]
fn a_session_in_a_repository_that_is_mounted_is_whole() {
    let test = "a_session_in_a_repository_that_is_mounted_is_whole";
    let env = TestEnv::in_repository();
    let line = "\"$2\" --strict sh -c 'echo hi; exit 5'; echo $?; \"$2\" list; \"$2\" verify";
    let Some(run) = in_mount(&env, test, "", line) else {
        return;
    };
    let text = run.stdout_text();
    assert!(text.starts_with("hi\n5\n"), "{run:?}");
    assert!(text.contains("VALID"), "{run:?}");
    assert_eq!((run.code(), run.stderr_text().as_str()), (0, ""), "{run:?}");
    let session = env.only_session();
    assert_eq!(session.meta["exit_code"], 5);
    assert_eq!(session.output(), b"hi\n");
    assert_eq!(env.transcripts().len(), 1, "nothing is left elsewhere");
}

#[test]
fn strict_refuses_what_could_not_be_published() {
    let test = "strict_refuses_what_could_not_be_published";
    let env = TestEnv::in_repository();
    assert_eq!(env.aido(["true"]).output().code(), 0);
    let ran = env.path("home/ran");
    let ran = ran.to_str().unwrap();
    let line = format!("\"$2\" --strict touch {ran}");
    let Some(run) = in_mount(&env, test, "ro", &line) else {
        return;
    };
    assert_eq!(run.code(), 125, "{run:?}");
    assert!(run.stderr_text().contains("Read-only"), "{run:?}");
    assert!(!env.path("home/ran").exists(), "it ran");
    let line = format!("\"$2\" touch {ran}");
    let run = in_mount(&env, test, "ro", &line).unwrap();
    assert_eq!(run.code(), 0, "{run:?}");
    run.assert_one_warning("a read-only store");
    assert!(env.path("home/ran").exists(), "{run:?}");
}

#[test]
fn what_was_begun_before_the_mount_is_recovered_within_it() {
    let test = "what_was_begun_before_the_mount_is_recovered_within_it";
    let env = TestEnv::in_repository();
    let running = env.aido(["sh", "-c", "echo READY; exec sleep 300"]).spawn();
    running.wait_for_stdout(b"READY\n");
    wait_until("the output is recorded", || {
        let transcripts = env.transcripts();
        transcripts
            .first()
            .is_some_and(|path| fs::read(path).is_ok_and(|text| text == b"READY\n"))
    });
    running.kill();
    let outside = env.transcripts().remove(0);
    assert!(!outside.starts_with(env.work()), "{outside:?}");
    let Some(run) = in_mount(&env, test, "", "\"$2\" recover && \"$2\" verify") else {
        return;
    };
    assert_eq!(run.code(), 0, "{run:?}");
    let session = env.only_session();
    assert_eq!(session.meta["status"], "interrupted");
    assert_eq!(session.output(), b"READY\n");
    assert!(!outside.exists(), "nothing is left elsewhere");
}

#[test]
fn doctor_names_a_store_that_can_not_be_made() {
    let test = "doctor_names_a_store_that_can_not_be_made";
    let env = TestEnv::in_repository();
    let Some(run) = in_mount(&env, test, "ro", "\"$2\" doctor --json") else {
        return;
    };
    let json: Value = serde_json::from_str(&run.stdout_text()).unwrap();
    let checks = json["checks"].as_array().unwrap();
    let writing = checks.iter().find(|check| check["name"] == "writing");
    let writing = writing.unwrap_or_else(|| panic!("{json}"));
    assert_eq!(writing["verdict"], "problem");
    assert!(
        writing["found"].as_str().unwrap().contains("Read-only"),
        "{writing}"
    );
    assert_eq!(run.code(), 1, "{json}");
    assert!(!env.path("work/nexus").exists(), "doctor made it");
}
