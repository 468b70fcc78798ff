//! Taking a checkpoint: the work tree's tracked and untracked files, but not the ignored ones, as a commit
//! in aido's own git directory.

use std::time::Duration;

use super::directories::Directories;
use super::gather::Taking;
use super::home::Home;
use super::origin::Origin;
use super::record::Record;
use super::seed::Source;
use super::{Limits, Problem, excluded};
use crate::clock;
use crate::environment::Environment;
use crate::sys::tree::Tree;

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
    /// When git fails, or the time is over: there is none then, and nothing half written is left behind. Whole
    /// objects stay until `prune`, as somebody else may need the same.
    pub fn take(
        &self,
        environment: &Environment,
        limits: Limits,
        also: Option<&str>,
    ) -> Result<Snapshot, Problem> {
        self.make()?;
        let taken = self.try_take(environment, limits, also);
        if taken.is_err() {
            self.remove_unfinished();
        }
        taken
    }

    fn try_take(
        &self,
        environment: &Environment,
        limits: Limits,
        also: Option<&str>,
    ) -> Result<Snapshot, Problem> {
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
        if let Some(setting) = excluded::file(self, &git, environment)? {
            git.tell(setting);
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
        let (mut gathered, seed) = taking.gather_from_best(head.as_deref(), also)?;
        if gathered.has_assumed {
            // What git is to take for unchanged may be changed all the same. It complains of what is.
            let arguments = ["update-index", "-q", "--really-refresh"];
            match taking.git.print("update-index", &arguments, b"") {
                Ok(_) | Err(Problem::Git { .. }) => {}
                Err(problem) => return Err(problem),
            }
            gathered = taking.gather_in_peace(&seed, also)?;
        }
        let modes = taking.modes(&gathered.files);
        let alone = taking.git.alone();
        let tree = match gathered.tree {
            Some(tree) => tree,
            None => {
                // Of contents only those are there that HEAD's commit doesn't hold.
                let mut arguments = vec!["write-tree", "--missing-ok"];
                if seed.source != Source::Kept {
                    if let Some(head) = &head {
                        // Without them it takes longer.
                        let _ = self.copy_trees(&taking.git, head, &gathered.files);
                    }
                    // Its cache tells of trees that aido doesn't have, each of which git would look for.
                    arguments.push("--ignore-cache-tree");
                }
                alone.word("write-tree", &arguments, b"")?
            }
        };
        taking.left_out.sort();
        taking.left_out.dedup_by(|one, other| one.0 == other.0);
        let paths = gathered.files.iter().map(|file| &*file.path);
        let left_out = taking.left_out.iter().map(|(path, _)| &**path);
        let directories = Directories::of(&mut taking.tree, paths.chain(left_out));
        let record = Record {
            at,
            head,
            origin: Origin::of(&self.repository),
            modes,
            directories: Some(directories),
            left_out: taking.left_out,
        };
        let what = "commit-tree";
        let message = record
            .to_message()
            .map_err(|_| Problem::Unreadable { what })?;
        let arguments = ["commit-tree", "-F", "-", &tree];
        let commit = alone.word(what, &arguments, message.as_bytes())?;
        if gathered.is_plain {
            // Without it the next one takes longer.
            let _ = self.keep(&taking.index, record.head.as_deref(), &tree);
        }
        Ok(Snapshot {
            duration: taking.git.elapsed(),
            commit,
            tree,
            record,
        })
    }
}
