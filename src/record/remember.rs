//! What a run adds to failure memory, and what failure memory knows about a command.
//!
//! A command that succeeds costs a look at what its sidecar quotes, and opening one file that isn't there.
//! Patterns are compiled, and files read, only after a failure, when the caller has all of its output.
//! Whatever goes wrong here is dropped: a run is never changed by it.

use std::path::Path;

use super::Request;
use crate::clock;
use crate::config::Report;
use crate::egress::{Echoes, without_tags};
use crate::faults::history::Tree;
use crate::faults::lookup::Proof;
use crate::faults::normal::head;
use crate::faults::{
    Cause, CommandKey, FirstLook, History, Record, Run, Sighting, Status, Verdict, classify,
    fault_id, first_look, lookup,
};
use crate::memory::{CureSeeker, FaultStore, Hide, Known, Reach, Success, caller_of};
use crate::session::{Metadata, Outcome, Timestamp};
use crate::store::Draft;
use crate::store::fs::FileStore;
use crate::transcript::Excerpt;
use crate::transcript::render::{self, LineFeed};

/// How much of the end of the output is looked at.
const OUTPUT_BYTES: usize = 64 * 1024;
/// The longest command that is remembered, in bytes.
const COMMAND_BYTES: usize = 400;
/// The most lessons in a sidecar.
const LESSONS_MAX: usize = 5;

/// What is known of a failure, in words for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFailure {
    /// The id.
    pub fault: String,
    /// The command, as one line.
    pub command: String,
    /// How often it was seen.
    pub times: u64,
    /// Whether the command works at times though nothing changed.
    pub is_flaky: bool,
    /// Since when it was last seen, in seconds; none where that is now.
    pub age_seconds: Option<i64>,
    /// What is said about it.
    pub why: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// Failure memory, as one run uses it.
pub(super) struct Remember<'r> {
    request: &'r Request,
    store: &'r FileStore,
    faults: FaultStore,
}

/// How a run ended, as far as failure memory is concerned.
pub(super) enum Judged {
    /// There is nothing to remember.
    Unremarkable,
    /// It worked, as far as its exit code tells.
    Worked(Worked),
    /// It failed.
    Failed(Box<Failure>),
}

/// A command that worked.
pub(super) struct Worked {
    key: CommandKey,
    success: Success,
    proof: Proof,
}

/// A failure that is to be remembered.
pub(super) struct Failure {
    record: Record,
    sighting: Sighting,
    lessons: Vec<String>,
}

impl<'r> Remember<'r> {
    /// The failure memory beside a store.
    pub(super) fn new(request: &'r Request, store: &'r FileStore) -> Self {
        Self {
            request,
            store,
            // Whoever holds the lock may hold it for long; a command's end doesn't wait for that.
            faults: FaultStore::beside(store).in_passing(),
        }
    }

    /// What is known of the command that is about to run, where the caller wants to hear of it.
    pub(super) fn look_up(&self, known: &Metadata) -> Option<KnownFailure> {
        if self.request.settings.report == Report::Never {
            return None;
        }
        let key = CommandKey::of(&known.argv, known.shell_line.as_deref())?;
        let directory = self.directory(known);
        let look = || {
            self.faults
                .known_to_fail(&key, &directory)
                .into_iter()
                .next()
        };
        let mut found = look()?;
        // Only a command that is known to fail pays for the rest.
        if let Some(history) = &found.history
            && self.seek_cure(history, &self.hide(), known.timestamp)
        {
            found = look()?;
        }
        let history = found.history.as_ref()?;
        let age = known.timestamp.0 - history.last_seen.0;
        Some(KnownFailure {
            age_seconds: Some(age.num_seconds()),
            ..in_words(&found, history)
        })
    }

    /// Tells how a run ended, and fills in what its sidecar says about that.
    pub(super) fn judge(
        &self,
        metadata: &mut Metadata,
        outcome: &Outcome,
        excerpt: &Excerpt,
        draft: &mut dyn Draft,
    ) -> Judged {
        let quoted = Run {
            argv: &metadata.argv,
            shell_line: metadata.shell_line.as_deref(),
            outcome,
            output: &metadata.stdout_tail,
            errors: metadata.stderr_head.as_deref().unwrap_or_default(),
        };
        match first_look(&quoted) {
            FirstLook::Settled(verdict) => {
                metadata.outcome = Some(verdict.judgement());
                let worked = match verdict {
                    Verdict::Ok => self.worked(metadata),
                    // `make | grep error` that finds none any more.
                    Verdict::Negative { .. } => {
                        let worked = self.worked(metadata);
                        worked.filter(|worked| worked.proof != Proof::ExitCode)
                    }
                    _ => None,
                };
                worked.map_or(Judged::Unremarkable, Judged::Worked)
            }
            FirstLook::LookCloser => self.look_closer(metadata, outcome, excerpt, draft),
        }
    }

