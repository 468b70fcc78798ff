//! Trees of the first checkpoint of a repository. Nearly all of them are trees of the commit that is checked
//! out: they come into aido's directory as one pack, because a file each would cost more than everything
//! else.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Problem;
use super::git::Git;
use super::home::Home;
use super::listing::entries;
use super::size::YOUNG;
use super::survey::Known;
use crate::clock;
use crate::sys::file::Directory;

/// So many directories are written as fast by themselves as by the two processes that a pack takes.
const MOST_LOOSE: usize = 100;
/// The directory of packs.
const PACKS: &str = "objects/pack";

impl Home {
    /// Copies the trees of a commit from the repository, where a checkpoint of these files is the first one
    /// and has many.
    ///
    /// # Errors
    /// When git fails.
    pub(super) fn copy_trees(
        &self,
        git: &Git,
        commit: &str,
        files: &[Known],
    ) -> Result<(), Problem> {
        let parents = files.iter().map(|file| parent(&file.path));
        let directories: HashSet<&[u8]> = parents.collect();
        if directories.len() <= MOST_LOOSE || !self.packs().is_empty() {
            return Ok(());
        }
        let what = "ls-tree";
        let printed = git.print(what, &[what, "-r", "-d", "-z", commit], b"")?;
        let trees = entries(&printed).ok_or(Problem::Unreadable { what })?;
        let mut list = String::new();
        for tree in trees {
            list.push_str(&tree.object);
            list.push('\n');
        }
        let base = self.path.join(PACKS).join("pack");
        let mut private = git.private();
        private.tell("pack.writeReverseIndex=false");
        let arguments = ["pack-objects", "-q", "--window=0", "--threads=1"];
        let arguments = arguments.into_iter().map(AsRef::as_ref);
        let arguments: Vec<&std::ffi::OsStr> = arguments.chain([base.as_os_str()]).collect();
        private
            .print("pack-objects", &arguments, list.as_bytes())
            .map(drop)
    }

    /// Removes what [`Home::copy_trees`] copied, where no checkpoint needs it any more.
    pub(super) fn remove_copied_trees(&self) {
        let has_names = self.sessions().map_or(true, |ids| !ids.is_empty());
        let packs = self.packs();
        let mut paths = packs.iter().map(|name| self.path.join(PACKS).join(name));
        let now_seconds = clock::now().0.timestamp();
        // git makes a pack younger that it finds something in.
        let is_young = |path: &Path| {
            let seconds = path.symlink_metadata().map(|status| status.mtime());
            let young_seconds = YOUNG.as_secs().cast_signed();
            seconds.is_ok_and(|seconds| now_seconds.saturating_sub(seconds) < young_seconds)
        };
        if !has_names && !paths.clone().any(|path| is_young(&path)) {
            // The index goes first: without it git knows nothing of a pack.
            let _ = paths.try_for_each(std::fs::remove_file);
        }
    }

    /// The files of packs, indexes first.
    fn packs(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Ok(directory) = Directory::open(&self.path.join(PACKS)) {
            let _ = directory.each_name(&mut |name| names.extend(name.to_str().map(str::to_owned)));
        }
        names.sort();
        names
    }
}

/// The directory that a path stands in.
fn parent(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(b"", |slash| &path[..slash])
}
