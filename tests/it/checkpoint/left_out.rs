//! What can't be saved: it is named, and restoring leaves it alone.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use super::{chmod, git, json, kept, ok, text, with_files};
use crate::support::{TestEnv, skipped};

/// What the last session's first checkpoint left out: paths and reasons.
fn left_out(env: &TestEnv) -> Vec<(String, String)> {
    let checkpoint = env.recorded().pop().unwrap().meta["checkpoint"].clone();
    let left = checkpoint["before"]["left_out"].as_array().cloned();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let left = left.unwrap_or_default().into_iter();
    left.map(|left| (word(&left["path"]), word(&left["reason"])))
        .collect()
}

#[test]
fn a_directory_that_cant_be_read_is_named_and_left_alone() {
    let test = "a_directory_that_cant_be_read";
    // Of a name with a line feed git's warning is not clear.
    for name in ["secret", "line\nfeed"] {
        let Some(env) = with_files(test) else {
            return;
        };
        let key = format!("work/{name}/key");
        env.write(&key, "key\n");
        env.write("work/src/deep/er/untracked", "untracked\n");
        for path in [name, "src/deep"] {
            chmod(&env, path, 0o000);
        }
        let is_read = fs::read_dir(env.work().join(name)).is_ok();
        let open = || {
            for path in [name, "src/deep"] {
                chmod(&env, path, 0o755);
            }
        };
        if is_read {
            open();
            return skipped(test, "whoever runs this may read everything");
        }
        let line = format!("chmod 755 '{name}' src/deep; rm run; echo more >>'{name}/key'");
        ok(&env, &["--checkpoint", "both", "sh", "-c", &line]);
        let left = left_out(&env);
        for path in [name, "src/deep"] {
            let expected = (path.to_owned(), "unreadable".to_owned());
            assert!(left.contains(&expected), "{left:?}");
        }
        let changes = text(&ok(&env, &["show", "last", "--changes"]));
        assert!(
            changes.contains("removed  run\n") && !changes.contains("key"),
            "{changes}"
        );
        assert!(!changes.contains("deep"), "{changes}");
        ok(&env, &["checkpoint", "restore", "last", "-y"]);
        assert!(env.path("work/run").exists());
        assert_eq!(fs::read(env.path(&key)).unwrap(), b"key\nmore\n");
        for path in ["file", "untracked"] {
            let path = format!("work/src/deep/er/{path}");
            assert!(env.path(&path).exists(), "{path}");
        }
        open();
    }
}

#[test]
fn names_like_gits_own_are_saved_or_named() {
    let Some(env) = with_files("names_like_gits_own") else {
        return;
    };
    let saved = [
        "git~1",
        "sub/.git.",
        "sub/.git::$INDEX_ALLOCATION",
        ".gitmodule",
    ];
    for path in saved {
        env.write(&format!("work/{path}"), "saved\n");
    }
    env.write("work/.GIT/x", "named\n");
    symlink("run", env.path("work/.gitmodules")).unwrap();
    let line = "rm -rf .GIT .gitmodules git~1 sub .gitmodule src";
    ok(&env, &["--checkpoint", "both", "sh", "-c", line]);
    let expected = [".GIT/x", ".gitmodules"].map(|path| {
        let reason = "a path that git refuses";
        (path.to_owned(), reason.to_owned())
    });
    assert_eq!(left_out(&env), expected);
    // It stands again when something is restored, and stays.
    env.write("work/.GIT/x", "again\n");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    for path in saved {
        let path = format!("work/{path}");
        assert_eq!(fs::read(env.path(&path)).unwrap(), b"saved\n", "{path}");
    }
    assert_eq!(fs::read(env.path("work/.GIT/x")).unwrap(), b"again\n");
}

#[test]
fn a_path_that_is_too_long_is_named() {
    let Some(env) = with_files("a_path_that_is_too_long") else {
        return;
    };
    let name = "d".repeat(200);
    let deep = |from: &str| (0..12).fold(env.path(from), |path, _| path.join(&name));
    for from in ["work", "work/other"] {
        fs::create_dir_all(deep(from)).unwrap();
    }
    fs::write(deep("work/other").join("file"), "deep\n").unwrap();
    // Two paths that are short enough make one that is not.
    fs::rename(env.path("work/other"), deep("work").join("more")).unwrap();
    ok(&env, &["--checkpoint", "both", "rm", "run"]);
    let left = left_out(&env);
    let [(path, reason)] = &left[..] else {
        panic!("{left:?}");
    };
    assert!(path.len() > 4095 && path.starts_with(&name), "{left:?}");
    assert_eq!(reason, "a path that git refuses");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(env.path("work/run").exists() && deep("work").join("more").exists());
}

#[test]
fn the_commit_of_a_submodule_is_kept() {
    let Some(env) = with_files("the_commit_of_a_submodule") else {
        return;
    };
    fs::create_dir(env.path("other")).unwrap();
    git(&env, &["init", "-q", "../other"]);
    let identity = ["-c", "user.name=A", "-c", "user.email=a@b"];
    let commit = |place: &str| {
        let words = ["commit", "-q", "--allow-empty", "-m", "x"];
        git(&env, &[&["-C", place][..], &identity, &words].concat());
        git(&env, &["-C", place, "rev-parse", "HEAD"])
            .trim()
            .to_owned()
    };
    let first = commit("../other");
    let add = ["submodule", "add", "-q", "../other", "sub"];
    let allow = ["-c", "protocol.file.allow=always"];
    git(&env, &[&allow[..], &add].concat());
    let kept_one = || {
        let (tree, _) = kept::take(&env);
        let home = kept::home_of(&env);
        let run = env.bare(["git", "--git-dir", home.to_str().unwrap(), "ls-tree", &tree]);
        let listed = run
            .env(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                env.path("work/.git/objects"),
            )
            .output();
        assert_eq!(left_out(&env)[0].0, "sub");
        text(&listed)
    };
    let listed = kept_one();
    assert!(
        listed.contains(&format!("160000 commit {first}\tsub")),
        "{listed}"
    );
    let second = commit("sub");
    let listed = kept_one();
    assert!(
        listed.contains(&format!("160000 commit {second}\tsub")),
        "{listed}"
    );
    let dry = ok(
        &env,
        &["checkpoint", "restore", "last", "--dry-run", "--json"],
    );
    assert_eq!(json(&dry)["steps"], Value::Array(Vec::new()));
}
