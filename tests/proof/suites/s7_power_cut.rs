//! S7: the power goes while sessions are recorded. A file system on a loop device is shut down without
//! its journal being flushed, and mounted again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::mounts::{self, Mounted};
use crate::place::{Kept, Place};
use crate::sessions;
use crate::verdict::Verdict;
use crate::words;

mod disk;

use crate::Bench;
use disk::{Disk, EXT4, XFS};

/// Recorders at once.
const HANDS: usize = 4;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    match mounts::privately(|| all(bench, &mut verdict)) {
        Ok(result) => result?,
        Err(reason) => verdict.skip(reason),
    }
    Ok(verdict)
}

fn all(bench: &Bench, verdict: &mut Verdict) -> anyhow::Result<()> {
    let levels = bench.pick(&["full"][..], &["full", "normal", "fast"]);
    for disk in &[EXT4, XFS] {
        for durability in levels {
            let mut sum = Counts::default();
            for number in 0..bench.pick(2, disk.cuts) {
                let cut = Cut {
                    disk,
                    durability,
                    number,
                    after: disk.wait(bench, durability, number),
                    home: if number % 2 == 0 {
                        Home::Beside
                    } else {
                        Home::OnAnotherDisk
                    },
                };
                match cut.make(bench)? {
                    Ok(counts) => sum.add(&counts, &cut, verdict),
                    Err(reason) => {
                        verdict.skip(format!("{}: {reason}", disk.kind));
                        break;
                    }
                }
            }
            // A thousandth of them all may be torn, and is said to be; cuts differ.
            verdict.check(
                *durability != "normal" || (sum.torn + sum.cut) * 1000 <= sum.acknowledged,
                || {
                    let torn = sum.torn + sum.cut;
                    format!("{} normal: {torn} of {} torn", disk.kind, sum.acknowledged)
                },
            );
            if sum.cuts > 0 {
                verdict.figure(sum.describe(disk.kind, durability));
            }
        }
    }
    Ok(())
}

/// Where the user's home is, with the state directory and the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// On the disk of the sessions.
    Beside,
    /// On a disk of its own, which loses its power too.
    OnAnotherDisk,
}

/// What a cut, or several, did to the sessions whose recorders had ended before.
#[derive(Default)]
struct Counts {
    cuts: usize,
    acknowledged: usize,
    /// No sidecar.
    lost: usize,
    /// A sidecar that is empty or half there.
    torn: usize,
    /// A sidecar that is whole and not true, as `verify` says too.
    mismatched: usize,
    /// A sidecar that is whole, with a transcript that lost its end, as `verify` says.
    cut: usize,
    /// Sidecar and transcript whole, with events that lost their end, as `verify` says.
    without_events: usize,
    faults: Vec<String>,
}

impl Counts {
    fn add(&mut self, counts: &Counts, cut: &Cut<'_>, verdict: &mut Verdict) {
        self.cuts += 1;
        self.acknowledged += counts.acknowledged;
        self.lost += counts.lost;
        self.torn += counts.torn;
        self.mismatched += counts.mismatched;
        self.cut += counts.cut;
        self.without_events += counts.without_events;
        let name = format!("{} {} cut {}", cut.disk.kind, cut.durability, cut.number);
        verdict.faults(counts.faults.iter().map(|fault| format!("{name}: {fault}")));
        verdict.check(counts.acknowledged > 0, || {
            format!("{name}: no session had ended")
        });
        if cut.durability == "full" {
            let damaged = counts.torn + counts.cut + counts.without_events;
            verdict.check(counts.lost + damaged == 0, || {
                format!("{name}: {} lost, {damaged} torn", counts.lost)
            });
        }
        // `fast` promises nothing about the power.
        verdict.check(counts.mismatched == 0 || cut.durability == "fast", || {
            format!("{name}: {} not as they say", counts.mismatched)
        });
    }

    fn describe(&self, kind: &str, durability: &str) -> String {
        format!(
            "{kind} at {durability}: {} cuts, {} acknowledged, {} lost, {} torn, {} with a transcript and \
             {} with events that are, {} mismatched",
            self.cuts,
            self.acknowledged,
            self.lost,
            self.torn,
            self.cut,
            self.without_events,
            self.mismatched
        )
    }
}

/// One cut.
struct Cut<'a> {
    disk: &'a Disk,
    durability: &'a str,
    number: u64,
    after: Duration,
    home: Home,
}

