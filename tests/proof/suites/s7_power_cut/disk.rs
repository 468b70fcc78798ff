//! File systems that lose their power.

use std::path::Path;
use std::time::Duration;

use crate::dice::Dice;
use crate::mounts::{self, Mounted};
use crate::{Bench, Size};

/// A kind of file system.
pub(super) struct Disk {
    pub(super) kind: &'static str,
    megabytes: u64,
    options: &'static [&'static str],
    /// How many cuts at each level in full.
    pub(super) cuts: u64,
    /// When it writes its journal by itself.
    commits_after: Duration,
}

pub(super) const EXT4: Disk = Disk {
    kind: "ext4",
    megabytes: 512,
    options: &["-F"],
    cuts: 12,
    commits_after: Duration::from_secs(5),
};

pub(super) const XFS: Disk = Disk {
    kind: "xfs",
    megabytes: 512,
    options: &["-f"],
    cuts: 8,
    commits_after: Duration::from_secs(30),
};

impl Disk {
    /// When to cut: where nothing is synced, there is something to lose and something to find only
    /// after the journal has been written once.
    pub(super) fn wait(&self, bench: &Bench, durability: &str, number: u64) -> Duration {
        let mut dice = Dice::new(bench.seed, 70 + number);
        let chance = dice.number();
        match (bench.size, durability) {
            (Size::Quick, _) => Duration::from_millis(500 + chance % 700),
            (Size::Full, "full") => Duration::from_millis(1000 + chance % 8000),
            (Size::Full, _) => self.commits_after + Duration::from_millis(1000 + chance % 5000),
        }
    }

    /// Makes one, and mounts it there.
    pub(super) fn mount(&self, bench: &Bench, name: &str, at: &Path) -> Result<Mounted, String> {
        let image = bench.root.join(format!("S7-image-{name}"));
        mounts::make_image(&image, self.kind, self.megabytes, self.options)?;
        self.mount_again(bench, name, at)
    }

    pub(super) fn mount_again(
        &self,
        bench: &Bench,
        name: &str,
        at: &Path,
    ) -> Result<Mounted, String> {
        let image = bench.root.join(format!("S7-image-{name}"));
        let words = [
            "-t".as_ref(),
            self.kind.as_ref(),
            "-o".as_ref(),
            "loop".as_ref(),
            image.as_os_str(),
        ];
        Mounted::new(&words, at)
    }
}
