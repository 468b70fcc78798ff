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
mod staging;

use kinds::{Expected, KINDS, Kind};
use staging::Staged;

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

/// Tries one kind; an error inside is the reason why it can't be had here.
fn attempt(
    bench: &Bench,
    kind: &Kind,
    step: u64,
    (durability, tty): (&str, &str),
) -> anyhow::Result<Result<Attempted, String>> {
    let name = format!("S4-{}-{step}-{durability}", kind.place);
    let place = Place::new(bench, &name, Kept::ByName)?;
    let staged = match (kind.stage)(&place, step) {
        Ok(staged) => staged,
        Err(reason) => return Ok(Err(reason)),
    };
    let line = format!(
        "echo begin; read line; yes '{}' | head -c {OUTPUT_BYTES}; exit {CODE}",
        LINE.trim_end()
    );
    let is_nobodys = staged.is_nobodys;
    let aido = |arguments: &[&str]| {
        let run = place.aido(arguments);
        if is_nobodys { as_nobody(run) } else { run }
    };
    if is_nobodys
        && !aido(&["--version"])
            .output()
            .is_ok_and(|run| run.code() == 0)
    {
        return Ok(Err("another user can't run this binary".to_owned()));
    }
    let arguments = ["--durability", durability, "--tty", tty, "sh", "-c", &line];
    let variables = staged.variables.iter();
    let run = variables.fold(aido(&arguments), |run, (name, value)| run.env(name, value));
    let run = run_under(run, &staged)?;
    let record = newest(&place);
    let fault = judge(kind, &run, &record);
    let mut faults: Vec<String> = fault.map(|what| told(what, &run)).into_iter().collect();
    if let Err(reason) = (staged.relieve)() {
        return Ok(Err(reason));
    }
    // Where another variable named the store, this one goes where it belongs.
    let next = aido(&arguments).output()?;
    let next_record = newest(&place);
    let is_whole = matches!(&next_record, Ok(Some(session)) if session.output == next.stdout);
    if next.code() != CODE || !next.stderr.is_empty() || !is_whole {
        faults.push(told("the next session", &next));
    }
    drop(staged.mounted);
    let place = format!("{}, step {step}, {durability}, {tty}", kind.name);
    Ok(Ok(Attempted {
        has_sidecar: matches!(record, Ok(Some(_))),
        faults: faults
            .into_iter()
            .map(|fault| format!("{place}: {fault}"))
            .collect(),
    }))
}

fn told(what: &str, run: &Output) -> String {
    let said = String::from_utf8_lossy(&run.stderr);
    format!("{what}: exit {}, {said}", run.code())
}

/// What is wrong with a run in a limited store.
fn judge<'a>(
    kind: &Kind,
    run: &Output,
    record: &'a Result<Option<sessions::Session>, String>,
) -> Option<&'a str> {
    let session = match record {
        Err(what) => return Some(what),
        Ok(session) => session.as_ref(),
    };
    let is_whole = session
        .is_some_and(|session| session.output == run.stdout && session.events_fault.is_none());
    let may_refuse = kind.expected == Expected::RunsOrRefuses;
    if run.code() == HUNG {
        return Some("hangs");
    }
    if run.has_panic() {
        return Some("panics");
    }
    if may_refuse && run.code() == 125 && run.stdout.is_empty() {
        return (!run.has_notice()).then_some("refused in silence");
    }
    if run.code() != CODE || run.stdout != expected_output() {
        return Some("the command's code or output suffered");
    }
    if !is_whole && !run.has_notice() {
        return Some("the recording suffered in silence");
    }
    // A limit on descriptors takes the terminal first, which is said too.
    if is_whole && run.has_notice() && !may_refuse {
        return Some("a warning of nothing");
    }
    match (kind.expected, session) {
        (Expected::Sidecar, None) => Some("no sidecar although there was room at the start"),
        (Expected::NoRecord, Some(_)) => Some("the limit didn't hold"),
        _ => None,
    }
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
