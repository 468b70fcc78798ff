//! Rules of the repository's own: read from files that anybody may have written.

use std::ffi::OsStr;
use std::io::{self, Read};

use super::{FaultStore, files};
use crate::faults::Rules;
use crate::sys::file::Directory;

/// The directory of rules.
const RULES: &str = "rules.d";
/// The most files that are read.
const FILES_MAX: usize = 64;
/// The largest file that is read, in bytes; a larger one is named by [`Rules`].
const FILE_BYTES: u64 = 256 * 1024;

impl FaultStore {
    /// The rules of `rules.d` in the order of their names, before those that aido brings along. A file that
    /// can't be taken is left out and named in [`Rules::problems`].
    #[must_use]
    pub fn rules(&self) -> Rules {
        let (files, problems) = self.rule_files();
        let texts = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        Rules::with_files(texts).with_problems(problems)
    }

    /// Puts a file of rules where [`FaultStore::rules`] finds it. `name` is a plain name without ending.
    /// Gives its path below the directory.
    ///
    /// # Errors
    /// When there is one already, or it can't be written.
    pub fn add_rules(&self, name: &str, text: &str) -> io::Result<String> {
        let changing = self.change()?;
        let (directory, _) = changing.faults.open_or_make_child(OsStr::new(RULES))?;
        let file = format!("{name}.toml");
        if directory.contains(&file) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        files::put(&directory, &file, text.as_bytes())?;
        Ok(format!("{RULES}/{file}"))
    }

    fn rule_files(&self) -> (Vec<(String, String)>, Vec<String>) {
        let (mut files, mut problems) = (Vec::new(), Vec::new());
        let Ok(Some(opened)) = self.open() else {
            return (files, problems);
        };
        if !opened.faults.contains(RULES) {
            return (files, problems);
        }
        let directory = match opened.faults.open_child(OsStr::new(RULES)) {
            Ok(directory) => directory,
            Err(error) => {
                problems.push(format!("{RULES} is ignored: {error}"));
                return (files, problems);
            }
        };
        let mut names = Vec::new();
        let read = directory.each_name(&mut |name| {
            let name = name.to_string_lossy();
            if name.ends_with(".toml") && !name.starts_with('.') {
                names.push(name.into_owned());
            }
        });
        if let Err(error) = read {
            problems.push(format!("{RULES} is ignored: {error}"));
        }
        names.sort_unstable();
        if names.len() > FILES_MAX {
            problems.push(format!(
                "{RULES}: only the first {FILES_MAX} files are read"
            ));
            names.truncate(FILES_MAX);
        }
        for name in names {
            let shown = format!("{RULES}/{name}");
            match read_text(&directory, &name) {
                Ok(text) => files.push((shown, text)),
                Err(problem) => problems.push(format!("{shown} is ignored: {problem}")),
            }
        }
        (files, problems)
    }
}

fn read_text(directory: &Directory, name: &str) -> Result<String, String> {
    let file = directory
        .open_file(name)
        .map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
