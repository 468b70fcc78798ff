//! Rules of the repository's own.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;

use super::Place;

fn make_fifo(path: &std::path::Path) {
    let name = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a string that ends with a zero, and a mode.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
}

#[test]
fn a_rule_of_the_repository_names_its_own_failures() {
    let place = Place::new();
    place.env.write(
        "work/nexus/faults/rules.d/10-own.toml",
        "[[rule]]\nid = \"old-cluster\"\napp = [\"cargo\"]\nregex = '''no quorum in (\\w+)'''\n\
         key = \"cluster ${1}\"\nmessage = \"cluster ${1} is gone\"\nlesson = \"use the other one than ${1}\"\n",
    );
    place.tell(7, "at 12:30: no quorum in north\n");
    place.run(&["cargo", "deploy"], 7);
    let fault = place.fault();
    assert_eq!(fault["class"], "old-cluster");
    assert_eq!(fault["why"], "cluster north is gone");
    assert_eq!(fault["advice"][0], "use the other one than north");
    assert!(
        fault["fault"]
            .as_str()
            .unwrap()
            .ends_with("-cargo-old-cluster")
    );
}

#[test]
fn a_rule_names_its_program_as_it_is_typed() {
    for app in ["python3", "python", "/usr/bin/python3.11"] {
        let place = Place::new();
        place.env.write(
            "work/nexus/faults/rules.d/own.toml",
            &format!("[[rule]]\nid = \"our-model\"\napp = [\"{app}\"]\nexit = [9]\n"),
        );
        place.env.script("home/bin/python3", "#!/bin/sh\nexit 9\n");
        place.run(&["python3", "train.py"], 9);
        assert_eq!(place.fault()["class"], "our-model", "{app}");
    }
}

#[test]
fn problem_matchers_are_imported_as_rules() {
    let place = Place::new();
    place.env.write(
        "work/matcher.json",
        r#"{"problemMatcher": [
            {"owner": "Widget Check", "pattern": [{
                "regexp": "^W(\\d+) in (.+): (.+)$", "code": 1, "file": 2, "message": 3}]},
            {"owner": "ahead", "pattern": [{"regexp": "(?!x)(.*)", "message": 1}]}
        ]}"#,
    );
    let imported = place.run(&["faults", "import-matcher", "matcher.json"], 0);
    assert!(
        imported
            .stderr_text()
            .contains("left out: ahead: look-around"),
        "{imported:?}"
    );
    place.tell(1, "starting\nW17 in src/a.w: it wobbles\ndone\n");
    place.run(&["cargo", "widgets"], 1);
    let fault = place.fault();
    assert_eq!(
        (&fault["class"], &fault["why"]),
        (&"compile-error".into(), &"it wobbles".into())
    );
    // What is there already is not written over.
    let again = place.run(&["faults", "import-matcher", "matcher.json"], 1);
    assert!(again.stderr_text().contains("remove it"), "{again:?}");
    for (text, code) in [("[]", 1), ("{\"problemMatcher\": []}", 1)] {
        place.env.write("work/none.json", text);
        place.run(&["faults", "import-matcher", "none.json"], code);
    }
    place.run(&["faults", "import-matcher"], 2);
}

#[test]
fn a_bad_file_of_rules_is_named_and_skipped() {
    let place = Place::new();
    let directory = "work/nexus/faults/rules.d";
    let good = "[[rule]]\nid = \"good\"\nexit = [7]\n";
    place.env.write(&format!("{directory}/90-good.toml"), good);
    place
        .env
        .write(&format!("{directory}/10-torn.toml"), "[[rule]]\nid = ");
    place.env.write(
        &format!("{directory}/11-bad-regex.toml"),
        "[[rule]]\nid = \"x\"\nregex = \"(\"\n",
    );
    place.env.write(
        &format!("{directory}/12-huge.toml"),
        &"# x\n".repeat(100_000),
    );
    place.env.write(&format!("{directory}/README"), "no rules");
    fs::write(
        place.env.path(directory).join("13-bytes.toml"),
        b"\xff\xfe\n",
    )
    .unwrap();
    place.env.write(
        "work/elsewhere.toml",
        "[[rule]]\nid = \"linked\"\nexit = [7]\n",
    );
    symlink(
        place.env.path("work/elsewhere.toml"),
        place.env.path(directory).join("14-link.toml"),
    )
    .unwrap();
    make_fifo(&place.env.path(directory).join("15-fifo.toml"));
    fs::create_dir(place.env.path(directory).join("16-directory.toml")).unwrap();
    place.tell(7, "something\n");
    let run = place.run(&["cargo", "deploy"], 7);
    assert_eq!(
        run.stderr_text(),
        "something\n",
        "a recorder says nothing of it"
    );
    assert_eq!(place.fault()["class"], "good");
    let told = place.aido(&["faults"]).output();
    assert_eq!(told.code(), 0, "{told:?}");
    let told = told.stderr_text();
    for name in [
        "10-torn",
        "11-bad-regex",
        "12-huge",
        "13-bytes",
        "14-link",
        "15-fifo",
        "16-directory",
    ] {
        let lines = told
            .lines()
            .filter(|line| line.contains(&format!("rules.d/{name}.toml")));
        assert_eq!(lines.count(), 1, "{name}: {told}");
    }
    assert_eq!(told.lines().count(), 7, "{told}");
    let doctor = place.aido(&["doctor"]).output();
    assert!(doctor.stdout_text().contains("10-torn.toml"), "{doctor:?}");
}
