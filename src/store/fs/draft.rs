//! A session is written and published.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use super::FileStore;
use super::begin::{BLOCK_BYTES, Begun};
use super::index;
use super::open::{Live, Opened};
use super::placing;
use crate::session::{Durability, Entry, Metadata, Outcome, SessionId, Sink};
use crate::store::signature::signed_json;
use crate::store::{Draft, Key, Published, StoreError, layout};
use crate::sys::file::{self, Directory};
use crate::sys::write_back::start_write_back;
use crate::transcript::writer::Medium;
use crate::transcript::{Sealed, Writer};

/// A session that is being written.
pub(super) struct FileDraft {
    store: FileStore,
    id: SessionId,
    session: Directory,
    live: Live,
    writer: Writer<LiveFile, File>,
    /// The entry in `live`, still empty.
    sidecar: File,
    /// The room that it holds on the disk.
    reserved_bytes: usize,
}

impl FileDraft {
    /// A draft on the files that were made for it.
    pub(super) fn new(store: FileStore, opened: Opened, begun: Begun, cap_bytes: u64) -> Self {
        Self {
            store,
            id: begun.id,
            session: opened.session,
            live: opened.live,
            writer: Writer::new(LiveFile(begun.transcript), begun.events, cap_bytes),
            sidecar: begun.sidecar,
            reserved_bytes: begun.reserved_bytes,
        }
    }
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

    fn output_end(&mut self, output_bytes: u64, max_bytes: usize) -> Vec<u8> {
        let length = max_bytes.min(usize::try_from(output_bytes).unwrap_or(max_bytes));
        let mut bytes = vec![0; length];
        let (transcript, _) = self.writer.media();
        let read = transcript
            .0
            .read_exact_at(&mut bytes, output_bytes - length as u64);
        if read.is_err() {
            bytes.clear();
        }
        bytes
    }

    fn finish(
        mut self: Box<Self>,
        mut metadata: Metadata,
        durability: Durability,
        key: Option<&Key>,
    ) -> Result<Published, StoreError> {
        let store = self.store.clone();
        let (transcript, events) = self.writer.media();
        let mut unsynced = None;
        metadata.durable = match durability {
            Durability::Fast => false,
            Durability::Normal => {
                start_write_back(&transcript.0);
                start_write_back(events);
                false
            }
            // The transcript before the sidecar: the other order makes false alarms of tampering.
            Durability::Full => {
                let synced = transcript.0.sync_data().and_then(|()| events.sync_data());
                unsynced = synced.err();
                unsynced.is_none()
            }
        };
        let published = self.publish(&mut metadata, durability, key);
        let mut published = published.map_err(store.error())?;
        published.not_synced = unsynced.or(published.not_synced);
        Ok(published)
    }
}

impl FileDraft {
    fn publish(
        &mut self,
        metadata: &mut Metadata,
        durability: Durability,
        key: Option<&Key>,
    ) -> io::Result<Published> {
        let mut unsynced = None;
        self.place_files()?;
        self.write_sidecar(metadata, key)?;
        match durability {
            Durability::Fast => {}
            Durability::Normal => start_write_back(&self.sidecar),
            Durability::Full => unsynced = self.sidecar.sync_all().err(),
        }
        // The line first: a sidecar without one would be missed if this recorder were killed here.
        let size_bytes = self.size_bytes()?;
        let entry = Entry::of(metadata, size_bytes);
        let appended = index::append(&self.session, &entry);
        let name = layout::sidecar(&self.id);
        let entries = self.live.entries(&self.session)?;
        let place = (&self.session, name.as_str());
        placing::place(&mut self.sidecar, (&entries, self.id.as_str()), place)?;
        appended.keep(&self.session, &entry);
        if durability == Durability::Full {
            unsynced = unsynced.or(self.session.sync().err());
        }
        Ok(Published {
            not_synced: unsynced,
            not_in_task: self.store.join_task(&entry).err(),
        })
    }

    /// What the session's files hold.
    fn size_bytes(&mut self) -> io::Result<u64> {
        let (transcript, events) = self.writer.media();
        let files = [&transcript.0, events, &self.sidecar];
        let mut size_bytes = 0;
        for file in files {
            size_bytes += file.metadata()?.len();
        }
        Ok(size_bytes)
    }

    /// Puts transcript and events in their place, and makes again what the command removed: the
    /// open files still hold what was recorded.
    fn place_files(&mut self) -> io::Result<()> {
        if !self.session.exists() {
            let opened = self.store.open_to_write()?;
            self.session = opened.session;
        }
        let (transcript, events) = self.writer.media();
        let files = [
            (layout::transcript(&self.id), &mut transcript.0),
            (layout::events(&self.id), events),
        ];
        for (name, file) in files {
            if file::is_deleted(file) {
                placing::place_copy(file, &self.session, &name)?;
            } else if let Live::Counterpart(live) = &self.live {
                placing::place(file, (live, &name), (&self.session, &name))?;
            }
        }
        if file::is_deleted(&self.sidecar) {
            if matches!(&self.live, Live::Counterpart(live) if !live.exists()) {
                self.live = Live::Within;
            }
            let entries = self.live.entries(&self.session)?;
            self.sidecar = entries.create(self.id.as_str())?;
        }
        Ok(())
    }

    /// Writes the signed sidecar into its entry. On a full disk the excerpts of the output, which
    /// the transcript holds anyway, give way until it fits the room that was reserved.
    fn write_sidecar(&mut self, metadata: &mut Metadata, key: Option<&Key>) -> io::Result<()> {
        let mut text = signed_json(metadata, key)?;
        let mut written = self.sidecar.write_all(text.as_bytes());
        let mut overhang = self.reserved_bytes;
        while written.is_err() && shorten_excerpts(metadata) {
            overhang = usize::MAX;
            text = signed_json(metadata, key)?;
            self.sidecar.seek(SeekFrom::Start(0))?;
            written = self.sidecar.write_all(text.as_bytes());
        }
        written?;
        // Cutting a file costs a tenth of a millisecond, so only where it gives back a block.
        if text.len().div_ceil(BLOCK_BYTES) * BLOCK_BYTES < overhang {
            self.sidecar.set_len(text.len() as u64)?;
        }
        Ok(())
    }
}

/// Cuts the excerpts to a quarter; false when there is nothing left to cut.
fn shorten_excerpts(metadata: &mut Metadata) -> bool {
    let head = metadata.stderr_head.as_deref().unwrap_or_default();
    let tail = &metadata.stdout_tail;
    if head.is_empty() && tail.is_empty() {
        return false;
    }
    let (head_keeps, tail_keeps) = (head.chars().count() / 4, tail.chars().count() / 4);
    let head: String = head.chars().take(head_keeps).collect();
    let skipped = tail.chars().count() - tail_keeps;
    let tail: String = tail.chars().skip(skipped).collect();
    metadata.stdout_tail = tail;
    if let Some(kept) = &mut metadata.stderr_head {
        *kept = head;
    }
    true
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
        start_write_back(&self.0);
    }
}
