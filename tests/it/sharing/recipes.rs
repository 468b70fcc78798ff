//! The lines of docs/sharing.md that hand an export to other programs, run as they stand there.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{AIDO, TestEnv, has_program, skipped};

/// Whom a server runs as that must not be root.
const NOBODY: u32 = 65534;
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The one line of the page's examples that has this in it.
fn recipe(piece: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sharing.md");
    let page = fs::read_to_string(page).unwrap();
    let is_it = |line: &&str| line.starts_with("aido ") && line.contains(piece);
    let lines: Vec<&str> = page.lines().filter(is_it).collect();
    assert_eq!(lines.len(), 1, "{piece}: {lines:?}");
    lines[0].to_owned()
}

/// A session with everything in it that quoting can break.
fn recorded() -> TestEnv {
    let env = TestEnv::in_repository();
    let note = "it\"s, a \\ note\nof two\tlines";
    env.aido(["--note", note, "sh", "-c", "echo 'a\\b,c'; exit 3"])
        .output();
    env
}

/// Runs a line of shell with aido on the search path.
fn shell(env: &TestEnv, line: &str, variables: &[(&str, &str)]) -> String {
    let bin = Path::new(AIDO).parent().unwrap().display();
    let run = env.bare(["sh", "-c", line]);
    let run = run.env("PATH", format!("{bin}:{SEARCH_PATH}"));
    let run = variables
        .iter()
        .fold(run, |run, (name, value)| run.env(name, value));
    let run = run.output();
    assert_eq!(run.code(), 0, "{line}: {run:?}");
    run.stdout_text()
}

#[test]
fn duckdb_reads_an_export_as_the_page_says() {
    if !has_program("duckdb", "duckdb_reads_an_export_as_the_page_says") {
        return;
    }
    let line = recipe("duckdb").replace("duckdb -c", "duckdb -csv -c");
    let told = shell(&recorded(), &line, &[]);
    assert!(
        told.starts_with("command,exit_code\n") && told.ends_with(",3\n"),
        "{told}"
    );
}

/// A server of this test's own, which goes with it.
struct Server {
    directory: PathBuf,
    programs: PathBuf,
    is_root: bool,
}

impl Server {
    /// Starts one; none where there is no PostgreSQL.
    fn start(env: &TestEnv) -> Option<Self> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let programs = versions.map(|version| version.path().join("bin"));
        let programs = programs.filter(|bin| bin.join("initdb").exists()).max()?;
        // Short, for a socket's name, and where whoever it runs as gets to.
        let directory = PathBuf::from(format!("/tmp/aido-{}-pg", std::process::id()));
        fs::create_dir(&directory).ok()?;
        let is_root = fs::metadata(env.work()).unwrap().uid() == 0;
        if is_root {
            chown(&directory, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let server = Self {
            directory,
            programs,
            is_root,
        };
        let place = server.directory.display();
        let (data, log) = (format!("{place}/data"), format!("{place}/log"));
        let options = format!("-k {place} -c listen_addresses= -c fsync=off");
        let init = [
            "initdb", "-D", &data, "-A", "trust", "-U", "app", "-E", "UTF8",
        ];
        let start = [
            "pg_ctl", "-D", &data, "-w", "-l", &log, "-o", &options, "start",
        ];
        (server.run(&init) && server.run(&start)).then_some(server)
    }

    fn run(&self, words: &[&str]) -> bool {
        let program = self.programs.join(words[0]);
        let mut command = Command::new(if self.is_root {
            Path::new("setpriv")
        } else {
            &program
        });
        if self.is_root {
            let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
            command
                .args([&user, &group, "--clear-groups"])
                .arg(&program);
        }
        let command = command.args(&words[1..]).current_dir(&self.directory);
        // What it leaves running must not hold this one's pipes.
        let command = command
            .env("LC_ALL", "C")
            .stdout(std::process::Stdio::null());
        let status = command.stderr(std::process::Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.directory.join("data");
        self.run(&[
            "pg_ctl",
            "-D",
            &data.to_string_lossy(),
            "-m",
            "immediate",
            "stop",
        ]);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn psql_takes_an_export_as_the_page_says() {
    let test = "psql_takes_an_export_as_the_page_says";
    if !has_program("psql", test) {
        return;
    }
    let env = recorded();
    let Some(server) = Server::start(&env) else {
        return skipped(test, "no PostgreSQL server can be started here");
    };
    let host = server.directory.to_string_lossy();
    let variables = [
        ("PGHOST", &*host),
        ("PGUSER", "app"),
        ("PGDATABASE", "postgres"),
    ];
    let made = "psql -qc 'create table runs (record jsonb)'";
    shell(&env, made, &variables);
    shell(&env, &recipe("psql"), &variables);
    let asked = "psql -Atc \"select record->'exit_code', record->'notes' from runs\"";
    let told = shell(&env, asked, &variables);
    assert_eq!(told, "3|\"it\\\"s, a \\\\ note\\nof two\\tlines\"\n");
}
