//! What git prints, read: lists of paths, of entries, and of differences, each ended by a zero byte.

use super::changes::{Kind, Object};

/// An entry of an index or a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its mode, as git writes it.
    pub mode: u32,
    /// The object's name.
    pub object: String,
    /// The path.
    pub path: Vec<u8>,
}

/// A difference between two trees, or between a tree and an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// What it was; none where there was nothing.
    pub before: Option<Object>,
    /// What it is; none where there is nothing.
    pub after: Option<Object>,
    /// The path.
    pub path: Vec<u8>,
}

impl Differing {
    /// The kind of change; none where there is nothing on either side.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match (&self.before, &self.after) {
            (None, Some(_)) => Some(Kind::Added),
            (Some(_), Some(_)) => Some(Kind::Changed),
            (Some(_), None) => Some(Kind::Removed),
            (None, None) => None,
        }
    }
}

/// The parts of a list, none of which is empty.
pub fn parts(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
}

/// The entries that `ls-tree -r -z` printed; none where that is no such list.
#[must_use]
pub fn entries(list: &[u8]) -> Option<Vec<Listed>> {
    parts(list).map(entry).collect()
}

/// `MODE TYPE OBJECT<TAB>PATH` of a tree.
fn entry(part: &[u8]) -> Option<Listed> {
    let tab = memchr::memchr(b'\t', part)?;
    let facts = std::str::from_utf8(&part[..tab]).ok()?;
    let mut facts = facts.split(' ');
    let mode = u32::from_str_radix(facts.next()?, 8).ok()?;
    let object = facts.nth(1)?.to_owned();
    let path = part[tab + 1..].to_owned();
    Some(Listed { mode, object, path })
}

/// A line of `ls-files -s -v -z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// What git says of the path: `H` of an entry like any other, `C` of one whose file is different, `?`
    /// of what is no entry, in lower case of one that is taken for unchanged.
    pub tag: u8,
    /// Its mode, as git writes it; none of what is no entry.
    pub mode: Option<u32>,
    /// Its stage: 0, unless it is unmerged.
    pub stage: u8,
    /// The path.
    pub path: &'l [u8],
}

/// A part of what `ls-files -s -v -z` printed; none where it is no such line.
#[must_use]
pub fn line(part: &[u8]) -> Option<Line<'_>> {
    let (tag, rest) = part.split_first_chunk::<2>()?;
    let [tag, b' '] = *tag else { return None };
    if tag == b'?' {
        return Some(Line {
            tag,
            mode: None,
            stage: 0,
            path: rest,
        });
    }
    let tab = memchr::memchr(b'\t', rest)?;
    let facts = std::str::from_utf8(&rest[..tab]).ok()?;
    let mut facts = facts.split(' ');
    Some(Line {
        tag,
        mode: Some(u32::from_str_radix(facts.next()?, 8).ok()?),
        stage: facts.nth(1)?.parse().ok()?,
        path: &rest[tab + 1..],
    })
}

/// Puts a list together that comes in pieces.
#[derive(Debug, Default)]
pub struct Pieces(Vec<u8>);

impl Pieces {
    /// Takes the next bytes, and hands over each part that is whole. False where one can't be read.
    #[must_use]
    pub fn take(&mut self, bytes: &[u8], hand_over: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(0, rest) {
            let is_read = if self.0.is_empty() {
                hand_over(&rest[..end])
            } else {
                self.0.extend_from_slice(&rest[..end]);
                let is_read = hand_over(&self.0);
                self.0.clear();
                is_read
            };
            if !is_read {
                return false;
            }
            rest = &rest[end + 1..];
        }
        self.0.extend_from_slice(rest);
        true
    }
}

/// The differences that `diff-tree --raw -z` or `diff-index --raw -z` printed, without renames; none where
/// that is no such list.
#[must_use]
pub fn differences(list: &[u8]) -> Option<Vec<Differing>> {
    let mut parts = parts(list);
    let mut found = Vec::new();
    while let Some(facts) = parts.next() {
        let facts = std::str::from_utf8(facts.strip_prefix(b":")?).ok()?;
        let fields: Vec<&str> = facts.split(' ').collect();
        let [before_mode, after_mode, before, after, _] = fields[..] else {
            return None;
        };
        found.push(Differing {
            before: object(before_mode, before)?,
            after: object(after_mode, after)?,
            path: parts.next()?.to_owned(),
        });
    }
    Some(found)
}

/// An object; none in it where the mode says that there is nothing. None where it can't be read.
fn object(mode: &str, name: &str) -> Option<Option<Object>> {
    let mode = u32::from_str_radix(mode, 8).ok()?;
    Some((mode != 0).then(|| Object {
        mode,
        name: name.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_of_a_tree_and_lines_of_an_index_are_read() {
        let expected = vec![Listed {
            mode: 0o100_755,
            object: "ab12".to_owned(),
            path: b"a\tb\nc".to_vec(),
        }];
        assert_eq!(entries(b"100755 blob ab12\ta\tb\nc\0"), Some(expected));
        assert_eq!(entries(b""), Some(Vec::new()));
        assert_eq!(entries(b"100755 blob\0"), None);
        let entry = Line {
            tag: b'h',
            mode: Some(0o100_755),
            stage: 2,
            path: b"a\tb\nc",
        };
        assert_eq!(line(b"h 100755 ab12 2\ta\tb\nc"), Some(entry));
        let other = Line {
            tag: b'?',
            mode: None,
            stage: 0,
            path: b"100644 x 0\ta",
        };
        assert_eq!(line(b"? 100644 x 0\ta"), Some(other));
        assert_eq!(line(b"H 100755 ab12"), None);
        assert_eq!(line(b""), None);
    }

    #[test]
    fn differences_tell_what_was_added_changed_and_removed() {
        let list = b":000000 100644 00 a1 A\0new\0:100644 120000 a1 b2 T\0link\0:100755 000000 b2 00 D\0old\0";
        let found = differences(list).unwrap();
        let kinds: Vec<Option<Kind>> = found.iter().map(Differing::kind).collect();
        let expected = [Kind::Added, Kind::Changed, Kind::Removed].map(Some);
        assert_eq!(kinds, expected);
        assert_eq!(found[1].after.as_ref().unwrap().mode, 0o120_000);
        assert_eq!(found[2].path, b"old");
        assert_eq!(differences(b":000000 100644 00 a1 A\0"), None);
    }

    proptest! {
        #[test]
        fn nothing_that_git_could_print_makes_a_reader_panic(list in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = entries(&list);
            let _ = line(&list);
            let _ = differences(&list);
            let _ = differences(&[&b":1 2 3 4 5\0"[..], &list].concat());
        }

        #[test]
        fn a_list_in_pieces_is_the_same_list(
            list in prop::collection::vec(prop::collection::vec(1_u8.., 1..9), 0..9),
            piece in 1_usize..20,
        ) {
            let mut printed = list.join(&0);
            printed.push(0);
            let (mut pieces, mut found) = (Pieces::default(), Vec::new());
            for bytes in printed.chunks(piece) {
                let is_read = pieces.take(bytes, &mut |part| {
                    found.push(part.to_vec());
                    true
                });
                prop_assert!(is_read);
            }
            found.retain(|part| !part.is_empty());
            prop_assert_eq!(found, list);
        }
    }
}
