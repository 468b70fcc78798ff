//! S6: names, directories, arguments, sidecars, store entries and environments made to do harm, in a
//! place with canaries around the store.
//!
//! Each case runs a command, then every reading word. The command's code and output are kept, nothing
//! outside the store changes, what aido makes is private, and no reader panics, hangs or hands a control
//! character on.

use std::ffi::OsString;
use std::time::Duration;

use rustix::process::{Resource, Rlimit};

use crate::Bench;
use crate::crowd::{crowd, processors};
use crate::dice::Dice;
use crate::running::{HUNG, Output, Run};
use crate::sessions;
use crate::verdict::Verdict;
use crate::words;

mod agents;
mod arguments;
mod directories;
mod entries;
mod environments;
mod ground;
mod mixed;
mod nasty;
mod sidecars;

use ground::Ground;

const CODE: i32 = 7;
/// The longest that one call may take.
const LIMIT: Duration = Duration::from_secs(20);
/// The longest name of a case, in characters.
const NAME: usize = 100;
/// What a reader may have, whatever a file says of sizes.
const READER_BYTES: u64 = 1 << 30;

type Stage = Box<dyn Fn(&Ground) -> anyhow::Result<()> + Send + Sync>;
type Change = Box<dyn Fn(&Ground, Run) -> Run + Send + Sync>;

/// What aido is to do with the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Run it.
    Runs,
    /// Run it, or say why not and not start it: settings that can't be taken.
    RunsOrRefuses,
}

/// One attempt to do harm.
struct Case {
    name: String,
    /// Whether there is a session before the ground is prepared.
    after_a_session: bool,
    stage: Vec<Stage>,
    change: Vec<Change>,
    /// aido's own options.
    options: Vec<OsString>,
    /// Arguments that the command prints.
    printed: Vec<OsString>,
    expected: Expected,
}

impl Case {
    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into().chars().take(NAME).collect(),
            after_a_session: false,
            stage: Vec::new(),
            change: Vec::new(),
            options: Vec::new(),
            printed: Vec::new(),
            expected: Expected::Runs,
        }
    }

    /// Prepares the ground.
    fn staged(
        mut self,
        stage: impl Fn(&Ground) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.stage.push(Box::new(stage));
        self
    }

    /// Prepares the ground once there is a session.
    fn staged_after(
        self,
        stage: impl Fn(&Ground) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let mut case = self.staged(stage);
        case.after_a_session = true;
        case
    }

    /// Changes how aido is run.
    fn changed(mut self, change: impl Fn(&Ground, Run) -> Run + Send + Sync + 'static) -> Self {
        self.change.push(Box::new(change));
        self
    }

    fn may_refuse(mut self) -> Self {
        self.expected = Expected::RunsOrRefuses;
        self
    }
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let mut dice = Dice::new(bench.seed, 6);
    let kinds: [(&str, Vec<Case>, usize); 7] = [
        ("agents", agents::cases(&mut dice), 200),
        ("directories", directories::cases(), 120),
        ("arguments", arguments::cases(&mut dice), 114),
        ("sidecars", sidecars::cases(&mut dice), 420),
        ("store entries", entries::cases(), entries::COUNT),
        ("environments", environments::cases(), 42),
        ("mixed", mixed::cases(&mut dice), 76),
    ];
    let mut sum = 0;
    let mut counts = Vec::new();
    for (name, mut cases, count) in kinds {
        anyhow::ensure!(cases.len() >= count, "only {} {name}", cases.len());
        if name == "store entries" {
            // Few, and each is of another kind.
            cases.truncate(bench.pick(entries::LINKS, count));
        }
        // By chance, so that both sizes meet all sorts, and the seed says which.
        while cases.len() > bench.pick((count / 10).max(entries::LINKS), count) {
            cases.swap_remove(dice.below(cases.len()));
        }
        let results = crowd(processors(), cases.len(), |number| {
            let ground = Ground::new(bench, &format!("S6-{name}-{number}").replace(' ', "-"))?;
            attempt(&ground, &cases[number])
        });
        for (case, faults) in cases.iter().zip(results) {
            let case = format!("{name}, {}", case.name);
            verdict.faults(faults?.into_iter().map(|fault| format!("{case}: {fault}")));
        }
        sum += cases.len();
        counts.push(format!("{} {name}", cases.len()));
    }
    verdict.figure(format!("{sum} cases ({})", counts.join(", ")));
    Ok(verdict)
}

