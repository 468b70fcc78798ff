//! What a command changed in the work tree, and what restoring would do: tables, patches, and JSON.

use std::fmt;

use serde_json::{Value, json};

use super::paint::{Meaning, Palette};
use super::text::Audience;
use crate::checkpoint::changes::{Change, DIRECTORY, Kind, LINK, REPOSITORY};
use crate::checkpoint::{Step, Way};

/// The path of a change as it may be shown: secrets are replaced by whoever shows it.
pub type PathText<'a> = dyn Fn(&[u8]) -> String + 'a;

/// Changes, a line each.
pub struct Changes<'a> {
    /// The changes.
    pub changes: &'a [Change],
    /// The most lines.
    pub most: usize,
    /// Paths as they may be shown.
    pub path: &'a PathText<'a>,
    /// The colours.
    pub palette: Palette,
    /// Who reads it.
    pub audience: Audience,
}

impl fmt::Display for Changes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in self.changes.iter().take(self.most) {
            let meaning = match change.kind {
                Kind::Added => Meaning::Added,
                Kind::Changed => Meaning::Open,
                Kind::Removed => Meaning::Removed,
            };
            let name = format!("{:<8}", change.kind.name());
            let path = (self.path)(&change.path);
            let path = self.audience.line(&path);
            writeln!(
                formatter,
                "{} {path}{}",
                self.palette.paint(meaning, &name),
                remark(change)
            )?;
        }
        more(formatter, self.changes.len(), self.most)
    }
}

/// What a path is besides a file, and how its permissions changed.
fn remark(change: &Change) -> String {
    let what = match change.mode {
        LINK => " (link)",
        REPOSITORY => " (a repository of its own)",
        DIRECTORY => "/",
        _ => "",
    };
    match change.permissions {
        Some((old, new)) => format!("{what} ({old:o} to {new:o})"),
        None => what.to_owned(),
    }
}

/// A change as JSON.
#[must_use]
pub fn change_json(change: &Change, path: &PathText<'_>) -> Value {
    let permissions = change.permissions.map(|(before, after)| {
        json!({"before": format!("{before:04o}"), "after": format!("{after:04o}")})
    });
    let mut json = json!({
        "path": path(&change.path),
        "change": change.kind.name(),
        "type": match change.mode {
            LINK => "link",
            REPOSITORY => "repository",
            DIRECTORY => "directory",
            _ => "file",
        },
        "contents_differ": change.contents_differ,
        "permissions": permissions,
    });
    put_exact(&mut json, &change.path, path);
    json
}

/// What restoring does, a line a path.
pub struct Steps<'a> {
    /// The steps.
    pub steps: &'a [Step],
    /// The most lines.
    pub most: usize,
    /// Paths as they may be shown.
    pub path: &'a PathText<'a>,
    /// The colours.
    pub palette: Palette,
    /// Who reads it.
    pub audience: Audience,
}

impl fmt::Display for Steps<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps.iter().take(self.most) {
            let (meaning, note) = match &step.way {
                Way::Write { is_new: true, .. } | Way::Link { is_new: true, .. } => {
                    (Meaning::Added, dropped(&step.way))
                }
                Way::Write { .. } | Way::Link { .. } => (Meaning::Open, dropped(&step.way)),
                Way::Permissions(mode) => (Meaning::Open, format!(" ({mode:o})")),
                Way::Directory(mode) => (Meaning::Open, format!("/ ({mode:o})")),
                Way::Remove => (Meaning::Removed, String::new()),
                Way::Leave(why) => (Meaning::Place, format!(" ({})", why.text())),
            };
            let name = format!("{:<8}", step_name(&step.way));
            let path = (self.path)(&step.path);
            let path = self.audience.line(&path);
            let name = self.palette.paint(meaning, &name);
            writeln!(formatter, "{name} {path}{note}")?;
        }
        more(formatter, self.steps.len(), self.most)
    }
}

/// What a file had and doesn't get.
fn dropped(way: &Way) -> String {
    match way {
        Way::Write { dropped, .. } if *dropped != 0 => {
            " (not set-user-ID or set-group-ID, as it was: whose it was is not known)".to_owned()
        }
        _ => String::new(),
    }
}

/// A step's name, for people and in JSON.
fn step_name(way: &Way) -> &'static str {
    match way {
        Way::Write { is_new: true, .. } | Way::Link { is_new: true, .. } => "create",
        Way::Write { .. } | Way::Link { .. } => "replace",
        Way::Permissions(_) | Way::Directory(_) => "mode",
        Way::Remove => "remove",
        Way::Leave(_) => "leave",
    }
}

/// A step as JSON.
#[must_use]
pub fn step_json(step: &Step, path: &PathText<'_>) -> Value {
    let (permissions, reason) = match &step.way {
        Way::Write { permissions, .. }
        | Way::Permissions(permissions)
        | Way::Directory(permissions) => (Some(*permissions), None),
        Way::Leave(why) => (None, Some(why.text())),
        Way::Link { .. } | Way::Remove => (None, None),
    };
    let mut json = json!({
        "path": path(&step.path),
        "action": step_name(&step.way),
        "type": match step.way {
            Way::Link { .. } => "link",
            Way::Directory(_) => "directory",
            _ => "file",
        },
        "permissions": permissions.map(|mode| format!("{mode:04o}")),
        "reason": reason,
    });
    if let Way::Write { dropped, .. } = step.way
        && dropped != 0
    {
        json["permissions_dropped"] = format!("{dropped:04o}").into();
    }
    put_exact(&mut json, &step.path, path);
    json
}

/// The exact bytes of a path that is no text, unless something in it was replaced.
fn put_exact(json: &mut Value, path: &[u8], text: &PathText<'_>) {
    if std::str::from_utf8(path).is_err() && text(path) == String::from_utf8_lossy(path) {
        json["path_hex"] = hex::encode(path).into();
    }
}

fn more(formatter: &mut fmt::Formatter<'_>, all: usize, most: usize) -> fmt::Result {
    match all.saturating_sub(most) {
        0 => Ok(()),
        left => writeln!(formatter, "and {left} more; --json has all"),
    }
}

/// A line of a patch in its colour.
#[must_use]
pub fn patch_line(line: &str, palette: Palette, audience: Audience) -> String {
    let meaning = match line.as_bytes().first() {
        Some(b'+') => Meaning::Added,
        Some(b'-') => Meaning::Removed,
        Some(b'@') => Meaning::Place,
        Some(b'd') => Meaning::Heading,
        _ => return audience.line(line).into_owned(),
    };
    palette.paint(meaning, &audience.line(line)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_path_acts_on_the_terminal() {
        let change = Change {
            kind: Kind::Changed,
            path: b"a\x1b]0;x\x07\n\xff".to_vec(),
            mode: 0o100_644,
            permissions: Some((0o644, 0o600)),
            contents_differ: false,
        };
        let path = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        let view = Changes {
            changes: &[change.clone(), change.clone()],
            most: 1,
            path: &path,
            palette: Palette::Plain,
            audience: Audience::People,
        };
        let text = view.to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.ends_with("(644 to 600)\nand 1 more; --json has all\n"),
            "{text}"
        );
        let without = text.replace('\n', "");
        assert!(!without.contains(char::is_control), "{text:?}");
        let json = change_json(&change, &path);
        assert_eq!(json["path_hex"], hex::encode(&change.path));
        assert_eq!(json["permissions"]["after"], "0600");
    }
}
