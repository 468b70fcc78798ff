//! S4: stores that are full, limited, read-only or gone. The command runs and is delivered whole, what
//! the recording lacks is said, and once there is room again the next session is as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rustix::process::{Resource, Rlimit};

use crate::Bench;
use crate::mounts;
use crate::place::{Kept, Place};
use crate::running::{HUNG, Output, Run};
use crate::sessions;
use crate::verdict::Verdict;

mod kinds;

use kinds::{Expected, KINDS, Kind, Staged};

const CODE: i32 = 7;
/// More than any of the limits.
const OUTPUT_BYTES: usize = 400_000;
/// The command's line is printed so often.
const LINE: &str = "a line of the output of the command\n";

/// Somebody who is neither root nor the owner of anything.
const NOBODY: u32 = 65534;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    // Those that mount do it where nobody else sees it; without that, the others still run.
    match mounts::privately(|| try_all(bench, None, &mut verdict)) {
        Ok(result) => result?,
        Err(reason) => try_all(bench, Some(&reason), &mut verdict)?,
    }
    Ok(verdict)
}

fn try_all(bench: &Bench, no_mounts: Option<&str>, verdict: &mut Verdict) -> anyhow::Result<()> {
    let variants: &[(&str, &str)] = bench.pick(
        &[("normal", "always")],
        &[("normal", "always"), ("full", "always"), ("fast", "never")],
    );
    let (mut tried, mut runs, mut with_sidecar) = (0, 0, 0);
    let mut skipped: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for kind in KINDS {
        if let Some(reason) = no_mounts.filter(|_| kind.mounts) {
            skipped
                .entry(reason.to_owned())
                .or_default()
                .insert(kind.name);
            continue;
        }
        let mut was_tried = false;
        for variant in variants {
            for step in (0..kind.steps).step_by(bench.pick(3, 1)) {
                match attempt(bench, kind, step, *variant)? {
                    Ok(result) => {
                        was_tried = true;
                        runs += 1;
                        with_sidecar += usize::from(result.has_sidecar);
                        verdict.faults(result.faults);
                    }
                    Err(reason) => {
                        skipped.entry(reason).or_default().insert(kind.name);
                    }
                }
            }
        }
        tried += usize::from(was_tried);
    }
    for (reason, kinds) in skipped {
        let names: Vec<&str> = kinds.into_iter().collect();
        verdict.skip(format!("{}: {reason}", names.join(", ")));
    }
    verdict.figure(format!(
        "{tried} of {} kinds in {runs} runs, {with_sidecar} of them with a sidecar",
        KINDS.len()
    ));
    Ok(())
}

struct Attempted {
    has_sidecar: bool,
    faults: Vec<String>,
}

