//! A sorted table of hex endings, which finds one session among a million in twenty reads.
//!
//! `index.endings` is derived from `index.jsonl`, which is derived from the sidecars. It covers the
//! index up to some place; what was appended since is read line by line, and when that has become
//! much, the table is made anew. Each record is the digits of an id's ending in reverse, as the upper
//! bits of a 32-bit number, and the place of the session's line: ids with a common ending are neighbours.
//!
//! The table says which lines to look at, no more: whoever uses it checks what is there.

use std::hash::{DefaultHasher, Hasher};
use std::io;

use super::backwards::{LINE_MAX_BYTES, ReadAt};
use super::id_of;

/// The first bytes of the file, with the version of its layout.
const MAGIC: &[u8; 8] = b"aidoend1";
/// Magic, covered bytes, digest of what is before them, bytes of agent names.
const HEADER_BYTES: usize = 32;
const RECORD_BYTES: usize = 12;
/// How much before the covered place is digested, to tell another index from a longer one.
const DIGESTED_BYTES: u64 = 4096;
/// The longest list of agents that is kept.
const AGENTS_MAX_BYTES: usize = 64 * 1024;
/// How much of the index a table may leave uncovered before it is worth making anew.
pub const UNCOVERED_MAX_BYTES: u64 = 1024 * 1024;
/// How much of the index is read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// The table, as far as it is in memory: its header.
#[derive(Debug)]
pub struct Endings<'f> {
    file: &'f dyn ReadAt,
    covered_bytes: u64,
    agents: Vec<u8>,
    records: u64,
}

impl std::fmt::Debug for dyn ReadAt + '_ {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ReadAt")
    }
}

impl<'f> Endings<'f> {
    /// Opens a table, if it is one of this index.
    #[must_use]
    pub fn open(file: &'f dyn ReadAt, index: &dyn ReadAt) -> Option<Self> {
        let mut header = [0; HEADER_BYTES];
        file.read_at(&mut header, 0).ok()?;
        let (magic, numbers) = header.split_at(8);
        let number = |at: usize| {
            Some(u64::from_le_bytes(
                numbers.get(at..at + 8)?.try_into().ok()?,
            ))
        };
        let (covered_bytes, digest, agents_bytes) = (number(0)?, number(8)?, number(16)?);
        if magic != MAGIC || digest_before(index, covered_bytes).ok()? != digest {
            return None;
        }
        let agents_bytes = usize::try_from(agents_bytes).ok()?;
        if agents_bytes > AGENTS_MAX_BYTES {
            return None;
        }
        let mut agents = vec![0; agents_bytes];
        file.read_at(&mut agents, HEADER_BYTES as u64).ok()?;
        let rest = file.length().ok()? - (HEADER_BYTES + agents_bytes) as u64;
        Some(Self {
            file,
            covered_bytes,
            agents,
            records: rest / RECORD_BYTES as u64,
        })
    }

    /// How much of the index, from its beginning, the table covers.
    #[must_use]
    pub fn covered_bytes(&self) -> u64 {
        self.covered_bytes
    }

    /// Whether a covered session's id may begin with this text, judged by the agents' names.
    #[must_use]
    pub fn may_begin_with(&self, text: &str) -> bool {
        self.agents.is_empty()
            || self.agents.split(|byte| *byte == b'\n').any(|agent| {
                let agent = String::from_utf8_lossy(agent);
                agent.starts_with(text) || text.starts_with(&*agent)
            })
    }

    /// The places in the index of covered lines whose id ends so, at most `limit` of them. None of
    /// a text that is no hex ending.
    ///
    /// # Errors
    /// When the table can't be read.
    pub fn find(&self, ending: &str, limit: usize) -> io::Result<Vec<u64>> {
        let Some((key, digits)) = key(ending) else {
            return Ok(Vec::new());
        };
        let (mut low, mut high) = (0, self.records);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record(middle)?.0 < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let last = u64::from(key) + (1_u64 << (32 - 4 * digits)) - 1;
        let mut places = Vec::new();
        while low < self.records && places.len() < limit {
            let (found, place) = self.record(low)?;
            if u64::from(found) > last {
                break;
            }
            places.push(place);
            low += 1;
        }
        Ok(places)
    }

    fn record(&self, number: u64) -> io::Result<(u32, u64)> {
        let mut record = [0; RECORD_BYTES];
        let before = (HEADER_BYTES + self.agents.len()) as u64;
        self.file
            .read_at(&mut record, before + number * RECORD_BYTES as u64)?;
        Ok(split(&record))
    }
}

