//! The checkpoints around a command: one before it is started, one after its output was delivered. Neither
//! ever changes whether or how the command runs, unless it is not to run without the first (`--strict`).

use super::Request;
use super::notice::Notice;
use crate::checkpoint::{Home, Limits, Phase, Problem, Repository, Snapshot, pattern};
use crate::environment::Environment;
use crate::faults::command;
use crate::redact::Redactor;
use crate::session::checkpoint::{Checkpoint, Mode, Moment};
use crate::session::{Metadata, SessionId};
use crate::store::fs::FileStore;

/// The checkpoints around a command, of which at most the first is taken yet.
pub(super) struct PendingCheckpoints {
    mode: Mode,
    limits: Limits,
    /// Where they are kept, and the first of them; none where there is none.
    taken: Option<(Home, Snapshot)>,
    known: Checkpoint,
}

/// Takes the first checkpoint, if one is wanted. Where there can be none, one line says so.
///
/// # Errors
/// The same, where the command is not to run without one.
pub(super) fn before(
    request: &Request,
    tell: &mut dyn FnMut(&Notice<'_>),
) -> Result<Option<PendingCheckpoints>, Problem> {
    let mode = mode(request);
    if mode == Mode::Off {
        return Ok(None);
    }
    let settings = &request.settings.checkpoints;
    let limits = Limits {
        time: settings.timeout,
        file_bytes: settings.max_file_bytes,
    };
    let taken = begin(request, limits);
    let (known, taken) = match taken {
        Ok((home, snapshot)) => (moment(&snapshot), Some((home, snapshot))),
        Err(problem) if request.settings.strict => return Err(problem),
        Err(problem) => {
            tell(&Notice::NoCheckpoint("before", &problem));
            (failed(&problem), None)
        }
    };
    Ok(Some(PendingCheckpoints {
        mode,
        limits,
        taken,
        known: Checkpoint {
            before: known,
            ..Checkpoint::default()
        },
    }))
}

/// When checkpoints are taken for this command: nothing is looked at where nobody asked for any.
fn mode(request: &Request) -> Mode {
    let settings = &request.settings.checkpoints;
    match settings.mode {
        _ if !request.settings.record => Mode::Off,
        Some(mode) => mode,
        None if settings.commands.is_empty() => Mode::Off,
        None => {
            let argv = request.command.argv.iter();
            let argv: Vec<String> = argv
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            let line = request.command.shell_line.as_ref();
            let line = line.map(|line| line.to_string_lossy());
            let parts = command::parts(&argv, line.as_deref());
            let commands: Vec<Vec<String>> = parts.into_iter().map(|part| part.words).collect();
            match pattern::matches(&settings.commands, &commands) {
                true => Mode::Both,
                false => Mode::Off,
            }
        }
    }
}

fn begin(request: &Request, limits: Limits) -> Result<(Home, Snapshot), Problem> {
    let current = request.place.current.as_deref();
    let repository = Repository::find(current.ok_or(Problem::NoRepository)?)?;
    let home = Home::of(repository, request.place.state.as_deref())?;
    let snapshot = home.take(&request.environment, limits, None)?;
    Ok((home, snapshot))
}

fn moment(snapshot: &Snapshot) -> Moment {
    Moment {
        commit: Some(snapshot.commit.clone()),
        tree: Some(snapshot.tree.clone()),
        duration_ms: u64::try_from(snapshot.duration.as_millis()).unwrap_or(u64::MAX),
        left_out: snapshot.record.named(),
        left_out_count: snapshot.record.left_out.len() as u64,
        ..Moment::default()
    }
}

fn failed(problem: &Problem) -> Moment {
    Moment {
        problem: Some(problem.to_string()),
        ..Moment::default()
    }
}

impl PendingCheckpoints {
    /// What is known before the command runs, for the start record. Which paths are missing stays out of
    /// it: nobody has looked for secrets in them yet.
    pub(super) fn at_start(&self) -> Checkpoint {
        let mut known = self.known.clone();
        known.before.left_out.clear();
        known
    }

    /// Names the first checkpoint by its session, and notes the store that this is in.
    pub(super) fn name(
        &self,
        id: &SessionId,
        store: Option<&FileStore>,
        tell: &mut dyn FnMut(&Notice<'_>),
    ) {
        let note = |home: &Home| store.map_or(Ok(()), |store| home.note_store(&store.path()));
        if let Some((home, snapshot)) = &self.taken
            && let Err(problem) = home
                .name(id, Phase::Before, &snapshot.commit)
                .and_then(|()| note(home))
        {
            tell(&Notice::NoCheckpoint("before", &problem));
        }
    }

    /// Takes the second checkpoint, if it is wanted, and tells the sidecar of both.
    pub(super) fn complete(
        mut self,
        metadata: &mut Metadata,
        environment: &Environment,
        redactor: &Redactor,
        tell: &mut dyn FnMut(&Notice<'_>),
    ) {
        if let (Mode::Both, Some((home, before))) = (self.mode, &self.taken) {
            let after = home.take(environment, self.limits, Some(&before.tree));
            let named = after.and_then(|after| {
                home.name(&metadata.session_id, Phase::After, &after.commit)?;
                Ok(after)
            });
            match named {
                Ok(after) => {
                    self.known.after = Some(moment(&after));
                    let sides = [before, &after].map(|it| (it.tree.as_str(), &it.record));
                    let changes = home.told(environment, sides[0], sides[1]);
                    let counts =
                        changes.map(|changes| crate::checkpoint::changes::counts(&changes));
                    self.known.changes = counts.ok();
                }
                Err(problem) => {
                    tell(&Notice::NoCheckpoint("after", &problem));
                    self.known.after = Some(failed(&problem));
                }
            }
        }
        let moments = [Some(&mut self.known.before), self.known.after.as_mut()];
        for moment in moments.into_iter().flatten() {
            let paths = moment.left_out.iter_mut().map(|left| &mut left.path);
            for text in paths.chain(&mut moment.problem) {
                *text = redactor.text(text).0;
            }
        }
        metadata.checkpoint = Some(self.known);
    }
}
