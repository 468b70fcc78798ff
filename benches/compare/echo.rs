//! How long a typed byte takes to come back.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::Effort;
use super::run::Started;
use super::scratch::{self, AIDO, Scratch};
use super::table::{Table, Target, spread};
use super::terminal::{self, Controlled};

/// Passes bytes on as they come; the terminal itself repeats nothing.
const PROGRAM: &str = "stty raw -echo; printf ready; exec cat";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes typed at a session in one turn.
const TYPED_A_TURN: usize = 20;

/// Measures and reports.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let turns = match effort {
        Effort::Quick => 5,
        Effort::Normal | Effort::Full => 50,
    };
    let program = ["sh", "-c", PROGRAM].map(str::to_owned);
    let mut sessions = vec![
        Typing::start(scratch, "direct", &program)?,
        Typing::start(
            scratch,
            "aido",
            &[&[AIDO.to_owned()][..], &program].concat(),
        )?,
    ];
    if let Some(script) = scratch::find("script") {
        let argv = [&script, "-qec", PROGRAM, "/dev/null"].map(str::to_owned);
        sessions.push(Typing::start(scratch, "script", &argv)?);
    }
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); sessions.len()];
    for turn in 0..=turns {
        for (session, times) in sessions.iter().zip(&mut times) {
            for _ in 0..TYPED_A_TURN {
                let time = session.echo()?.as_secs_f64() * 1e6;
                // The first turn only warms up.
                if turn > 0 {
                    times.push(time);
                }
            }
        }
    }
    let mut table = Table::new(&["", "median, µs", "min–max", "ratio", "target"]);
    let mut direct = f64::NAN;
    for (session, times) in sessions.iter().zip(times) {
        let own = spread(times);
        if session.name == "direct" {
            direct = own.median;
        }
        let ratio = own.median / direct;
        let target = match session.name {
            "aido" => Target::AtMost(3.0).check(ratio),
            _ => String::new(),
        };
        table.row(&[
            session.name.to_owned(),
            format!("{:.0}", own.median),
            format!("{:.0}–{:.0}", own.min, own.max),
            format!("{ratio:.2}"),
            target,
        ]);
    }
    for session in sessions {
        session.end();
    }
    Ok(format!(
        "## Echo\n\nA byte typed at a terminal, through cat in raw mode and back; medians of {}, in \
         interleaved turns of {TYPED_A_TURN}.\n\n{}",
        turns * TYPED_A_TURN,
        table.text()
    ))
}

/// A session that somebody types at.
struct Typing {
    name: &'static str,
    master: OwnedFd,
    started: Started,
}

impl Typing {
    fn start(scratch: &Scratch, name: &'static str, argv: &[String]) -> io::Result<Self> {
        let (master, slave) = terminal::open()?;
        let mut command = scratch.command(&argv[0]);
        command
            .args(&argv[1..])
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?)
            .stderr(slave);
        terminal::in_new_session(&mut command, Controlled::ByStdin);
        let typing = Self {
            name,
            master,
            started: Started::start(&mut command)?,
        };
        drop(command);
        let mut seen = Vec::new();
        while !seen.ends_with(b"ready") {
            let mut buffer = [0; 256];
            let count = typing.read(&mut buffer)?;
            seen.extend_from_slice(&buffer[..count]);
        }
        Ok(typing)
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut poll = [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)];
        let patience = Timespec {
            tv_sec: PATIENCE.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: 0,
        };
        if rustix::event::poll(&mut poll, Some(&patience))? == 0 {
            let text = format!("{} does not answer", self.name);
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        Ok(rustix::io::read(&self.master, buffer)?)
    }

    fn echo(&self) -> io::Result<Duration> {
        let mut buffer = [0; 16];
        let since = Instant::now();
        rustix::io::write(&self.master, b"x")?;
        let count = self.read(&mut buffer)?;
        let time = since.elapsed();
        match &buffer[..count] {
            b"x" => Ok(time),
            other => Err(io::Error::other(format!("{}: echoed {other:?}", self.name))),
        }
    }

    /// Hangs up, and waits for the end.
    fn end(self) {
        drop(self.master);
        self.started.kill();
    }
}
