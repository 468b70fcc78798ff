//! What the integration tests stand on: a hermetic place, a way to run a command in it with or
//! without aido, and a reader of what was recorded that shares no code with the product.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

mod planted;
mod process;
pub(crate) mod pty;
mod run;
mod running;
pub(crate) mod sandbox;

pub(crate) use planted::{ago, moment, planted_id, sidecar, signed};
pub(crate) use process::{descendants, process_is_alive, processes_of};

pub(crate) use run::Run;
pub(crate) use running::{Output, Running};

/// The binary under test.
pub(crate) const AIDO: &str = env!("CARGO_BIN_EXE_aido");

/// The modes that every judged case has to pass in.
pub(crate) const MODES: [&str; 3] = ["always", "auto", "never"];

/// Held for writing while an executable is written and for reading while a test forks: a child that
/// still has the file open for writing would make its execution fail with ETXTBSY.
pub(crate) static FORKS: RwLock<()> = RwLock::new(());

const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A directory of its own: home, work tree and sessions. Dropping it ends whatever still runs in it.
pub(crate) struct TestEnv {
    directory: tempfile::TempDir,
    root: PathBuf,
    in_repository: bool,
}

impl TestEnv {
    /// A work directory outside any repository; sessions go to `AIDO_SESSION_DIR`.
    pub(crate) fn new() -> Self {
        Self::prepare(false)
    }

    /// A work directory that is a git repository (made by hand, on `main`); no `AIDO_SESSION_DIR`.
    pub(crate) fn in_repository() -> Self {
        let env = Self::prepare(true);
        env.write("work/.git/HEAD", "ref: refs/heads/main\n");
        env.write("work/.git/refs/heads/main", &format!("{}\n", Self::COMMIT));
        env.write(
            "work/.git/config",
            "[core]\n\trepositoryformatversion = 0\n",
        );
        fs::create_dir(env.path("work/.git/objects")).unwrap();
        env
    }

    /// The commit that `main` of a hand-made repository points to.
    pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn prepare(in_repository: bool) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("aido-it-")
            .tempdir()
            .unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["home", "work"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        TestEnv {
            directory,
            root,
            in_repository,
        }
    }

    /// A path below the temporary directory.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Where sessions land.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.path(if self.in_repository {
            "work/nexus/.aisessions"
        } else {
            "sessions"
        })
    }

    /// Writes a file below the temporary directory, with its parent directories.
    pub(crate) fn write(&self, relative: &str, contents: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// Writes an executable file.
    pub(crate) fn script(&self, relative: &str, contents: &str) {
        let _guard = FORKS.write().unwrap_or_else(PoisonError::into_inner);
        self.write(relative, contents);
        fs::set_permissions(self.path(relative), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What a command of this place has in its environment, and nothing besides.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut pairs: Vec<(OsString, OsString)> = [
            ("PATH", SEARCH_PATH),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
            ("SHELL", "/bin/sh"),
            ("TZ", "UTC"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        pairs.push(("HOME".into(), self.home().into()));
        if !self.in_repository {
            pairs.push(("AIDO_SESSION_DIR".into(), self.sessions().into()));
        }
        pairs
    }

    /// Runs aido with these arguments.
    pub(crate) fn aido<I, S>(&self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        Run::prepare(self, AIDO.as_ref(), arguments)
    }

    /// Runs aido in one of the [`MODES`].
    pub(crate) fn aido_in<I, S>(&self, mode: &str, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut words: Vec<OsString> = vec!["--tty".into(), mode.into()];
        words.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        self.aido(words)
    }

    /// Runs a command without aido, everything else alike: the control. The first word is the program.
    pub(crate) fn bare<I, S>(&self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut arguments = arguments.into_iter();
        let program = arguments
            .next()
            .expect("a program to run")
            .as_ref()
            .to_owned();
        Run::prepare(self, &program, arguments)
    }

    /// The sessions that are complete (those with a sidecar), oldest first.
    pub(crate) fn recorded(&self) -> Vec<Session> {
        recorded_in(&self.sessions())
    }

    /// The one session that is complete.
    pub(crate) fn only_session(&self) -> Session {
        let mut sessions = self.recorded();
        assert_eq!(sessions.len(), 1, "sessions: {:?}", files_below(&self.root));
        sessions.remove(0)
    }

    /// Every transcript below the temporary directory, those of running sessions too.
    pub(crate) fn transcripts(&self) -> Vec<PathBuf> {
        let mut paths = files_below(&self.root);
        paths.retain(|path| path.extension() == Some("typescript".as_ref()));
        paths
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        process::kill_processes_of(&self.home());
        let _ = fs::set_permissions(self.directory.path(), fs::Permissions::from_mode(0o700));
    }
}

/// The complete sessions of a directory, oldest first.
pub(crate) fn recorded_in(directory: &Path) -> Vec<Session> {
    let mut sidecars: Vec<PathBuf> = fs::read_dir(directory)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    sidecars.retain(|path| {
        path.to_str()
            .is_some_and(|path| path.ends_with(".meta.json"))
    });
    let mut sessions: Vec<_> = sidecars
        .iter()
        .map(|path| {
            let written = fs::metadata(path).unwrap().modified().unwrap();
            let session = Session::read(path);
            (
                session.meta["timestamp"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                written,
                session,
            )
        })
        .collect();
    sessions.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    sessions
        .into_iter()
        .map(|(_, _, session)| session)
        .collect()
}

/// Every file below a directory, sorted.
pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// A finished session as its three files tell it.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) meta: Value,
    pub(crate) transcript: Vec<u8>,
    pub(crate) events: Vec<Value>,
}

impl Session {
    fn read(sidecar: &Path) -> Self {
        let text = fs::read_to_string(sidecar).unwrap();
        let name = sidecar.file_name().unwrap().to_str().unwrap();
        let id = name.strip_suffix(".meta.json").unwrap().to_owned();
        let beside = |ending: &str| sidecar.with_file_name(format!("{id}.{ending}"));
        let events = fs::read_to_string(beside("events.jsonl")).unwrap_or_default();
        Session {
            meta: serde_json::from_str(&text).unwrap(),
            transcript: fs::read(beside("typescript")).unwrap_or_default(),
            events: events
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            id,
        }
    }

    /// What the command printed: the bytes before the marker.
    pub(crate) fn output(&self) -> &[u8] {
        let length = self.meta["output_bytes"].as_u64().expect("output_bytes") as usize;
        &self.transcript[..length]
    }
}

/// Polls until the condition holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a program is on the tests' search path; says so when a test has to be skipped.
pub(crate) fn has_program(name: &str, test: &str) -> bool {
    let found = SEARCH_PATH
        .split(':')
        .any(|directory| Path::new(directory).join(name).exists());
    if !found {
        skipped(test, &format!("no {name} here"));
    }
    found
}

/// Leaves a visible line about a test that can't run here.
pub(crate) fn skipped(test: &str, why: &str) {
    eprintln!("SKIPPED: {test}: {why}");
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    needle.is_empty()
        || haystack
            .windows(needle.len())
            .any(|window| window == needle)
}