impl Cut<'_> {
    fn make(&self, bench: &Bench) -> anyhow::Result<Result<Counts, String>> {
        let at = bench.root.join("S7");
        let store = match self.disk.mount(bench, "store", &at) {
            Ok(store) => store,
            Err(reason) => return Ok(Err(reason)),
        };
        let home = at.join("place/home");
        let home_disk = match self.home {
            Home::Beside => None,
            Home::OnAnotherDisk => {
                fs::create_dir(at.join("place"))?;
                let mounted = self.disk.mount(bench, "home", &home);
                Some(mounted.map_err(anyhow::Error::msg)?)
            }
        };
        let place = Place::at(at.join("place"), Kept::InRepository)?;
        for directory in [&at, &home] {
            rustix::fs::syncfs(File::open(directory)?)?;
        }
        let mut key = Vec::new();
        let (acknowledged, wrong) = self.load_until_the_cut(&place, || {
            key = fs::read(place.state().join("key"))?;
            store.shut_down()?;
            home_disk.as_ref().map_or(Ok(()), Mounted::shut_down)
        })?;
        let restart = || -> Result<(Mounted, Option<Mounted>), String> {
            let had_home = home_disk.is_some();
            home_disk.map_or(Ok(()), Mounted::unmount)?;
            store.unmount()?;
            let store = self.disk.mount_again(bench, "store", &at)?;
            let again = || self.disk.mount_again(bench, "home", &home);
            Ok((store, had_home.then(again).transpose()?))
        };
        let (store, home_disk) = restart().map_err(anyhow::Error::msg)?;
        let mut counts = judge(&place, &acknowledged)?;
        counts.faults.extend(wrong);
        let is_kept = fs::read(place.state().join("key")).is_ok_and(|kept| kept == key);
        if !is_kept && self.durability == "full" {
            counts
                .faults
                .push(format!("the key was lost, home {:?}", self.home));
        }
        std::mem::forget(place);
        for disk in home_disk.into_iter().chain([store]) {
            disk.unmount().map_err(anyhow::Error::msg)?;
        }
        Ok(Ok(counts))
    }

    /// Records until the power is cut: the sessions that had ended before, by what they printed, with
    /// their codes; and what went wrong before.
    fn load_until_the_cut(
        &self,
        place: &Place,
        cut: impl FnOnce() -> std::io::Result<()>,
    ) -> anyhow::Result<(BTreeMap<String, i32>, Vec<String>)> {
        let over = AtomicBool::new(false);
        let wrong = Mutex::new(Vec::new());
        let acknowledged = Mutex::new(BTreeMap::new());
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..HANDS {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let code = i32::from(number as u8);
                        let result = one(place, self.durability, number, code);
                        // What ended before the cut was announced ended before it was made.
                        if over.load(Ordering::SeqCst) {
                            return;
                        }
                        match result {
                            Ok(()) => {
                                _ = lock(&acknowledged).insert(format!("token {number}"), code)
                            }
                            Err(fault) => lock(&wrong).push(fault),
                        }
                    }
                });
            }
            thread::sleep(self.after);
            over.store(true, Ordering::SeqCst);
            cut()
        })?;
        let acknowledged = std::mem::take(&mut *lock(&acknowledged));
        let wrong = std::mem::take(&mut *lock(&wrong));
        Ok((acknowledged, wrong))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}

/// One session; the command's code and output are to be delivered.
fn one(place: &Place, durability: &str, number: usize, code: i32) -> Result<(), String> {
    let line = format!("echo token {number}; exit {code}");
    let run = place
        .aido(["--durability", durability, "sh", "-c", &line])
        .output();
    let run = run.map_err(|error| error.to_string())?;
    let is_right = run.code() == code && run.stdout == format!("token {number}\n").as_bytes();
    is_right.then_some(()).ok_or_else(|| run.describe())
}

/// Compares the store after the cut with what had been acknowledged before.
fn judge(place: &Place, acknowledged: &BTreeMap<String, i32>) -> anyhow::Result<Counts> {
    let mut counts = Counts {
        acknowledged: acknowledged.len(),
        ..Counts::default()
    };
    let directory = place.sessions();
    let mut missing = acknowledged.clone();
    let (mut torn, mut damaged, mut whole) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for id in sessions::finished_in(&directory) {
        match sessions::read_without_events(&directory, &id) {
            Ok(session) => {
                let token = String::from_utf8_lossy(session.output.trim_ascii_end()).into_owned();
                if let Some(code) = missing.remove(&token)
                    && session.exit_code() != Some(i64::from(code))
                {
                    counts
                        .faults
                        .push(format!("{id}: {:?}", session.exit_code()));
                }
                whole.insert(id);
            }
            Err(fault) if fault.contains("half-written") => torn.push(id),
            Err(_) => drop(damaged.insert(id)),
        }
    }
    counts.torn = torn.len();
    counts.lost = missing.len().saturating_sub(torn.len() + damaged.len());
    let verified = words::verify(place)?;
    for id in &torn {
        let status = verified.statuses.get(id).map(String::as_str);
        if status != Some("TORN") {
            let what = format!("{id} is torn, and verify says {status:?}");
            counts.faults.push(what);
        }
    }
    for (id, status) in &verified.statuses {
        match status.as_str() {
            "TORN" | "TRUNCATED" if damaged.contains(id) => counts.cut += 1,
            _ if damaged.contains(id) => counts.mismatched += 1,
            "TORN" if whole.contains(id) => counts.without_events += 1,
            "ALTERED" => counts.faults.push(format!("a false alarm: {id}")),
            _ => {}
        }
    }
    words::recover(place)?;
    let unfinished = sessions::list(place)?.unfinished;
    if !unfinished.is_empty() {
        counts.faults.push(format!("not recovered: {unfinished:?}"));
    }
    Ok(counts)
}
