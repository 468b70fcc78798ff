//! How fast output passes through.

use std::fmt::Write;
use std::io;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Effort;
use super::run::{self, Started, Variant};
use super::scratch::{self, AIDO, Scratch};
use super::table::{Spread, Table, Target, spread};
use super::terminal;
use super::writer::Manner;

const BUFFER: usize = 64 * 1024;
const MIB: f64 = 1024.0 * 1024.0;

/// Who reads what is delivered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Consumer {
    DevNull,
    Cat,
}

impl Consumer {
    fn name(self) -> &'static str {
        match self {
            Self::DevNull => "/dev/null",
            Self::Cat => "a pipe to cat",
        }
    }
}

/// What carries the output in what is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Pty,
    Pipe,
}

/// One table.
struct Comparison {
    carrier: Carrier,
    manner: Manner,
    mib: usize,
}

/// Measures and reports.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let (rounds, scale) = match effort {
        Effort::Quick => (3, 4),
        Effort::Normal | Effort::Full => (7, 1),
    };
    let mut text = format!(
        "## Throughput\n\nMedians of {rounds} interleaved rounds; a megabyte is 10⁶ bytes. The \
         limit is a parent that only reads.\n"
    );
    for (carrier, manner, mib) in [
        (Carrier::Pty, Manner::Blocks, 64),
        (Carrier::Pty, Manner::Lines, 16),
        (Carrier::Pipe, Manner::Blocks, 256),
        (Carrier::Pipe, Manner::Lines, 64),
    ] {
        let comparison = Comparison {
            carrier,
            manner,
            mib: mib / scale,
        };
        for consumer in [Consumer::DevNull, Consumer::Cat] {
            text.push_str(&comparison.table(scratch, consumer, rounds)?);
        }
    }
    Ok(text)
}

impl Comparison {
    fn title(&self, consumer: Consumer) -> String {
        let carrier = match self.carrier {
            Carrier::Pty => "PTY",
            Carrier::Pipe => "Pipe",
        };
        let manner = match self.manner {
            Manner::Blocks => "64 KiB writes of 81-byte lines",
            Manner::Lines => "one write a line",
        };
        let (mib, consumer) = (self.mib, consumer.name());
        format!("\n### {carrier}, {manner}, {mib} MiB, to {consumer}\n\n")
    }

