//! Which recording a file is, and which other files belong to it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::DateTime;
use sha2::{Digest, Sha256};

use super::filing::{Filed, SourceFile, Subject, file};
use crate::cli::error::{CliError, Kind};
use crate::cli::reading::Reader;
use crate::import::asciicast::{Cast, CastError};
use crate::import::original::{self, Sidecar};
use crate::import::typescript::{self, FIRST_LINE};
use crate::session::Timestamp;
use crate::sys::regular;

/// How much of a file tells what it is.
const BEGINNING_BYTES: u64 = 4096;
/// The largest sidecar of the original's that is read.
const SIDECAR_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// What the names of the original's files end with.
const SIDECAR: &str = ".meta.json";
const TRANSCRIPT: &str = ".typescript";

/// Says what went wrong with a file.
fn failed(path: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::new(Kind::Failed, format!("{}: {error}", path.display()))
}

fn open(path: &Path) -> Result<File, CliError> {
    regular::open(path).map_err(|error| failed(path, &error))
}

/// The same path with another ending of its name.
fn with_ending(path: &Path, ending: &str, other: &str) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(ending)?;
    Some(path.with_file_name(format!("{name}{other}")))
}

/// Files the recording that a file is, together with what belongs to it.
///
/// # Errors
/// When it is none, or can't be filed.
pub(super) fn take(reader: &Reader, path: &Path, timing: Option<&Path>) -> Result<Filed, CliError> {
    let mut beginning = Vec::new();
    let mut opened = open(path)?;
    let read = opened
        .by_ref()
        .take(BEGINNING_BYTES)
        .read_to_end(&mut beginning);
    read.and_then(|_| opened.seek(SeekFrom::Start(0)))
        .map_err(|error| failed(path, &error))?;
    if original::looks_like_one(&beginning) {
        let transcript = with_ending(path, SIDECAR, TRANSCRIPT).ok_or_else(|| {
            failed(
                path,
                &"a sidecar is named ID.meta.json and stands beside ID.typescript",
            )
        })?;
        return take_original(reader, path, &transcript, timing);
    }
    if beginning.starts_with(FIRST_LINE) {
        let sidecar = with_ending(path, TRANSCRIPT, SIDECAR).filter(|path| path.exists());
        return match sidecar {
            Some(sidecar) => take_original(reader, &sidecar, path, timing),
            None => take_typescript(reader, path, timing, None),
        };
    }
    let (facts, mut cast) = Cast::open(BufReader::new(opened)).map_err(|error| match error {
        CastError::Header(_) if beginning.trim_ascii_start().first() != Some(&b'{') => {
            failed(path, &"it is neither an asciicast nor a typescript")
        }
        error => failed(path, &error),
    })?;
    let subject = Subject {
        facts,
        sidecar: Sidecar::default(),
        files: vec![source(path)?],
        modified: modified(path),
        doubts: Vec::new(),
    };
    file(reader, subject, &mut cast).map_err(|error| failed(path, &error.message()))
}

fn take_original(
    reader: &Reader,
    sidecar: &Path,
    transcript: &Path,
    timing: Option<&Path>,
) -> Result<Filed, CliError> {
    let mut bytes = Vec::new();
    open(sidecar)?
        .take(SIDECAR_MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(sidecar, &error))?;
    if bytes.windows(16).any(|part| part == b"\"schema_version\"") {
        return Err(failed(sidecar, &"this session was recorded by this aido")
            .with_hint("--session-dir reads another session directory as it is"));
    }
    take_typescript(
        reader,
        transcript,
        timing,
        Some((sidecar, original::read(&bytes))),
    )
}

fn take_typescript(
    reader: &Reader,
    path: &Path,
    timing: Option<&Path>,
    sidecar: Option<(&Path, Sidecar)>,
) -> Result<Filed, CliError> {
    let beside = || {
        let mut name = path.as_os_str().to_owned();
        name.push(".timing");
        Some(PathBuf::from(name)).filter(|path| path.exists())
    };
    let timing = timing.map(Path::to_owned).or_else(beside);
    let times = timing.as_deref().map(open).transpose()?.map(BufReader::new);
    let mut files = vec![source(path)?];
    files.extend(timing.as_deref().map(source).transpose()?);
    let opened = BufReader::new(open(path)?);
    let name = path.file_name().and_then(|name| name.to_str());
    let (mut facts, mut recording) =
        typescript::open(opened, times, name).map_err(|error| failed(path, &error))?;
    let mut doubts = Vec::new();
    let mut known = Sidecar::default();
    if let Some((sidecar_path, sidecar)) = sidecar {
        if let Some(code) = sidecar.exit_code {
            recording.tell(code, "the sidecar");
        }
        if sidecar
            .sha256
            .as_ref()
            .is_some_and(|digest| *digest != files[0].sha256)
        {
            doubts.push("its transcript has not the SHA-256 that its sidecar says".to_owned());
        }
        files.push(source(sidecar_path)?);
        known = sidecar;
        let told = known.facts.clone();
        facts.format = told.format;
        facts.title = told.title.or(facts.title);
        facts.command = told.command.or(facts.command);
        facts.began = told.began.or(facts.began);
        facts.terminal = told.terminal.or(facts.terminal);
        facts.shell = told.shell.or(facts.shell);
    }
    let subject = Subject {
        facts,
        sidecar: known,
        files,
        modified: modified(path),
        doubts,
    };
    file(reader, subject, &mut recording).map_err(|error| failed(path, &error.message()))
}

/// What a file was, so that it can be told later.
fn source(path: &Path) -> Result<SourceFile, CliError> {
    let mut digest = Sha256::new();
    let read = || -> io::Result<()> {
        let mut file = regular::open(path)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => digest.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    };
    let mut read = read;
    read().map_err(|error| failed(path, &error))?;
    let name = path.file_name().unwrap_or_default();
    Ok(SourceFile {
        name: name.to_string_lossy().into_owned(),
        sha256: hex::encode(digest.finalize()),
    })
}

fn modified(path: &Path) -> Option<Timestamp> {
    use std::os::unix::fs::MetadataExt;
    let seconds = path.metadata().ok()?.mtime();
    DateTime::from_timestamp(seconds, 0).map(Timestamp)
}
