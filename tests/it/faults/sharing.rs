//! The work tree stays clean until somebody shares what is remembered; then git merges it.

use super::{COMPILE_ERROR, Place};
use crate::support::{TestEnv, has_program};

const LINT: &str = "src/lib.rs:1:1: warning: unused\n3 problems (2 errors, 1 warning)\n";

/// A repository that git made, with a commit, and a `cargo`.
fn repository(test: &str) -> Option<Place> {
    if !has_program("git", test) {
        return None;
    }
    let env = TestEnv::in_repository();
    std::fs::remove_dir_all(env.path("work/.git")).unwrap();
    let place = Place::in_env(env);
    git(&place, &["init", "-q", "-b", "main"]);
    place.env.write("work/README", "demo\n");
    git(&place, &["add", "README"]);
    git(&place, &["commit", "-qm", "begin"]);
    Some(place)
}

#[track_caller]
fn git(place: &Place, words: &[&str]) -> String {
    let own = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"];
    let run = place.env.bare([&own[..], words].concat()).output();
    assert_eq!(run.code(), 0, "{words:?}: {run:?}");
    run.stdout_text()
}

fn status(place: &Place) -> String {
    git(place, &["status", "--porcelain", "--untracked-files=all"])
}

#[test]
fn the_tree_stays_clean_until_sharing_is_switched_on() {
    let Some(place) = repository("the_tree_stays_clean_until_sharing_is_switched_on") else {
        return;
    };
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    place.run(&["lesson", "add", "--class", "compile-error", "read it"], 0);
    assert_eq!(status(&place), "");
    let fault = place.fault()["fault"].as_str().unwrap().to_owned();
    let told = place.run(&["faults", "share"], 0).stdout_text();
    assert!(told.contains("git add "), "{told}");
    let lesson = place.json(&["lessons"])["lessons"][0]["lesson"].clone();
    let lesson = lesson.as_str().unwrap().to_owned();
    let wanted = [
        ".gitignore".to_owned(),
        format!("{fault}.json"),
        format!("lessons/{lesson}.json"),
    ];
    let wanted = wanted.map(|name| format!("?? nexus/faults/{name}\n"));
    assert_eq!(status(&place), wanted.concat());
    git(&place, &["add", "nexus"]);
    git(&place, &["commit", "-qm", "share"]);
    // What changes with every run is nobody else's.
    place.run(&["cargo", "build"], 101);
    place.tell(0, "");
    place.run(&["cargo", "build"], 0);
    place.run(&["faults", "ignore", &fault], 0);
    assert_eq!(status(&place), "");
    place.run(&["faults", "share", "--off"], 0);
    assert_eq!(status(&place), " M nexus/faults/.gitignore\n");
}

/// What is shared is hidden all the same where another file of git's says so: that is said, and how to
/// mend it.
#[test]
fn a_directory_that_git_ignores_anyway_is_not_said_to_be_seen() {
    let Some(place) = repository("a_directory_that_git_ignores_anyway_is_not_said_to_be_seen")
    else {
        return;
    };
    place.tell(2, "error: unexpected argument '--relase' found\n");
    place.run(&["cargo", "build", "--relase"], 2);
    place.tell(0, "");
    place.run(&["cargo", "build", "--release"], 0);
    place.env.write("work/.gitignore", "target\nnexus/\n");
    let told = place.run(&["faults", "share"], 1).stdout_text();
    assert!(told.contains(".gitignore:2:nexus/"), "{told}");
    assert!(told.contains("remove that line"), "{told}");
    place.env.write("work/.gitignore", "target\n");
    let told = place.json(&["faults", "share"]);
    assert_eq!(
        (&told["shared"], &told["hidden_by"]),
        (&true.into(), &().into())
    );
    // What worked instead was looked for first, and is shared with the rest.
    assert!(status(&place).contains("nexus/faults/lessons/"));
}

