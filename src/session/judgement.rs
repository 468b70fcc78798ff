//! How the end of a session was judged. An exit code alone doesn't say whether a command failed: `grep`
//! answers with 1, and `make | tail` ends with 0 whatever happened.

use serde::{Deserialize, Serialize};

/// What a command's end means, as it was found out when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// It did what it should.
    Ok,
    /// Its exit code is an answer, such as that of `grep`.
    Negative,
    /// Somebody stopped it.
    Interrupted,
    /// It failed.
    Fault,
    /// It exited with 0, and its output says that it failed.
    Suspect,
}

impl Judgement {
    /// What is to be believed of a session: what was judged when it ended; else, as of those recorded
    /// before anybody judged, what its exit code and its fault tell. None where nobody knows.
    #[must_use]
    pub fn of(judged: Option<Self>, exit_code: Option<i32>, fault: Option<&str>) -> Option<Self> {
        judged.or_else(|| Self::told_by(exit_code, fault))
    }

    /// What of a judgement exit code and fault don't tell by themselves.
    #[must_use]
    pub fn beyond(
        judged: Option<Self>,
        exit_code: Option<i32>,
        fault: Option<&str>,
    ) -> Option<Self> {
        judged.filter(|judged| Self::told_by(exit_code, fault) != Some(*judged))
    }

    fn told_by(exit_code: Option<i32>, fault: Option<&str>) -> Option<Self> {
        match (exit_code, fault) {
            (Some(0), None) => Some(Self::Ok),
            (Some(0), Some(_)) => Some(Self::Suspect),
            (_, Some(_)) => Some(Self::Fault),
            (_, None) => None,
        }
    }

    /// Whether a session that is over counts as failed. Where nobody knows how it ended, it does.
    #[must_use]
    pub fn is_failure(judgement: Option<Self>) -> bool {
        matches!(judgement, None | Some(Self::Fault | Self::Suspect))
    }

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Negative => "negative",
            Self::Interrupted => "interrupted",
            Self::Fault => "fault",
            Self::Suspect => "suspect",
        }
    }

    /// A word for people, where there is more to say of the end than its exit code does.
    #[must_use]
    pub fn remark(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Fault => None,
            Self::Negative => Some("answer"),
            Self::Interrupted => Some("stopped"),
            Self::Suspect => Some("suspect"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_code_and_fault_tell_where_nobody_judged() {
        use Judgement::{Fault, Negative, Ok, Suspect};
        for (judged, code, fault, wanted, stored) in [
            (None, Some(0), None, Some(Ok), None),
            (None, Some(0), Some("f"), Some(Suspect), None),
            (None, Some(2), Some("f"), Some(Fault), None),
            (None, Some(2), None, None, None),
            (None, None, None, None, None),
            (Some(Ok), Some(0), None, Some(Ok), None),
            (Some(Fault), Some(2), Some("f"), Some(Fault), None),
            (
                Some(Negative),
                Some(1),
                None,
                Some(Negative),
                Some(Negative),
            ),
        ] {
            assert_eq!(Judgement::of(judged, code, fault), wanted, "{judged:?}");
            assert_eq!(Judgement::beyond(judged, code, fault), stored, "{judged:?}");
            // What an entry leaves out is told again by the rest of it.
            let again = Judgement::of(stored, code, fault);
            assert_eq!(again, wanted, "{judged:?}");
        }
    }

    #[test]
    fn its_name_is_that_of_its_json() {
        for judgement in [
            Judgement::Ok,
            Judgement::Negative,
            Judgement::Interrupted,
            Judgement::Fault,
            Judgement::Suspect,
        ] {
            let json = serde_json::to_value(judgement).unwrap();
            assert_eq!(json, judgement.name());
        }
    }

    #[test]
    fn what_an_exit_code_does_not_say_has_a_word() {
        let all = [
            (Judgement::Ok, None),
            (Judgement::Fault, None),
            (Judgement::Negative, Some("answer")),
            (Judgement::Interrupted, Some("stopped")),
            (Judgement::Suspect, Some("suspect")),
        ];
        for (judgement, remark) in all {
            assert_eq!(judgement.remark(), remark, "{judgement:?}");
        }
    }
}
