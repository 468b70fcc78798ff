//! Taking a checkpoint: the work tree's tracked and untracked files, but not the ignored ones, as a commit
//! in aido's own git directory. The repository's index is copied, never opened to write.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use super::changes::REPOSITORY;
use super::git::Git;
use super::home::{ALTERNATES, Home, Index};
use super::listing::{Listed, differences, entries, parts};
use super::modes::Modes;
use super::record::Record;
use super::select::{Decision, Found, Reason, decide};
use super::{Limits, Problem};
use crate::clock;
use crate::environment::Environment;
use crate::sys::stamp::{set_modified, stamp};
use crate::sys::tree::{Entry, Tree};

/// How often it is tried when files go while they are read.
const TRIES: usize = 3;
/// Who a checkpoint is from.
const AUTHOR: (&str, &str) = ("aido", "aido@localhost");

/// A checkpoint that was taken. Nothing names it yet.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The commit.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// What it says of itself.
    pub record: Record,
    /// How long that took.
    pub duration: Duration,
}

impl Home {
    /// Takes a checkpoint. `also` is a tree whose paths are looked at whether they are ignored now or not,
    /// so that the two can be compared.
    ///
    /// # Errors
    /// When git fails, or the time is over: there is none then, and nothing is left behind.
    pub fn take(
        &self,
        environment: &Environment,
        limits: Limits,
        also: Option<&str>,
    ) -> Result<Snapshot, Problem> {
        self.make()?;
        let at = clock::now();
        let _shared = self.share(limits.time)?;
        let index = self.index(at.0.timestamp())?;
        let mut git = self.working(&index, environment, limits);
        let date = format!("{} +0000", at.0.timestamp());
        for role in ["AUTHOR", "COMMITTER"] {
            git.set(&format!("GIT_{role}_NAME"), AUTHOR.0);
            git.set(&format!("GIT_{role}_EMAIL"), AUTHOR.1);
            git.set(&format!("GIT_{role}_DATE"), &date);
        }
        let tree = Tree::open(&self.repository.root);
        let mut taking = Taking {
            home: self,
            git,
            index,
            tree: tree.map_err(Problem::file(self.repository.root.as_path()))?,
            most_bytes: limits.file_bytes,
            left_out: Vec::new(),
        };
        let head = self.repository.head();
        let staged = taking.seed(head.as_deref())?;
        taking.gather_in_peace(&staged, also)?;
        let mut entries = taking.listed()?;
        if entries.iter().any(|entry| entry.is_assumed) {
            // What git is to take for unchanged may be changed all the same. It complains of what is.
            let arguments = ["update-index", "-q", "--really-refresh"];
            match taking.git.print("update-index", &arguments, b"") {
                Ok(_) | Err(Problem::Git { .. }) => {}
                Err(problem) => return Err(problem),
            }
            taking.gather_in_peace(&staged, also)?;
            entries = taking.listed()?;
        }
        let modes = taking.modes(&entries);
        let tree = taking
            .git
            .word("write-tree", &["write-tree", "--missing-ok"], b"")?;
        taking.left_out.sort();
        taking.left_out.dedup_by(|one, other| one.0 == other.0);
        let record = Record {
            at,
            head,
            modes,
            left_out: taking.left_out,
        };
        let what = "commit-tree";
        let message = record
            .to_message()
            .map_err(|_| Problem::Unreadable { what })?;
        let arguments = ["commit-tree", "-F", "-", &tree];
        let commit = taking.git.word(what, &arguments, message.as_bytes())?;
        Ok(Snapshot {
            duration: taking.git.elapsed(),
            commit,
            tree,
            record,
        })
    }
}

/// A checkpoint that is being taken.
struct Taking<'h> {
    home: &'h Home,
    git: Git,
    index: Index,
    tree: Tree,
    most_bytes: u64,
    left_out: Vec<(Vec<u8>, Reason)>,
}

