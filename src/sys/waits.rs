//! What a process waits for, as the kernel shows it: whether it would take something that is typed.
//!
//! /proc tells the system call that a thread is in and its arguments (proc(5), `syscall`), but only of
//! processes that the caller may trace: its own descendants always, others not everywhere.

use std::os::unix::fs::FileExt;

use super::process;

/// The most descriptors of one wait that are looked at.
const DESCRIPTORS: u64 = 1024;
/// The most threads of one process that are looked at.
const THREADS: usize = 64;

/// How a process waits for its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// It does not.
    Not,
    /// In select, poll or epoll, with whatever else it waits for. That it would take a key is certain;
    /// that it waits for nothing else is not.
    Among,
    /// In read(2): it does nothing else.
    Only,
}

impl Reads {
    /// Whether what is typed now would be taken.
    #[must_use]
    pub fn takes_keys(self) -> bool {
        self != Self::Not
    }
}

/// Whether a process waits for something to be typed, in any of its threads. One that passes on what
/// another terminal says, such as sudo or script, doesn't; whoever sits at that one may. None where
/// that can't be known.
#[must_use]
pub fn reads_terminal(process: i32) -> Option<Reads> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let threads = threads.flatten().take(THREADS);
    let looked = threads.filter_map(|thread| {
        let call = std::fs::read_to_string(thread.path().join("syscall")).ok()?;
        Some(of_call(process, &call))
    });
    let reads = looked.max()?;
    // In the background it is not the one that would get it.
    let is_asked = reads != Reads::Among || process::is_in_foreground(process);
    Some(if is_asked { reads } else { Reads::Not })
}

/// What one thread's call waits for.
fn of_call(process: i32, call: &str) -> Reads {
    let awaited = match awaited(process, call) {
        Some(Awaited::One(descriptor)) => {
            let reads = target(process, descriptor).is_some_and(|target| is_terminal(&target));
            return if reads { Reads::Only } else { Reads::Not };
        }
        Some(Awaited::Any(descriptors)) => descriptors,
        None => return Reads::Not,
    };
    let targets = awaited.into_iter();
    let targets: Vec<String> = targets
        .filter_map(|descriptor| target(process, descriptor))
        .collect();
    let passes_on = targets.iter().any(|target| is_master(target));
    let waits = targets.iter().any(|target| is_terminal(target));
    if waits && !passes_on {
        Reads::Among
    } else {
        Reads::Not
    }
}

/// What a thread waits to read from.
#[derive(Debug, PartialEq, Eq)]
enum Awaited {
    /// This descriptor.
    One(u64),
    /// The first of these that has something.
    Any(Vec<u64>),
}

/// What a call waits for: a number and six arguments.
fn awaited(process: i32, call: &str) -> Option<Awaited> {
    let mut fields = call.split_ascii_whitespace();
    // One that runs has "running" there.
    let number: i64 = fields.next()?.parse().ok()?;
    let mut argument = || u64::from_str_radix(fields.next()?.trim_start_matches("0x"), 16).ok();
    let (first, second) = (argument()?, argument()?);
    Some(match number {
        libc::SYS_read | libc::SYS_readv => Awaited::One(first),
        libc::SYS_ppoll => Awaited::Any(of_poll(&memory(process, first, bytes_of_poll(second))?)),
        libc::SYS_pselect6 => {
            Awaited::Any(of_select(&memory(process, second, bytes_of_set(first))?))
        }
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => Awaited::Any(of_epoll(process, first)?),
        // Newer systems have only the calls above.
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => Awaited::Any(of_poll(&memory(process, first, bytes_of_poll(second))?)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => Awaited::Any(of_select(&memory(process, second, bytes_of_set(first))?)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => Awaited::Any(of_epoll(process, first)?),
        _ => return None,
    })
}

fn bytes_of_poll(count: u64) -> usize {
    8 * usize::try_from(count.min(DESCRIPTORS)).unwrap_or(0)
}

fn bytes_of_set(count: u64) -> usize {
    usize::try_from(count.min(DESCRIPTORS).div_ceil(64) * 8).unwrap_or(0)
}

/// Bytes of a process's memory.
fn memory(process: i32, address: u64, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    let memory = std::fs::File::open(format!("/proc/{process}/mem")).ok()?;
    memory.read_exact_at(&mut bytes, address).ok()?;
    Some(bytes)
}

/// The descriptors of an array for poll(2) that are waited for to read.
fn of_poll(bytes: &[u8]) -> Vec<u64> {
    let entries = bytes.chunks_exact(8);
    let wanted = entries.filter_map(|entry| {
        let descriptor = i32::from_ne_bytes(entry[..4].try_into().ok()?);
        let events = i16::from_ne_bytes(entry[4..6].try_into().ok()?);
        // A negative one is left out by the kernel, too.
        let descriptor = u64::try_from(descriptor).ok()?;
        (events & (libc::POLLIN | libc::POLLRDNORM) != 0).then_some(descriptor)
    });
    wanted.collect()
}

/// The members of a set for select(2).
fn of_select(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.chunks_exact(8).zip(0_u64..);
    let bits = words.flat_map(|(word, index)| {
        let word = word.try_into().map_or(0, u64::from_ne_bytes);
        (0..64).filter_map(move |bit| (word >> bit & 1 == 1).then_some(64 * index + bit))
    });
    bits.collect()
}

/// The descriptors that an epoll instance waits for to read, as the kernel lists them.
fn of_epoll(process: i32, descriptor: u64) -> Option<Vec<u64>> {
    let info = std::fs::read_to_string(format!("/proc/{process}/fdinfo/{descriptor}")).ok()?;
    Some(of_epoll_info(&info))
}

fn of_epoll_info(info: &str) -> Vec<u64> {
    let wanted = info.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let mut value = |name| (fields.next()? == name).then(|| fields.next())?;
        let descriptor = value("tfd:")?.parse().ok()?;
        let events = u64::from_str_radix(value("events:")?, 16).ok()?;
        (events & 1 != 0).then_some(descriptor)
    });
    wanted.collect()
}

