//! What was ignored when a checkpoint was taken. Such a file is in no checkpoint; that it isn't in one doesn't
//! mean that it wasn't there, and restoring must not take it away.
//!
//! Two things tell. Where the rules are others by now, git is asked with those of then: the checkpoint's
//! `.gitignore` files are put into an empty directory of aido's own, and nothing else. And what has stood
//! where it stands, untouched, since before the checkpoint was taken was there then: this holds for
//! directories whose own `.gitignore` says that all of them, itself included, is ignored.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Problem;
use super::changes::Object;
use super::excluded;
use super::git::Git;
use super::home::Home;
use super::listing::parts;
use super::read::Reading;
use super::record::Record;
use crate::environment::Environment;
use crate::session::Timestamp;
use crate::sys::file::{Directory, read_small};
use crate::sys::random;
use crate::sys::tree::Tree;

/// The name of files with rules.
const RULES: &[u8] = b".gitignore";
/// The largest file with rules that git reads is 100 MiB; nobody writes one of this size.
const RULES_BYTES: u64 = 16 << 20;
/// The mode of a regular file, without its permissions.
const REGULAR: u32 = 0o100_000;
/// How long git may think about it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A path of two trees: what it was in the earlier one, and what it is in the later one.
pub(super) type Pair<'a> = (&'a [u8], Option<&'a Object>, Option<&'a Object>);

/// A checkpoint, and the tree and the time of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Earlier<'a> {
    pub(super) tree: &'a str,
    pub(super) record: &'a Record,
}

