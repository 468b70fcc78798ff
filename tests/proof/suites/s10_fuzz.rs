//! S10: every parser of foreign bytes is given its corpus, and what chance makes of it. `cargo fuzz` tries the
//! same functions with coverage (`fuzz/`); here they are tried wherever the tests run.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::Bench;
use crate::crowd::{crowd, processors};
use crate::dice::Dice;
use crate::verdict::Verdict;

#[expect(unreachable_pub, reason = "the crate in fuzz/ uses it too")]
#[path = "../../fuzz/mod.rs"]
mod fuzz;

use fuzz::{TARGETS, Target};

/// The largest input that is made.
const INPUT_BYTES: usize = 16 * 1024;
/// How long one input may take before it counts as hung, in a debug binary beside others.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tries to make an input that fails smaller.
const SHRINKS: usize = 200;

/// What is often put into an input, because some parser looks for it.
const TOKENS: &[&[u8]] = &[
    b"%%\n",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x1b[",
    b"\x1b]",
    b"\x1bP",
    b"\x9b",
    b"\x1b[?1049h",
    b"\x18",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-1",
    b"0",
    b"18446744073709551615",
    b"9223372036854775808",
    b"1e308",
    b"4294967296",
    b"'''",
    b"=",
    b"#",
    b"$(",
    b"`",
    b"<<",
    b"&&",
    b"|",
    b"\xff",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x99\x82",
    b"\xcc\x81",
    b"\xe6\x97\xa5",
    b"password=",
    b"token",
    b"-----BEGIN PRIVATE KEY-----",
    b"~",
    b"@",
    b"../",
];

/// What a panic said, by the thread that it was in.
static SAID: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    if !corpora.is_dir() {
        verdict.skip("the sources are not beside this binary");
        return Ok(verdict);
    }
    check_names(&corpora, &mut verdict)?;
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        let name = thread::current().name().unwrap_or_default().to_owned();
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        said.insert(name, info.to_string());
    }));
    let results = crowd(processors(), TARGETS.len(), |number| {
        try_target(bench, &TARGETS[number], number, &corpora)
    });
    std::panic::set_hook(before);
    let (mut seeds, mut tries) = (0, 0);
    for (target, result) in TARGETS.iter().zip(results) {
        let tried = result?;
        (seeds, tries) = (seeds + tried.seeds, tries + tried.tries);
        for fault in tried.faults {
            verdict.fault(format!("{} ({}): {fault}", target.name, target.claim));
        }
    }
    verdict.figure(format!("{} parsers", TARGETS.len()));
    verdict.figure(format!("{seeds} inputs of the corpus"));
    verdict.figure(format!("{tries} made of them"));
    Ok(verdict)
}

/// Every target has a corpus, a file for `cargo fuzz` where that is here, and there is nothing else.
fn check_names(corpora: &Path, verdict: &mut Verdict) -> anyhow::Result<()> {
    let mut names: Vec<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    names.sort();
    let bins = corpora.join("../../../fuzz/fuzz_targets");
    for (directory, ending) in [(corpora, ""), (&bins, ".rs")] {
        // `fuzz/` is not in the package.
        let Ok(entries) = fs::read_dir(directory) else {
            continue;
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            found.push(name.strip_suffix(ending).unwrap_or(&name).to_owned());
        }
        found.sort();
        verdict.check(found == names, || {
            format!("{}: {found:?} instead of {names:?}", directory.display())
        });
    }
    Ok(())
}

struct Tried {
    seeds: usize,
    tries: usize,
    faults: Vec<String>,
}

/// Tries a target in a thread that can be given up.
fn try_target(
    bench: &Bench,
    target: &'static Target,
    number: usize,
    corpora: &Path,
) -> anyhow::Result<Tried> {
    let mut seeds = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(corpora.join(target.name))?.collect::<Result<_, _>>()?;
    paths.sort_by_key(fs::DirEntry::file_name);
    for path in paths {
        seeds.push(fs::read(path.path())?);
    }
    anyhow::ensure!(
        seeds.len() >= 3,
        "{} has {} inputs",
        target.name,
        seeds.len()
    );
    let (to_worker, inputs) = mpsc::channel::<Vec<u8>>();
    let (answer, answers) = mpsc::channel();
    let name = format!("fuzz {}", target.name);
    let worker = thread::Builder::new().name(name.clone());
    worker.spawn(move || {
        for input in inputs {
            let result = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
            if answer.send(result.is_ok()).is_err() {
                return;
            }
        }
    })?;
    // None if it hangs.
    let holds = |input: &[u8]| -> Option<bool> {
        to_worker.send(input.to_vec()).ok()?;
        answers.recv_timeout(PATIENCE).ok()
    };
    let mut dice = Dice::new(bench.seed, 1000 + number as u64);
    let (most, time) = bench.pick((400, 2), (usize::MAX, 60));
    let until = Instant::now() + Duration::from_secs(time);
    let mut tried = Tried {
        seeds: seeds.len(),
        tries: 0,
        faults: Vec::new(),
    };
    let mut next = 0;
    while tried.faults.len() < 3 {
        let is_seed = next < seeds.len();
        if !is_seed && (tried.tries >= most || Instant::now() > until) {
            break;
        }
        let input = match seeds.get(next) {
            Some(seed) => seed.clone(),
            None => mutant(&seeds, &mut dice),
        };
        next += 1;
        tried.tries += usize::from(!is_seed);
        match holds(&input) {
            Some(true) => {}
            Some(false) => {
                let said = said_by(&name);
                let small = shrunk(input, &mut dice, &|input| holds(input) == Some(false));
                let shown = small.escape_ascii();
                tried.faults.push(format!("b\"{shown}\": {said}"));
            }
            None => {
                let shown = input.escape_ascii();
                tried.faults.push(format!("b\"{shown}\": hung"));
                break;
            }
        }
    }
    Ok(tried)
}

/// What the last panic of a thread said.
fn said_by(name: &str) -> String {
    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    said.get(name).cloned().unwrap_or_default()
}

/// One of the inputs, changed a few times.
fn mutant(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = dice.one_of(seeds).clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(input.len() + 1);
        let end = (at + 1 + dice.below(20)).min(input.len());
        match dice.below(8) {
            0 if at < input.len() => input[at] ^= 1 << dice.below(8),
            1 if at < input.len() => input[at] = dice.number().to_le_bytes()[0],
            2 => drop(input.splice(at..at, dice.one_of(TOKENS).iter().copied())),
            3 => drop(input.splice(at..end, dice.one_of(TOKENS).iter().copied())),
            4 => drop(input.drain(at..end)),
            5 => {
                let again = input[at..end].repeat(1 + dice.below(30));
                drop(input.splice(at..at, again));
            }
            6 => {
                let other = dice.one_of(seeds);
                let from = dice.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(INPUT_BYTES);
    input
}

/// The input without what it fails without, as far as some tries find it.
fn shrunk(mut input: Vec<u8>, dice: &mut Dice, fails: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
    for _ in 0..SHRINKS {
        let from = dice.below(input.len());
        let most = (input.len() / 2).max(1);
        let to = (from + 1 + dice.below(most)).min(input.len());
        let smaller = [&input[..from], &input[to..]].concat();
        if smaller.len() < input.len() && fails(&smaller) {
            input = smaller;
        }
    }
    input
}
