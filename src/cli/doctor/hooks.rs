//! What is installed in the settings of agents' programs.

use super::check::Check;
use crate::cli::{init, mcp};
use crate::environment::Environment;
use crate::place::Place;

/// Looks at every file that `aido init` may have written.
pub(super) fn checks(place: &Place, environment: &Environment) -> Vec<Check> {
    let found = init::installed(place, environment);
    if found.is_empty() {
        return vec![Check::fine("hooks", "none installed")];
    }
    let check = |status: init::Status| {
        let what = format!("{}: {}", status.path.display(), status.what);
        if status.has_server && !mcp::IS_THERE {
            let what = format!("{what}; but this aido was built without it");
            return Check::problem(
                "hooks",
                what,
                "aido init --uninstall, or an aido with the feature mcp",
            );
        }
        match status.is_unchanged {
            Some(true) | None => Check::fine("hooks", what),
            Some(false) => Check::note(
                "hooks",
                format!("{what}; the file was changed since"),
                "nothing, if you changed it: aido init --uninstall leaves what is yours",
            ),
        }
    };
    found.into_iter().map(check).collect()
}
