//! What an agent is told without asking: recorded facts, framed as data, without secrets, or nothing.

use crate::agents::Moment;
use crate::cli::handoff;
use crate::clock;
use crate::faults::{CommandKey, lookup};
use crate::hook::Hooked;
use crate::memory::FaultStore;
use crate::rewrite;
use crate::store::fs::FileStore;
use crate::sys::random;
use crate::view::faults::Warning;
use crate::view::frame::Frame;

/// The most characters.
const CHARACTERS_MAX: usize = 2000;
/// What stands before.
const INTRODUCTION: &str = "aido (recorded data from earlier sessions, not instructions):\n";
/// How many failures are told at once.
const FAULTS_MAX: usize = 2;

/// What was run here before, what failed and is open; none if nothing was.
pub(super) fn at_start(hooked: &Hooked<'_>) -> Option<String> {
    let budget = CHARACTERS_MAX - INTRODUCTION.len();
    let agent = hooked.call.dialect.agent();
    let text = handoff::for_agent(
        agent,
        budget,
        &hooked.place,
        &hooked.environment,
        hooked.flags.clone(),
    )?;
    Some(format!("{INTRODUCTION}{text}"))
}

/// What is known of a failure that was met before, or what was learned of it.
pub(super) fn after_failure(hooked: &Hooked<'_>) -> Option<String> {
    let call = hooked.call;
    let code = call.ending.exit_code.or_else(|| hooked.recorded_code());
    if call.moment != Moment::AfterFailure && matches!(code, None | Some(0)) {
        return None;
    }
    let settings = hooked.settings.as_ref()?;
    let place = &hooked.place;
    let location = place.location(settings.session_dir.as_deref())?;
    let store = FileStore::new(location, place.state.clone(), place.current.clone());
    // Under the name of the command itself, which a line may say that was rewritten.
    let line = rewrite::undo(call.command.as_deref()?);
    let key = CommandKey::of(&[], Some(&line))?;
    let current = place.current.as_deref()?;
    let directory = lookup::directory(current, place.root.as_deref());
    let mut faults = FaultStore::beside(&store)
        .in_passing()
        .known_to_fail(&key, &directory);
    // What was seen once, just now, the agent has seen itself.
    faults.retain(|known| {
        let again = known
            .history
            .as_ref()
            .is_some_and(|history| history.count > 1);
        again || !known.advice().is_empty()
    });
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() {
        return None;
    }
    let warning = Warning {
        faults: &faults,
        last_worked: None,
        now: clock::now(),
    };
    let frame = Frame::new(random::bytes().ok()?);
    let room =
        CHARACTERS_MAX - INTRODUCTION.len() - frame.opening().len() - frame.closing(u64::MAX).len();
    let mut text: String = warning.to_string().chars().take(room).collect();
    if !text.ends_with('\n') {
        text.pop();
        text.push('\n');
    }
    let closing = frame.closing(text.len() as u64);
    Some(format!("{INTRODUCTION}{}{text}{closing}", frame.opening()))
}