    fn variants<'a>(
        &self,
        scratch: &'a Scratch,
        consumer: Consumer,
    ) -> io::Result<Vec<Variant<'a>>> {
        let writer = Writer {
            argv: std::iter::once(scratch::own_path()?)
                .chain(self.manner.arguments(self.mib))
                .collect(),
        };
        let mut variants = Vec::new();
        let own = writer.clone();
        let through_aido = |mode: &'static str| {
            let writer = writer.clone();
            let once = move || {
                let mut command = scratch.command(AIDO);
                command.args(["--tty", mode, "--"]).args(&writer.argv);
                let taken = consume(scratch, command, consumer)?;
                scratch.forget_sessions()?;
                Ok(taken)
            };
            Variant::new(format!("aido --tty {mode}"), once)
        };
        match self.carrier {
            Carrier::Pty => {
                variants.push(Variant::new("the limit", move || own.through_pty(scratch)));
                variants.push(through_aido("always"));
                if let Some(script) = scratch::find("script") {
                    let line = writer.argv.join(" ");
                    variants.push(Variant::new("script", move || {
                        let mut command = scratch.command(&script);
                        command
                            .args(["-qec", &line])
                            .arg(scratch.path("typescript"));
                        consume(scratch, command, consumer)
                    }));
                }
                if let Some(unbuffer) = scratch::find("unbuffer") {
                    let writer = writer.clone();
                    variants.push(Variant::new("unbuffer", move || {
                        let mut command = scratch.command(&unbuffer);
                        command.args(&writer.argv);
                        consume(scratch, command, consumer)
                    }));
                }
            }
            Carrier::Pipe => {
                variants.push(Variant::new("the limit", move || own.through_pipe(scratch)));
                variants.push(through_aido("never"));
                let line = format!("{} | tee typescript", writer.argv.join(" "));
                for (name, line) in [
                    ("tee | sha256sum", format!("{line} | sha256sum")),
                    ("tee", line),
                ] {
                    variants.push(Variant::new(name, move || {
                        let mut command = scratch.command("sh");
                        command.args(["-c", &line]).current_dir(scratch.root());
                        consume(scratch, command, consumer)
                    }));
                }
            }
        }
        Ok(variants)
    }

    fn table(&self, scratch: &Scratch, consumer: Consumer, rounds: usize) -> io::Result<String> {
        let mut variants = self.variants(scratch, consumer)?;
        let samples = run::interleave(&mut variants, 1, rounds);
        let megabytes = self.mib as f64 * MIB / 1e6;
        let rates: Vec<Option<Spread>> = samples
            .iter()
            .map(|samples| {
                let samples = samples.as_ref().ok()?;
                Some(spread(
                    samples.iter().map(|taken| megabytes / taken.as_secs_f64()),
                ))
            })
            .collect();
        let (Some(Some(limit)), Some(Some(aido))) = (rates.first(), rates.get(1)) else {
            let first = samples.into_iter().find_map(Result::err);
            return Err(first.unwrap_or_else(|| io::ErrorKind::NotFound.into()));
        };
        let mut text = self.title(consumer);
        let heads = ["", "MB/s", "min–max", "of the limit", "aido is", "target"];
        let mut table = Table::new(&heads);
        let mut failures = String::new();
        for ((variant, rate), sample) in variants.iter().zip(&rates).zip(&samples) {
            let Some(rate) = rate else {
                if let Err(error) = sample {
                    let _ = writeln!(failures, "{}: {error}", variant.name);
                }
                continue;
            };
            let (share, times) = (rate.median / limit.median, aido.median / rate.median);
            let target = match (self.carrier, self.manner, variant.name.as_str()) {
                (Carrier::Pty, Manner::Blocks, "aido --tty always") => {
                    Target::AtLeast(0.9).check(share)
                }
                (Carrier::Pty, Manner::Blocks, "script") => Target::AtLeast(1.1).check(times),
                (Carrier::Pty, Manner::Lines, "script") => Target::AtLeast(4.0).check(times),
                (Carrier::Pipe, Manner::Blocks, "tee | sha256sum") => {
                    Target::AtLeast(2.5).check(times)
                }
                _ => String::new(),
            };
            let times = if variant.name.starts_with("aido") {
                String::new()
            } else {
                format!("{times:.2} ×")
            };
            table.row(&[
                variant.name.clone(),
                format!("{:.0}", rate.median),
                format!("{:.0}–{:.0}", rate.min, rate.max),
                format!("{share:.2}"),
                times,
                target,
            ]);
        }
        text.push_str(table.text());
        text.push_str(&failures);
        Ok(text)
    }
}

/// A helper that writes.
#[derive(Clone)]
struct Writer {
    argv: Vec<String>,
}

impl Writer {
    fn command(&self, scratch: &Scratch) -> Command {
        let mut command = scratch.command(&self.argv[0]);
        command.args(&self.argv[1..]);
        command
    }

    fn through_pty(&self, scratch: &Scratch) -> io::Result<Duration> {
        let (master, slave) = terminal::open()?;
        let mut command = self.command(scratch);
        command.stdout(slave);
        let started = Started::start(&mut command)?;
        // It holds the benchmark's own descriptor of the slave.
        drop(command);
        read_all(master)?;
        started.wait()
    }

    fn through_pipe(&self, scratch: &Scratch) -> io::Result<Duration> {
        let mut command = self.command(scratch);
        let mut started = Started::start(command.stdout(Stdio::piped()))?;
        if let Some(pipe) = started.child().stdout.take() {
            read_all(pipe)?;
        }
        started.wait()
    }
}

fn read_all(source: impl AsFd) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match rustix::io::read(&source, &mut buffer[..]) {
            // The last descriptor of a PTY's slave is closed: EIO.
            Ok(0) | Err(rustix::io::Errno::IO) => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Runs a command with its output to a consumer.
fn consume(scratch: &Scratch, mut command: Command, consumer: Consumer) -> io::Result<Duration> {
    if consumer == Consumer::DevNull {
        return run::run(&mut command);
    }
    let mut cat = scratch.command("cat");
    let mut cat = Started::start(cat.stdin(Stdio::piped()))?;
    if let Some(pipe) = cat.child().stdin.take() {
        command.stdout(pipe);
    }
    let taken = run::run(&mut command);
    // It holds the last descriptor of the pipe.
    drop(command);
    cat.wait()?;
    taken
}
