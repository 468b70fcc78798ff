use std::collections::BTreeSet;
use std::convert::Infallible;
use std::mem::size_of;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::session::metadata::tests::minimal;

fn at(seconds: i64) -> Timestamp {
    Timestamp(chrono::DateTime::from_timestamp(seconds, 0).unwrap())
}

/// A finished success that took 10 bytes.
fn candidate(number: u32, ended: i64) -> Candidate {
    Candidate::new(at(ended), 10, State::Finished, number.into())
}

fn in_state(state: State, candidate: Candidate) -> Candidate {
    Candidate { state, ..candidate }
}

fn policy(age_seconds: Option<u64>, bytes: Option<u64>, sessions: Option<u64>) -> Policy {
    Policy {
        max_age: age_seconds.map(Duration::from_secs),
        max_total_bytes: bytes,
        max_sessions: sessions,
    }
}

/// What goes: the number of each session, and the limit.
fn going(policy: &Policy, candidates: &[Candidate], now: i64) -> Vec<(u32, Limit)> {
    let plan = plan_prune(policy, candidates, at(now));
    let number = |removal: &Removal<'_>| {
        let number = u32::try_from(removal.candidate.place()).unwrap();
        (number, removal.limit)
    };
    plan.removals.iter().map(number).collect()
}

#[test]
fn the_default_is_thirty_days_five_gibibytes_and_any_number() {
    let default = Policy::default();
    assert_eq!(default.max_age, Some(Duration::from_secs(2_592_000)));
    assert_eq!(default.max_total_bytes, Some(5_368_709_120));
    assert_eq!(default.max_sessions, None);
}

#[test]
fn a_session_goes_when_it_is_older_than_the_limit_and_not_before() {
    let all = [candidate(1, 0), candidate(2, 1), candidate(3, 2)];
    assert_eq!(
        going(&policy(Some(100), None, None), &all, 101),
        [(1, Limit::Age)]
    );
    assert_eq!(going(&policy(Some(100), None, None), &all, 100), []);
}

#[test]
fn age_counts_from_the_end_or_else_from_the_start() {
    let mut metadata = minimal("a-20260305_132522-1-00000001");
    metadata.timestamp = at(0);
    metadata.ended_at = Some(at(1000));
    let long = Candidate::of(&Entry::of(&metadata, 10), State::Finished, 1).unwrap();
    metadata.ended_at = None;
    let unknown = Candidate::of(&Entry::of(&metadata, 10), State::Finished, 2).unwrap();
    let all = [long, unknown];
    assert_eq!(
        going(&policy(Some(100), None, None), &all, 1000),
        [(2, Limit::Age)]
    );
}

#[test]
fn a_candidate_keeps_its_place_and_all_that_speaks_for_it() {
    let all = [Hold::Failed, Hold::Fault, Hold::Task, Hold::Pin];
    for place in [0, 1, 255, 1 << 32, (1 << 48) - 1] {
        let candidate = Candidate::new(at(7), 10, State::Finished, place);
        assert_eq!((candidate.place(), candidate.held_by().count()), (place, 0));
        for hold in all {
            assert!(candidate.with(hold).held_by().eq([hold]));
        }
        let held = all.into_iter().fold(candidate, Candidate::with);
        assert!(held.held_by().eq(all) && held.is_pinned());
        assert_eq!(held.at(3).place(), 3);
    }
}

#[test]
fn the_oldest_go_until_all_together_are_small_enough() {
    let all = [candidate(1, 3), candidate(2, 1), candidate(3, 2)];
    let limit = |bytes| policy(None, Some(bytes), None);
    assert_eq!(going(&limit(30), &all, 9), []);
    assert_eq!(going(&limit(29), &all, 9), [(2, Limit::Bytes)]);
    assert_eq!(
        going(&limit(19), &all, 9),
        [(2, Limit::Bytes), (3, Limit::Bytes)]
    );
    assert_eq!(going(&limit(0), &all, 9).len(), 3);
}

#[test]
fn the_oldest_go_until_there_are_few_enough() {
    let all = [candidate(1, 3), candidate(2, 1), candidate(3, 2)];
    let limit = |sessions| policy(None, None, Some(sessions));
    assert_eq!(going(&limit(3), &all, 9), []);
    assert_eq!(going(&limit(2), &all, 9), [(2, Limit::Sessions)]);
    assert_eq!(
        going(&limit(1), &all, 9),
        [(2, Limit::Sessions), (3, Limit::Sessions)]
    );
}

