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
    /// Whether git was told to take it for unchanged (`update-index --assume-unchanged`).
    pub is_assumed: bool,
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

/// The entries that `ls-files -s -v -z` or `ls-tree -r -z` printed; none where that is no such list.
#[must_use]
pub fn entries(list: &[u8]) -> Option<Vec<Listed>> {
    parts(list).map(entry).collect()
}

/// `TAG MODE OBJECT STAGE<TAB>PATH` of an index, where the tag is in lower case for what is assumed, and
/// `MODE TYPE OBJECT<TAB>PATH` of a tree.
fn entry(part: &[u8]) -> Option<Listed> {
    let tab = memchr::memchr(b'\t', part)?;
    let facts = std::str::from_utf8(&part[..tab]).ok()?;
    let (is_assumed, facts) = match facts.as_bytes() {
        [tag, b' ', ..] => (tag.is_ascii_lowercase(), &facts[2..]),
        _ => (false, facts),
    };
    let mut facts = facts.split(' ');
    let mode = u32::from_str_radix(facts.next()?, 8).ok()?;
    let (second, third) = (facts.next()?, facts.next()?);
    let object = match second {
        "blob" | "commit" | "tree" => third,
        _ => second,
    };
    Some(Listed {
        mode,
        object: object.to_owned(),
        path: part[tab + 1..].to_owned(),
        is_assumed,
    })
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
    fn entries_of_an_index_and_of_a_tree_are_read_alike() {
        let expected = vec![Listed {
            mode: 0o100_755,
            object: "ab12".to_owned(),
            path: b"a\tb\nc".to_vec(),
            is_assumed: false,
        }];
        let assumed = entries(b"h 100755 ab12 0\ta\0").unwrap();
        assert!(assumed[0].is_assumed);
        assert_eq!(
            entries(b"H 100755 ab12 0\ta\tb\nc\0"),
            Some(expected.clone())
        );
        assert_eq!(entries(b"100755 blob ab12\ta\tb\nc\0"), Some(expected));
        assert_eq!(entries(b""), Some(Vec::new()));
        assert_eq!(entries(b"100755 blob\0"), None);
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
            let _ = differences(&list);
            let _ = differences(&[&b":1 2 3 4 5\0"[..], &list].concat());
        }
    }
}
