//! Checkpoints: the work tree as it stood, and the way back.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Output, Run, TestEnv, has_program};

mod again;
mod asked;
mod bound;
mod detached;
mod excluded;
mod freed;
mod hostile;
mod ignored;
mod kept;
mod killed;
mod kinds;
mod left_out;
mod modes;
mod objects;
mod places;
mod prop;
mod several;
mod sparse;

/// Everything in a work tree but git's and aido's own: what kind of thing, its permissions, what is in it.
type Print = BTreeMap<Vec<u8>, (&'static str, u32, Vec<u8>)>;

/// A repository with one commit, made by git; sessions stand beside it. None where there is no git.
fn repository(test: &str) -> Option<TestEnv> {
    if !has_program("git", test) {
        return None;
    }
    let env = TestEnv::new();
    git(&env, &["init", "-q", "-b", "main", "."]);
    git(&env, &["config", "user.name", "A"]);
    git(&env, &["config", "user.email", "a@example.org"]);
    Some(env)
}

/// The same with some files: committed, staged, changed, untracked and ignored.
fn with_files(test: &str) -> Option<TestEnv> {
    let env = repository(test)?;
    env.write("work/.gitignore", "*.o\n");
    env.write("work/src/main.rs", "fn main() {}\n");
    env.write("work/src/deep/er/file", "deep\n");
    env.write("work/run", "#!/bin/sh\n");
    chmod(&env, "run", 0o755);
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-q", "-m", "first"]);
    env.write("work/src/main.rs", "fn main() { changed() }\n");
    env.write("work/src/staged", "staged\n");
    git(&env, &["add", "src/staged"]);
    env.write("work/src/untracked", "untracked\n");
    env.write("work/src/private", "private\n");
    chmod(&env, "src/private", 0o600);
    env.write("work/src/a.o", "object\n");
    std::os::unix::fs::symlink("deep/er/file", env.path("work/src/link")).unwrap();
    Some(env)
}

fn chmod(env: &TestEnv, path: &str, mode: u32) {
    fs::set_permissions(env.work().join(path), fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn git(env: &TestEnv, words: &[&str]) -> String {
    let words = [&["git"], words].concat();
    let output = env.bare(&words).timeout(Duration::from_secs(120)).output();
    assert_eq!(output.code(), 0, "{words:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn ok(env: &TestEnv, words: &[&str]) -> Output {
    let output = patient(env, words).output();
    assert_eq!(output.code(), 0, "{words:?}: {output:?}");
    output
}

/// aido with time enough, however busy the machine is.
fn patient(env: &TestEnv, words: &[&str]) -> Run {
    let run = env.aido(words).env("AIDO_CHECKPOINT_TIMEOUT", "10m");
    run.timeout(Duration::from_secs(120))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn print_of(root: &Path) -> Print {
    fn add(directory: &Path, root: &Path, print: &mut Print) {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let path = entry.path();
            let status = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes();
            if name == b".git" || name == b"nexus" {
                continue;
            }
            let permissions = status.mode() & 0o7777;
            if status.is_dir() {
                add(&path, root, print);
            } else if status.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                let target = target.as_os_str().as_bytes().to_vec();
                print.insert(name.to_vec(), ("link", 0, target));
            } else if status.is_file() {
                let bytes = fs::read(&path).unwrap();
                print.insert(name.to_vec(), ("file", permissions, bytes));
            } else {
                print.insert(name.to_vec(), ("other", permissions, Vec::new()));
            }
        }
    }
    let mut print = Print::new();
    add(root, root, &mut print);
    print
}

/// What of git's nothing of this may touch: index, HEAD, all names, reflogs, the number of its objects.
fn gits_own(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = crate::support::files_below(&root.join(".git"));
    let files = files.into_iter();
    files
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

#[test]
fn a_removed_directory_is_seen_and_comes_back_with_one_command() {
    let Some(env) = with_files("a_removed_directory_is_seen") else {
        return;
    };
    let (before, own) = (print_of(&env.work()), gits_own(&env.work()));
    let run = ok(
        &env,
        &[
            "--checkpoint",
            "both",
            "sh",
            "-c",
            "rm -rf src; echo new >new",
        ],
    );
    assert_eq!((text(&run), run.stderr.len()), (String::new(), 0));
    assert!(!env.path("work/src").exists());
    let changes = text(&ok(&env, &["show", "last", "--changes"]));
    for line in [
        "added    new\n",
        "removed  src/main.rs\n",
        "removed  src/staged\n",
        "removed  src/untracked\n",
        "removed  src/link (link)\n",
        "1 added, 0 changed, 6 removed\n",
    ] {
        assert!(changes.contains(line), "{line:?} in {changes}");
    }
    let patch = text(&ok(&env, &["show", "last", "--changes", "--diff"]));
    assert!(patch.contains("-fn main() { changed() }\n"), "{patch}");
    let summary = text(&ok(&env, &["show", "last", "--meta"]));
    assert!(
        summary.contains("changes   1 added, 0 changed, 6 removed\n"),
        "{summary}"
    );
    let restored = text(&ok(&env, &["checkpoint", "restore", "last", "--yes"]));
    assert!(restored.starts_with("restored 7 files\n"), "{restored}");
    let mut expected = before;
    // What is ignored is nobody's business here.
    expected.remove(&b"src/a.o"[..]);
    assert_eq!(print_of(&env.work()), expected);
    assert_eq!(gits_own(&env.work()), own, "nothing of git's was written");
    // And back again.
    ok(
        &env,
        &["checkpoint", "restore", "last", "--to", "restore-1", "-y"],
    );
    assert!(!env.path("work/src").exists() && env.path("work/new").exists());
}

#[test]
fn a_sidecar_says_what_was_saved() {
    let Some(env) = with_files("a_sidecar_says_what_was_saved") else {
        return;
    };
    let run = patient(
        &env,
        &["--checkpoint", "both", "sh", "-c", "echo x >>run; exit 3"],
    );
    assert_eq!(run.output().code(), 3);
    let meta = &env.only_session().meta;
    let checkpoint = &meta["checkpoint"];
    for moment in ["before", "after"] {
        assert_eq!(checkpoint[moment]["commit"].as_str().unwrap().len(), 40);
        assert_eq!(checkpoint[moment]["problem"], Value::Null);
    }
    assert_eq!(checkpoint["changes"]["changed"], 1);
    // The start record knows the first one, should the recorder be killed.
    let start = &env.only_session().events[0]["checkpoint"];
    assert_eq!(start["before"]["commit"], checkpoint["before"]["commit"]);
    let handoff = json(&ok(&env, &["handoff", "--json"]));
    assert_eq!(handoff["failures"][0]["changes"]["changed"], 1, "{handoff}");
    assert_eq!(ok(&env, &["verify"]).code(), 0);
}

#[test]
fn where_nobody_asks_there_is_none() {
    let Some(env) = with_files("where_nobody_asks_there_is_none") else {
        return;
    };
    ok(&env, &["true"]);
    ok(&env, &["--checkpoint", "off", "true"]);
    ok(&env, &["--no-record", "--checkpoint", "both", "true"]);
    for session in env.recorded() {
        assert!(session.meta.get("checkpoint").is_none());
    }
    assert!(!env.path("home/.local/state/aido/checkpoints").exists());
    let shown = env.aido(["show", "last", "--changes"]).output();
    assert_eq!(shown.code(), 1, "{shown:?}");
}

#[test]
fn a_command_that_is_named_in_the_settings_is_saved_without_asking() {
    let Some(env) = with_files("a_command_that_is_named_in_the_settings") else {
        return;
    };
    // A repository may name commands; it can't say that nothing is saved.
    env.write("work/nexus/aido.toml", "checkpoint_commands = [\"rm\"]\n");
    env.write(
        "home/.config/aido/config.toml",
        "checkpoint_commands = [\"git clean\"]\n",
    );
    for (words, is_saved) in [
        (&["true"][..], false),
        (&["rm", "-f", "none"], true),
        (&["sh", "-c", "true && rm -f none"], true),
        (&["git", "clean", "-n"], true),
        (&["git", "status"], false),
        (&["--checkpoint", "off", "rm", "-f", "none"], false),
    ] {
        ok(&env, words);
        let sessions = env.recorded();
        let last = sessions.last().unwrap();
        assert_eq!(last.meta.get("checkpoint").is_some(), is_saved, "{words:?}");
    }
    env.write("work/nexus/aido.toml", "checkpoint = \"both\"\n");
    let run = env.aido(["true"]).output();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("checkpoint is ignored here"), "{said}");
}

#[test]
fn only_the_paths_that_are_named_come_back_and_nothing_without_yes() {
    let Some(env) = with_files("only_the_paths_that_are_named") else {
        return;
    };
    let before = print_of(&env.work());
    ok(
        &env,
        &[
            "--checkpoint",
            "before",
            "sh",
            "-c",
            "rm -rf src run; : >new",
        ],
    );
    let after = print_of(&env.work());
    let asked = env.aido(["checkpoint", "restore", "last"]).output();
    assert_eq!(asked.code(), 1, "{asked:?}");
    let dry = json(&ok(
        &env,
        &["checkpoint", "restore", "last", "--dry-run", "--json"],
    ));
    assert_eq!(dry["steps"].as_array().unwrap().len(), 8, "{dry}");
    assert_eq!(print_of(&env.work()), after);
    // From a directory of the work tree, by its name there.
    fs::create_dir(env.path("work/here")).unwrap();
    let run = patient(
        &env,
        &[
            "checkpoint",
            "restore",
            "last",
            "../src/deep",
            "../run",
            "-y",
        ],
    );
    let run = run.current_dir(env.path("work/here")).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let mut expected = after;
    for name in ["src/deep/er/file", "run"] {
        let name = name.as_bytes().to_vec();
        expected.insert(name.clone(), before[&name].clone());
    }
    assert_eq!(print_of(&env.work()), expected);
    let outside = env
        .aido(["checkpoint", "restore", "last", "/etc", "-y"])
        .output();
    assert_eq!(outside.code(), 2, "{outside:?}");
    let diff = env
        .aido(["checkpoint", "diff", "last", "src/main.rs"])
        .output();
    assert_eq!(diff.code(), 1);
    assert!(text(&diff).contains("-fn main() { changed() }"), "{diff:?}");
}

#[test]
fn what_is_as_it_should_be_keeps_its_time() {
    let Some(env) = with_files("what_is_as_it_should_be_keeps_its_time") else {
        return;
    };
    ok(
        &env,
        &["--checkpoint", "before", "sh", "-c", "echo x >>src/staged"],
    );
    let times = || -> Vec<(String, i64, i64)> {
        let names = [
            "run",
            "src/main.rs",
            "src/untracked",
            "src/private",
            "src/a.o",
        ];
        names
            .iter()
            .map(|name| {
                let status = env.work().join(name).metadata().unwrap();
                ((*name).to_owned(), status.mtime_nsec(), status.ctime_nsec())
            })
            .collect()
    };
    let before = times();
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(times(), before);
    assert_eq!(fs::read(env.path("work/src/staged")).unwrap(), b"staged\n");
}

#[test]
fn neither_history_nor_a_mirror_of_the_repository_shows_any_of_it() {
    let Some(env) = with_files("neither_history_nor_a_mirror") else {
        return;
    };
    let seen = || {
        let questions = [
            &["status", "--porcelain"][..],
            &["log", "--all", "--oneline"],
            &["for-each-ref"],
            &["stash", "list"],
            &["reflog"],
            &["count-objects", "-v"],
        ];
        questions.map(|words| git(&env, words))
    };
    let before = seen();
    ok(&env, &["--checkpoint", "both", "true"]);
    assert_eq!(seen(), before);
    git(&env, &["init", "-q", "--bare", "../mirror"]);
    git(&env, &["push", "-q", "--mirror", "../mirror"]);
    let names = git(&env, &["ls-remote", "../mirror"]);
    assert!(
        names.contains("refs/heads/main") && !names.contains("aido"),
        "{names}"
    );
}

#[test]
fn what_git_throws_away_comes_back_all_the_same() {
    let Some(env) = with_files("what_git_throws_away") else {
        return;
    };
    let before = print_of(&env.work());
    let line = "git rm -rqf --cached src/staged && git gc -q --prune=now && rm -rf src";
    ok(&env, &["--checkpoint", "before", "sh", "-c", line]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    let mut expected = before;
    expected.remove(&b"src/a.o"[..]);
    assert_eq!(print_of(&env.work()), expected);
}

#[test]
fn checkpoints_go_with_their_sessions() {
    let Some(env) = with_files("checkpoints_go_with_their_sessions") else {
        return;
    };
    for number in ["1", "2"] {
        ok(
            &env,
            &[
                "--checkpoint",
                "before",
                "sh",
                "-c",
                &format!("echo {number} >n{number}"),
            ],
        );
    }
    let list = json(&ok(&env, &["checkpoint", "list", "--json"]));
    assert_eq!(list["checkpoints"].as_array().unwrap().len(), 2, "{list}");
    let stats = json(&ok(&env, &["stats", "--json"]));
    assert_eq!(stats["checkpoints"]["sessions"], 2, "{stats}");
    assert!(stats["checkpoints"]["size_bytes"].as_u64().unwrap() > 0);
    let dry = json(&ok(
        &env,
        &["prune", "--keep-sessions", "1", "--dry-run", "--json"],
    ));
    assert_eq!(dry["checkpoints"]["sessions"], 1, "{dry}");
    let pruned = json(&ok(
        &env,
        &["prune", "--keep-sessions", "1", "-y", "--json"],
    ));
    assert_eq!(pruned["checkpoints"]["sessions"], 1, "{pruned}");
    assert!(pruned["checkpoints"]["size_bytes"].is_u64());
    let list = json(&ok(&env, &["checkpoint", "list", "--json"]));
    assert_eq!(list["checkpoints"].as_array().unwrap().len(), 1, "{list}");
    // What the other one needs is there.
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(!env.path("work/n2").exists() && env.path("work/n1").exists());
}

#[test]
fn a_way_back_is_left_where_the_sessions_themselves_are_gone() {
    let Some(env) = with_files("a_way_back_is_left") else {
        return;
    };
    let before = print_of(&env.work());
    let run = patient(&env, &["--checkpoint", "both", "sh", "-c", "rm -rf -- *"]);
    // The sessions stand in the repository, and go with everything else.
    let run = run.env_remove("AIDO_SESSION_DIR").output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(!env.path("work/run").exists());
    let restore = patient(&env, &["checkpoint", "restore", "last", "-y"]);
    let restore = restore.env_remove("AIDO_SESSION_DIR").output();
    assert_eq!(restore.code(), 0, "{restore:?}");
    let mut expected = before;
    expected.remove(&b"src/a.o"[..]);
    assert_eq!(print_of(&env.work()), expected);
}

#[test]
fn a_path_is_shown_harmlessly() {
    let Some(env) = with_files("a_path_is_shown_harmlessly") else {
        return;
    };
    let name = OsStr::from_bytes(b"a\x1b]0;title\x07\n\xff");
    ok(&env, &["--checkpoint", "before", "true"]);
    fs::write(env.work().join(name), "\x1b[2J").unwrap();
    for words in [
        &["show", "last", "--changes"][..],
        &["show", "last", "--changes", "--diff"],
        &["show", "last", "--changes", "--json"],
        &["checkpoint", "restore", "last", "--dry-run"],
    ] {
        let output = env.aido(words).output();
        assert_eq!(output.code(), 0, "{output:?}");
        let steers = |byte: &u8| byte.is_ascii_control() && *byte != b'\n';
        assert!(!output.stdout.iter().any(steers), "{words:?}: {output:?}");
    }
}
