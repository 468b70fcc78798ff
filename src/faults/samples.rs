//! The table of real outputs: one failure, one id; another failure, another id.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{FaultId, Rules, Run, Verdict, classify, fault_id};
use crate::session::Outcome;

#[derive(Deserialize)]
struct Samples {
    failure: Vec<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    name: String,
    class: String,
    seen: Vec<Seen>,
}

#[derive(Deserialize)]
struct Seen {
    line: String,
    exit: i32,
    text: String,
}

fn samples() -> Vec<Failure> {
    let samples: Samples = toml::from_str(include_str!("samples.toml")).unwrap();
    samples.failure
}

fn judge(seen: &Seen, rules: &Rules) -> Verdict {
    let argv = ["sh".to_owned(), "-c".to_owned(), seen.line.clone()];
    let run = Run {
        argv: &argv,
        shell_line: Some(&seen.line),
        outcome: &Outcome::Exited(seen.exit),
        output: "",
        errors: &seen.text,
    };
    classify(&run, rules)
}

#[test]
fn one_failure_has_one_id_and_another_has_another() {
    let rules = Rules::built_in();
    let mut ids: BTreeMap<FaultId, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for failure in samples() {
        assert!(failure.seen.len() >= 2, "{}", failure.name);
        let mut first: Option<FaultId> = None;
        for seen in &failure.seen {
            let Verdict::Fault(cause) = judge(seen, &rules) else {
                wrong.push(format!("{}: {:?}", failure.name, judge(seen, &rules)));
                continue;
            };
            if cause.class != failure.class {
                wrong.push(format!(
                    "{}: class {} by {:?}",
                    failure.name, cause.class, cause.line
                ));
            }
            let id = fault_id(&cause);
            match &first {
                Some(first) if *first != id => {
                    let shown = (first.as_str(), id.as_str(), &cause.line, &cause.key);
                    wrong.push(format!("{}: two ids, {shown:?}", failure.name));
                }
                Some(_) => {}
                None => first = Some(id),
            }
        }
        if let Some(id) = first
            && let Some(other) = ids.insert(id, failure.name.clone())
        {
            wrong.push(format!("{} has the id of {other}", failure.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ids.len() >= 90, "{} failures", ids.len());
}
