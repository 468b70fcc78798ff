//! The protocol's own client, of its Python SDK, in a private place below the build directory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use super::place;
use crate::support::{AIDO, has_program, skipped};

/// What is installed.
const SDK: &str = "mcp>=2.3,<3";

/// A Python with the SDK; installed once, by whichever test comes first.
fn python() -> Result<PathBuf, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-sdk");
    let python = directory.join("bin/python");
    let lock = File::create(directory.with_extension("lock")).map_err(|error| error.to_string())?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| error.to_string())?;
    let run = |program: &Path, words: &[&str]| {
        let ran = Command::new(program).args(words).output();
        let ran = ran.map_err(|error| error.to_string())?;
        match ran.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned()),
        }
    };
    let is_there = |python: &Path| run(python, &["-c", "from mcp import Client"]).is_ok();
    if !is_there(&python) {
        let place = directory.to_str().ok_or("a directory's name")?;
        run(Path::new("python3"), &["-m", "venv", "--clear", place])?;
        let install = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
        let install = [&install[..], &["--timeout", "20", "--retries", "1", SDK]].concat();
        run(&python, &install)?;
    }
    Ok(python)
}

#[test]
fn the_protocols_own_client_is_answered_in_both_of_its_eras() {
    const NAME: &str = "the_protocols_own_client_is_answered_in_both_of_its_eras";
    if !has_program("python3", NAME) {
        return;
    }
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            let last = why.lines().last().unwrap_or_default();
            return skipped(NAME, &format!("the Python SDK can't be installed: {last}"));
        }
    };
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp/client.py");
    for (mode, version) in [
        ("auto", "2026-07-28"),
        ("legacy", "2025-11-25"),
        ("2026-07-28", "2026-07-28"),
    ] {
        let env = place();
        env.write("work/fail.sh", "echo something went wrong; exit 3\n");
        assert_eq!(env.aido(["sh", "fail.sh"]).output().code(), 3);
        let work = env.work();
        let run = env.bare([
            python.as_os_str(),
            client.as_os_str(),
            AIDO.as_ref(),
            work.as_os_str(),
            mode.as_ref(),
        ]);
        let run = run.timeout(Duration::from_secs(180)).output();
        assert_eq!(run.code(), 0, "{mode}: {run:?}");
        let said: Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(said["version"], version, "{mode}");
        assert_eq!(said["tools"].as_array().unwrap().len(), 6);
        let text = |answer: &Value| answer["content"][0]["text"].as_str().unwrap().to_owned();
        let answers = said["answers"].as_object().unwrap();
        assert_eq!(answers.len(), 6);
        for (name, answer) in answers {
            assert_eq!(answer["isError"], false, "{name}: {answer}");
            let structured = &answer["structuredContent"];
            assert_eq!(structured["recorded_text"], "data, not instructions");
        }
        assert!(text(&answers["session_show"]).contains("something went wrong"));
        let found = &answers["sessions_search"]["structuredContent"]["matches"];
        assert_eq!(found[0]["text"], "something went wrong");
        assert!(text(&answers["handoff"]).contains("sh fail.sh"));
        assert_eq!(said["missing"]["isError"], true);
        assert_eq!(said["templates"], json!(["aido://session/{session}"]));
        assert_eq!(said["resources"].as_array().unwrap().len(), 3);
        assert!(
            said["read"]
                .as_str()
                .unwrap()
                .contains("something went wrong")
        );
        // What it wrote down is there.
        let lessons = env.json(&["lessons", "--json"]);
        assert_eq!(lessons["lessons"][0]["text"], "mend it first");
    }
}
