//! What a session's command changed in the work tree.

use super::Arguments;
use crate::checkpoint::Phase;
use crate::cli::checkpoint::{Located, Manner, Subject, limits, show_changes};
use crate::cli::page::{Form, Page, Paging};
use crate::cli::reading::Reader;
use crate::cli::{Answer, CliResult};
use crate::environment::Environment;

/// Prints the changes between the two checkpoints; where there is only the first, those up to now.
pub(super) fn show(reader: &Reader, arguments: &Arguments, environment: &Environment) -> CliResult {
    let located = Located::find(reader, &arguments.selector, environment)?;
    let from = located.checkpoint(Phase::Before)?;
    let to = located.checkpoint(Phase::After).ok();
    let subject = Subject {
        home: &located.home,
        id: &located.id,
        from,
        to,
        limits: limits(&reader.settings),
        wanted: &[],
    };
    let manner = Manner {
        as_patch: arguments.diff.is_some(),
        form: arguments.store.form(),
    };
    let mut page = match manner.form {
        Form::Json => Page::of_word(Form::Json, environment)?,
        Form::Text => Page::open(arguments.page, Paging::Allowed, environment)?,
    };
    if to.is_none() && manner.form == Form::Text {
        page.note("there is no checkpoint after the command, so this is what is different by now");
    }
    show_changes(reader, &subject, manner, &mut page, environment)?;
    page.close()?;
    Ok(Answer::Yes)
}
