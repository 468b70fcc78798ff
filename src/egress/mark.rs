//! What is marked when a session ends, and when something is said of it later.

use std::collections::BTreeMap;

use super::command_line;
use super::echo::Echoes;
use super::marked_place::MarkedPlace;
use crate::redact::{Options, Redactor, Report};
use crate::session::Metadata;
use crate::session::metadata::Redactions;

/// What the caller's own secrets are called begins so.
const OF_ENVIRONMENT: &str = "env.";

/// Replaces secrets in what the sidecar quotes of the output, and notes what of the command line, the note,
/// the labels, the task's name, the recorded variables, the directory and the branch may leave. These
/// themselves stay as they are: a command line is for running again.
pub fn mark(metadata: &mut Metadata, redactor: &Redactor) {
    let mut report = Report::default();
    let (argv, found) = redactor.argv(&metadata.argv);
    let typed = metadata.shell_line.as_ref();
    let typed = typed.map(|line| redactor.shell_line(line));
    let line = typed.as_ref().map(|(shown, _)| shown.as_str());
    let echoes = Echoes::between(metadata, &argv, line);
    let mut quote = |text: &mut String| {
        let (shown, found) = redactor.text(text);
        report.merge(&found);
        *text = echoes.hide(&shown);
    };
    quote(&mut metadata.stdout_tail);
    metadata.stderr_head.iter_mut().for_each(quote);
    // Of a line that was typed, the arguments are a shell's, and hold it.
    report.merge(typed.as_ref().map_or(&found, |(_, found)| found));
    let said = Said::of(metadata).without_secrets(redactor, &echoes);
    said.count(&mut report);
    let place = MarkedPlace::of(metadata, redactor, &echoes);
    place.count(&mut report);
    metadata.sensitive = Some(!report.is_clean() || !found.is_clean());
    metadata.redactions = (metadata.sensitive == Some(true)).then(|| {
        let line = command_line(metadata, redactor);
        let changed = |shown: String, given: &str| (shown != given).then_some(shown);
        let mut redactions = Redactions {
            command: changed(line.command, &metadata.command),
            argv: (argv != metadata.argv).then_some(argv),
            shell_line: typed.and_then(|(shown, _)| {
                changed(shown, metadata.shell_line.as_deref().unwrap_or_default())
            }),
            counts: report.into_counts(),
            ..Redactions::default()
        };
        said.note_in(&mut redactions, metadata);
        place.note_in(&mut redactions);
        redactions
    });
}

/// The marks for a session that begins: of the secrets that nobody knows any more if its recorder is
/// killed. None where none of the caller's own is in what is recorded of it by then.
#[must_use]
pub fn marked_at_start(metadata: &Metadata, redactor: &Redactor) -> Option<Metadata> {
    let mut marked = metadata.clone();
    mark(&mut marked, redactor);
    let mut rules = marked
        .redactions
        .iter()
        .flat_map(|known| known.counts.keys());
    let has_own = rules.any(|rule| rule.starts_with(OF_ENVIRONMENT));
    has_own.then_some(marked)
}

/// Marks a session whose recorder was killed: what it knew at the start is looked for in all of it, and
/// what was marked stays so.
pub fn mark_recovered(metadata: &mut Metadata) {
    let before = metadata.redactions.clone();
    let redactor = Redactor::new(Options {
        own: Echoes::of(metadata).secrets(),
        ..Options::default()
    });
    mark(metadata, &redactor);
    let Some(before) = before else { return };
    let known = metadata.redactions.get_or_insert_default();
    known.command = known.command.take().or(before.command);
    known.argv = known.argv.take().or(before.argv);
    known.shell_line = known.shell_line.take().or(before.shell_line);
    known.notes = known.notes.take().or(before.notes);
    known.tags = known.tags.take().or(before.tags);
    known.task = known.task.take().or(before.task);
    known.cwd = known.cwd.take().or(before.cwd);
    known.branch = known.branch.take().or(before.branch);
    for (name, shown) in before.env {
        known.env.entry(name).or_insert(shown);
    }
    for (rule, count) in before.counts {
        let all = known.counts.entry(rule).or_default();
        *all = count.max(*all);
    }
    metadata.sensitive = Some(true);
}

/// Marks what was said of a session that ended before: its note and its labels. `before` is the session
/// as it was: what was replaced in it then stays replaced, whoever adds to it.
pub fn mark_again(metadata: &mut Metadata, before: &Metadata, redactor: &Redactor) {
    let known = Said::marked(before);
    let echoes = Echoes::between_texts(Said::of(before).texts().zip(known.texts()));
    let said = Said::of(metadata).without_secrets(redactor, &echoes);
    let (mut gone, mut found) = (Report::default(), Report::default());
    known.count(&mut gone);
    said.count(&mut found);
    if found.is_clean() && before.redactions.is_none() {
        return;
    }
    let mut redactions = metadata.redactions.take().unwrap_or_default();
    redactions.counts = exchanged(redactions.counts, &gone, &found);
    said.note_in(&mut redactions, metadata);
    metadata.sensitive = Some(!redactions.counts.is_empty());
    metadata.redactions = (metadata.sensitive == Some(true)).then_some(redactions);
}

/// Counts without some, and with others.
fn exchanged(
    counts: BTreeMap<String, u64>,
    gone: &Report,
    found: &Report,
) -> BTreeMap<String, u64> {
    let mut counts = counts;
    for (rule, count) in gone.counts() {
        if let Some(all) = counts.get_mut(rule) {
            *all = all.saturating_sub(count);
        }
    }
    counts.retain(|_, count| *count > 0);
    for (rule, count) in found.counts() {
        *counts.entry(rule.to_owned()).or_default() += count;
    }
    counts
}

/// What was said of a session: texts of the caller's, which may hold the caller's secrets.
struct Said {
    notes: Option<String>,
    tags: Vec<String>,
    task: Option<String>,
}

impl Said {
    fn of(metadata: &Metadata) -> Self {
        Self {
            notes: metadata.notes.clone(),
            tags: metadata.tags.clone(),
            task: metadata.task.clone(),
        }
    }

    /// As far as it was marked, as it may leave.
    fn marked(metadata: &Metadata) -> Self {
        let mut marked = metadata.clone();
        super::put_marks(&mut marked);
        Self::of(&marked)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let single = [&self.notes, &self.task].map(|text| text.as_deref().unwrap_or_default());
        single
            .into_iter()
            .chain(self.tags.iter().map(String::as_str))
    }

    fn without_secrets(self, redactor: &Redactor, echoes: &Echoes) -> Self {
        let shown = |text: String| echoes.hide(&redactor.text(&text).0);
        Self {
            notes: self.notes.map(shown),
            tags: self.tags.into_iter().map(shown).collect(),
            task: self.task.map(shown),
        }
    }

    /// Counts what was replaced.
    fn count(&self, report: &mut Report) {
        self.texts().for_each(|text| report.count_in(text));
    }

    /// Notes what differs from what was said.
    fn note_in(self, redactions: &mut Redactions, metadata: &Metadata) {
        redactions.notes = self
            .notes
            .filter(|notes| metadata.notes.as_ref() != Some(notes));
        redactions.tags = Some(self.tags).filter(|tags| *tags != metadata.tags);
        redactions.task = self
            .task
            .filter(|task| metadata.task.as_ref() != Some(task));
    }
}
