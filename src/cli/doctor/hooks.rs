//! What is installed in the settings of agents' programs.

use super::check::Check;
use crate::cli::mcp;
use crate::environment::Environment;
use crate::install::{self, Hindrance, Status};
use crate::place::Place;

/// Looks at every file that `aido init` may have written.
pub(super) fn checks(place: &Place, environment: &Environment) -> Vec<Check> {
    let found = install::installed(place, environment);
    if found.is_empty() {
        return vec![Check::fine("hooks", "none installed")];
    }
    let check = |status: Status| {
        let what = format!("{}: {}", status.path.display(), status.what);
        if status.has_server && !mcp::IS_THERE {
            let what = format!("{what}; but this aido was built without it");
            return Check::problem(
                "hooks",
                what,
                "aido init --uninstall, or an aido with the feature mcp",
            );
        }
        if let Some(hindrance) = status.hindrance {
            return hindered(hindrance, &what);
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
    let are_there = found
        .iter()
        .any(|status| status.hindrance != Some(Hindrance::Gone));
    let path = environment.value("PATH").unwrap_or_default();
    let mut directories = std::env::split_paths(path);
    let mut checks: Vec<Check> = found.into_iter().map(check).collect();
    if are_there && !directories.any(|directory| directory.join("aido").is_file()) {
        checks.push(Check::problem(
            "hooks",
            "they do nothing: aido is not on PATH",
            "put it there, in the environment of the agent's program, too",
        ));
    }
    checks
}

/// Why hooks that were installed are not run.
fn hindered(hindrance: Hindrance, what: &str) -> Check {
    match hindrance {
        Hindrance::SwitchedOff => Check::problem(
            "hooks",
            format!("{what}; but the program's settings switch all hooks off"),
            "take out disableAllHooks, or what says hooksConfig.enabled is false",
        ),
        Hindrance::Missing => Check::problem(
            "hooks",
            format!("{what}; some of them are missing"),
            "aido init puts them back, aido init --uninstall takes out the others",
        ),
        Hindrance::Gone => Check::note(
            "hooks",
            format!("{what}: they were installed, and are gone"),
            "nothing, if you removed them: aido init puts them back",
        ),
    }
}
