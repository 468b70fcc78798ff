//! What a host has rules about, as far as its files and variables say.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::agents::rules::{Form, Place, Rules, Source};
use crate::environment::Environment;
use crate::sys::file::read_small;

/// The largest settings of a host's that are read.
const SETTINGS_BYTES: u64 = 1024 * 1024;
/// The most directories that are looked at where any of them counts.
const ANY_MAX: usize = 200;
/// Variables with the directory that a host was started in.
const PROJECTS: &[&str] = &[
    "CLAUDE_PROJECT_DIR",
    "CURSOR_PROJECT_DIR",
    "GEMINI_PROJECT_DIR",
];

/// The directories that a project's rules may be in.
pub struct Directories(BTreeSet<PathBuf>);

impl Directories {
    /// Those around this place, and around where the host says that it works.
    #[must_use]
    pub fn of(place: &crate::place::Place, environment: &Environment) -> Self {
        let named = PROJECTS.iter();
        let named: Vec<PathBuf> = named
            .filter_map(|name| environment.absolute_path(name))
            .collect();
        let mut directories = Self(BTreeSet::new());
        let here = [&place.root, &place.current].into_iter().flatten();
        directories.extend(here.chain(&named).map(PathBuf::as_path));
        directories
    }

    /// Adds directories, and all above them.
    pub fn extend<'p>(&mut self, directories: impl Iterator<Item = &'p Path>) {
        for directory in directories.filter(|directory| directory.is_absolute()) {
            self.0.extend(directory.ancestors().map(Path::to_owned));
        }
    }

    /// The rules in these sources.
    #[must_use]
    pub fn rules(&self, sources: &[&[Source]], environment: &Environment) -> Rules {
        let mut rules = Rules::default();
        for source in sources.iter().copied().flatten() {
            let bases = match source.place {
                Place::Project => self.0.iter().cloned().collect(),
                Place::Home => environment.absolute_path("HOME").into_iter().collect(),
                Place::Variable(name) => environment.absolute_path(name).into_iter().collect(),
                Place::System => vec![PathBuf::from("/")],
                Place::Named(name) => match environment.value(name).map(Path::new) {
                    Some(path) if path.is_absolute() => {
                        add_file(&mut rules, source.form, path);
                        continue;
                    }
                    Some(_) => {
                        rules.add(Form::Anything, None);
                        continue;
                    }
                    None => continue,
                },
                Place::Text(name) => {
                    if let Some(text) = environment.value(name) {
                        rules.add(source.form, text.to_str());
                    }
                    continue;
                }
            };
            for base in bases {
                add_below(&mut rules, source, &base);
            }
        }
        rules
    }
}

fn add_below(rules: &mut Rules, source: &Source, base: &Path) {
    let Some((any, rest)) = source.path.split_once("/*/") else {
        return add_file(rules, source.form, &base.join(source.path));
    };
    let Ok(entries) = std::fs::read_dir(base.join(any)) else {
        return;
    };
    for (index, entry) in entries.enumerate() {
        match entry {
            Ok(entry) if index < ANY_MAX => {
                add_file(rules, source.form, &entry.path().join(OsStr::new(rest)));
            }
            _ => rules.add(Form::Anything, None),
        }
    }
}

/// Adds a file's rules, if it is there.
fn add_file(rules: &mut Rules, form: Form, path: &Path) {
    if path.symlink_metadata().is_err() {
        return;
    }
    let bytes = match form {
        Form::Anything => None,
        _ => read_small(path, SETTINGS_BYTES).ok(),
    };
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    rules.add(form, text.as_deref());
}