type Paths = BTreeSet<Vec<u8>>;

impl Taking<'_> {
    /// Begins with the repository's index, which knows what is unchanged, and gives the paths whose
    /// contents stand in no commit: what git would throw away one day is taken from the files again. An
    /// index that can't be used by itself, such as a split one, is replaced by HEAD's tree.
    fn seed(&mut self, head: Option<&str>) -> Result<Paths, Problem> {
        let copied = copy(
            &self.home.repository.git_directory.join("index"),
            &self.index.path,
        );
        if copied.is_ok() {
            let found = match head {
                Some(head) => self.staged(head),
                None => self.listed().map(|all| {
                    let paths = all.into_iter().map(|entry| entry.path).collect();
                    let _ = std::fs::remove_file(&self.index.path);
                    paths
                }),
            };
            match found {
                Err(problem @ (Problem::TooLong(_) | Problem::NoGit)) => return Err(problem),
                Ok(paths) => return Ok(paths),
                Err(_) => _ = std::fs::remove_file(&self.index.path),
            }
        }
        if let Some(head) = head {
            let read = self.git.print("read-tree", &["read-tree", head], b"");
            match read {
                // Its objects aren't there: a file that is not whole is taken as a new one.
                Ok(_) | Err(Problem::Git { .. }) => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(Paths::new())
    }

    /// Paths that the index has otherwise than HEAD, unmerged ones too.
    fn staged(&self, head: &str) -> Result<Paths, Problem> {
        let what = "diff-index";
        let options = ["--cached", "--raw", "-z", "--no-renames", "--no-abbrev"];
        let arguments: Vec<&str> = [what].into_iter().chain(options).chain([head]).collect();
        let printed = self.git.print(what, &arguments, b"")?;
        let found = differences(&printed).ok_or(Problem::Unreadable { what })?;
        let is_repository = |mode: Option<u32>| mode == Some(REPOSITORY);
        let staged = found.into_iter().filter(|one| {
            let mode = one.after.as_ref().map(|object| object.mode);
            !is_repository(mode) && (mode.is_some() || one.before.is_none())
        });
        Ok(staged.map(|one| one.path).collect())
    }

    fn listed(&self) -> Result<Vec<Listed>, Problem> {
        let what = "ls-files";
        let printed = self.git.print(what, &[what, "-s", "-v", "-z"], b"")?;
        entries(&printed).ok_or(Problem::Unreadable { what })
    }

    /// Brings the index up to the files as they are, again if some of them went meanwhile.
    fn gather_in_peace(&mut self, staged: &Paths, also: Option<&str>) -> Result<(), Problem> {
        let mut tries = 1;
        while let Err(problem) = self.gather(staged, also) {
            if tries == TRIES || !matches!(problem, Problem::Git { .. }) {
                return Err(problem);
            }
            tries += 1;
        }
        Ok(())
    }

    /// Brings the index up to the files as they are.
    fn gather(&mut self, staged: &Paths, also: Option<&str>) -> Result<(), Problem> {
        self.left_out.clear();
        let mut paths = self.changed()?;
        paths.extend(staged.iter().cloned());
        if let Some(tree) = also {
            let what = "ls-tree";
            let arguments = [what, "-r", "-z", "--name-only", tree];
            let printed = self.git.print(what, &arguments, b"")?;
            paths.extend(parts(&printed).map(<[u8]>::to_vec));
        }
        let (mut taken, mut gone) = (Vec::new(), Vec::new());
        let nothing = self.home.format.nothing();
        let mut drop = |path: &[u8]| {
            gone.extend(format!("0 {nothing}\t").into_bytes());
            gone.extend(path);
            gone.push(0);
        };
        for path in &paths {
            let (name, found) = self.look(path)?;
            match decide(found, self.most_bytes) {
                Decision::Take => {
                    if staged.contains(path) {
                        drop(name);
                    }
                    taken.extend(name);
                    taken.push(0);
                }
                Decision::Drop => drop(name),
                Decision::LeaveOut(reason) => {
                    self.left_out.push((name.to_owned(), reason));
                    drop(name);
                }
            }
        }
        if !gone.is_empty() {
            let arguments = ["update-index", "-z", "--index-info"];
            self.git.print("update-index", &arguments, &gone)?;
        }
        if !taken.is_empty() {
            let arguments = ["update-index", "-z", "--add", "--replace", "--stdin"];
            // What only the repository's objects hold may go from there.
            let mut alone = self.git.clone();
            alone.unset(ALTERNATES);
            alone.print("update-index", &arguments, &taken)?;
        }
        Ok(())
    }

    /// Paths whose files are not as the index has them, and untracked ones.
    fn changed(&self) -> Result<Paths, Problem> {
        let what = "ls-files";
        let mut arguments: Vec<Vec<u8>> = [what, "-z", "-m", "-o", "--exclude-standard"]
            .map(|word| word.as_bytes().to_vec())
            .into();
        let own = self.home.repository.common_directory.join("info/exclude");
        if File::open(&own).is_ok() {
            arguments.push([b"--exclude-from=", own.as_os_str().as_bytes()].concat());
        }
        arguments.extend(self.own_place());
        let arguments: Vec<&OsStr> = arguments
            .iter()
            .map(|word| OsStr::from_bytes(word))
            .collect();
        let printed = self.git.print(what, &arguments, b"")?;
        Ok(parts(&printed).map(<[u8]>::to_vec).collect())
    }

    /// Leaves out aido's own state, should it stand in the work tree.
    fn own_place(&self) -> Option<Vec<u8>> {
        let state = self.home.path.parent()?.parent()?;
        let below = state.strip_prefix(&self.home.repository.root).ok()?;
        let mut pattern = b"--exclude=/".to_vec();
        for byte in below.as_os_str().as_bytes() {
            if b"*?[]\\! #".contains(byte) {
                pattern.push(b'\\');
            }
            pattern.push(*byte);
        }
        pattern.push(b'/');
        Some(pattern)
    }

    /// What stands at a path as git named it: an untracked repository ends in a slash.
    fn look<'p>(&mut self, path: &'p [u8]) -> Result<(&'p [u8], Found), Problem> {
        let name = path.strip_suffix(b"/").unwrap_or(path);
        let place = Path::new(OsStr::from_bytes(name));
        let entry = self.tree.look(place);
        let entry = match entry {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Entry::File {
                size_bytes: 0,
                permissions: 0,
            }),
            entry => entry,
        };
        let entry = entry.map_err(Problem::file(place))?;
        let is_repository = entry == Entry::Directory
            && (name.len() < path.len()
                || !matches!(self.tree.look(&place.join(".git")), Ok(Entry::Missing)));
        let is_file = matches!(entry, Entry::File { .. });
        let found = Found {
            entry,
            is_readable: is_file && self.tree.is_readable(place),
            is_repository,
        };
        Ok((name, found))
    }

    /// The permissions of all files that are taken; submodules are noted as left out on the way.
    fn modes(&mut self, entries: &[Listed]) -> Modes {
        let mut files: Vec<(&[u8], u32, u32)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let path = Path::new(OsStr::from_bytes(&entry.path));
            if entry.mode == REPOSITORY {
                self.left_out.push((entry.path.clone(), Reason::Repository));
            } else if let Ok(Entry::File { permissions, .. }) = self.tree.look(path) {
                files.push((&entry.path, entry.mode, permissions));
            }
        }
        Modes::of_files(&files)
    }
}

/// Copies an index with its time: files that changed right before it was written are told by that.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let written = stamp(&source)?;
    let mut target = File::create_new(to)?;
    io::copy(&mut source, &mut target)?;
    target.flush()?;
    set_modified(&target, written.modified_ns)
}
