//! What nobody needs any more goes, and what somebody may need stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{json, ok, patient, with_files};
use crate::support::{TestEnv, files_below};

fn homes(env: &TestEnv) -> Vec<PathBuf> {
    let all = fs::read_dir(env.path("home/.local/state/aido/checkpoints")).unwrap();
    all.flatten().map(|entry| entry.path()).collect()
}

fn size_of(env: &TestEnv) -> u64 {
    let files = homes(env).into_iter().flat_map(|home| files_below(&home));
    files.map(|file| file.metadata().unwrap().len()).sum()
}

/// Makes everything below a directory as old as this.
fn age(directory: &Path, by: Duration) {
    let at = SystemTime::now() - by;
    let mut all = vec![directory.to_owned()];
    while let Some(path) = all.pop() {
        if path.is_dir() {
            all.extend(fs::read_dir(&path).unwrap().flatten().map(|it| it.path()));
        }
        fs::File::open(&path).unwrap().set_modified(at).unwrap();
    }
}

/// Makes it time for housekeeping.
fn age_housekeeping(env: &TestEnv) {
    let files = files_below(&env.sessions()).into_iter();
    for file in files.filter(|file| file.ends_with(".housekeeping")) {
        age(&file, 2 * HOUR);
    }
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Saves a file of a megabyte that no compression makes small.
fn save_much(env: &TestEnv, seed: u64) {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let bytes: Vec<u8> = (0..1 << 17).flat_map(|_| next()).collect();
    fs::write(env.path("work/much"), bytes).unwrap();
    ok(env, &["--checkpoint", "before", "rm", "much"]);
}

#[test]
fn housekeeping_gives_back_what_went() {
    let Some(env) = with_files("housekeeping_gives_back_what_went") else {
        return;
    };
    save_much(&env, 1);
    assert!(size_of(&env) > 1 << 20);
    ok(&env, &["true"]);
    age(&homes(&env)[0].join("objects"), 2 * HOUR);
    age_housekeeping(&env);
    let run = patient(&env, &["true"]).env("AIDO_KEEP_SESSIONS", "1");
    assert_eq!(run.output().code(), 0);
    assert!(size_of(&env) < 1 << 18, "{}", size_of(&env));
}

#[test]
fn what_was_too_young_for_one_prune_goes_with_the_next() {
    let Some(env) = with_files("what_was_too_young_for_one_prune") else {
        return;
    };
    save_much(&env, 2);
    ok(&env, &["true"]);
    let first = json(&ok(
        &env,
        &["prune", "--keep-sessions", "1", "-y", "--json"],
    ));
    assert_eq!(first["checkpoints"]["sessions"], 1, "{first}");
    assert!(size_of(&env) > 1 << 20, "an hour old it may be");
    // So does what a failed or a killed one left.
    let objects = homes(&env)[0].join("objects");
    fs::create_dir_all(objects.join("ab")).unwrap();
    fs::write(objects.join("ab/tmp_obj_1"), vec![1; 1 << 16]).unwrap();
    age(&objects, 2 * HOUR);
    let second = json(&ok(&env, &["prune", "-y", "--json"]));
    let freed = second["checkpoints"]["size_bytes"].as_u64().unwrap();
    assert!(freed > 1 << 20, "{second}");
    assert!(size_of(&env) < 1 << 16, "{}", size_of(&env));
}

#[test]
fn a_checkpoint_whose_session_was_removed_by_hand_stays_as_long_as_a_session() {
    let Some(env) = with_files("a_checkpoint_whose_session_was_removed") else {
        return;
    };
    save_much(&env, 3);
    save_much(&env, 4);
    let kept = env.recorded().pop().unwrap().id;
    let gone = env.recorded().remove(0).id;
    for file in files_below(&env.sessions()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(&gone) {
            fs::remove_file(file).unwrap();
        }
    }
    let listed = || {
        let list = patient(&env, &["checkpoint", "list", "--json"]).output();
        let list = json(&list);
        let all = list["checkpoints"].as_array().unwrap().clone();
        let ids = all.into_iter();
        let ids = ids.map(|it| it["session_id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<String>>()
    };
    ok(&env, &["prune", "-y"]);
    assert_eq!(listed().len(), 2);
    age(&homes(&env)[0], 31 * DAY);
    ok(&env, &["prune", "-y"]);
    assert_eq!(listed(), [kept]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(env.path("work/much").exists());
}

#[test]
fn what_is_left_of_a_removed_repository_goes_and_of_one_that_is_not_mounted_stays() {
    let Some(env) = with_files("what_is_left_of_a_removed_repository") else {
        return;
    };
    save_much(&env, 5);
    for entry in fs::read_dir(env.sessions()).unwrap().flatten() {
        let path = entry.path();
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    }
    let prune = || {
        let run = patient(&env, &["prune", "-y"]).current_dir(env.home());
        let run = run.output();
        assert_eq!(run.code(), 0, "{run:?}");
        homes(&env).len()
    };
    age(&homes(&env)[0], 31 * DAY);
    assert_eq!(prune(), 1, "the repository is there");
    fs::rename(env.path("work/.git"), env.path("git")).unwrap();
    age(&homes(&env)[0], 29 * DAY);
    assert_eq!(prune(), 1, "it may come back");
    // On another device than the one that it was on.
    let home = homes(&env).remove(0);
    let name = home.file_name().unwrap().to_str().unwrap().to_owned();
    let elsewhere = home.with_file_name(format!("ffff{name}"));
    fs::rename(&home, &elsewhere).unwrap();
    age(&elsewhere, 31 * DAY);
    assert_eq!(prune(), 1, "it may not be mounted");
    fs::rename(&elsewhere, &home).unwrap();
    age(&home, 31 * DAY);
    assert_eq!(prune(), 0);
}
