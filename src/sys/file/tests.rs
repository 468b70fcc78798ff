//! Links, modes and names, on real directories.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn scratch() -> (tempfile::TempDir, Directory) {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::open(temporary.path()).unwrap();
    (temporary, directory)
}

#[test]
fn a_link_on_the_way_is_refused_and_named() {
    let (temporary, directory) = scratch();
    symlink("/tmp", temporary.path().join("a")).unwrap();
    let error = directory.walk_or_make(Path::new("a/b")).unwrap_err();
    assert!(
        error.to_string().contains("a is a symbolic link"),
        "{error}"
    );
}

#[test]
fn a_file_in_the_way_is_named() {
    let (_temporary, directory) = scratch();
    directory.create("a").unwrap();
    let error = directory.walk_or_make(Path::new("a")).unwrap_err();
    assert!(error.to_string().contains("a is in the way"), "{error}");
}

#[test]
fn what_is_made_is_private() {
    let (temporary, directory) = scratch();
    let (_, made) = directory.walk_or_make(Path::new("a/b")).unwrap();
    assert!(made);
    directory.create("f").unwrap();
    for (name, mode) in [("a", 0o700), ("a/b", 0o700), ("f", 0o600)] {
        let found = temporary.path().join(name).metadata().unwrap();
        assert_eq!(found.permissions().mode() & 0o7777, mode, "{name}");
    }
    assert!(!directory.walk_or_make(Path::new("a/b")).unwrap().1);
}

#[test]
fn a_file_that_is_appended_to_is_private_again() {
    let (temporary, directory) = scratch();
    let path = temporary.path().join("f");
    std::fs::File::create(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    directory.append(OsStr::new("f")).unwrap();
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn only_plain_files_with_one_name_are_read() {
    let (temporary, directory) = scratch();
    directory.create("f").unwrap();
    assert!(directory.open_file("f").is_ok());
    symlink("f", temporary.path().join("link")).unwrap();
    std::fs::hard_link(temporary.path().join("f"), temporary.path().join("twin")).unwrap();
    for name in ["link", "f", "missing"] {
        assert!(directory.open_file(name).is_err(), "{name}");
    }
}

#[test]
fn renaming_never_replaces() {
    let (_temporary, directory) = scratch();
    directory.create("a").unwrap();
    directory.create("b").unwrap();
    assert!(directory.rename_new("a", &directory, "b").is_err());
    directory.rename_new("a", &directory, "c").unwrap();
    assert!(directory.contains("c") && !directory.contains("a"));
}

#[test]
fn a_lock_is_seen_through_another_opening() {
    let (_temporary, directory) = scratch();
    let file = directory.create("f").unwrap();
    let other = directory.open_file("f").unwrap();
    assert!(!is_locked(&other));
    lock(&file).unwrap();
    assert!(is_locked(&other));
    drop(file);
    assert!(crate::eventually(|| !is_locked(&other)));
}
