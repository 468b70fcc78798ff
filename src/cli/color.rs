//! When aido's own colours are used.

use std::io::IsTerminal;

use crate::caller;
use crate::environment::Environment;
use crate::view::paint::Palette;

/// When to do something that depends on who reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum When {
    /// Where it fits.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// Not at all.
    Never,
}

/// What standard output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdout {
    /// A terminal.
    Terminal,
    /// Anything else.
    Other,
}

/// What this program's standard output is.
#[must_use]
pub fn stdout() -> Stdout {
    if std::io::stdout().is_terminal() {
        Stdout::Terminal
    } else {
        Stdout::Other
    }
}

/// Decides: the option, then `NO_COLOR` (no-color.org), `CLICOLOR_FORCE` and `FORCE_COLOR`, then what
/// is known of the terminal and its reader.
#[must_use]
pub fn palette(when: When, stdout: Stdout, environment: &Environment) -> Palette {
    let is_set = |name| environment.value(name).is_some_and(|value| value != "0");
    let is_coloured = match when {
        When::Always => true,
        When::Never => false,
        When::Auto
            if environment
                .value("NO_COLOR")
                .is_some_and(|value| !value.is_empty()) =>
        {
            false
        }
        When::Auto if is_set("CLICOLOR_FORCE") || is_set("FORCE_COLOR") => true,
        When::Auto => {
            stdout == Stdout::Terminal
                && environment.text("CLICOLOR") != Some("0")
                && environment.text("TERM") != Some("dumb")
                && !caller::is_agent(environment)
        }
    };
    if is_coloured {
        Palette::Coloured
    } else {
        Palette::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_people_who_did_not_say_no() {
        let (terminal, other) = (Stdout::Terminal, Stdout::Other);
        for (when, stdout, variables, coloured) in [
            (When::Auto, terminal, &[][..], true),
            (When::Auto, other, &[], false),
            (When::Always, other, &[("NO_COLOR", "1")], true),
            (When::Never, terminal, &[("FORCE_COLOR", "1")], false),
            (When::Auto, terminal, &[("NO_COLOR", "1")], false),
            (When::Auto, terminal, &[("NO_COLOR", "")], true),
            (When::Auto, other, &[("CLICOLOR_FORCE", "1")], true),
            (When::Auto, other, &[("FORCE_COLOR", "0")], false),
            (
                When::Auto,
                other,
                &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")],
                false,
            ),
            (When::Auto, terminal, &[("CLICOLOR", "0")], false),
            (When::Auto, terminal, &[("TERM", "dumb")], false),
            (When::Auto, terminal, &[("CLAUDECODE", "1")], false),
        ] {
            let environment = Environment::from_pairs(variables.iter().copied());
            let palette = palette(when, stdout, &environment);
            assert_eq!(
                palette == Palette::Coloured,
                coloured,
                "{when:?} {stdout:?} {variables:?}"
            );
        }
    }
}
