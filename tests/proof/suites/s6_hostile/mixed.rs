//! Several of the others at once.

use super::{Case, Expected, agents, directories, entries, environments, nasty};
use crate::dice::Dice;

pub(super) fn cases(dice: &mut Dice) -> Vec<Case> {
    (0..76).map(|_| one(dice)).collect()
}

fn one(dice: &mut Dice) -> Case {
    let any = |mut cases: Vec<Case>, dice: &mut Dice| cases.swap_remove(dice.below(cases.len()));
    // A directory first, since it is prepared before there is a session, if at all.
    let first = match dice.below(2) {
        0 => any(directories::cases(), dice),
        _ => any(entries::cases(), dice),
    };
    let agent = agents::by_option(&nasty::spiced(dice));
    let environment = any(environments::cases(), dice);
    [agent, environment].into_iter().fold(first, |sum, next| {
        let mut sum = sum;
        sum.name = format!("{}; {}", sum.name, next.name);
        sum.after_a_session |= next.after_a_session;
        sum.stage.extend(next.stage);
        sum.change.extend(next.change);
        sum.options.extend(next.options);
        sum.printed.extend(next.printed);
        if next.expected == Expected::RunsOrRefuses {
            sum = sum.may_refuse();
        }
        sum
    })
}
