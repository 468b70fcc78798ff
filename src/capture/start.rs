//! Opens what the plan asks for and starts the command on it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use super::channel::{Channel, Source, pipe};
use super::outer::Outer;
use super::stand_in::StandIn;
use crate::clock::Stopwatch;
use crate::plan::{CallerStream, Carrier, ErrorStream, Front, RunPlan, Situation, TerminalPlan};
use crate::session::Stream;
use crate::sys::monitor::Monitor;
use crate::sys::process::Target;
use crate::sys::pty::{Processing, Pty};
use crate::sys::signals::{self, AllBlocked, Arrival, Inbox};
use crate::sys::spawn::{ChildStream, Command, EmptyGroup, Group, SpawnError};
use rustix::process::Pid;

/// Signals that are passed on to the command, or that aido must survive.
const CAUGHT: &[i32] = &[
    libc::SIGCHLD,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGCONT,
    libc::SIGWINCH,
    // A transcript at the file size limit is a failed write, not aido's death.
    libc::SIGXFSZ,
];

/// Why a command is not running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system won't execute it; the error has the reason of execve(2).
    #[error("{0}")]
    Command(io::Error),
    /// There is no PTY, pipe or process to run it with.
    #[error("{0}")]
    Resources(io::Error),
}

impl From<SpawnError> for StartError {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::Program(source) => Self::Command(source),
            SpawnError::Process(source) => Self::Resources(source),
        }
    }
}

/// How the command is reached.
pub enum Child {
    /// aido is its parent.
    Direct(Pid),
    /// A monitor is, in the full situation.
    Monitored(Monitor),
}

/// A command that runs and whose output nobody has read yet.
pub struct Running<'i> {
    pub(super) situation: Situation,
    pub(super) inbox: &'i mut Inbox,
    /// Signals that came before the command was started.
    pub(super) early: Vec<Arrival>,
    pub(super) child: Child,
    pub(super) target: Target,
    pub(super) channels: Vec<Channel>,
    pub(super) outer: Option<Outer>,
    /// A PTY that stands in for the caller's terminal, in the attached situation.
    pub(super) stand_in: Option<StandIn>,
    pub(super) timeout: Option<std::time::Duration>,
    pub(super) stopwatch: Stopwatch,
}

/// What the command gets for one output stream, and aido's side of it.
struct Opened {
    child: ChildStream,
    /// The command's end, to be closed here once it has its own.
    end: Option<OwnedFd>,
    channel: Option<Channel>,
}

/// Starts to catch the signals that a run needs. Open it first and drop it last: a signal that
/// arrives before the command runs is passed on to it, and none ends aido while it publishes.
///
/// # Errors
/// When no pipe can be had.
pub fn inbox() -> io::Result<Inbox> {
    Inbox::open(CAUGHT)
}

/// The command's streams, opened and not used yet.
pub struct Opening {
    stdout: Opened,
    stderr: Opened,
    /// The group for a command that doesn't lead it, until the command is in it.
    group: Option<EmptyGroup>,
}

/// Opens the PTYs and pipes that the plan asks for.
///
/// # Errors
/// When there are no more of them.
pub fn open(terminal: &TerminalPlan) -> io::Result<Opening> {
    // First, so that its leader has ended when it is needed.
    let needs_group = terminal.situation == Situation::NoTerminal && !leads_its_group();
    let group = needs_group.then(EmptyGroup::make).and_then(Result::ok);
    let stdout = if terminal.situation == Situation::Full {
        open_terminal(terminal)?
    } else {
        open_stream(terminal.stdout, Stream::Stdout, terminal)?
    };
    let stderr = match terminal.stderr {
        ErrorStream::WithOutput => Opened {
            child: stdout.child,
            end: None,
            channel: None,
        },
        ErrorStream::Own(carrier) => open_stream(carrier, Stream::Stderr, terminal)?,
    };
    Ok(Opening {
        stdout,
        stderr,
        group,
    })
}

