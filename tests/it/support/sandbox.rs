//! What sandboxes forbid, in the way in which they do it: by a filter of system calls.

use std::io;

/// No socket can be made at all.
pub(crate) const NO_SOCKETS: &[i64] = &[libc::SYS_socket];
/// Sockets can be made, and lead nowhere.
pub(crate) const NO_CONNECTIONS: &[i64] = &[
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
];

/// Whether the kernel has filters of system calls.
pub(crate) fn has_filters() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.contains("Seccomp:")
}

/// For `before_exec`: from then on these calls fail with EPERM, in whatever is started, too.
pub(crate) fn forbid(calls: &[i64]) -> impl FnMut() -> io::Result<()> + Send + Sync + use<> {
    let step = |code: u32, jump_true, jump_false, value: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt: jump_true,
        jf: jump_false,
        k: value,
    };
    // The number of the call is the first field of what the filter sees.
    let mut program = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0)];
    let refuse = libc::SECCOMP_RET_ERRNO | u32::try_from(libc::EPERM).unwrap();
    for call in calls {
        let number = u32::try_from(*call).unwrap();
        program.push(step(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            1,
            number,
        ));
        program.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, refuse));
    }
    program.push(step(
        libc::BPF_RET | libc::BPF_K,
        0,
        0,
        libc::SECCOMP_RET_ALLOW,
    ));
    move || {
        let filter = libc::sock_fprog {
            len: u16::try_from(program.len()).unwrap_or(0),
            filter: program.as_mut_ptr(),
        };
        // SAFETY: the program is complete and outlives the call; the kernel checks and copies it.
        let failed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                || libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::SECCOMP_MODE_FILTER,
                    &raw const filter,
                ) != 0
        };
        if failed {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }
}
