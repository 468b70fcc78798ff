//! docs/recipes.md: each recipe runs where its programs are.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::PoisonError;
use std::thread;

use super::{blocks, project};
use crate::support::{AIDO, FORKS, Output, TestEnv, contains, skipped};

const NAME: &str = "every_recipe_does_what_it_says";

/// Where programs are looked for: aido first, then whatever the caller has.
fn path() -> String {
    let own = Path::new(AIDO).parent().unwrap().display().to_string();
    format!("{own}:{}", std::env::var("PATH").unwrap_or_default())
}

fn has(program: &str) -> bool {
    path()
        .split(':')
        .any(|directory| Path::new(directory).join(program).exists())
}

/// A repository with sessions to show, the last of them with colours.
fn with_sessions() -> TestEnv {
    let env = TestEnv::in_repository();
    for line in [
        "echo broken; exit 3",
        "echo fine",
        "printf '\\033[31mred\\033[0m\\n'",
    ] {
        env.aido_in("always", ["--agent", "tester", "-c", line])
            .output();
    }
    env
}

/// A PostgreSQL server of the test's own, which ends with it.
struct Server {
    directory: tempfile::TempDir,
}

impl Server {
    /// None where there is none to start.
    fn start() -> Option<Self> {
        let directory = tempfile::Builder::new()
            .prefix("aido-pg-")
            .tempdir()
            .unwrap();
        let server = Self { directory };
        server
            .run(
                "chmod 777 . && as initdb -A trust -U tester -D data && \
                  as pg_ctl -D data -w -l log -o \"-k $PWD -c listen_addresses=''\" start",
            )
            .then_some(server)
    }

    /// Runs a line in its directory; the server refuses to be root's.
    fn run(&self, line: &str) -> bool {
        let prelude = "PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n 1); \
            as() { if [ \"$(id -u)\" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; \
            else \"$@\"; fi; }; ";
        let _guard = FORKS.read().unwrap_or_else(PoisonError::into_inner);
        Command::new("sh")
            .args(["-c", &format!("{prelude}{line}")])
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run("as pg_ctl -D data -m immediate stop");
    }
}

/// What a collector would get: one request, answered as one answers.
fn collect(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        .unwrap();
    String::from_utf8(body).unwrap()
}

/// What each recipe prints, by a part of its text.
const PRINTS: &[(&str, &str)] = &[
    (
        "select(.exit_code != 0)",
        "tester\t3\techo broken; exit 3\n",
    ),
    ("[.agent, .exit_code, .duration_ms", "printf "),
    ("duckdb", "tester"),
    ("\\copy", "echo fine|0\n"),
    ("4318", ""),
    ("fzf", "broken\n"),
    ("asciinema", "\u{1b}[31mred"),
    ("scriptreplay", "\u{1b}[31mred"),
    ("svg", "1\n"),
    ("import", "from script\n"),
];

#[test]
fn every_recipe_does_what_it_says() {
    let page = fs::read_to_string(project("docs/recipes.md")).unwrap();
    let recipes = blocks(&page, "sh");
    assert_eq!(recipes.len(), PRINTS.len());
    for (recipe, (part, printed)) in recipes.iter().zip(PRINTS) {
        assert!(recipe.contains(part), "{recipe}");
        let (needs, _) = recipe.split_once('\n').unwrap();
        let needs = needs.strip_prefix("# needs ").unwrap();
        let missing = needs
            .split(' ')
            .find(|name| !matches!(*name, "postgresql" | "collector") && !has(name));
        if let Some(missing) = missing {
            skipped(NAME, &format!("no {missing} here"));
            continue;
        }
        if let Some(output) = run(recipe, needs) {
            assert_eq!(output.code(), 0, "{recipe}: {output:?}");
            assert!(
                contains(&output.stdout, printed.as_bytes()),
                "{recipe}: {output:?}"
            );
        }
    }
}

fn run(recipe: &str, needs: &str) -> Option<Output> {
    let env = with_sessions();
    let run = |recipe: &str| env.bare(["sh", "-ec", recipe]).env("PATH", path());
    if needs.contains("postgresql") {
        let Some(server) = Server::start() else {
            skipped(NAME, "no PostgreSQL server can be started here");
            return None;
        };
        let socket: PathBuf = server.directory.path().to_owned();
        let run = run(recipe).env("PGHOST", socket).env("PGUSER", "tester");
        return Some(run.env("PGDATABASE", "postgres").output());
    }
    if needs.contains("collector") {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let collector = thread::spawn(move || collect(listener));
        let here = recipe.replace("localhost:4318", &format!("127.0.0.1:{port}"));
        let output = run(&here).output();
        assert_eq!(output.code(), 0, "{output:?}");
        let body = collector.join().unwrap();
        assert!(
            body.starts_with("{\"resourceSpans\":[") && body.contains("\"intValue\":\"0\""),
            "{body}"
        );
        return Some(output);
    }
    Some(run(recipe).output())
}
