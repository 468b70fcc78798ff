//! Which directories are in the repository that one stands in.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::environment::Environment;
use crate::place::Place;

/// The repository, by all the paths that are known for it.
pub struct Repository {
    /// As it is, and as the caller's shell calls it, which may have come by a link.
    pub roots: Vec<PathBuf>,
    known: RefCell<HashMap<PathBuf, bool>>,
}

impl Repository {
    /// The repository of a place; none where there is none.
    #[must_use]
    pub fn of(place: &Place, environment: &Environment) -> Option<Self> {
        let root = place.root.clone()?;
        let mut roots = vec![root.canonicalize().unwrap_or_else(|_| root.clone()), root];
        roots.extend(by_link(place, environment));
        roots.dedup();
        Some(Self {
            roots,
            known: RefCell::default(),
        })
    }

    /// Whether a directory is in the repository: by where it really is, or was, if it is gone.
    #[must_use]
    pub fn has(&self, directory: &Path) -> bool {
        if let Some(known) = self.known.borrow().get(directory) {
            return *known;
        }
        let is_below = |path: &Path| self.roots.iter().any(|root| path.starts_with(root));
        let has = real(directory).is_some_and(|real| is_below(&real));
        self.known.borrow_mut().insert(directory.to_owned(), has);
        has
    }
}

/// The repository as the shell calls it that stands in it.
fn by_link(place: &Place, environment: &Environment) -> Option<PathBuf> {
    let shown = environment.absolute_path("PWD")?;
    let (root, current) = (place.root.as_deref()?, place.current.as_deref()?);
    if shown.canonicalize().ok()? != current.canonicalize().ok()? {
        return None;
    }
    let below = current.strip_prefix(root).ok()?;
    let depth = below.components().count();
    let ends_alike = shown.ends_with(below) || depth == 0;
    let root = shown.ancestors().nth(depth).filter(|_| ends_alike)?;
    Some(root.to_owned())
}

/// Where a path leads. What is gone of it can't be a link; what goes up from there leads nobody knows where.
fn real(path: &Path) -> Option<PathBuf> {
    let there = path.ancestors().find_map(|ancestor| {
        let real = ancestor.canonicalize();
        if real.is_err() && ancestor.symlink_metadata().is_ok() {
            return Some(None);
        }
        Some(Some((real.ok()?, path.strip_prefix(ancestor).ok()?)))
    });
    let (real, gone) = there??;
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    gone.components().all(is_plain).then(|| real.join(gone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::replace::make_directories;
    use std::os::unix::fs::symlink;

    #[test]
    fn directories_count_by_where_they_lead() {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        let root = base.join("repo");
        make_directories(&root.join("sub")).unwrap();
        make_directories(&base.join("repo-other")).unwrap();
        symlink(&root, base.join("link")).unwrap();
        symlink("../repo-other", root.join("out")).unwrap();
        symlink("../nowhere", root.join("broken")).unwrap();
        let place = Place {
            current: Some(root.join("sub")),
            root: Some(root.clone()),
            ..Place::default()
        };
        let shown = base.join("link/sub");
        let environment = Environment::from_pairs([("PWD", shown.to_str().unwrap())]);
        let repository = Repository::of(&place, &environment).unwrap();
        assert_eq!(repository.roots, [root.clone(), base.join("link")]);
        for (path, expected) in [
            ("repo", true),
            ("repo/sub", true),
            ("repo/gone/deep", true),
            ("link", true),
            ("link/sub", true),
            ("link/gone", true),
            ("repo/sub/../../repo/sub", true),
            ("repo-other", false),
            ("repo/out", false),
            ("repo/broken/x", false),
            ("repo/../repo-other", false),
            ("repo/../../../../etc", false),
            ("repo/gone/../..", false),
            ("gone", false),
        ] {
            assert_eq!(repository.has(&base.join(path)), expected, "{path}");
        }
        let elsewhere = Environment::from_pairs([("PWD", "/")]);
        assert_eq!(Repository::of(&place, &elsewhere).unwrap().roots, [root]);
    }
}
