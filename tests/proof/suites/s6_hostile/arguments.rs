//! Arguments of the command, which are passed on exactly and shown harmlessly.

use std::ffi::OsString;

use super::{Case, nasty};
use crate::dice::Dice;

pub(super) fn cases(dice: &mut Dice) -> Vec<Case> {
    let mut cases: Vec<Case> = nasty::all().map(|text| of(vec![text])).collect();
    for word in [
        "--agent",
        "--session-dir",
        "list",
        "show",
        "--no-record",
        "--",
        "-c",
        "--version",
    ] {
        cases.push(of(vec![word.into(), "../outside".into()]));
    }
    cases.push(named("many", vec!["x".into(); 5000]));
    cases.push(named("many empty ones", vec![OsString::new(); 1000]));
    cases.push(named("one of 100 KiB", vec!["x".repeat(100 * 1024).into()]));
    cases.push(named(
        "one of 100 KiB of control characters",
        vec!["\x1b".repeat(100 * 1024).into()],
    ));
    cases.push(named("all at once", nasty::all().collect()));
    let secrets = [
        "--password=hunter2",
        "TOKEN=abc",
        "user:pw@host",
        "-psecret",
    ];
    cases.push(named("secrets", secrets.map(OsString::from).into()));
    while cases.len() < 114 {
        let count = 1 + dice.below(4);
        let words = (0..count).map(|_| {
            let length = dice.below(200);
            nasty::any(dice, length)
        });
        cases.push(of(words.collect()));
    }
    cases
}

fn of(printed: Vec<OsString>) -> Case {
    named(&format!("{printed:?}"), printed)
}

fn named(name: &str, printed: Vec<OsString>) -> Case {
    let mut case = Case::new(name);
    case.printed = printed;
    case
}