/// Tries one case; what should not be.
fn attempt(ground: &Ground, case: &Case) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    if case.after_a_session {
        let run = ground
            .place
            .aido(["sh", "-c", "printf 'before \\033[31mred\\n'; exit 3"])
            .output()?;
        anyhow::ensure!(run.code() == 3, "before: {}", run.describe());
    }
    for stage in &case.stage {
        stage(ground)?;
    }
    let (before, modes) = (ground.picture()?, ground.own_modes());
    let started = ground.place.path("temporary/started");
    let script = format!(
        ": >{}; printf 'out\\n'; printf '%s\\n' \"$@\"; exit {CODE}",
        started.display()
    );
    let changed = |run: Run| {
        case.change
            .iter()
            .fold(run, |run, change| change(ground, run))
    };
    let run = ground
        .place
        .aido(&case.options)
        .arguments(["sh", "-c", &script, "sh"]);
    let run = changed(run.arguments(&case.printed).limit(LIMIT)).output()?;
    let mut expected = b"out\n".to_vec();
    if case.printed.is_empty() {
        expected.push(b'\n');
    }
    for argument in &case.printed {
        expected.extend(argument.as_encoded_bytes());
        expected.push(b'\n');
    }
    let ran = run.code() == CODE && run.stdout == expected;
    let refused = run.code() == 125 && run.has_notice() && !started.exists();
    if !(ran || refused && case.expected == Expected::RunsOrRefuses) || run.has_panic() {
        faults.push(run.describe());
    }
    faults.extend(unclean(&run.stderr).map(|what| format!("said {what}: {}", run.describe())));
    if let Some(id) = ground.odd_id() {
        faults.push(format!("an odd id: {id}"));
    }
    for words in words::READERS {
        let reader = changed(ground.place.aido(*words).limit(LIMIT));
        let bound = Rlimit {
            current: Some(READER_BYTES),
            maximum: Some(READER_BYTES),
        };
        let reader =
            reader.before_exec(move || Ok(rustix::process::setrlimit(Resource::As, bound)?));
        let output = reader.output()?;
        faults.extend(judge_reader(words, &output).map(|what| format!("{words:?}: {what}")));
    }
    let after = ground.picture()?;
    faults.extend(ground::difference(&before, &after));
    faults.extend(ground::not_private(&modes, &ground.own_modes()));
    Ok(faults)
}

/// What is wrong with a reading word's answer.
fn judge_reader(words: &[&str], output: &Output) -> Option<String> {
    // What runs commands refuses with a code that theirs rarely have.
    let refuses = words.contains(&"rerun") && output.code() == 125 && output.has_notice();
    let is_answer = (0..=2).contains(&output.code()) || refuses;
    if output.code() == HUNG || output.has_panic() || !is_answer {
        return Some(output.describe());
    }
    let what = unclean(&output.stdout).or_else(|| unclean(&output.stderr));
    what.map(|what| format!("{what}: {}", output.describe()))
}

/// A character that could act on a terminal or deceive its reader.
fn unclean(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some("no UTF-8".to_owned());
    };
    let is_hidden = |letter: char| match letter {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => true,
        '\u{feff}' | '\u{e0000}'..='\u{e007f}' => true,
        letter => letter.is_control(),
    };
    let is_harmful = |letter: &char| match *letter {
        '\n' | '\t' => false,
        letter => is_hidden(letter),
    };
    let found = text.chars().find(is_harmful);
    found.map(|letter| format!("U+{:04X}", u32::from(letter)))
}

/// The id of the newest session in the ground's store.
fn newest(ground: &Ground) -> anyhow::Result<String> {
    let ids = sessions::finished_in(&ground.place.sessions());
    ids.into_iter()
        .next()
        .ok_or_else(|| anyhow::anyhow!("no session"))
}
