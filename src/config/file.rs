//! Settings from TOML files.

use std::io;
use std::path::Path;

use super::layer::{ConfigError, Given, Layer, Source, Trust, find};
use crate::sys::file::read_small;

/// The repository's file, relative to its root.
pub const IN_REPOSITORY: &str = "nexus/aido.toml";

/// The largest configuration file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// What a file says, and one line for each thing in it that was ignored.
pub type Read = (Layer, Vec<String>);

/// Reads the repository's file; none is an empty layer. Keys that only the user may set are
/// ignored, and named.
///
/// # Errors
/// [`ConfigError`].
pub fn read_repository(root: &Path) -> Result<Read, ConfigError> {
    let (table, mut ignored) = read(&root.join(IN_REPOSITORY), IN_REPOSITORY)?;
    let mut allowed = toml::Table::new();
    for (name, value) in table {
        if find(&name).is_some_and(|key| key.trust == Trust::UserOnly) {
            ignored.push(format!(
                "{IN_REPOSITORY}: {name} is ignored here, since a repository may come from a \
                 stranger; set it in your own configuration"
            ));
        } else {
            allowed.insert(name, value);
        }
    }
    Ok((layer(&allowed, IN_REPOSITORY)?, ignored))
}

/// Reads the user's file; none is an empty layer.
///
/// # Errors
/// [`ConfigError`].
pub fn read_user(path: &Path) -> Result<Read, ConfigError> {
    let name = path.display().to_string();
    let (table, ignored) = read(path, &name)?;
    Ok((layer(&table, &name)?, ignored))
}

/// A file that can't be read is no reason to keep a command from running, but it is said.
fn read(path: &Path, name: &str) -> Result<(toml::Table, Vec<String>), ConfigError> {
    let problem = |problem: String| ConfigError::File {
        file: name.to_owned(),
        problem,
    };
    let nothing = toml::Table::new;
    let bytes = match read_small(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                return Ok((nothing(), Vec::new()));
            }
            // The system's refusal, as opposed to contents that can't be taken.
            _ if error.raw_os_error().is_some() => {
                return Ok((nothing(), vec![format!("{name} is ignored: {error}")]));
            }
            _ => return Err(problem(error.to_string())),
        },
    };
    let text = String::from_utf8(bytes).map_err(|_| problem("it is not UTF-8".to_owned()))?;
    let parsed = text.parse::<toml::Table>();
    let table = parsed.map_err(|error| {
        let span = error.span();
        let line = span.map(|span| text[..span.start].matches('\n').count() + 1);
        let line = line.map_or(String::new(), |line| format!("line {line}: "));
        problem(format!("{line}{}", error.message()))
    })?;
    Ok((table, Vec::new()))
}

fn layer(table: &toml::Table, name: &str) -> Result<Layer, ConfigError> {
    let source = Source::File(name.to_owned());
    let mut layer = Layer::default();
    for (key, value) in table {
        let given = match value {
            toml::Value::String(text) => Given::Text(text),
            toml::Value::Integer(number) => Given::Number(*number),
            toml::Value::Boolean(switch) => Given::Switch(*switch),
            toml::Value::Array(items) => {
                let items = items.iter();
                Given::List(
                    items
                        .map(|item| item.as_str().unwrap_or("").to_owned())
                        .collect(),
                )
            }
            other => Given::Other(other.type_str()),
        };
        layer.set(key, &given, &source)?;
    }
    Ok(layer)
}
