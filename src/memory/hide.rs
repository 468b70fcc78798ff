//! What must not be shared is taken out of every text before it is remembered.

use crate::redact::{Options, OwnSecret, Redactor, Tags};

/// Takes secrets out of texts. What it puts in their place carries no tag, and no rules of the user's own
/// count, so that two users who meet a failure write the same.
pub struct Hide(Redactor);

impl Hide {
    /// One that knows the secrets in these variables, too.
    #[must_use]
    pub fn new<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        Self(Redactor::new(Options {
            tags: Tags::None,
            own: OwnSecret::of_environment(variables),
            ..Options::default()
        }))
    }

    /// The text without its secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.0.text(text).0
    }

    /// A line of shell without them: what an option's name says is a secret, too.
    #[must_use]
    pub fn command(&self, line: &str) -> String {
        self.0.shell_line(line).0
    }
}