/// Two branches that meet the same failure, and each another one, and learn and judge the same and
/// other things.
#[test]
fn git_merges_what_two_branches_remember() {
    let Some(place) = repository("git_merges_what_two_branches_remember") else {
        return;
    };
    place.run(&["faults", "share"], 0);
    git(&place, &["add", "nexus"]);
    git(&place, &["commit", "-qm", "share"]);
    let forget = || std::fs::remove_dir_all(place.directory().join("local")).unwrap();
    let on_branch = |branch: &str, agent: &str, command: &str, said: &str| {
        git(&place, &["checkout", "-q", "-b", branch, "main"]);
        // As another user in another clone: nothing local is known.
        forget();
        place.tell(101, COMPILE_ERROR);
        place.run(&["--agent", agent, "cargo", "build"], 101);
        place.tell(1, said);
        place.run(&["--agent", agent, "cargo", command], 1);
        place.tell(1, "error: unexpected argument '--relase' found\n");
        place.run(&["--agent", agent, "cargo", "build", "--relase"], 1);
        place.tell(0, "");
        place.run(&["--agent", agent, "cargo", "build", "--release"], 0);
        place.run(&["faults"], 0);
        place.run(&["lesson", "add", "--class", "lint", "for both"], 0);
        place.run(
            &["lesson", "add", "--class", "lint", &format!("of {agent}")],
            0,
        );
        git(&place, &["add", "nexus"]);
        git(&place, &["commit", "-qm", branch]);
    };
    on_branch("left", "one", "clippy", LINT);
    let both = place.json(&["lessons"])["lessons"].clone();
    let both = both.as_array().unwrap().iter();
    let both = both
        .clone()
        .find(|lesson| lesson["text"] == "for both")
        .unwrap()["lesson"]
        .clone();
    place.run(&["lesson", "accept", both.as_str().unwrap()], 0);
    git(&place, &["add", "nexus"]);
    git(&place, &["commit", "-qm", "accept"]);
    on_branch("right", "two", "deny", "error[A001]: an advisory\n");
    place.run(&["lesson", "retire", both.as_str().unwrap()], 0);
    git(&place, &["add", "nexus"]);
    git(&place, &["commit", "-qm", "retire"]);
    git(&place, &["merge", "-q", "--no-edit", "left"]);
    assert_eq!(status(&place), "");
    forget();
    let faults = place.faults();
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault["status"].is_null() && fault["count"] == 0)
    );
    let lessons = place.json(&["lessons", "--all"]);
    let lessons = lessons["lessons"].as_array().unwrap();
    let texts: Vec<&str> = lessons
        .iter()
        .map(|lesson| lesson["text"].as_str().unwrap())
        .collect();
    assert_eq!(lessons.len(), 4, "{texts:?}");
    let of_both = lessons
        .iter()
        .find(|lesson| lesson["text"] == "for both")
        .unwrap();
    assert_eq!(of_both["standing"], "retired", "who retires is heard");
    // Whoever was never bitten is warned by what others shared.
    let said = place.check(&["cargo", "build", "--relase"], 1);
    assert!(
        said.contains("`cargo build --release` worked instead"),
        "{said}"
    );
    place.tell(1, "error: unexpected argument '--relase' found\n");
    place.run(&["cargo", "build", "--relase"], 1);
    let session = place.env.recorded().pop().unwrap();
    assert_eq!(
        session.meta["lessons"][0],
        "`cargo build --release` worked instead"
    );
}

/// A repository may bring a `.gitignore` that is a link; git follows none, so it hides nothing.
#[test]
fn a_gitignore_that_is_a_link_is_replaced() {
    let Some(place) = repository("a_gitignore_that_is_a_link_is_replaced") else {
        return;
    };
    place.env.write("home/other", "kept\n");
    std::fs::create_dir_all(place.directory()).unwrap();
    let link = place.directory().join(".gitignore");
    std::os::unix::fs::symlink(place.env.path("home/other"), link).unwrap();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    assert_eq!(status(&place), "");
    assert_eq!(
        std::fs::read_to_string(place.env.path("home/other")).unwrap(),
        "kept\n"
    );
}
