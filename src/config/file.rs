//! Settings from TOML files.

use std::io;
use std::path::Path;

use super::layer::{ConfigError, Given, Layer, Source, Trust, find};
use crate::sys::file::read_small;

/// The repository's file, relative to its root.
pub const IN_REPOSITORY: &str = "nexus/aido.toml";

/// The largest configuration file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the repository's file; none is an empty layer. Keys that only the user may set come back
/// as warnings.
///
/// # Errors
/// [`ConfigError`].
pub fn read_repository(root: &Path) -> Result<(Layer, Vec<String>), ConfigError> {
    let Some(table) = read(&root.join(IN_REPOSITORY), IN_REPOSITORY)? else {
        return Ok((Layer::default(), Vec::new()));
    };
    let mut ignored = Vec::new();
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
pub fn read_user(path: &Path) -> Result<Layer, ConfigError> {
    let name = path.display().to_string();
    match read(path, &name)? {
        Some(table) => layer(&table, &name),
        None => Ok(Layer::default()),
    }
}

fn read(path: &Path, name: &str) -> Result<Option<toml::Table>, ConfigError> {
    let problem = |problem: String| ConfigError::File {
        file: name.to_owned(),
        problem,
    };
    let bytes = match read_small(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(problem(error.to_string())),
    };
    let text = String::from_utf8(bytes).map_err(|_| problem("it is not UTF-8".to_owned()))?;
    let parsed = text.parse::<toml::Table>();
    let table = parsed.map_err(|error| {
        let line = error
            .span()
            .map(|span| text[..span.start].lines().count().max(1));
        let line = line.map_or(String::new(), |line| format!("line {line}: "));
        problem(format!("{line}{}", error.message()))
    })?;
    Ok(Some(table))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied
    )
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