/// What a descriptor of a process is.
fn target(process: i32, descriptor: u64) -> Option<String> {
    let target = std::fs::read_link(format!("/proc/{process}/fd/{descriptor}")).ok()?;
    Some(target.to_string_lossy().into_owned())
}

fn is_master(target: &str) -> bool {
    target.ends_with("/ptmx")
}

fn is_terminal(target: &str) -> bool {
    (target.starts_with("/dev/pts/") && !is_master(target)) || target == "/dev/tty"
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn waits_are_read_as_the_kernel_has_them() {
        let entry = |descriptor: i32, events: i16| {
            let mut bytes = descriptor.to_ne_bytes().to_vec();
            bytes.extend(events.to_ne_bytes());
            bytes.extend([0, 0]);
            bytes
        };
        let array = [
            entry(0, libc::POLLIN | libc::POLLPRI),
            entry(5, libc::POLLOUT),
            entry(-1, libc::POLLIN),
            entry(7, libc::POLLRDNORM),
        ];
        assert_eq!(of_poll(&array.concat()), [0, 7]);
        let set = [0b1001_u64, 0, 1 << 63].map(u64::to_ne_bytes);
        assert_eq!(of_select(&set.concat()), [0, 3, 191]);
        let info = "pos:\t0\nflags:\t02000002\nmnt_id:\t15\n\
                    tfd:       17 events:       19 data:       11  pos:0 ino:4 sdev:18\n\
                    tfd:        3 events: 4 data: 3\ntfd: x events: 1\n";
        assert_eq!(of_epoll_info(info), [17]);
        for count in [0, 1, 64, 65, 1024, u64::MAX] {
            assert!(bytes_of_set(count) <= 128 && bytes_of_poll(count) <= 8192);
        }
        assert_eq!((bytes_of_set(1), bytes_of_set(65)), (8, 16));
    }

    #[test]
    fn a_call_is_one_of_those_that_wait() {
        let own = i32::try_from(std::process::id()).unwrap();
        let call =
            |number: i64, rest: &str| awaited(own, &format!("{number} {rest} 0x0 0x0 0x7f 0x7e"));
        assert_eq!(call(libc::SYS_read, "0x3 0x5"), Some(Awaited::One(3)));
        assert_eq!(call(libc::SYS_write, "0x3 0x5"), None);
        assert_eq!(
            call(libc::SYS_ppoll, "0x0 0x1"),
            None,
            "memory that isn't there"
        );
        assert_eq!(awaited(own, "running\n"), None);
        assert_eq!(awaited(own, ""), None);
        // Real memory.
        let set = [1_u64 << 9];
        let address = format!("0xa {:p}", set.as_ptr());
        assert_eq!(
            call(libc::SYS_pselect6, &address),
            Some(Awaited::Any(vec![9]))
        );
        let polled = [libc::pollfd {
            fd: 4,
            events: libc::POLLIN,
            revents: 0,
        }];
        let address = format!("{:p} 0x1", polled.as_ptr());
        assert_eq!(call(libc::SYS_ppoll, &address), Some(Awaited::Any(vec![4])));
    }

    #[test]
    fn terminals_are_known_by_their_names() {
        for (target, terminal, master) in [
            ("/dev/pts/3", true, false),
            ("/dev/tty", true, false),
            ("/dev/pts/ptmx", false, true),
            ("/dev/ptmx", false, true),
            ("socket:[1]", false, false),
            ("/dev/null", false, false),
        ] {
            assert_eq!(
                (is_terminal(target), is_master(target)),
                (terminal, master),
                "{target}"
            );
        }
        let file = std::fs::File::open("/dev/null").unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let descriptor = u64::try_from(file.as_raw_fd()).unwrap();
        assert_eq!(target(own, descriptor).as_deref(), Some("/dev/null"));
    }
}
