//! Whether a call's line is to be another one.

use std::path::PathBuf;

use super::Hooked;
use crate::agents::Mode;
use crate::agents::reply::{self, Refusal};
use crate::agents::rules::{self, Form, Place, Rules, Source};
use crate::environment::Environment;
use crate::record::shell::is_plain_program;
use crate::rewrite;
use crate::sys::file::read_small;

/// The largest settings of a host's that are read.
const SETTINGS_BYTES: u64 = 1024 * 1024;

/// What is decided about a call.
pub(super) enum Decision {
    /// Its line is to be this one.
    Rewrite { line: String, answer: String },
    /// It stays as it is, for this reason.
    Leave(String),
}

impl Hooked<'_> {
    /// Decides about a call before it is made. The same payload has the same answer, however often it comes.
    pub(super) fn decide(&self) -> Decision {
        let leave = |why: &str| Decision::Leave(why.to_owned());
        if self.mode != Mode::Wrap {
            return leave("hooks only observe");
        }
        let Some(command) = &self.call.command else {
            return leave("it is no call of a shell");
        };
        match &self.settings {
            None => return leave("a setting is not in order, and every command would say so"),
            Some(settings) if !settings.record => return leave("nothing is to be recorded"),
            Some(_) => {}
        }
        let sources = rules::sources(self.call.dialect);
        if rules(sources, &self.place, &self.environment).may_be_about(command) {
            return leave("the host may have a rule about it");
        }
        let line = match rewrite(command, &self.environment) {
            Ok(line) => line,
            Err(why) => return Decision::Leave(why),
        };
        match reply::with_command(self.call, &line) {
            Ok(answer) => Decision::Rewrite { line, answer },
            Err(Refusal::NoInput) => leave("the payload has no line that can be changed"),
            Err(Refusal::WantsPermission) => leave(
                "the host takes another line only with a permission, which is not aido's to give",
            ),
        }
    }
}

/// What a host has rules about, as far as its files say.
fn rules(sources: &[Source], place: &crate::place::Place, environment: &Environment) -> Rules {
    let mut rules = Rules::default();
    for source in sources {
        let bases: Vec<PathBuf> = match source.place {
            Place::Project => [&place.root, &place.current]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            Place::Home => environment.absolute_path("HOME").into_iter().collect(),
            Place::Variable(name) => environment.absolute_path(name).into_iter().collect(),
            Place::System => vec![PathBuf::from("/")],
        };
        for path in bases.into_iter().map(|base| base.join(source.path)) {
            if path.symlink_metadata().is_err() {
                continue;
            }
            let bytes = match source.form {
                Form::Settings => read_small(&path, SETTINGS_BYTES).ok(),
                Form::Anything => None,
            };
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            rules.add(source.form, text.as_deref());
        }
    }
    rules
}

/// The line that a plugin asks for; none where it stays as it is.
pub(super) fn for_plugin(
    line: &str,
    place: &crate::place::Place,
    environment: &Environment,
) -> Option<String> {
    let rules = rules(rules::OPENCODE, place, environment);
    match rules.may_be_about(line) {
        true => None,
        false => rewrite(line, environment).ok(),
    }
}

/// The line with aido in it.
///
/// # Errors
/// Why it is left alone.
fn rewrite(line: &str, environment: &Environment) -> Result<String, String> {
    if !is_found(environment) {
        return Err("PATH doesn't lead to this aido".to_owned());
    }
    let is_program = |name: &str| is_plain_program(name, environment);
    rewrite::rewrite(line, &is_program).map_err(|reason| reason.to_string())
}

/// Whether a shell would find this very program as `aido`.
fn is_found(environment: &Environment) -> bool {
    let path = environment.value("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(path).map(|directory| directory.join("aido"));
    let found = places.find(|file| file.is_file());
    let own = std::env::current_exe().ok();
    found.is_some_and(|file| file.canonicalize().ok() == own)
}