    /// Tells which failure it was. Apart from what every run passes, so that the pages of that stay few.
    #[cold]
    fn look_closer(
        &self,
        metadata: &mut Metadata,
        outcome: &Outcome,
        excerpt: &Excerpt,
        draft: &mut dyn Draft,
    ) -> Judged {
        let [errors, output] = texts(metadata, excerpt, draft);
        let run = Run {
            argv: &metadata.argv,
            shell_line: metadata.shell_line.as_deref(),
            outcome,
            output: &output,
            errors: &errors,
        };
        let verdict = classify(&run, &self.faults.rules());
        let judgement = verdict.judgement();
        let (Verdict::Fault(cause) | Verdict::Suspect(cause)) = verdict else {
            metadata.outcome = Some(judgement);
            return Judged::Unremarkable;
        };
        let failure = self.failure(&cause, metadata);
        metadata.outcome = Some(judgement);
        metadata.fault = Some(failure.record.fault.to_string());
        metadata.lessons.clone_from(&failure.lessons);
        Judged::Failed(Box::new(failure))
    }

    fn failure(&self, cause: &Cause, metadata: &Metadata) -> Failure {
        let hide = self.hide();
        // Before anything is made of it: what follows is remembered, and some of it shared.
        let echoes = Echoes::of(metadata).without_tags();
        let cause = &cause.with_texts(&|text| hide.text(&echoes.hide(text)));
        let known = metadata.redactions.as_ref();
        let known = known.and_then(|known| known.command.as_ref());
        let command = without_tags(known.unwrap_or(&metadata.command));
        let line = metadata.shell_line.as_deref();
        let key = CommandKey::of(&metadata.argv, line);
        let git = metadata.git.as_ref();
        let leaving = |text: &str| hide.text(&echoes.hide(text));
        let sighting = Sighting {
            session: metadata.session_id.to_string(),
            at: metadata.timestamp,
            agent: metadata.agent.clone(),
            caller: caller_of(metadata).to_owned(),
            command: head(&hide.command(&command), COMMAND_BYTES).to_owned(),
            key: key.map_or_else(String::new, |key| key.as_str().to_owned()),
            directory: self.directory(metadata),
            branch: git.and_then(|git| git.branch.as_deref()).map(leaving),
            commit: git.and_then(|git| git.commit.clone()),
            exit_code: metadata.exit_code,
            line: cause.line.clone(),
            message: cause.message.clone(),
            advice: cause.lesson.clone(),
            named: cause.named.clone(),
        };
        let about = || {
            let fault = fault_id(cause);
            let known = self.faults.about(&fault, &cause.class, &cause.command_key);
            known.asked_about(CommandKey::of(&metadata.argv, line))
        };
        let mut known = about();
        // A cure of the time before is known only once somebody looks for it.
        if let Some(history) = &known.history
            && self.seek_cure(history, &hide, metadata.timestamp)
        {
            known = about();
        }
        let mut lessons = known.advice_with(sighting.advice.as_deref());
        lessons.truncate(LESSONS_MAX);
        if known.history.is_some() && known.status() == Status::Ignored {
            lessons.clear();
        }
        Failure {
            record: Record::of(cause),
            sighting,
            lessons,
        }
    }

    /// Remembers it, once the session is published. Gives what a report says about a failure.
    pub(super) fn keep(&self, judged: Judged) -> Option<KnownFailure> {
        match judged {
            Judged::Unremarkable => None,
            Judged::Worked(worked) => {
                self.note_success(&worked);
                None
            }
            Judged::Failed(failure) => self.note_failure(*failure),
        }
    }

    #[cold]
    fn note_failure(&self, failure: Failure) -> Option<KnownFailure> {
        let Failure {
            record,
            sighting,
            lessons,
        } = failure;
        let mut failure = KnownFailure {
            fault: record.fault.to_string(),
            command: sighting.command.clone(),
            times: 1,
            is_flaky: false,
            age_seconds: None,
            why: sighting.message.as_ref().unwrap_or(&sighting.line).clone(),
            advice: lessons.into_iter().next(),
        };
        // Where it can't be remembered, what it was is known all the same.
        if let Ok(history) = self.faults.note_failure(&record, sighting) {
            self.faults.sweep(clock::now());
            if history.status == Status::Ignored {
                return None;
            }
            failure.times = history.count;
            failure.is_flaky = history.status == Status::Flaky;
        }
        Some(failure)
    }