/// The bytes of a table of this index. Memory is 12 bytes a session.
///
/// # Errors
/// When the index can't be read.
pub fn build(index: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let length = index.length()?;
    let mut records: Vec<(u32, u64)> = Vec::new();
    let mut agents: Vec<String> = Vec::new();
    let covered = for_each_line(index, 0, length, &mut |line, place| {
        let Some(id) = id_of(line) else { return };
        let Some((rest, hex)) = id.rsplit_once('-') else {
            return;
        };
        if let Some((key, _)) = key(hex) {
            records.push((key, place));
        }
        let agent = rest.rsplitn(3, '-').nth(2).unwrap_or_default();
        if !agents.iter().any(|known| known == agent) && agents.len() < 1000 {
            agents.push(agent.to_owned());
        }
    })?;
    records.sort_unstable();
    // Too many names to keep are none: then any beginning is possible.
    let names = agents.join("\n").into_bytes();
    let is_whole = agents.len() < 1000 && names.len() <= AGENTS_MAX_BYTES;
    let names = if is_whole { names } else { Vec::new() };
    let mut bytes = Vec::with_capacity(HEADER_BYTES + names.len() + records.len() * RECORD_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&covered.to_le_bytes());
    bytes.extend_from_slice(&digest_before(index, covered)?.to_le_bytes());
    bytes.extend_from_slice(&(names.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&names);
    for (key, place) in records {
        bytes.extend_from_slice(&key.to_le_bytes());
        bytes.extend_from_slice(&place.to_le_bytes());
    }
    Ok(bytes)
}

/// Hands over the whole lines between two places, and their places; one that is too long to be a line
/// of an index is handed over empty. Returns where the last of them ends.
///
/// # Errors
/// When the disk fails.
pub fn for_each_line(
    file: &dyn ReadAt,
    from: u64,
    to: u64,
    take: &mut dyn FnMut(&[u8], u64),
) -> io::Result<u64> {
    let (mut buffer, mut place) = (Vec::new(), from);
    let (mut read, mut is_too_long) = (from, false);
    while read < to {
        let count = (to - read).min(CHUNK_BYTES as u64);
        let kept = buffer.len();
        // At most a chunk.
        buffer.resize(kept + usize::try_from(count).unwrap_or_default(), 0);
        file.read_at(&mut buffer[kept..], read)?;
        read += count;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &buffer) {
            let line = if is_too_long {
                &[]
            } else {
                &buffer[start..end]
            };
            take(line, place + start as u64);
            (start, is_too_long) = (end + 1, false);
        }
        if start == 0 && buffer.len() > LINE_MAX_BYTES {
            (start, is_too_long) = (buffer.len(), true);
        }
        buffer.drain(..start);
        place += start as u64;
    }
    Ok(place)
}

/// Digits in reverse as the upper bits of a number, and how many; none of what is no ending.
fn key(ending: &str) -> Option<(u32, u32)> {
    if ending.is_empty() || ending.len() > 8 {
        return None;
    }
    let (mut key, mut digits) = (0, 0);
    for digit in ending.bytes().rev() {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        digits += 1;
        key |= u32::from(value) << (32 - 4 * digits);
    }
    Some((key, digits))
}

fn split(record: &[u8; RECORD_BYTES]) -> (u32, u64) {
    let (mut key, mut place) = ([0; 4], [0; 8]);
    key.copy_from_slice(&record[..4]);
    place.copy_from_slice(&record[4..]);
    (u32::from_le_bytes(key), u64::from_le_bytes(place))
}

fn digest_before(index: &dyn ReadAt, place: u64) -> io::Result<u64> {
    let count = place.min(DIGESTED_BYTES);
    let mut bytes = vec![0; usize::try_from(count).unwrap_or_default()];
    index.read_at(&mut bytes, place - count)?;
    // The same for the same bytes in every process, unlike a keyed hasher.
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index(endings: &[String]) -> Vec<u8> {
        let line = |hex: &String| {
            format!("{{\"session_id\":\"ai-agent-20260305_132522-1-{hex}\",\"x\":1}}\n")
        };
        endings.iter().map(line).collect::<String>().into_bytes()
    }

    fn found(index: &Vec<u8>, ending: &str) -> Vec<String> {
        let table = build(index).unwrap();
        let endings = Endings::open(&table, index).unwrap();
        let places = endings.find(ending, 100).unwrap();
        let line = |place: u64| {
            let rest = &index[usize::try_from(place).unwrap()..];
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
            id_of(&rest[..end])
                .unwrap()
                .rsplit('-')
                .next()
                .unwrap()
                .to_owned()
        };
        let mut hex: Vec<String> = places.into_iter().map(line).collect();
        hex.sort_unstable();
        hex
    }

    #[test]
    fn a_table_of_another_index_is_refused() {
        let one = index(&["2f587606".to_owned()]);
        let other = index(&["2f587607".to_owned()]);
        let table = build(&one).unwrap();
        assert!(Endings::open(&table, &one).is_some());
        assert!(Endings::open(&table, &other).is_none());
        assert!(Endings::open(&table, &Vec::new()).is_none());
        assert!(Endings::open(&Vec::new(), &one).is_none());
        let mut longer = one.clone();
        longer.extend_from_slice(&other);
        let endings = Endings::open(&table, &longer).unwrap();
        assert_eq!(endings.covered_bytes(), one.len() as u64);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = "x".repeat(LINE_MAX_BYTES + 3 * CHUNK_BYTES);
        for (text, wanted) in [
            (format!("a\n{long}\nb\n"), vec!["a", "", "b"]),
            (format!("a\n{long}"), vec!["a"]),
        ] {
            let file = text.into_bytes();
            let mut found = Vec::new();
            for_each_line(&file, 0, file.len() as u64, &mut |line, _| {
                found.push(String::from_utf8(line.to_vec()).unwrap());
            })
            .unwrap();
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn beginnings_are_judged_by_the_agents() {
        let index = index(&["2f587606".to_owned()]);
        let table = build(&index).unwrap();
        let endings = Endings::open(&table, &index).unwrap();
        for (text, may) in [("ai", true), ("ai-agent-2026", true), ("7606", false)] {
            assert_eq!(endings.may_begin_with(text), may, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_a_search_of_all_finds(
            hex in prop::collection::vec("[0-9a-f]{6,8}", 0..200),
            ending in "[0-9a-f]{1,8}",
        ) {
            let index = index(&hex);
            let mut wanted: Vec<String> =
                hex.iter().filter(|hex| hex.ends_with(&ending)).cloned().collect();
            wanted.sort_unstable();
            let mut found = found(&index, &ending);
            // An ending longer than an id of six digits is padded with zeros.
            found.retain(|hex| hex.ends_with(&ending));
            prop_assert_eq!(found, wanted);
        }
    }
}
