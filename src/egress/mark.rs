//! What is marked when a session ends.

use super::command_line;
use super::echo::Echoes;
use crate::redact::{Redactor, Report};
use crate::session::Metadata;
use crate::session::metadata::Redactions;

/// Replaces secrets in what the sidecar quotes of the output, and notes what of the command line may
/// leave. The command line itself stays as it is: it is for running again.
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
    metadata.sensitive = Some(!report.is_clean() || !found.is_clean());
    metadata.redactions = (metadata.sensitive == Some(true)).then(|| {
        let line = command_line(metadata, redactor);
        let changed = |shown: String, given: &str| (shown != given).then_some(shown);
        Redactions {
            command: changed(line.command, &metadata.command),
            argv: (argv != metadata.argv).then_some(argv),
            shell_line: typed.and_then(|(shown, _)| {
                changed(shown, metadata.shell_line.as_deref().unwrap_or_default())
            }),
            counts: report.into_counts(),
            other: serde_json::Map::new(),
        }
    });
}
