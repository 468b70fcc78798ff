//! The most memory that aido takes, whatever passes through it.

use std::io;
use std::process::Stdio;

use super::Effort;
use super::run::{self, Started};
use super::scratch::{self, AIDO, Scratch};
use super::table::{Table, Target, spread};
use super::writer::Manner;

/// The most, in MB, for a static binary.
const LIMIT: f64 = 2.5;
/// How much larger "the same" may be: the kernel counts in batches of pages.
const SAME: f64 = 1.1;

/// What passes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    Output,
    Input,
}

/// Measures and reports.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let (large, rounds) = match effort {
        Effort::Quick => (64, 1),
        Effort::Normal => (1024, 3),
        Effort::Full => (4096, 3),
    };
    let text = format!(
        "## Memory\n\nPeak resident memory of the largest process (aido, or the small program that \
         it runs), medians of {rounds}; for 4 GiB, the record ends at its limit of 1 GiB.\n\n"
    );
    let wide = format!("{large} MiB, MB");
    let mut table = Table::new(&["", "1 MiB, MB", &wide, "target", "ratio", "the same"]);
    for (name, mode, load) in [
        ("output, PTY", "always", Load::Output),
        ("output, pipe", "never", Load::Output),
        ("input, PTY", "always", Load::Input),
        ("input, pipe", "never", Load::Input),
    ] {
        let small = peak(scratch, mode, load, 1, 3)?;
        // Output on a PTY takes 12 seconds a GiB.
        let rounds = if load == Load::Output { 1 } else { rounds };
        let large = peak(scratch, mode, load, large, rounds)?;
        table.row(&[
            name.to_owned(),
            format!("{small:.2}"),
            format!("{large:.2}"),
            Target::AtMost(LIMIT).check(large),
            format!("{:.2}", large / small),
            Target::AtMost(SAME).check(large / small),
        ]);
    }
    Ok(format!("{text}{}", table.text()))
}

fn peak(scratch: &Scratch, mode: &str, load: Load, mib: usize, rounds: usize) -> io::Result<f64> {
    let mut peaks = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let bytes = (mib * 1024 * 1024).to_string();
        let mut command = scratch.command(AIDO);
        command.args(["--tty", mode, "--"]);
        let mut starter = scratch.command("sh");
        let mut source = None;
        match load {
            // A small program: what the largest process takes must be aido's.
            Load::Output => {
                command.args(["head", "-c", &bytes, "/dev/zero"]);
            }
            Load::Input => {
                let mut writer = scratch.command(&scratch::own_path()?);
                writer.args(Manner::Blocks.arguments(mib));
                let mut writer = Started::start(writer.stdout(Stdio::piped()))?;
                if let Some(pipe) = writer.child().stdout.take() {
                    starter.stdin(pipe);
                }
                command.args(["sh", "-c", "exec cat >/dev/null"]);
                source = Some(writer);
            }
        }
        let peak = run::peak_rss_kib(&command, &mut starter);
        // It holds the last descriptor of the pipe.
        drop(starter);
        if let Some(source) = source {
            source.wait()?;
        }
        peaks.push(peak? as f64 * 1024.0 / 1e6);
        scratch.forget_sessions()?;
    }
    Ok(spread(peaks).median)
}
