//! Sessions as plain files in one directory.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::signature::signed_json;
use super::{Draft, Durability, IdSeed, Key, State, Store, StoreError, index, layout};
use crate::session::{Metadata, Outcome, SessionId, Sink};
use crate::sys::file::{self, Directory};
use crate::transcript::writer::Medium;
use crate::transcript::{Sealed, Writer, reader};

/// The largest sidecar that is read.
const SIDECAR_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Room on the disk that is reserved for the sidecar, so that it can be published on a full one.
const SIDECAR_RESERVE_BYTES: u64 = 8 * 1024;
/// How often an id is drawn again when it exists already.
const ID_TRIES: usize = 64;

/// Where a session directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In the repository with this root.
    Repository(PathBuf),
    /// In the user's state directory, this one.
    State(PathBuf),
    /// Named by the user.
    Named(PathBuf),
}

/// A store in a directory.
#[derive(Clone, Debug)]
pub struct FileStore {
    location: Location,
    /// The user's state directory, where live files are kept out of the command's way.
    state: Option<PathBuf>,
    /// The directory that the command runs in.
    current: Option<PathBuf>,
}

/// An open session directory, and where live files stand if not in it.
struct Opened {
    session: Directory,
    counterpart: Option<Directory>,
}

impl FileStore {
    /// A store at this location; nothing is opened yet. A repository's store that belongs to
    /// another user is left alone, and the user's own is used.
    #[must_use]
    pub fn new(location: Location, state: Option<PathBuf>, current: Option<PathBuf>) -> Self {
        let location = match (&location, &state) {
            (Location::Repository(root), Some(state)) if belongs_to_another_user(root) => {
                Location::State(state.clone())
            }
            _ => location,
        };
        Self {
            location,
            state,
            current,
        }
    }

    /// The session directory's path, for people.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match &self.location {
            Location::Repository(root) => root.join(layout::IN_REPOSITORY),
            Location::State(state) => state.join(layout::IN_STATE),
            Location::Named(path) => path.clone(),
        }
    }

    /// A session's transcript, relative to the session directory's parent, as sidecars show it.
    #[must_use]
    pub fn typescript_file(&self, id: &SessionId) -> String {
        let path = self.path();
        let name = path.file_name().unwrap_or(OsStr::new("."));
        format!("./{}/{}", name.to_string_lossy(), layout::transcript(id))
    }

    /// Opens a file beside the sessions to append to it, made if needed. For aido's own logs.
    ///
    /// # Errors
    /// When the path leads out of the session directory, or can't be opened.
    pub fn open_beside(&self, relative: &Path) -> io::Result<File> {
        let (Some(name), Some(parent)) = (relative.file_name(), relative.parent()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let (parent, _) = self.open_session_directory()?.walk_or_make(parent)?;
        parent.append(name)
    }

    fn describe(&self) -> String {
        self.path().display().to_string()
    }

    fn error(&self) -> impl FnOnce(io::Error) -> StoreError {
        StoreError::file(self.describe())
    }

    fn open_session_directory(&self) -> io::Result<Directory> {
        let directory = match &self.location {
            Location::Repository(root) => {
                Directory::open(root)?.walk_or_make(Path::new(layout::IN_REPOSITORY))?
            }
            Location::State(state) => {
                let (state, _) = Directory::open_or_make(state)?;
                state.open_or_make_child(OsStr::new(layout::IN_STATE))?
            }
            Location::Named(path) => Directory::open_or_make(path)?,
        };
        let (directory, made) = directory;
        if !made {
            directory.check_private()?;
        }
        if !directory.contains(layout::IGNORE) {
            match directory.create(layout::IGNORE) {
                // Another recorder was first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => file?.write_all(b"*\n")?,
            }
        }
        Ok(directory)
    }

    /// Opens the store to write to it, making what is missing.
    fn open_to_write(&self) -> Result<Opened, StoreError> {
        let session = self.open_session_directory().map_err(self.error())?;
        let counterpart = if self.is_under_current_directory() {
            self.make_counterpart(&session)
        } else {
            None
        };
        Ok(Opened {
            session,
            counterpart,
        })
    }

    /// Whether a command that reads its current directory would read its own recording.
    fn is_under_current_directory(&self) -> bool {
        let Some(current) = &self.current else {
            return false;
        };
        let path = self.path();
        let path = match &self.location {
            Location::Repository(_) | Location::State(_) => path,
            Location::Named(_) => path.canonicalize().unwrap_or(path),
        };
        path.starts_with(current)
    }

    /// The place for live files outside the session directory, if files can be renamed from there.
    fn make_counterpart(&self, session: &Directory) -> Option<Directory> {
        let state = self.state.as_ref()?;
        if state.starts_with(self.current.as_ref()?) {
            return None;
        }
        let (state, _) = Directory::open_or_make(state).ok()?;
        let session = session.identity().ok()?;
        if state.identity().ok()?.device != session.device {
            return None;
        }
        let (live, _) = state.open_or_make_child(OsStr::new(layout::LIVE)).ok()?;
        let name = counterpart_name(session);
        let (counterpart, _) = live.open_or_make_child(OsStr::new(&name)).ok()?;
        counterpart.check_private().ok()?;
        Some(counterpart)
    }

    /// Opens the store to read it; none if there isn't one yet.
    fn open_to_read(&self) -> Result<Option<Opened>, StoreError> {
        let opened = match &self.location {
            Location::Repository(root) => {
                Directory::open(root).and_then(|root| root.walk(Path::new(layout::IN_REPOSITORY)))
            }
            Location::State(state) => Directory::open(state)
                .and_then(|state| state.open_child(OsStr::new(layout::IN_STATE))),
            Location::Named(path) => Directory::open(path),
        };
        let session = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(self.error())?,
        };
        let counterpart = self.state.as_ref().and_then(|state| {
            let name = counterpart_name(session.identity().ok()?);
            let live = Directory::open(&state.join(layout::LIVE)).ok()?;
            live.open_child(OsStr::new(&name)).ok()
        });
        Ok(Some(Opened {
            session,
            counterpart,
        }))
    }

    /// Opens one of a session's files, wherever it stands.
    fn open_file(&self, id: &SessionId, name: &str) -> Result<File, StoreError> {
        let Some(opened) = self.open_to_read()? else {
            return Err(StoreError::NoSession(id.clone()));
        };
        let found = match (opened.session.open_file(name), &opened.counterpart) {
            (Err(error), Some(counterpart)) if error.kind() == io::ErrorKind::NotFound => {
                // It may have been put in place between the two looks.
                counterpart
                    .open_file(name)
                    .or_else(|_| opened.session.open_file(name))
            }
            (found, _) => found,
        };
        found.map_err(StoreError::file(name.to_owned()))
    }
}

