//! WHAT MAY LEAVE: finds secrets in text and bytes, and replaces or masks them.
//!
//! Responsible for rules as data, for finding secrets by them in bytes that arrive in any pieces, and
//! for what stands in a secret's place. Not responsible for reading files, for the environment, or for
//! deciding which fields of a session leave at all. A recorded transcript is never changed: what leaves is
//! a copy.
//!
//! Bytes flow [`Stream`] → `finder` (collects a block) → `gate` (finds keywords) → `detect` (looks closer)
//! and back as pieces that are kept or hidden. docs/design/redaction.md has the reasons.
//!
//! Invariants: the same bytes give the same result in any pieces; memory is bounded; what was replaced
//! stays replaced in a result redacted again, as far as the rules of the table go; what was valid UTF-8
//! still is; nothing here panics.

mod argv;
mod cells;
mod class;
mod detect;
mod finder;
mod gate;
mod overlay;
mod own;
mod report;
mod rule;
mod rules;
mod search;
mod stream;
mod strip;
#[cfg(test)]
pub(crate) mod tests;
mod user;
mod view;
mod word;

pub use detect::Depth;
pub use overlay::Overlay;
pub use own::OwnSecret;
pub use report::Report;
pub use stream::{Stream, Style};
pub use user::{IN_REPOSITORY, RuleError, UserRules};

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use finder::AHEAD_BYTES;
use search::Search;

/// What a tag is computed over besides the secret, so that the same key can sign other things.
const TAG_CONTEXT: &[u8] = b"aido redaction 1\0";

/// Bytes of a tag: enough to tell a few secrets apart, too few to tell what they are.
type Tag = [u8; 2];

/// Whether a replacement tells equal secrets from different ones.
#[derive(Clone, Default)]
pub enum Tags {
    /// It doesn't: what is shared by several users is the same for all.
    #[default]
    None,
    /// By four digits of an HMAC-SHA256 with the user's key, which can't be turned back.
    Keyed([u8; 32]),
}

/// What a [`Redactor`] is made of.
#[derive(Clone, Default)]
pub struct Options {
    /// How thorough the search is.
    pub depth: Depth,
    /// Whether replacements carry a tag.
    pub tags: Tags,
    /// The width of the terminal that the text was written to, if known: where its lines were cut.
    pub columns: Option<u16>,
    /// Secrets of the caller's own, searched for as they are.
    pub own: Vec<OwnSecret>,
    /// Rules of the user's and the repository's.
    pub rules: UserRules,
}

/// Finds and replaces secrets. Made once, used for any number of inputs.
pub struct Redactor {
    search: Search,
    tags: Tags,
    columns: Option<u16>,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Redactor {
    /// Makes a redactor: at no cost without rules and secrets of one's own.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            search: Search::new(options.own, options.rules, options.depth),
            tags: options.tags,
            columns: options.columns,
        }
    }

    /// Redacts a text: secrets become tokens that say what they were.
    #[must_use]
    pub fn text(&self, text: &str) -> (String, Report) {
        let (bytes, report) = self.bytes(text.as_bytes(), Style::Token);
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        (text, report)
    }

    /// A text that was cut, without an end that begins one of the caller's own secrets: half of one is
    /// not known as one.
    #[must_use]
    pub fn without_cut_secret<'t>(&self, text: &'t str) -> &'t str {
        self.search.without_beginning(text)
    }

    /// Redacts bytes that are all there.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8], style: Style) -> (Vec<u8>, Report) {
        if bytes.len() < gate::LEAST_BYTES {
            return (bytes.to_vec(), Report::default());
        }
        let mut redacted = Vec::with_capacity(bytes.len());
        let mut stream = self.stream(style);
        stream.push(bytes, &mut redacted);
        let report = stream.finish(&mut redacted);
        (redacted, report)
    }

    /// Redacts bytes that arrive in pieces.
    #[must_use]
    pub fn stream(&self, style: Style) -> Stream<'_> {
        Stream::new(self, style)
    }

    /// Whether somebody said of anything that it is no secret.
    fn has_exceptions(&self) -> bool {
        !self.search.user().allowed.is_empty()
    }

    /// Whether somebody said that this is no secret.
    fn is_allowed(&self, secret: &[u8]) -> bool {
        let allowed = &self.search.user().allowed;
        !allowed.is_empty() && allowed.contains(&<[u8; 32]>::from(Sha256::digest(secret)))
    }

    fn tag(&self, secret: &[u8]) -> Option<Tag> {
        let Tags::Keyed(key) = &self.tags else {
            return None;
        };
        // Never an error: HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(TAG_CONTEXT);
        mac.update(secret);
        let digest = mac.finalize().into_bytes();
        Some([digest[0], digest[1]])
    }
}

/// What stands in a secret's place.
fn replacement(rule: &str, tag: Option<Tag>) -> String {
    let mut text = format!("[REDACTED:{rule}");
    if let Some([one, other]) = tag {
        // Writing to a String cannot fail.
        let _ = write!(text, ":{one:02x}{other:02x}");
    }
    text.push(']');
    text
}
