//! Agents' names, which become part of file names.

use std::ffi::OsString;

use super::{Case, nasty};
use crate::dice::Dice;

/// Variables that name the agent, besides the option.
const VARIABLES: &[&str] = &["AIDO_AGENT", "AI_AGENT"];

pub(super) fn cases(dice: &mut Dice) -> Vec<Case> {
    let long = [65, 255, 256, 4096, 60_000].map(|length| OsString::from("x".repeat(length)));
    let mut names: Vec<OsString> = nasty::all().chain(long).collect();
    while names.len() < 110 {
        let length = 1 + dice.below(80);
        names.push(nasty::any(dice, length));
        names.push(nasty::spiced(dice));
    }
    let mut cases = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        cases.push(by_option(&name));
        cases.push(by_variable(VARIABLES[number % VARIABLES.len()], name));
    }
    cases
}

pub(super) fn by_option(name: &OsString) -> Case {
    let mut option = OsString::from("--agent=");
    option.push(name);
    let mut case = Case::new(format!("--agent {name:?}"));
    case.options.push(option);
    // What is no text is no name.
    if name.to_str().is_none() {
        case.may_refuse()
    } else {
        case
    }
}

fn by_variable(variable: &'static str, name: OsString) -> Case {
    let case = Case::new(format!("{variable} {name:?}"));
    let is_text = name.to_str().is_some();
    let case = case.changed(move |_, run| run.env(variable, &name));
    if is_text { case } else { case.may_refuse() }
}
