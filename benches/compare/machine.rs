//! What the figures were measured on.

use std::fs;
use std::io;
use std::process::Command;

use super::scratch::{self, Scratch};

/// One paragraph about the machine, and what is not there to be compared with.
pub(crate) fn describe(scratch: &Scratch) -> io::Result<String> {
    let processor = fs::read_to_string("/proc/cpuinfo")?;
    let processor = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism()?;
    let system = rustix::system::uname();
    let date = Command::new("date").arg("+%Y-%m-%d").output()?.stdout;
    let date = String::from_utf8_lossy(&date);
    let binary = fs::metadata(scratch::AIDO)?.len();
    let absent: Vec<&str> = [
        "script",
        "unbuffer",
        "asciinema",
        "faketty",
        "hyperfine",
        "rg",
    ]
    .into_iter()
    .filter(|program| scratch::find(program).is_none())
    .collect();
    let absent = if absent.is_empty() {
        "all of them are here".to_owned()
    } else {
        format!("not on PATH and not compared: {}", absent.join(", "))
    };
    Ok(format!(
        "# aido compared\n\n{processor}, {cores} cores, {} {}, {}; files on {}. aido: {}, {binary} \
         bytes. Load average at the start: {}. Of the neighbours, {absent}.\n",
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        date.trim(),
        file_system(scratch)?,
        linkage()?,
        load()?,
    ))
}

/// The load averages of one, five and fifteen minutes.
pub(crate) fn load() -> io::Result<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let averages: Vec<&str> = text.split(' ').take(3).collect();
    Ok(averages.join(" "))
}

fn file_system(scratch: &Scratch) -> io::Result<String> {
    let status = rustix::fs::statfs(scratch.root())?;
    Ok(match status.f_type {
        0xEF53 => "ext4".to_owned(),
        0x0102_1994 => "tmpfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x9123_683E => "btrfs".to_owned(),
        0x794C_7630 => "overlayfs".to_owned(),
        other => format!("a file system of type {other:#x}"),
    })
}

/// Whether the measured binary asks for a dynamic loader; the targets differ.
fn linkage() -> io::Result<&'static str> {
    let binary = fs::read(scratch::AIDO)?;
    let loader = b"ld-linux";
    let head = &binary[..binary.len().min(4096)];
    let is_dynamic = head.windows(loader.len()).any(|bytes| bytes == loader);
    Ok(if is_dynamic { "dynamic" } else { "static" })
}

/// Whether the measured binary is linked statically.
pub(crate) fn is_static() -> bool {
    linkage().is_ok_and(|linkage| linkage == "static")
}
