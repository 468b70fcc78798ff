//! Whether a call's line is to be another one.

use std::path::Path;

use super::Hooked;
use super::rules::Directories;
use crate::agents::Mode;
use crate::agents::reply::{self, Refusal};
use crate::agents::rules::{OPENCODE, sources};
use crate::config::{self, Layer};
use crate::environment::Environment;
use crate::place::Place;
use crate::record::shell::is_plain_program;
use crate::rewrite;
use crate::store::fs::FileStore;

/// Variables that change which programs a shell starts, or what it says of them, in ways that aren't seen here.
const CHANGING: &[&str] = &["ARGV0", "BASHOPTS", "BASH_ENV", "EXECIGNORE", "SHELLOPTS"];

/// What is decided about a call.
pub enum Decision {
    /// Its line is to be this one.
    Rewrite {
        /// The line.
        line: String,
        /// What the host takes it by.
        answer: String,
    },
    /// It stays as it is, for this reason.
    Leave(String),
}

impl Hooked<'_> {
    /// Decides about a call before it is made. The same payload has the same answer, however often it comes.
    #[must_use]
    pub fn decide(&self) -> Decision {
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
            Some(settings) if !has_store(&self.place, settings.session_dir.as_deref()) => {
                return leave("there are no sessions here yet, and their directory would be seen");
            }
            Some(_) => {}
        }
        let mut directories = Directories::of(&self.place, &self.environment);
        let said = self.call.cwd.as_deref().map(Path::new);
        directories.extend(said.into_iter().chain(self.started_in.as_deref()));
        let rules = directories.rules(&sources(self.call.dialect), &self.environment);
        if rules.may_be_about(command) {
            return leave("the host may have a rule about it");
        }
        let line = match rewrite(command, &self.place, &self.environment) {
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

/// Whether there is a directory of sessions.
fn has_store(place: &Place, named: Option<&Path>) -> bool {
    let location = place.location(named);
    location.is_some_and(|location| {
        FileStore::new(location, place.state.clone(), place.current.clone()).is_there()
    })
}

/// The line that a plugin asks for; none where it stays as it is.
#[must_use]
pub fn for_plugin(line: &str, place: &Place, environment: &Environment) -> Option<String> {
    let resolved = config::resolve(Layer::default(), environment, place).ok()?;
    let settings = resolved.settings;
    if !settings.record || !has_store(place, settings.session_dir.as_deref()) {
        return None;
    }
    let rules = Directories::of(place, environment).rules(&[OPENCODE], environment);
    match rules.may_be_about(line) {
        true => None,
        false => rewrite(line, place, environment).ok(),
    }
}

/// The line with aido in it.
///
/// # Errors
/// Why it is left alone.
fn rewrite(line: &str, place: &Place, environment: &Environment) -> Result<String, String> {
    if let Some(name) = CHANGING
        .iter()
        .find(|name| environment.value(name).is_some())
    {
        return Err(format!("{name} is set, which changes what shells do"));
    }
    if !is_found(environment) || is_function("aido", environment) {
        return Err("PATH doesn't lead to this aido".to_owned());
    }
    let is_program =
        |name: &str| is_plain_program(name, environment) && !is_function(name, environment);
    let line = rewrite::rewrite(line, &is_program).map_err(|reason| reason.to_string())?;
    if line.matches(rewrite::PREFIX).count() > 1 && has_own_programs(place, environment) {
        return Err("PATH leads into the project, whose programs its commands may change".into());
    }
    Ok(line)
}

/// Whether a function of this name is exported by bash, which is run in the program's stead.
fn is_function(name: &str, environment: &Environment) -> bool {
    let named = ["%%", "()"].map(|ending| format!("BASH_FUNC_{name}{ending}"));
    named.iter().any(|name| environment.value(name).is_some())
}

/// Whether some programs on PATH are the project's.
fn has_own_programs(place: &Place, environment: &Environment) -> bool {
    let path = environment.value("PATH").unwrap_or_default();
    let projects = [&place.root, &place.current];
    std::env::split_paths(path).any(|directory| {
        let mut projects = projects.into_iter().flatten();
        projects.any(|project| directory.starts_with(project))
    })
}

/// Whether a shell would find this very program as `aido`.
fn is_found(environment: &Environment) -> bool {
    let path = environment.value("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(path).map(|directory| directory.join("aido"));
    let found = places.find(|file| file.is_file());
    let own = std::env::current_exe().ok();
    found.is_some_and(|file| file.canonicalize().ok() == own)
}
