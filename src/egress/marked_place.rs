//! Where a command ran, as it may leave: its recorded variables, its directory and its branch. Anything
//! may be put into a variable, and the caller's own secrets are known only when it is recorded.

use std::collections::BTreeMap;

use super::clean::field;
use super::echo::Echoes;
use crate::redact::{Redactor, Report};
use crate::session::Metadata;
use crate::session::metadata::Redactions;

/// What of it had secrets, with these replaced.
#[derive(Debug, Default)]
pub(super) struct MarkedPlace {
    env: BTreeMap<String, String>,
    cwd: Option<String>,
    branch: Option<String>,
}

impl MarkedPlace {
    /// That of a session.
    pub(super) fn of(metadata: &Metadata, redactor: &Redactor, echoes: &Echoes) -> Self {
        let branch = metadata.git.as_ref().and_then(|git| git.branch.as_deref());
        if !may_have_secrets(metadata, branch, redactor, echoes) {
            return Self::default();
        }
        let shown = |text: &str| {
            let shown = echoes.hide(&redactor.text(text).0);
            (shown != text).then_some(shown)
        };
        let variables = metadata.env.iter().filter_map(|(name, value)| {
            let value = value.as_str()?;
            let shown = echoes.hide(&field(name, value, redactor));
            (shown != value).then(|| (name.clone(), shown))
        });
        Self {
            env: variables.collect(),
            cwd: metadata.cwd.as_deref().and_then(shown),
            branch: branch.and_then(shown),
        }
    }

    /// Counts what was replaced.
    pub(super) fn count(&self, report: &mut Report) {
        let others = [&self.cwd, &self.branch].into_iter().flatten();
        let all = self.env.values().chain(others);
        all.for_each(|text| report.count_in(text));
    }

    /// Notes it.
    pub(super) fn note_in(self, redactions: &mut Redactions) {
        redactions.env = self.env;
        redactions.cwd = self.cwd;
        redactions.branch = self.branch;
    }
}

/// Looks once at all of it together: mostly there is nothing, and each look has its price.
fn may_have_secrets(
    metadata: &Metadata,
    branch: Option<&str>,
    redactor: &Redactor,
    echoes: &Echoes,
) -> bool {
    let mut all = String::with_capacity(512);
    let mut add = |name: &str, value: &str| {
        for part in [name, "=", value, "\n\n"] {
            all.push_str(part);
        }
    };
    for (name, value) in &metadata.env {
        add(name, value.as_str().unwrap_or_default());
    }
    add("cwd", metadata.cwd.as_deref().unwrap_or_default());
    add("branch", branch.unwrap_or_default());
    !redactor.text(&all).1.is_clean() || echoes.hide(&all) != all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{clean, mark, mark_again, mark_recovered, marked_at_start};
    use crate::redact::tests::made::Lot;
    use crate::redact::{Options, OwnSecret};
    use crate::session::metadata::Git;
    use crate::session::metadata::tests::minimal;

    const OWN: &str = "correct horse battery staple 9";

    fn knowing() -> Redactor {
        Redactor::new(Options {
            own: OwnSecret::of_environment([("DEPLOY_TOKEN", OWN)]),
            ..Options::default()
        })
    }

    fn session() -> Metadata {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        let token = Lot::new(1).cook("gh|p_{a36}");
        metadata.env.insert("CI".to_owned(), token.into());
        metadata.env.insert("TZ".to_owned(), OWN.into());
        metadata.env.insert("TERM".to_owned(), "xterm".into());
        metadata.cwd = Some(format!("/tmp/{OWN}"));
        metadata.cwd_hex = Some(hex::encode(format!("/tmp/{OWN}")));
        metadata.git = Some(Git {
            branch: Some(format!("b/{OWN}")),
            commit: None,
            other: serde_json::Map::new(),
        });
        metadata
    }

    #[test]
    fn a_secret_in_where_a_command_ran_is_marked_and_stays_replaced() {
        let mut metadata = session();
        mark(&mut metadata, &knowing());
        assert_eq!(metadata.sensitive, Some(true));
        assert_eq!(metadata.env["TZ"], OWN, "what is recorded stays");
        let known = metadata.redactions.clone().unwrap();
        let names: Vec<&String> = known.env.keys().collect();
        assert_eq!(names, ["CI", "TZ"]);
        assert_eq!(known.env["CI"], "[REDACTED:github-token]");
        assert_eq!(
            known.cwd.as_deref(),
            Some("/tmp/[REDACTED:env.DEPLOY_TOKEN]")
        );
        assert_eq!(
            known.branch.as_deref(),
            Some("b/[REDACTED:env.DEPLOY_TOKEN]")
        );
        assert_eq!(known.counts["env.DEPLOY_TOKEN"], 3);
        // Whoever adds a note later doesn't know it.
        let before = metadata.clone();
        metadata.notes = Some("a note".to_owned());
        mark_again(&mut metadata, &before, &Redactor::default());
        clean(&mut metadata, &Redactor::default());
        let shown = [&metadata.env["TZ"], &metadata.env["CI"]].map(|it| it.as_str().unwrap());
        assert_eq!(
            shown,
            ["[REDACTED:env.DEPLOY_TOKEN]", "[REDACTED:github-token]"]
        );
        assert!(!metadata.cwd.unwrap().contains("horse"));
        assert_eq!(metadata.cwd_hex, None, "the same bytes again");
        assert!(!metadata.git.unwrap().branch.unwrap().contains("horse"));
    }

    #[test]
    fn what_was_known_at_the_start_is_found_in_what_is_left_of_a_session() {
        let mut metadata = session();
        metadata.notes = Some(format!("see {OWN}"));
        let mut left = marked_at_start(&metadata, &knowing()).unwrap();
        left.stdout_tail = format!("it is {OWN}");
        mark_recovered(&mut left);
        assert_eq!(left.stdout_tail, "it is [REDACTED:env.DEPLOY_TOKEN]");
        let known = left.redactions.unwrap();
        assert_eq!(
            known.notes.as_deref(),
            Some("see [REDACTED:env.DEPLOY_TOKEN]")
        );
        assert_eq!(known.env.len(), 2);
        assert_eq!(known.counts["env.DEPLOY_TOKEN"], 5);
        // What a form gives away is found at any time.
        assert_eq!(marked_at_start(&metadata, &Redactor::default()), None);
    }
}
