//! Who ran commands, in order.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::Turn;
use crate::session::{SessionId, Timestamp};

/// A pause after which the same agent's next command is another turn.
const PAUSE: TimeDelta = TimeDelta::minutes(30);

/// A session as turns need it.
pub(super) struct Step {
    pub(super) id: SessionId,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) has_failed: bool,
}

/// Groups sessions by agent and pause, the turn that ended last first. Agents that work at the same
/// time have one turn each, not one a command.
pub(super) fn turns(mut steps: Vec<Step>) -> Vec<Turn> {
    steps.sort_by(|one, other| (one.ended, &one.id).cmp(&(other.ended, &other.id)));
    let mut turns: Vec<Turn> = Vec::new();
    let mut latest: HashMap<String, usize> = HashMap::new();
    for step in steps {
        let agent = step.id.agent();
        let failed = u64::from(step.has_failed);
        let known = latest.get(agent).and_then(|index| turns.get_mut(*index));
        if let Some(turn) = known
            && step.started.0 - turn.to.0 <= PAUSE
        {
            turn.commands += 1;
            turn.failed += failed;
            turn.from = turn.from.min(step.started);
            turn.to = step.ended;
            turn.last = step.id;
            continue;
        }
        latest.insert(agent.to_owned(), turns.len());
        turns.push(Turn {
            agent: crate::session::AgentName::from_any(agent),
            conversation: None,
            commands: 1,
            failed,
            from: step.started,
            to: step.ended,
            last: step.id,
        });
    }
    turns.sort_by(|one, other| (other.to, &other.last).cmp(&(one.to, &one.last)));
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(agent: &str, minute: i64, number: u32, has_failed: bool) -> Step {
        let id = format!("{agent}-20260305_130000-1-{number:08x}");
        let start: Timestamp = "2026-03-05T13:00:00.000Z".parse().unwrap();
        let at = Timestamp(start.0 + TimeDelta::minutes(minute));
        Step {
            id: id.parse().unwrap(),
            started: at,
            ended: at,
            has_failed,
        }
    }

    #[test]
    fn agents_follow_each_other_and_those_at_the_same_time_have_one_turn_each() {
        let steps = vec![
            step("b", 100, 5, false),
            step("a", 0, 1, true),
            step("b", 1, 2, false),
            step("a", 2, 3, false),
            step("b", 3, 4, true),
            step("a", 29, 6, true),
        ];
        let found: Vec<(String, u64, u64)> = turns(steps)
            .iter()
            .map(|turn| (turn.agent.to_string(), turn.commands, turn.failed))
            .collect();
        let expected = [("b", 1, 0), ("a", 3, 2), ("b", 2, 1)];
        let expected =
            expected.map(|(agent, commands, failed)| (agent.to_owned(), commands, failed));
        assert_eq!(found, expected);
    }
}