impl Home {
    /// Of what is new since an earlier checkpoint, the paths that were ignored then.
    ///
    /// # Errors
    /// When git fails, or the time is over.
    pub(super) fn ignored_then(
        &self,
        environment: &Environment,
        reading: &Reading,
        earlier: Earlier<'_>,
        pairs: &[Pair<'_>],
    ) -> Result<HashSet<Vec<u8>>, Problem> {
        let new = pairs
            .iter()
            .filter_map(|(path, before, after)| match before {
                None => Some((*path, (*after)?)),
                Some(_) => None,
            });
        let new: Vec<(&[u8], &Object)> = new.collect();
        if new.is_empty() {
            return Ok(HashSet::new());
        }
        let is_rules = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next() == Some(RULES);
        let mut ignored = match pairs.iter().any(|(path, ..)| is_rules(path)) {
            true => {
                let paths: Vec<&[u8]> = new.iter().map(|(path, _)| *path).collect();
                self.by_rules_of(environment, reading, earlier.tree, &paths)?
            }
            false => HashSet::new(),
        };
        // What a directory that got another name holds is as old as it was; it comes from where it is missing.
        let sources = pairs.iter().filter_map(|(_, before, _)| *before);
        let sources: HashSet<&str> = sources.map(|object| object.name.as_str()).collect();
        let root = &self.repository.root;
        let mut tree = Tree::open(root).map_err(Problem::file(root.as_path()))?;
        let stood = new.iter().filter(|(path, object)| {
            !sources.contains(object.name.as_str()) && has_stood(&mut tree, path, earlier.record.at)
        });
        ignored.extend(stood.map(|(path, _)| path.to_vec()));
        Ok(ignored)
    }

    /// Of these paths, those that a checkpoint's rules ignore.
    fn by_rules_of(
        &self,
        environment: &Environment,
        reading: &Reading,
        tree: &str,
        paths: &[&[u8]],
    ) -> Result<HashSet<Vec<u8>>, Problem> {
        let around: HashSet<&[u8]> = paths.iter().flat_map(|path| above(path)).collect();
        let rules = reading.entries(tree)?.into_iter().filter(|entry| {
            let directory = entry.path.strip_suffix(RULES);
            let directory = directory.map(|path| path.strip_suffix(b"/").unwrap_or(path));
            entry.mode & 0o170_000 == REGULAR
                && directory.is_some_and(|path| path.is_empty() || around.contains(path))
        });
        let rules: Vec<(Vec<u8>, String)> = rules.map(|it| (it.path, it.object)).collect();
        let names: Vec<&str> = rules.iter().map(|(_, object)| object.as_str()).collect();
        let contents = reading.contents(&names)?;
        let place = Empty::make(self)?;
        let control = format!(".aido-{:08x}", random::number().map_err(place.problem())?);
        let put = || -> io::Result<()> {
            let mut tree = Tree::open(&place.0)?;
            let mut write = |path: &Path, bytes: &[&[u8]]| -> io::Result<()> {
                let mut file = tree.begin(path)?;
                for bytes in bytes {
                    file.write_all(bytes)?;
                }
                file.finish(0o600)
            };
            // What is ignored in any case, so that git has something to say.
            write(
                &Path::new(&control).join(OsStr::from_bytes(RULES)),
                &[b"*\n"],
            )?;
            let own = self.repository.common_directory.join("info/exclude");
            let own = read_small(&own, RULES_BYTES).unwrap_or_default();
            // Of rules for the same directory the later ones hold, and those of the tree come after the others.
            write(Path::new(OsStr::from_bytes(RULES)), &[&own, b"\n"])?;
            for ((path, _), bytes) in rules.iter().zip(&contents) {
                let Some(bytes) = bytes else { continue };
                let place = Path::new(OsStr::from_bytes(path));
                match path == RULES {
                    true => {
                        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                        write(place, &[&own, b"\n", bytes])?;
                    }
                    false => write(place, &[bytes])?,
                }
            }
            Ok(())
        };
        put().map_err(place.problem())?;
        let mut git = Git::new(
            &self.path,
            &place.0,
            &self.repository,
            environment,
            PATIENCE,
        );
        if let Some(setting) = excluded::file(self, &git, environment)? {
            git.tell(setting);
        }
        git.set("GIT_WORK_TREE", place.0.as_os_str());
        // It refuses all kinds of patterns, and so the word that there is none.
        git.unset("GIT_LITERAL_PATHSPECS");
        let what = "check-ignore";
        let mut input = format!("./{control}/x\0").into_bytes();
        for path in paths {
            // Whatever it begins with, it is a path.
            input.extend_from_slice(b"./");
            input.extend_from_slice(path);
            input.push(0);
        }
        let printed = git.print(what, &[what, "--no-index", "-z", "--stdin"], &input)?;
        let ignored = parts(&printed).map(|path| path.strip_prefix(b"./").unwrap_or(path));
        let mut ignored: HashSet<Vec<u8>> = ignored.map(<[u8]>::to_vec).collect();
        match ignored.remove(format!("{control}/x").as_bytes()) {
            true => Ok(ignored),
            false => Err(Problem::Unreadable { what }),
        }
    }
}

/// Whether what stands at a path stood there, as it is, when a checkpoint was taken.
fn has_stood(tree: &mut Tree, path: &[u8], at: Timestamp) -> bool {
    let mark = tree.mark(Path::new(OsStr::from_bytes(path)));
    let taken_ns = i128::from(at.0.timestamp_millis()) * 1_000_000;
    mark.is_ok_and(|mark| mark.is_some_and(|mark| mark.changed_ns < taken_ns))
}

/// The directories that a path stands in, below the root.
pub(super) fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    ends.map(|(end, _)| &path[..end])
}

/// A directory of aido's own that goes with the value.
struct Empty(PathBuf);

impl Empty {
    fn make(home: &Home) -> Result<Self, Problem> {
        let temporary = home.temporary();
        let make = || -> io::Result<PathBuf> {
            let name = format!("rules-{}-{:08x}", std::process::id(), random::number()?);
            let (directory, _) = Directory::open_or_make(&temporary)?;
            directory.open_or_make_child(OsStr::new(&name))?;
            Ok(temporary.join(name))
        };
        Ok(Self(make().map_err(Problem::file(temporary.as_path()))?))
    }

    fn problem(&self) -> impl FnOnce(io::Error) -> Problem {
        Problem::file(self.0.clone())
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