fn attempt(
    bench: &Bench,
    kind: &Kind,
    step: u64,
    (durability, tty): (&str, &str),
) -> anyhow::Result<Result<Attempted, String>> {
    let place = Place::new(
        bench,
        &format!("S4-{}-{step}-{durability}", kind.place),
        Kept::ByName,
    )?;
    let staged = match (kind.stage)(&place, step) {
        Ok(staged) => staged,
        Err(reason) => return Ok(Err(reason)),
    };
    let arguments = ["--durability", durability, "--tty", tty, "sh", "-c"];
    let line = format!(
        "echo begin; read line; yes '{}' | head -c {OUTPUT_BYTES}; exit {CODE}",
        LINE.trim_end()
    );
    let prepare = || {
        let run = place.aido(arguments).arguments([&line]);
        let run = staged
            .variables
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        if staged.is_nobodys {
            as_nobody(run)
        } else {
            run
        }
    };
    if staged.is_nobodys
        && as_nobody(place.aido(["--version"]))
            .output()
            .map_or(HUNG, |run| run.code())
            != 0
    {
        return Ok(Err("another user can't run this binary".to_owned()));
    }
    let mut faults = Vec::new();
    let mut fault = |what: &str, run: &Output| {
        let said = String::from_utf8_lossy(&run.stderr);
        faults.push(format!(
            "{} {step}, {durability}, {tty}: {what}: exit {}, {said}",
            kind.name,
            run.code()
        ));
    };
    let run = run_under(prepare(), &staged)?;
    let ran = run.stdout == expected_output();
    let record = newest(&place);
    let has_sidecar = matches!(record, Ok(Some(_)));
    let is_whole = matches!(&record, Ok(Some(session)) if session.output == run.stdout && session.events_fault.is_none());
    if run.code() == HUNG {
        fault("hangs", &run);
    } else if run.has_panic() {
        fault("panics", &run);
    } else if let Err(what) = &record {
        fault(what, &run);
    } else if kind.expected == Expected::RunsOrRefuses && run.code() == 125 {
        if run.stdout.is_empty() && !run.has_notice() {
            fault("refused in silence", &run);
        }
    } else if run.code() != CODE || !ran {
        fault("the command's code or output suffered", &run);
    } else if !is_whole && !run.has_notice() {
        fault("the recording suffered in silence", &run);
    } else if is_whole && run.has_notice() && kind.expected != Expected::RunsOrRefuses {
        fault("a warning of nothing", &run);
    } else if kind.expected == Expected::Sidecar && !has_sidecar {
        fault("no sidecar although there was room at the start", &run);
    } else if kind.expected == Expected::NoRecord && has_sidecar {
        fault("the limit didn't hold", &run);
    }
    let variables = staged.variables.clone();
    let is_nobodys = staged.is_nobodys;
    if let Err(reason) = (staged.relieve)() {
        return Ok(Err(reason));
    }
    // Where another variable named the store, the next session goes where it belongs.
    let next = place.aido(arguments).arguments([&line]);
    let next = if is_nobodys { as_nobody(next) } else { next };
    let next = next.output()?;
    let record = newest(&place);
    let is_right = next.code() == CODE
        && next.stderr.is_empty()
        && matches!(&record, Ok(Some(session)) if session.output == next.stdout);
    if !is_right {
        let wrong = record.err().unwrap_or_default();
        fault(&format!("the next session, {variables:?}: {wrong}"), &next);
    }
    drop(staged.mounted);
    Ok(Ok(Attempted {
        has_sidecar,
        faults,
    }))
}

/// Runs the command under its limits; what is to happen meanwhile happens after its first line.
fn run_under(run: Run, staged: &Staged) -> anyhow::Result<Output> {
    let mut run = run.limit(Duration::from_secs(60));
    for (resource, value) in staged.limits.iter().copied() {
        let limit = Rlimit {
            current: Some(value),
            maximum: Some(value),
        };
        run = run.before_exec(move || Ok(rustix::process::setrlimit(resource, limit)?));
    }
    let Some(meanwhile) = &staged.meanwhile else {
        return Ok(run.output()?);
    };
    let (reader, writer) = std::io::pipe()?;
    let mut running = run.stdin(reader).spawn()?;
    anyhow::ensure!(
        running.has_printed(b"begin\n")?,
        "the command doesn't begin"
    );
    meanwhile().map_err(anyhow::Error::msg)?;
    drop(writer);
    Ok(running.wait()?)
}

fn expected_output() -> Vec<u8> {
    let mut output = b"begin\n".to_vec();
    output.extend(LINE.bytes().cycle().take(OUTPUT_BYTES));
    output
}

/// The session that ended last; none if there is none.
fn newest(place: &Place) -> Result<Option<sessions::Session>, String> {
    let directory = place.sessions();
    let mut ids = sessions::finished_in(&directory);
    let ended = |id: &String| {
        let path = directory.join(format!("{id}.meta.json"));
        path.metadata().and_then(|status| status.modified()).ok()
    };
    ids.sort_by_key(ended);
    let newest = ids.last();
    newest
        .map(|id| sessions::read_without_events(&directory, id))
        .transpose()
}

fn as_nobody(run: Run) -> Run {
    run.before_exec(|| {
        // SAFETY: plain numbers. By the C library, since these are for the whole process.
        let dropped = unsafe { libc::setgid(NOBODY) == 0 && libc::setuid(NOBODY) == 0 };
        if dropped {
            Ok(())
        } else {
            Err(std::io::Error::last_os_error())
        }
    })
}

/// The limit's name for the table of kinds.
const FILE_SIZE: Resource = Resource::Fsize;
const DESCRIPTORS: Resource = Resource::Nofile;
