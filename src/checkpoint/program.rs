//! Which git is run: an absolute one, and never one that the repository brought along.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::repository::Repository;
use crate::environment::Environment;

/// What execvp(3) searches where there is no PATH.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The first git along PATH; directories that are relative, or stand in the work tree, are passed over.
pub(super) fn find(environment: &Environment, repository: &Repository) -> Option<PathBuf> {
    let path = environment.value("PATH").unwrap_or(DEFAULT_PATH.as_ref());
    let common = repository.common_directory.as_path();
    let main = common.parent().filter(|_| common.ends_with(".git"));
    let trees: Vec<&Path> = [repository.root.as_path()]
        .into_iter()
        .chain(main)
        .collect();
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join("git"))
        .find(|program| is_executable(program) && !is_in_any(program, &trees))
}

fn is_executable(program: &Path) -> bool {
    let status = program.metadata();
    status.is_ok_and(|status| status.is_file() && status.permissions().mode() & 0o111 != 0)
}

/// Whether a program stands in one of these directories, by its name or by where links lead.
fn is_in_any(program: &Path, trees: &[&Path]) -> bool {
    let directory = program.parent().unwrap_or(program);
    let real = directory.canonicalize();
    trees.iter().any(|tree| {
        let is_real = real.as_ref().is_ok_and(|real| {
            let tree = tree.canonicalize();
            tree.is_ok_and(|tree| real.starts_with(tree))
        });
        is_real || directory.starts_with(tree)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::replace::make_directories;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_program_of_the_work_tree_is_passed_over() {
        let temporary = tempfile::tempdir().unwrap();
        let below = |path: &str| temporary.path().join(path);
        let program = |path: &str, mode: u32| {
            make_directories(&below(path)).unwrap();
            let file = std::fs::File::create(below(path).join("git")).unwrap();
            file.set_permissions(std::fs::Permissions::from_mode(mode))
                .unwrap();
        };
        program("tree/bin", 0o755);
        program("side/bin", 0o755);
        program("plain", 0o644);
        program("good", 0o755);
        symlink(below("tree/bin"), below("link")).unwrap();
        let repository = Repository {
            root: below("side"),
            git_directory: below("tree/.git/worktrees/side"),
            common_directory: below("tree/.git"),
        };
        let found = |directories: &[&str]| {
            let path = directories.iter().map(|directory| match *directory {
                "" | "." => directory.to_string(),
                directory => below(directory).display().to_string(),
            });
            let path = path.collect::<Vec<_>>().join(":");
            let environment = Environment::from_pairs([("PATH", path.as_str())]);
            find(&environment, &repository)
        };
        let before = ["", ".", "tree/bin", "side/bin", "link", "plain", "none"];
        assert_eq!(found(&before), None);
        let all = [&before[..], &["good"]].concat();
        assert_eq!(found(&all), Some(below("good/git")));
    }
}
