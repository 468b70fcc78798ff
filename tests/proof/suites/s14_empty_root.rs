//! S14: the binary in a root that has nothing else: no library, no shell, no /proc, no /etc, no terminal.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::Bench;
use crate::place::{Kept, Place};
use crate::running::Run;
use crate::sessions;
use crate::verdict::Verdict;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let binary = fs::read(crate::aido())?;
    if names_interpreter(&binary) {
        verdict.skip("this binary is linked dynamically");
        return Ok(verdict);
    }
    let place = Place::at(bench.root.join("S14"), Kept::ByName)?;
    let root = place.path("root");
    fs::create_dir(&root)?;
    fs::copy(crate::aido(), root.join("aido"))?;
    match entered(&place, &root, &["--version"])?.output() {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            verdict.skip(format!("an empty root can't be entered here: {error}"));
            return Ok(verdict);
        }
        Err(error) => {
            verdict.fault(format!("it doesn't start there: {error}"));
            return Ok(verdict);
        }
    }
    let mut cases = 0;
    for (arguments, code, printed) in [
        (&["--version"][..], 0, "aido "),
        (&["--help"], 0, "Usage: "),
        (&["--tty", "auto", "/aido", "--version"], 0, "aido "),
        (
            &["--tty", "never", "/aido", "no-such-word-or-program"],
            127,
            "",
        ),
        // The command is aido again, which records a command that isn't there: two sessions.
        (&["missing"], 127, ""),
        (&["list"], 0, "/aido --version"),
        (&["show", "last~3", "--raw"], 0, "aido "),
        (&["verify"], 0, ""),
        (&["doctor", "--json"], -1, "{"),
        (&["schema"], 0, "$schema"),
    ] {
        cases += 1;
        let run = entered(&place, &root, arguments)?.output()?;
        let is_code = run.code() == code || (code < 0 && (0..2).contains(&run.code()));
        let stdout = String::from_utf8_lossy(&run.stdout);
        if !is_code || run.has_panic() || !stdout.contains(printed) {
            verdict.fault(format!("{arguments:?}: {} {stdout:?}", run.describe()));
        }
    }
    let recorded = sessions::finished_in(&root.join("sessions"));
    verdict.check(recorded.len() == 4, || {
        format!("{} sessions instead of 4", recorded.len())
    });
    verdict.figure(format!(
        "{} bytes, {cases} cases, {} sessions",
        binary.len(),
        recorded.len()
    ));
    Ok(verdict)
}

/// Whether an ELF file asks for a dynamic linker: it names one.
fn names_interpreter(binary: &[u8]) -> bool {
    let start = &binary[..binary.len().min(64 * 1024)];
    start
        .windows(8)
        .any(|window| window == b"/ld-linu" || window == b"/ld-musl")
}

/// aido in that root.
fn entered(place: &Place, root: &Path, arguments: &[&str]) -> anyhow::Result<Run> {
    let path = CString::new(root.as_os_str().as_bytes())?;
    let is_root = rustix::process::geteuid().is_root();
    let run = place.program("/aido").arguments(arguments).env_clear();
    let run = run.env("AIDO_SESSION_DIR", "/sessions").env("HOME", "/");
    Ok(run.before_exec(move || {
        // SAFETY: system calls with a string that lives as long as the closure.
        unsafe {
            if !is_root && libc::unshare(libc::CLONE_NEWUSER) != 0 {
                return Err(io::Error::last_os_error());
            }
            if libc::chroot(path.as_ptr()) != 0 || libc::chdir(c"/".as_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }))
}
