//! S6b: a neighbour swaps the store, or a directory above it, for a symbolic link, as fast as it can.
//! Nothing may be written where the link leads.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use rustix::fs::RenameFlags;

use crate::Bench;
use crate::crowd::crowd;
use crate::place::{Kept, Place};
use crate::running::Output;
use crate::verdict::Verdict;

const CODE: i32 = 7;
const HANDS: usize = 2;

/// What is swapped, relative to the place, and where sessions are kept.
const SWAPPED: &[(&str, &str, Kept)] = &[
    ("the store", "work/nexus/.aisessions", Kept::InRepository),
    ("its parent", "work/nexus", Kept::InRepository),
    ("a named store", "sessions", Kept::ByName),
    (
        "the live files' place",
        "home/.local/state/aido/live",
        Kept::InRepository,
    ),
];

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let count = bench.pick(40, 500);
    for (name, path, kept) in SWAPPED {
        let place = Place::new(bench, &format!("S6b-{}", path.replace('/', "-")), *kept)?;
        // Once undisturbed, so that everything is there.
        anyhow::ensure!(one(&place)?.code() == CODE, "the command doesn't run");
        let neighbour = Neighbour::new(&place, path)?;
        let over = AtomicBool::new(false);
        let swaps = AtomicUsize::new(0);
        let runs = thread::scope(|scope| {
            scope.spawn(|| neighbour.swap_until(&over, &swaps));
            let runs = crowd(HANDS, count, |_| one(&place));
            over.store(true, Ordering::Relaxed);
            runs
        });
        let mut unrecorded = 0;
        for run in runs {
            let run = run?;
            let is_right = run.code() == CODE && run.stdout == b"out\n" && !run.has_panic();
            verdict.check(is_right, || format!("{name}: {}", run.describe()));
            unrecorded += usize::from(run.has_notice());
        }
        let escaped = neighbour.touched()?;
        verdict.faults(
            escaped
                .iter()
                .map(|path| format!("{name}: touched: {}", path.display())),
        );
        let swaps = swaps.load(Ordering::Relaxed);
        verdict.check(swaps > count, || format!("{name}: only {swaps} swaps"));
        // Without a place of their own, live files stand in the store, and nothing is said.
        let is_said = !path.ends_with("live");
        verdict.check(unrecorded > 0 || !is_said, || {
            format!("{name}: the link was never met")
        });
        verdict.figure(format!(
            "{name}: {} touched outside in {count} runs and {swaps} swaps, {unrecorded} refused the link",
            escaped.len()
        ));
    }
    let protected = fs::read_to_string("/proc/sys/fs/protected_symlinks").unwrap_or_default();
    // It concerns sticky directories that all may write to, and none of these is one.
    verdict.figure(format!("fs.protected_symlinks {}", protected.trim()));
    Ok(verdict)
}

fn one(place: &Place) -> std::io::Result<Output> {
    let run = place.aido(["--durability", "fast", "sh", "-c", "echo out; exit 7"]);
    run.output()
}

/// Somebody who may write to the directory in which the store stands.
struct Neighbour {
    swapped: PathBuf,
    link: PathBuf,
    outside: PathBuf,
    /// How it was there at first.
    before: BTreeMap<PathBuf, SystemTime>,
}

impl Neighbour {
    fn new(place: &Place, path: &str) -> std::io::Result<Self> {
        let swapped = place.path(path);
        let outside = place.path("outside");
        // What the link leads to looks like the real one, so that a walk could go on there.
        copy_directories(&swapped, &outside)?;
        let link = swapped.with_file_name("link");
        symlink(&outside, &link)?;
        Ok(Self {
            before: look(&outside)?,
            swapped,
            link,
            outside,
        })
    }

    fn swap_until(&self, over: &AtomicBool, swaps: &AtomicUsize) {
        while !over.load(Ordering::Relaxed) || swaps.load(Ordering::Relaxed) % 2 == 1 {
            let exchanged = rustix::fs::renameat_with(
                rustix::fs::CWD,
                &self.link,
                rustix::fs::CWD,
                &self.swapped,
                RenameFlags::EXCHANGE,
            );
            if exchanged.is_ok() {
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What was made where the link leads, and directories in which something was for a while.
    fn touched(&self) -> std::io::Result<Vec<PathBuf>> {
        let now = look(&self.outside)?;
        let changed = now
            .into_iter()
            .filter(|(path, time)| self.before.get(path) != Some(time));
        Ok(changed.map(|(path, _)| path).collect())
    }
}

fn copy_directories(from: &Path, to: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            copy_directories(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Everything below a directory, and itself, with the time of its last change.
fn look(directory: &Path) -> std::io::Result<BTreeMap<PathBuf, SystemTime>> {
    let mut found = BTreeMap::new();
    found.insert(directory.to_owned(), fs::metadata(directory)?.modified()?);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(look(&entry.path())?);
        } else {
            found.insert(entry.path(), entry.metadata()?.modified()?);
        }
    }
    Ok(found)
}
