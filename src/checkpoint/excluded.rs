//! What is ignored besides what git finds by itself in aido's own directory: what the repository's and the
//! user's configuration say for this repository, and aido's own places, should they stand in the work tree.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Problem;
use super::git::Git;
use super::home::Home;
use crate::environment::Environment;
use crate::session::keeping::IN_REPOSITORY;
use crate::sys::file::read_small;

/// The largest configuration file that is searched; a larger one is taken to say something.
const CONFIG_BYTES: u64 = 1024 * 1024;
/// The setting that names a file of patterns.
const SETTING: &str = "core.excludesFile";

/// The words for `ls-files` that exclude what stands in the repository's own list, as aido's directory is
/// another one, and aido's own places.
pub(super) fn words(home: &Home) -> Vec<OsString> {
    let mut words = Vec::new();
    let own: PathBuf = home.repository.common_directory.join("info/exclude");
    if File::open(&own).is_ok() {
        let mut word = OsString::from("--exclude-from=");
        word.push(own);
        words.push(word);
    }
    words.extend(own_place(home).as_deref().map(exclude));
    words.push(exclude(Path::new(IN_REPOSITORY)));
    words
}

/// The file of patterns that holds for this repository, where that may be another one than in aido's own
/// directory: the repository's configuration may name it, and the user's may have a part for this repository
/// alone. `git config` runs nothing.
pub(super) fn file(
    home: &Home,
    git: &Git,
    environment: &Environment,
) -> Result<Option<OsString>, Problem> {
    if !may_be_another(home, environment) {
        return Ok(None);
    }
    let what = "config";
    let of_repository = git.of(&home.repository.git_directory);
    let arguments = [what, "--includes", "--type=path", "-z", "--get", SETTING];
    let mut found = match of_repository.print(what, &arguments, b"") {
        Ok(found) => found,
        // Nobody sets it.
        Err(Problem::Git { .. }) => return Ok(None),
        Err(problem) => return Err(problem),
    };
    found.pop_if(|last| *last == 0);
    let found = OsString::from_vec(found);
    let status = home.repository.root.join(&found).metadata();
    // Nobody is to wait for a FIFO.
    let is_harmless = found.is_empty() || status.is_ok_and(|status| status.is_file());
    Ok(is_harmless.then(|| {
        let mut setting = OsString::from(SETTING);
        setting.push("=");
        setting.push(found);
        setting
    }))
}

/// Whether any configuration says what git doesn't find by itself.
fn may_be_another(home: &Home, environment: &Environment) -> bool {
    let repository = &home.repository;
    let own = [
        repository.common_directory.join("config"),
        repository.git_directory.join("config.worktree"),
    ];
    let user = environment.absolute_path("HOME");
    let base = environment.absolute_path("XDG_CONFIG_HOME");
    let base = base.or_else(|| Some(user.as_ref()?.join(".config")));
    let shared = [
        base.map(|base| base.join("git/config")),
        user.map(|home| home.join(".gitconfig")),
        Some(PathBuf::from("/etc/gitconfig")),
    ];
    own.iter()
        .any(|path| holds(path, &[b"excludesfile", b"include"]))
        || shared
            .iter()
            .flatten()
            .any(|path| holds(path, &[b"include"]))
}

fn holds(path: &Path, words: &[&[u8]]) -> bool {
    let text = match read_small(path, CONFIG_BYTES) {
        Ok(text) => text.to_ascii_lowercase(),
        Err(error) => return error.kind() != io::ErrorKind::NotFound,
    };
    words
        .iter()
        .any(|word| memchr::memmem::find(&text, word).is_some())
}

/// aido's state directory as a path in the work tree, if that is where it really is, links and mounts or not.
fn own_place(home: &Home) -> Option<PathBuf> {
    let state = home.path.parent()?.parent()?.canonicalize().ok()?;
    let identity = |path: &Path| {
        let status = path.metadata().ok()?;
        Some((status.dev(), status.ino()))
    };
    let root = identity(&home.repository.root)?;
    let mut above = state.ancestors().skip(1);
    let above = above.find(|path| identity(path) == Some(root))?;
    state.strip_prefix(above).ok().map(Path::to_owned)
}

/// The word that excludes a directory of the work tree.
fn exclude(below: &Path) -> OsString {
    let mut pattern = b"--exclude=/".to_vec();
    for byte in below.as_os_str().as_bytes() {
        if b"*?[]\\! #".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern.push(b'/');
    OsStr::from_bytes(&pattern).to_owned()
}
