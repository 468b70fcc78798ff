//! What it was tried on.

use std::fs;
use std::io;
use std::process::Command;

use super::{Bench, Size};

/// One line about the run, the binary and the machine.
pub(crate) fn describe(bench: &Bench) -> io::Result<String> {
    let size = match bench.size {
        Size::Quick => "quick",
        Size::Full => "full",
    };
    let built = super::profile();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism()?;
    let system = rustix::system::uname();
    let user = if rustix::process::geteuid().is_root() {
        "root"
    } else {
        "not root"
    };
    let date = Command::new("date").arg("+%Y-%m-%d").output()?.stdout;
    Ok(format!(
        "proof: {size}, seed {}, {built} binary of {} bytes, as {user}; {processor}, {cores} cores, \
         {} {}, files on {}, {}",
        bench.seed,
        fs::metadata(super::aido())?.len(),
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        file_system(bench)?,
        String::from_utf8_lossy(&date).trim(),
    ))
}

fn file_system(bench: &Bench) -> io::Result<String> {
    let status = rustix::fs::statfs(&bench.root)?;
    Ok(match status.f_type {
        0xEF53 => "ext4".to_owned(),
        0x0102_1994 => "tmpfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x9123_683E => "btrfs".to_owned(),
        0x794C_7630 => "overlayfs".to_owned(),
        other => format!("a file system of type {other:#x}"),
    })
}