    fn worked(&self, metadata: &Metadata) -> Option<Worked> {
        let (argv, line) = (&metadata.argv, metadata.shell_line.as_deref());
        Some(Worked {
            key: CommandKey::of(argv, line)?,
            success: Success {
                session: metadata.session_id.to_string(),
                at: metadata.timestamp,
                commit: metadata.git.as_ref().and_then(|git| git.commit.clone()),
                directory: self.directory(metadata),
            },
            proof: Proof::of(argv, line),
        })
    }

    /// A command that worked ends what it failed with before: mostly nothing, which takes opening one file
    /// that isn't there.
    fn note_success(&self, worked: &Worked) {
        let marked = self.faults.probe(&worked.key);
        if marked.is_empty() {
            return;
        }
        let commit = worked.success.commit.as_deref();
        let tree = |history: &History| self.tree_since(history, commit);
        let refutes = |history: &History| {
            let last = &history.last;
            // Of a line that was cut nobody knows how it ended.
            let is_whole = last.command.len() + 4 < COMMAND_BYTES;
            let is_same = is_whole && last.key == worked.key.as_str();
            worked.proof == Proof::ExitCode || (is_same && worked.proof.refutes(&last.command))
        };
        // A failure that stays open is found by the next success.
        let _ = self
            .faults
            .note_success(&worked.key, &marked, &worked.success, &tree, &refutes);
    }

    /// Whether the tree is as it was when a failure was last seen.
    fn tree_since(&self, history: &History, commit: Option<&str>) -> Tree {
        let last = &history.last;
        match (last.commit.as_deref(), commit) {
            (Some(before), Some(now)) if before == now => {}
            (None, None) => return Tree::Unknown,
            _ => return Tree::Changed,
        }
        match self.request.place.tracked_changed_since(last.at) {
            Some(true) => Tree::Changed,
            Some(false) => Tree::Unchanged,
            None => Tree::Unknown,
        }
    }

    fn directory(&self, metadata: &Metadata) -> String {
        let cwd = metadata.cwd.as_deref().unwrap_or_default();
        lookup::directory(Path::new(cwd), self.request.place.root.as_deref())
    }

    fn hide(&self) -> Hide {
        Hide::new(self.request.environment.texts())
    }

    /// Looks for the cure of a failure that is recent, waiting for hardly anybody: it may as well be found
    /// another time.
    fn seek_cure(&self, history: &History, hide: &Hide, now: Timestamp) -> bool {
        let seeker = CureSeeker {
            faults: &self.faults,
            store: self.store,
            root: self.request.place.root.as_deref(),
            hide,
            now,
        };
        seeker.seek(history, Reach::Recent)
    }
}

/// What a report says of a failure.
fn in_words(known: &Known, history: &History) -> KnownFailure {
    KnownFailure {
        fault: known.fault.to_string(),
        command: history.last.command.clone(),
        times: history.count,
        is_flaky: history.status == Status::Flaky,
        age_seconds: None,
        why: known.why().into_owned(),
        advice: known.advice().into_iter().next(),
    }
}

/// Standard error and standard output as text, as much as there is of either. What was recorded apart is
/// told by its beginning, and by the end of all output, in the order in which it came.
fn texts(metadata: &Metadata, excerpt: &Excerpt, draft: &mut dyn Draft) -> [String; 2] {
    let size = metadata.tty.size.unwrap_or(crate::plan::DEFAULT_SIZE);
    let (columns, rows) = (size.columns, size.rows);
    let line_feed = if metadata.tty.bare_line_feeds {
        LineFeed::WithReturn
    } else {
        LineFeed::Plain
    };
    let bytes = draft.output_end(metadata.output_bytes, OUTPUT_BYTES);
    let mut end = bytes.as_slice();
    if metadata.output_bytes > end.len() as u64 {
        // From the beginning of a line.
        let newline = end.iter().position(|byte| *byte == b'\n');
        end = newline.map_or(end, |newline| &end[newline + 1..]);
    }
    let end = render::tail(end, columns, rows, line_feed, OUTPUT_BYTES);
    let head = excerpt.errors_head();
    let head = render::head(head, columns, rows, LineFeed::WithReturn, OUTPUT_BYTES);
    if excerpt.errors_were_cut() {
        // The last line that tells is in the end then.
        [end, head]
    } else {
        [head, end]
    }
}