/// The counterpart is found by what the session directory is, not by its path: moving the
/// repository while a command runs loses nothing.
fn counterpart_name(session: file::Identity) -> String {
    format!("{:x}-{:x}", session.device, session.inode)
}

fn belongs_to_another_user(root: &Path) -> bool {
    let store = Directory::open(root).and_then(|root| root.walk(Path::new(layout::IN_REPOSITORY)));
    let status = store.and_then(|store| Ok(rustix::fs::fstat(store)?));
    status.is_ok_and(|status| status.st_uid != rustix::process::geteuid().as_raw())
}

impl Store for FileStore {
    fn begin(
        &self,
        seed: &IdSeed,
        cap_bytes: u64,
        start_line: &dyn Fn(&SessionId) -> Vec<u8>,
    ) -> Result<Box<dyn Draft>, StoreError> {
        let opened = self.open_to_write()?;
        let live = opened.counterpart.as_ref().unwrap_or(&opened.session);
        let (id, events) =
            begin_events(&opened.session, live, seed, start_line).map_err(self.error())?;
        let marked = match &opened.counterpart {
            Some(_) => Ok(()),
            None => mark_live(&opened.session, &id),
        };
        let files = marked.and_then(|()| {
            let transcript = live.create(&layout::transcript(&id))?;
            let sidecar = live.create(&layout::new_sidecar(&id))?;
            file::reserve(&sidecar, SIDECAR_RESERVE_BYTES)?;
            Ok((transcript, sidecar))
        });
        let (transcript, sidecar) = files.map_err(|error| {
            // Nothing was recorded yet, so nothing is lost.
            let names = [
                layout::new_sidecar(&id),
                layout::transcript(&id),
                layout::events(&id),
            ];
            for name in names {
                let _ = live.remove(&name);
            }
            unmark_live(&opened.session, &id);
            self.error()(error)
        })?;
        Ok(Box::new(FileDraft {
            store: self.clone(),
            id,
            session: opened.session,
            counterpart: opened.counterpart,
            writer: Writer::new(LiveFile(transcript), events, cap_bytes),
            sidecar,
        }))
    }

    fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        let Some(opened) = self.open_to_read()? else {
            return Ok(Vec::new());
        };
        let mut ids = Vec::new();
        let directories = [Some(&opened.session), opened.counterpart.as_ref()];
        for directory in directories.into_iter().flatten() {
            for name in directory.names().map_err(self.error())? {
                // Any of a session's files tells that it is there.
                ids.extend(layout::parse(&name).map(|(id, _)| id));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    fn state(&self, id: &SessionId) -> Result<State, StoreError> {
        let sidecar = layout::sidecar(id);
        let finished = || {
            let opened = self.open_to_read()?;
            Ok(opened.is_some_and(|opened| opened.session.contains(&sidecar)))
        };
        if finished()? {
            return Ok(State::Finished);
        }
        let events = match self.open_file(id, &layout::events(id)) {
            Ok(events) => events,
            // It may have finished, and have been pruned or moved, just now.
            Err(_) if finished()? => return Ok(State::Finished),
            Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return match self.open_file(id, &layout::transcript(id)) {
                    Ok(_) => Ok(State::Interrupted),
                    Err(_) => Err(StoreError::NoSession(id.clone())),
                };
            }
            Err(error) => return Err(error),
        };
        if file::is_locked(&events) {
            Ok(State::Running)
        } else if finished()? {
            // The sidecar comes before the lock goes, so this look decides.
            Ok(State::Finished)
        } else {
            Ok(State::Interrupted)
        }
    }

    fn sidecar(&self, id: &SessionId) -> Result<Vec<u8>, StoreError> {
        let name = layout::sidecar(id);
        let file = self.open_file(id, &name)?;
        let mut bytes = Vec::new();
        file.take(SIDECAR_MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(StoreError::file(name))?;
        if bytes.len() as u64 > SIDECAR_MAX_BYTES {
            return Err(StoreError::InvalidSidecar {
                id: id.clone(),
                reason: format!("it is larger than {SIDECAR_MAX_BYTES} bytes"),
            });
        }
        Ok(bytes)
    }

    fn start_record(&self, id: &SessionId) -> Result<Map<String, Value>, StoreError> {
        let name = layout::events(id);
        let file = self.open_file(id, &name)?;
        reader::start_record(file).map_err(StoreError::file(name))
    }

    fn transcript(&self, id: &SessionId) -> Result<Box<dyn Read>, StoreError> {
        Ok(Box::new(self.open_file(id, &layout::transcript(id))?))
    }

    fn events(&self, id: &SessionId) -> Result<Box<dyn Read>, StoreError> {
        Ok(Box::new(self.open_file(id, &layout::events(id))?))
    }
}

/// Draws an id and creates its events file: locked, with its start record, before it has its name,
/// so that a live session never looks dead.
fn begin_events(
    session: &Directory,
    live: &Directory,
    seed: &IdSeed,
    start_line: &dyn Fn(&SessionId) -> Vec<u8>,
) -> io::Result<(SessionId, File)> {
    for _ in 0..ID_TRIES {
        let id = SessionId::new(&seed.agent, &seed.local_time, seed.process, rand::random());
        let new = layout::new_events(&id);
        let mut events = match live.create(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            result => result?,
        };
        let named = file::lock(&events)
            .and_then(|()| events.write_all(&start_line(&id)))
            .and_then(|()| live.rename_new(&new, live, &layout::events(&id)));
        match named {
            Ok(()) if !session.contains(&layout::sidecar(&id)) => return Ok((id, events)),
            Ok(()) => {
                let _ = live.remove(&layout::events(&id));
            }
            Err(error) => {
                let _ = live.remove(&new);
                if error.kind() != io::ErrorKind::AlreadyExists {
                    return Err(error);
                }
            }
        }
    }
    Err(io::Error::other("no session id is free"))
}

fn mark_live(session: &Directory, id: &SessionId) -> io::Result<()> {
    let (live, _) = session.open_or_make_child(OsStr::new(layout::LIVE))?;
    live.create(id.as_str()).map(drop)
}

fn unmark_live(session: &Directory, id: &SessionId) {
    if let Ok(live) = session.open_child(OsStr::new(layout::LIVE)) {
        let _ = live.remove(id.as_str());
    }
}

struct FileDraft {
    store: FileStore,
    id: SessionId,
    session: Directory,
    /// Where the live files stand, if not in the session directory.
    counterpart: Option<Directory>,
    writer: Writer<LiveFile, File>,
    sidecar: File,
}

impl Draft for FileDraft {
    fn id(&self) -> &SessionId {
        &self.id
    }

    fn recorder(&mut self) -> &mut dyn Sink {
        &mut self.writer
    }

    fn seal(&mut self, at: Duration, outcome: &Outcome) -> Sealed {
        self.writer.seal(at, outcome)
    }

    fn finish(
        mut self: Box<Self>,
        mut metadata: Metadata,
        durability: Durability,
        key: Option<&Key>,
    ) -> Result<(), StoreError> {
        let store = self.store.clone();
        let (transcript, events) = self.writer.media();
        metadata.durable = match durability {
            Durability::Fast => false,
            Durability::Normal => {
                file::start_write_back(&transcript.0);
                file::start_write_back(events);
                false
            }
            // The transcript before the sidecar: the other order makes false alarms of tampering.
            Durability::Full => transcript.0.sync_data().is_ok() && events.sync_data().is_ok(),
        };
        let text = signed_json(&mut metadata, key)
            .map_err(|error| StoreError::file("the sidecar")(error.into()))?;
        let published = self.publish(text.as_bytes(), durability);
        published.map_err(store.error())?;
        append_to_index(&self.session, &metadata);
        Ok(())
    }
}

impl FileDraft {
    fn publish(&mut self, sidecar: &[u8], durability: Durability) -> io::Result<()> {
        let rescue = !self.session.exists();
        if rescue {
            // The command removed the directory: what was recorded goes into a new one.
            self.session = self.store.open_session_directory()?;
        }
        let names = [layout::transcript(&self.id), layout::events(&self.id)];
        match &self.counterpart {
            Some(live) => {
                for name in &names {
                    live.rename_new(name, &self.session, name)?;
                }
            }
            None if rescue => {
                let (transcript, events) = self.writer.media();
                copy_all(&mut transcript.0, &mut self.session.create(&names[0])?)?;
                copy_all(events, &mut self.session.create(&names[1])?)?;
                self.sidecar = self.session.create(&layout::new_sidecar(&self.id))?;
            }
            None => {}
        }
        self.sidecar.write_all(sidecar)?;
        // Gives back what was reserved beyond its end.
        self.sidecar.set_len(sidecar.len() as u64)?;
        match durability {
            Durability::Fast => {}
            Durability::Normal => file::start_write_back(&self.sidecar),
            Durability::Full => self.sidecar.sync_all()?,
        }
        let live = self.counterpart.as_ref().unwrap_or(&self.session);
        live.rename_new(
            &layout::new_sidecar(&self.id),
            &self.session,
            &layout::sidecar(&self.id),
        )?;
        if durability == Durability::Full {
            self.session.sync()?;
        }
        if self.counterpart.is_none() {
            unmark_live(&self.session, &self.id);
        }
        Ok(())
    }
}

/// Adds a session's line to the index, which is derived: a failure loses nothing.
fn append_to_index(session: &Directory, metadata: &Metadata) {
    let appended = || {
        let line = index::line(metadata)?;
        let mut file = session.append(OsStr::new(layout::INDEX))?;
        // A recorder that was killed may have left half a line behind.
        let torn = file::last_byte(&file).is_some_and(|byte| byte != b'\n');
        file.write_all(
            [if torn { "\n" } else { "" }, line.as_str()]
                .concat()
                .as_bytes(),
        )
    };
    let _: io::Result<()> = appended();
}

fn copy_all(from: &mut File, to: &mut File) -> io::Result<()> {
    from.seek(SeekFrom::Start(0))?;
    io::copy(from, to).map(drop)
}

/// A transcript while it is written.
struct LiveFile(File);

impl Write for LiveFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for LiveFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for LiveFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Medium for LiveFile {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn push_out(&mut self) {
        file::start_write_back(&self.0);
    }
}
