//! Permissions: of directories they come back, and nobody gets the rights of an owner.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::{chmod, git, json, ok, patient, print_of, text, with_files};
use crate::support::{TestEnv, skipped};

fn mode(env: &TestEnv, path: &str) -> u32 {
    let status = env.work().join(path).symlink_metadata().unwrap();
    status.mode() & 0o7777
}

#[test]
fn a_directory_comes_back_with_its_permissions() {
    let Some(env) = with_files("a_directory_comes_back_with_its_permissions") else {
        return;
    };
    env.write("work/priv/in/key", "key\n");
    chmod(&env, "priv", 0o700);
    chmod(&env, "src/deep", 0o1777);
    ok(&env, &["--checkpoint", "both", "rm", "-rf", "priv", "src"]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    let found = ["priv", "priv/in", "src", "src/deep"].map(|path| mode(&env, path));
    let usual = mode(&env, "src/deep/er");
    assert_eq!(found, [0o700, usual, usual, 0o1777]);
    // As a work tree of its own, too.
    let run = patient(&env, &["rerun", "last", "--worktree", "../again"]);
    let line = run.output();
    assert_eq!(line.code(), 0, "{line:?}");
    ok(&env, &["--checkpoint", "before", "ls"]);
    ok(&env, &["rerun", "last", "--worktree", "../more"]);
    let status = env.path("more/priv").metadata().unwrap();
    assert_eq!(status.mode() & 0o7777, 0o700);
}

#[test]
fn permissions_of_a_directory_alone_are_a_change() {
    let Some(env) = with_files("permissions_of_a_directory_alone") else {
        return;
    };
    let before = mode(&env, "src/deep");
    ok(&env, &["--checkpoint", "both", "chmod", "750", "src/deep"]);
    let told = text(&ok(&env, &["show", "last", "--changes"]));
    let expected =
        format!("changed  src/deep/ ({before:o} to 750)\n0 added, 1 changed, 0 removed\n");
    assert_eq!(told, expected);
    assert_eq!(
        env.only_session().meta["checkpoint"]["changes"]["changed"],
        1
    );
    let dry = json(&ok(
        &env,
        &["checkpoint", "restore", "last", "--dry-run", "--json"],
    ));
    assert_eq!(dry["steps"][0]["type"], "directory", "{dry}");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(mode(&env, "src/deep"), before);
    ok(
        &env,
        &["checkpoint", "restore", "last", "--to", "restore-1", "-y"],
    );
    assert_eq!(mode(&env, "src/deep"), 0o750);
}

#[test]
fn a_directory_that_nobody_may_write_to_any_more_gets_its_files_back() {
    let Some(env) = with_files("a_directory_that_nobody_may_write_to") else {
        return;
    };
    let before = print_of(&env.work());
    let line = "rm src/main.rs src/deep/er/file; chmod 555 src src/deep/er";
    ok(&env, &["--checkpoint", "both", "sh", "-c", line]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(print_of(&env.work()), before);
    assert_eq!(mode(&env, "src"), mode(&env, "src/deep"));
}

#[test]
fn nobody_gets_the_rights_of_an_owner() {
    let Some(env) = with_files("nobody_gets_the_rights_of_an_owner") else {
        return;
    };
    chmod(&env, "run", 0o4755);
    chmod(&env, "src/main.rs", 0o2755);
    let line = "rm run; chmod 755 src/main.rs";
    ok(&env, &["--checkpoint", "both", "sh", "-c", line]);
    let dry = json(&ok(
        &env,
        &["checkpoint", "restore", "last", "--dry-run", "--json"],
    ));
    assert_eq!(dry["steps"][0]["permissions"], "0755", "{dry}");
    assert_eq!(dry["steps"][0]["permissions_dropped"], "4000", "{dry}");
    let restored = text(&ok(&env, &["checkpoint", "restore", "last", "-y"]));
    assert!(restored.contains("not known: run\n"), "{restored}");
    assert_eq!(
        (mode(&env, "run"), mode(&env, "src/main.rs")),
        (0o755, 0o755)
    );
    // What still has them keeps them.
    chmod(&env, "run", 0o4755);
    ok(&env, &["--checkpoint", "both", "chmod", "4700", "run"]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(mode(&env, "run"), 0o4755);
    ok(&env, &["--checkpoint", "before", "true"]);
    let again = ok(&env, &["rerun", "last", "--worktree", "../again"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("run: not set-user-ID"), "{said}");
    let status = env.path("again/run").metadata().unwrap();
    assert_eq!(status.mode() & 0o6000, 0);
}

#[test]
fn what_can_not_be_read_is_not_said_to_be_as_it_was() {
    let Some(env) = with_files("what_can_not_be_read_is_not_said") else {
        return;
    };
    let line = "chmod 000 src/main.rs";
    ok(&env, &["--checkpoint", "before", "sh", "-c", line]);
    if fs::read(env.path("work/src/main.rs")).is_ok() {
        let why = "whoever runs this may read everything";
        return skipped("what_can_not_be_read_is_not_said", why);
    }
    let restore = patient(&env, &["checkpoint", "restore", "last", "-y"]).output();
    assert_eq!(restore.code(), 1, "{restore:?}");
    let said = text(&restore);
    assert!(
        said.contains("src/main.rs") && said.contains("chmod u+rwX"),
        "{said}"
    );
    assert!(!said.contains("as they were"), "{said}");
}

#[test]
fn what_is_hollow_makes_room_and_what_is_not_is_left_alone() {
    let Some(env) = with_files("what_is_hollow_makes_room") else {
        return;
    };
    let before = print_of(&env.work());
    let line = "rm src/link src/main.rs run; mkdir -p src/link src/main.rs/e/f run/x; : >run/x/y.o";
    ok(&env, &["--checkpoint", "both", "sh", "-c", line]);
    let dry = text(&ok(&env, &["checkpoint", "restore", "last", "--dry-run"]));
    assert!(dry.contains("leave    run (left alone"), "{dry}");
    assert!(dry.contains("create   src/link\n"), "{dry}");
    let restored = patient(&env, &["checkpoint", "restore", "last", "-y"]).output();
    assert_eq!(restored.code(), 1, "{restored:?}");
    assert!(
        text(&restored).contains("not restored: run: "),
        "{restored:?}"
    );
    let mut expected = before;
    expected.remove(&b"run"[..]);
    let mut after = print_of(&env.work());
    assert!(after.remove(&b"run/x/y.o"[..]).is_some());
    assert_eq!(after, expected);
    // A link where a directory is needed, of which only a part is wanted.
    fs::remove_dir_all(env.path("work/src/deep")).unwrap();
    symlink("..", env.path("work/src/deep")).unwrap();
    let words = [
        "checkpoint",
        "restore",
        "last",
        "--dry-run",
        "src/deep/er/file",
    ];
    let dry = patient(&env, &words).output();
    assert!(text(&dry).contains("leave    src/deep/er/file"), "{dry:?}");
    assert_eq!(dry.code(), 1, "{dry:?}");
}

#[test]
fn contents_that_are_gone_are_named_before() {
    let Some(env) = with_files("contents_that_are_gone_are_named_before") else {
        return;
    };
    let object = git(&env, &["rev-parse", "HEAD:run"]);
    let (first, rest) = object.trim().split_at(2);
    ok(
        &env,
        &["--checkpoint", "before", "rm", "run", "src/main.rs"],
    );
    fs::remove_file(env.work().join(".git/objects").join(first).join(rest)).unwrap();
    let dry = text(&ok(&env, &["checkpoint", "restore", "last", "--dry-run"]));
    assert!(
        dry.contains("leave    run (left alone: the repository has thrown"),
        "{dry}"
    );
}