/// Starts the command on what was opened for it. `stopwatch` runs since the session's start.
///
/// # Errors
/// [`StartError`]; nothing runs then.
pub fn start<'i>(
    plan: &RunPlan,
    opening: Opening,
    inbox: &'i mut Inbox,
    stopwatch: Stopwatch,
) -> Result<Running<'i>, StartError> {
    let Opening {
        stdout,
        stderr,
        group,
    } = opening;
    let situation = plan.terminal.situation;
    let path = plan.environment.iter().find(|(name, _)| name == "PATH");
    let mut command = Command::new(
        &plan.argv,
        &plan.environment,
        path.map(|(_, value)| OsStr::new(value)),
    )
    .map_err(StartError::Command)?;
    let stdin = match (plan.terminal.caller.stdin, situation) {
        (CallerStream::Closed, _) => ChildStream::Closed,
        (_, Situation::Full) => stdout.child,
        (_, Situation::Attached | Situation::NoTerminal) => ChildStream::Inherit,
    };
    command.streams = [stdin, stdout.child, stderr.child];
    let mut channels = Vec::with_capacity(2);
    channels.extend(stdout.channel);
    channels.extend(stderr.channel);
    if situation != Situation::NoTerminal {
        // Caught, so that aido stops after the command has, not before; and sent to aido alone, it
        // suspends the command too.
        inbox.catch(libc::SIGTSTP);
    }
    // What came before there was a command has not been told to it by anybody.
    let blocked = AllBlocked::new();
    let mut early: Vec<Arrival> = std::iter::from_fn(|| inbox.next_arrival()).collect();
    if situation == Situation::Attached {
        // These too. Of what comes from here on, blocked, the command gets its own.
        let passed_on = [CAUGHT, &[libc::SIGTSTP]].concat();
        early.extend(signals::pending(&passed_on).map(|signal| Arrival {
            signal,
            from_process: false,
        }));
    }
    let started = match (&stdout.end, situation) {
        (Some(slave), Situation::Full) => {
            let pty = channels.first().and_then(Channel::pty);
            start_at_terminal(command, slave, pty, inbox, plan.terminal.front)?
        }
        _ => start_directly(command, situation, group, inbox)?,
    };
    drop(blocked);
    let stand_in = match (&started.child, situation) {
        (Child::Direct(pid), Situation::Attached) => {
            StandIn::of(&channels, *pid, plan.terminal.caller.stdin)
        }
        _ => None,
    };
    Ok(Running {
        situation,
        inbox,
        early,
        child: started.child,
        target: started.target,
        channels,
        outer: started.outer,
        stand_in,
        timeout: plan.timeout,
        stopwatch,
    })
}

/// A command that was just started.
struct Started {
    child: Child,
    target: Target,
    outer: Option<Outer>,
}

/// Starts the command behind a monitor, with `slave` as its controlling terminal.
fn start_at_terminal(
    command: Command,
    slave: &OwnedFd,
    pty: Option<&Pty>,
    inbox: &Inbox,
    front: Front,
) -> Result<Started, StartError> {
    let mut outer = (front == Front::Caller).then(Outer::new);
    if let Some(outer) = &mut outer {
        outer.follow_foreground(pty);
        if !outer.is_raw()
            && let Some(pty) = pty
        {
            pty.set_post_processing(Processing::Off);
        }
    }
    let monitor = Monitor::start(command, slave.as_fd(), inbox.inheritance())?;
    Ok(Started {
        target: Target::Group(monitor.command),
        child: Child::Monitored(monitor),
        outer,
    })
}

/// Starts the command as aido's own child.
fn start_directly(
    mut command: Command,
    situation: Situation,
    group: Option<EmptyGroup>,
    inbox: &Inbox,
) -> Result<Started, StartError> {
    command.dies_with_parent = true;
    command.group = match (situation, &group) {
        (Situation::Full | Situation::Attached, _) => Group::Callers,
        (Situation::NoTerminal, None) => Group::Own,
        (Situation::NoTerminal, Some(group)) => Group::Join(group.id()),
    };
    let pid = command.spawn(inbox.inheritance())?;
    let target = match command.group {
        Group::Own => Target::Group(pid),
        Group::Join(group) => Target::Group(group),
        Group::Callers | Group::OwnInForeground(_) => Target::Process(pid),
    };
    drop(group);
    Ok(Started {
        child: Child::Direct(pid),
        target,
        outer: None,
    })
}

/// Whether aido leads its process group, as the command would in its place.
fn leads_its_group() -> bool {
    rustix::process::getpgrp() == rustix::process::getpid()
}

fn open_terminal(terminal: &TerminalPlan) -> io::Result<Opened> {
    // Of the caller's terminal it gets the settings when aido is in front: then they are its caller's.
    let (pty, slave) = Pty::open(terminal.size, Processing::Usual)?;
    if terminal.front == Front::Clients {
        let mut opened = opened(Source::Pty(pty), slave, Stream::Stdout);
        if let Some(channel) = &mut opened.channel {
            // Whoever comes sees it through the attendant.
            channel.stop_delivering();
        }
        return Ok(opened);
    }
    Ok(opened(Source::Pty(pty), slave, Stream::Stdout))
}

fn open_stream(carrier: Carrier, stream: Stream, terminal: &TerminalPlan) -> io::Result<Opened> {
    match carrier {
        Carrier::Closed => Ok(Opened {
            child: ChildStream::Closed,
            end: None,
            channel: None,
        }),
        Carrier::Pty => {
            let (pty, slave) = Pty::open(terminal.size, Processing::Off)?;
            Ok(opened(Source::Pty(pty), slave, stream))
        }
        Carrier::Pipe => {
            let (reader, writer) = pipe()?;
            Ok(opened(Source::Pipe(reader), writer.into(), stream))
        }
    }
}

fn opened(source: Source, end: OwnedFd, stream: Stream) -> Opened {
    let target = match stream {
        Stream::Stdout => rustix::stdio::stdout(),
        Stream::Stderr => rustix::stdio::stderr(),
    };
    Opened {
        child: ChildStream::Use(end.as_raw_fd()),
        end: Some(end),
        channel: Some(Channel::new(stream, source, target)),
    }
}