#[test]
fn what_something_speaks_for_goes_last() {
    let failed = candidate(1, 1).with(Hold::Failed);
    let pinned = candidate(2, 2).with(Hold::Pin);
    let task = candidate(3, 3).with(Hold::Task);
    let fault = candidate(4, 4).with(Hold::Fault);
    let interrupted = in_state(State::Interrupted, candidate(5, 5));
    let held = [failed, pinned, task, fault, interrupted];
    for one in held {
        let all = [one, candidate(8, 8), candidate(9, 9)];
        let limit = policy(None, None, Some(1));
        let expected = [(8, Limit::Sessions), (9, Limit::Sessions)];
        assert_eq!(going(&limit, &all, 9), expected, "{:?}", all[0]);
        assert_eq!(going(&policy(None, None, Some(0)), &all, 9).len(), 3);
    }
}

#[test]
fn a_running_session_stays_whatever_the_limits_are() {
    let running = in_state(State::Running, candidate(1, 0));
    let all = [running, candidate(2, 5)];
    let strict = policy(Some(1), Some(0), Some(0));
    let plan = plan_prune(&strict, &all, at(1000));
    assert_eq!(plan.removals.len(), 1);
    assert_eq!(plan.spared.len(), 1);
    assert_eq!(
        (plan.spared[0].candidate, plan.spared[0].limit),
        (&all[0], Limit::Age)
    );
    let strict = policy(None, Some(0), None);
    let plan = plan_prune(&strict, &all, at(1000));
    assert_eq!(plan.spared[0].limit, Limit::Bytes);
    // It takes its room, so that another has to go.
    let limit = policy(None, Some(19), None);
    assert_eq!(going(&limit, &all, 9), [(2, Limit::Bytes)]);
    assert!(plan_prune(&limit, &all, at(9)).spared.is_empty());
}

