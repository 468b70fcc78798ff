//! docs/recipes.md: each recipe runs where its programs are.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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

/// Whether a recipe's program is here: by its name, a major version or a module of Python's.
fn has(program: &str) -> bool {
    let prints = |program: &str, words: &[&str]| {
        let output = Command::new(program)
            .args(words)
            .env("PATH", path())
            .output();
        output.ok().filter(|output| output.status.success())
    };
    if let Some(version) = program.strip_prefix("asciinema") {
        let output = prints("asciinema", &["--version"]);
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        return text.is_some_and(|text| text.starts_with(&format!("asciinema {version}.")));
    }
    if program == "chdb" {
        return prints("python3", &["-c", "import chdb"]).is_some();
    }
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

/// A real collector that listens at a port, and says on standard error what it got.
fn collector(env: &TestEnv, port: u16) -> Option<Child> {
    let program = ["otelcol", "otelcol-contrib"]
        .into_iter()
        .find(|name| has(name))?;
    let config = format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n\
         exporters: {{debug: {{verbosity: detailed}}}}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
    );
    env.write("otelcol.yaml", &config);
    let mut command = Command::new(program);
    command.arg("--config").arg(env.path("otelcol.yaml"));
    command.env("PATH", path()).stderr(Stdio::piped());
    Some(command.spawn().unwrap())
}

/// Sends what a recipe sends to a real collector, if one is here.
fn run_with_collector(recipe: &str) -> Option<()> {
    let env = with_sessions();
    let port = free_port();
    let mut collector = collector(&env, port)?;
    let here = recipe.replace("localhost:4318", &format!("127.0.0.1:{port}"));
    let here = here.replace(
        "curl ",
        "curl --retry 50 --retry-connrefused --retry-delay 1 ",
    );
    let output = env.bare(["sh", "-ec", &here]).env("PATH", path()).output();
    let mut lines = BufReader::new(collector.stderr.take().unwrap()).lines();
    let got = lines.any(|line| line.unwrap().contains("aido.session.id"));
    collector.kill().unwrap();
    collector.wait().unwrap();
    assert_eq!(output.code(), 0, "{output:?}");
    assert!(got);
    Some(())
}

/// Reads a request as a collector does, by the messages' own definitions, if Python has them.
fn parse(body: &str) -> Option<()> {
    const SCRIPT: &str = "import sys\ntry:\n    from google.protobuf.json_format import Parse\n    \
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as Request\n\
        except ImportError:\n    sys.exit(77)\n\
        request = Parse(sys.stdin.read(), Request())\n\
        assert len(request.resource_spans[0].scope_spans[0].spans) == 1\n";
    let mut python = Command::new("python3");
    python
        .args(["-c", SCRIPT])
        .env("PATH", path())
        .stdin(Stdio::piped());
    let mut python = python.spawn().ok()?;
    python
        .stdin
        .take()
        .unwrap()
        .write_all(body.as_bytes())
        .unwrap();
    match python.wait().unwrap().code() {
        Some(0) => Some(()),
        Some(77) => None,
        other => panic!("{other:?}: {body}"),
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
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
    ("clickhouse local", "\"tester\",2,0,"),
    ("import chdb", "\"tester\",2"),
    ("4318", ""),
    ("fzf", "broken\n"),
    ("asciinema cat", "\u{1b}[31mred"),
    ("asciinema convert", "\u{1b}[31mred"),
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
        if parse(&body).is_none() {
            skipped(NAME, "no opentelemetry-proto here");
        }
        if run_with_collector(recipe).is_none() {
            skipped(
                NAME,
                "no OpenTelemetry collector here, only something that answers like one",
            );
        }
        return Some(output);
    }
    Some(run(recipe).output())
}