#[test]
fn a_clock_that_went_backwards_makes_nothing_old() {
    let all = [candidate(1, 5000), candidate(2, i64::from(u32::MAX))];
    assert_eq!(all[1].age_ms(at(10)), 0);
    assert_eq!(going(&policy(Some(1), None, None), &all, 10), []);
    let latest = Timestamp(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    let extreme = Candidate::new(latest, 10, State::Finished, 3);
    let earliest = Timestamp(chrono::DateTime::<chrono::Utc>::MIN_UTC);
    assert_eq!(extreme.age_ms(earliest), 0);
}

#[test]
fn sizes_that_are_nonsense_dont_overflow() {
    let huge = |number: u32| Candidate {
        size_bytes: u64::MAX,
        ..candidate(number, number.into())
    };
    let all = [huge(1), huge(2), huge(3)];
    let limit = policy(None, Some(u64::MAX), None);
    assert_eq!(
        going(&limit, &all, 9),
        [(1, Limit::Bytes), (2, Limit::Bytes)]
    );
}

/// What the module promises for a million candidates, and that they can be planned for.
#[test]
fn a_million_candidates_take_24_bytes_each_and_20_more_to_plan() {
    assert_eq!(size_of::<u32>() + size_of::<Removal<'_>>(), 20);
    assert_eq!(size_of::<Candidate>(), 24);
    let all: Vec<Candidate> = (0..100_000)
        .map(|number| candidate(number, (number.wrapping_mul(7919) % 100_000).into()))
        .collect();
    let plan = plan_prune(&policy(None, None, Some(1000)), &all, at(200_000));
    assert_eq!(plan.removals.len(), 99_000);
    let is_oldest_first = plan
        .removals
        .is_sorted_by_key(|removal| removal.candidate.order());
    assert!(is_oldest_first);
}

#[test]
fn a_report_says_of_each_removal_what_came_of_it() {
    let all = [1, 2, 3, 4].map(|number| candidate(number, number.into()));
    let plan = plan_prune(&policy(None, None, Some(0)), &all, at(9));
    let dry = PruneReport::of_dry_run(plan.clone());
    assert!(dry.is_dry_run());
    assert!(dry.fates().all(|(_, fate)| fate == Fate::Planned));
    assert_eq!((dry.removed().sessions, dry.kept().sessions), (0, 0));
    let mut budget = 3;
    let may_go_on = || {
        budget -= 1;
        budget >= 0
    };
    let report = PruneReport::carry_out(plan, may_go_on, |removal| {
        if *removal.candidate == all[1] {
            Err("no permission")
        } else {
            Ok(())
        }
    });
    let fates: Vec<Fate<'_>> = report.fates().map(|(_, fate)| fate).collect();
    let failed = Fate::Failed("no permission");
    assert_eq!(fates, [Fate::Removed, failed, Fate::Removed, Fate::Left]);
    assert_eq!(report.removed().size_bytes, 20);
    assert_eq!(report.kept().sessions, 2);
    assert!(!report.is_dry_run());
}

#[test]
fn a_plan_without_removals_is_carried_out_by_doing_nothing() {
    let plan = plan_prune(&Policy::KEEP_ALL, &[], at(0));
    let remove = |_: &Removal<'_>| -> Result<(), Infallible> { panic!("nothing to remove") };
    let report = PruneReport::carry_out(plan, || true, remove);
    assert_eq!(report.fates().count(), 0);
}

/// The same decision by the letter of the rules, one session at a time and in no hurry.
fn naive(policy: &Policy, candidates: &[Candidate], now: Timestamp) -> Vec<(u64, Limit)> {
    let mut rest: Vec<&Candidate> = candidates.iter().collect();
    let mut gone = Vec::new();
    let mut take = |rest: &mut Vec<&Candidate>, index: usize, limit| {
        gone.push((rest.remove(index).place(), limit));
    };
    while let Some(longest) = policy.max_age {
        let is_old = |one: &&Candidate| {
            let may_go = one.state != State::Running && !one.is_pinned();
            may_go && Duration::from_millis(one.age_ms(now)) > longest
        };
        let Some(index) = rest.iter().position(is_old) else {
            break;
        };
        take(&mut rest, index, Limit::Age);
    }
    loop {
        let bytes: u128 = rest.iter().map(|one| u128::from(one.size_bytes)).sum();
        let limit = if policy
            .max_total_bytes
            .is_some_and(|most| bytes > most.into())
        {
            Limit::Bytes
        } else if policy
            .max_sessions
            .is_some_and(|most| rest.len() as u64 > most)
        {
            Limit::Sessions
        } else {
            break;
        };
        let movable = (0..rest.len()).filter(|index| rest[*index].state != State::Running);
        let next = movable.min_by_key(|index| {
            let one = rest[*index];
            let is_held = one.held_by().count() > 0;
            (is_held, one.dated_ms, one.place())
        });
        let Some(index) = next else { break };
        take(&mut rest, index, limit);
    }
    gone
}

prop_compose! {
    fn any_candidate(number: u32)(
        dated in 0i64..60,
        size_bytes in prop_oneof![9 => 0u64..50, 1 => Just(u64::MAX)],
        holds in prop::collection::vec(prop::sample::select(vec![
            Hold::Failed, Hold::Pin, Hold::Task, Hold::Fault,
        ]), 0..3),
        state in prop::sample::select(vec![
            State::Finished, State::Finished, State::Finished, State::Running, State::Interrupted,
        ]),
    ) -> Candidate {
        let candidate = Candidate::new(at(dated), size_bytes, state, number.into());
        holds.into_iter().fold(candidate, Candidate::with)
    }
}

fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
    (0u32..25).prop_flat_map(|count| (0..count).map(any_candidate).collect::<Vec<_>>())
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (
        prop::option::of(0u64..60),
        prop::option::of(0u64..600),
        prop::option::of(0u64..25),
    )
        .prop_map(|(age, bytes, sessions)| policy(age, bytes, sessions))
}

/// What is left of the candidates after a plan.
fn rest(candidates: &[Candidate], plan: &PrunePlan<'_>) -> Vec<Candidate> {
    let gone: BTreeSet<u64> = plan
        .removals
        .iter()
        .map(|removal| removal.candidate.place())
        .collect();
    let left = candidates.iter().filter(|one| !gone.contains(&one.place()));
    left.copied().collect()
}

proptest! {
    #[test]
    fn a_plan_is_what_the_rules_say_to_the_letter(
        candidates in any_candidates(), policy in any_policy(), now in 0i64..90
    ) {
        let plan = plan_prune(&policy, &candidates, at(now));
        let planned: BTreeSet<(u64, &str)> = plan
            .removals
            .iter()
            .map(|removal| (removal.candidate.place(), removal.limit.name()))
            .collect();
        prop_assert_eq!(planned.len(), plan.removals.len());
        let wanted: BTreeSet<(u64, &str)> = naive(&policy, &candidates, at(now))
            .into_iter()
            .map(|(id, limit)| (id, limit.name()))
            .collect();
        prop_assert_eq!(planned, wanted);
    }

    #[test]
    fn planning_again_over_the_rest_removes_nothing(
        candidates in any_candidates(), policy in any_policy(), now in 0i64..90
    ) {
        let plan = plan_prune(&policy, &candidates, at(now));
        let left = rest(&candidates, &plan);
        let again = plan_prune(&policy, &left, at(now));
        prop_assert_eq!(again.removals.len(), 0);
        prop_assert_eq!(again.spared.len(), plan.spared.len());
    }

    #[test]
    fn every_limit_holds_afterwards_unless_only_running_sessions_are_left(
        candidates in any_candidates(), policy in any_policy(), now in 0i64..90
    ) {
        let plan = plan_prune(&policy, &candidates, at(now));
        let left = rest(&candidates, &plan);
        let sum = Sum::of(&left);
        let all_run = left.iter().all(|one| one.state == State::Running);
        prop_assert!(all_run || exceeded(&policy, sum).is_none());
        for one in &left {
            let is_old = policy.max_age.is_some_and(|longest| {
                !one.is_pinned() && Duration::from_millis(one.age_ms(at(now))) > longest
            });
            prop_assert!(!is_old || one.state == State::Running);
            let is_spared = plan.spared.iter().any(|spared| spared.candidate == one);
            let is_above = is_old || exceeded(&policy, sum).is_some();
            prop_assert_eq!(is_spared, is_above && one.state == State::Running);
        }
        prop_assert_eq!(plan.total, Sum::of(&candidates));
        let removed = plan.removals.iter().map(|removal| removal.candidate);
        prop_assert_eq!(plan.removed, Sum::of(removed));
    }

    #[test]
    fn no_running_session_is_removed_and_what_is_held_goes_last_the_oldest_first(
        candidates in any_candidates(), policy in any_policy(), now in 0i64..90
    ) {
        let plan = plan_prune(&policy, &candidates, at(now));
        let order: Vec<_> = plan
            .removals
            .iter()
            .map(|removal| {
                let one = removal.candidate;
                (one.held_by().count() > 0, one.dated_ms, one.place())
            })
            .collect();
        prop_assert!(order.is_sorted());
        let mut removals = plan.removals.iter();
        prop_assert!(removals.all(|removal| removal.candidate.state != State::Running));
    }

    /// Less would not do: without the last one that goes for a limit on all, that limit is exceeded.
    #[test]
    fn nothing_goes_that_need_not(
        candidates in any_candidates(), policy in any_policy(), now in 0i64..90
    ) {
        let plan = plan_prune(&policy, &candidates, at(now));
        let mut left = rest(&candidates, &plan);
        let last = plan.removals.iter().rfind(|removal| removal.limit != Limit::Age);
        if let Some(last) = last {
            left.push(*last.candidate);
            prop_assert!(exceeded(&policy, Sum::of(&left)).is_some());
        }
        for removal in plan.removals.iter().filter(|removal| removal.limit == Limit::Age) {
            let longest = policy.max_age.unwrap();
            prop_assert!(Duration::from_millis(removal.candidate.age_ms(at(now))) > longest);
        }
    }

    #[test]
    fn the_order_of_the_candidates_changes_nothing(
        candidates in any_candidates(), policy in any_policy(), now in 0i64..90
    ) {
        let mut reversed = candidates.clone();
        reversed.reverse();
        let plan = plan_prune(&policy, &candidates, at(now));
        let other = plan_prune(&policy, &reversed, at(now));
        prop_assert_eq!(plan.removals, other.removals);
    }
}
