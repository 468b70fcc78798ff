//! Which detector looks closer at a keyword.

use super::detect::pair;
use super::detect::{
    self, Depth, Found, address, code, command, header, key, look, password_file, token,
};
use super::gate::{Gate, Words};
use super::own::OwnSecret;
use super::rule::Form;
use super::rules::{self, Special};
use super::user::UserRules;
use super::view::View;
use super::word::{Target, WORD_BYTES, Word};

/// A rule by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RuleName {
    BuiltIn(&'static str),
    Own(u16),
    User(u16),
}

/// A secret that was found, and by what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) name: RuleName,
    /// Of secrets that begin at the same place, the one with the least rank gives its name.
    pub(super) rank: u32,
    pub(super) found: Found,
}

/// The rank of a run that only looks drawn by lot.
pub(super) const LAST_RANK: u32 = u32::MAX - 1;

/// What is searched for.
pub(super) struct Search {
    /// Keywords besides those of the table.
    words: Option<Words>,
    own: Vec<OwnSecret>,
    user: UserRules,
    depth: Depth,
}

/// How sure a find of a special form is, against others at the same place.
fn class(special: Special) -> u32 {
    match special {
        Special::PrivateKey | Special::AnnouncedKey | Special::EncodedKey => 2,
        Special::Address
        | Special::DatabaseUser
        | Special::Authorization
        | Special::Bearer
        | Special::Cookie => 3,
        Special::PasswordFile | Special::Command | Special::HandedOn | Special::Code => 5,
        Special::Pair(_) => 4,
    }
}

impl Search {
    /// A search for what the table knows and for these.
    pub(super) fn new(own: Vec<OwnSecret>, user: UserRules, depth: Depth) -> Self {
        let number = |index: usize| u16::try_from(index).unwrap_or(u16::MAX);
        let mut words = Vec::new();
        for (index, rule) in user.rules.iter().enumerate() {
            let target = Target::User(number(index));
            let keywords = rule.keywords.iter();
            words.extend(keywords.map(|keyword| Word::new(keyword.as_bytes(), true, target)));
        }
        for (secret, one) in own.iter().enumerate() {
            for (form, text) in one.forms.iter().enumerate() {
                let (secret, form) = (number(secret), number(form));
                words.push(Word::new(text, false, Target::Own { secret, form }));
            }
        }
        Self {
            words: (!words.is_empty()).then(|| Words::new(words)),
            own,
            user,
            depth,
        }
    }

    /// How thorough it is.
    pub(super) fn depth(&self) -> Depth {
        self.depth
    }

    /// The keywords to look for.
    pub(super) fn gates(&self) -> impl Iterator<Item = Gate<'_>> {
        let own = self.words.as_ref().map(Words::gate);
        own.into_iter().chain([rules::gate()])
    }

    /// The user's rule with this number.
    pub(super) fn user(&self) -> &UserRules {
        &self.user
    }

    /// A text without an end that begins a secret of the caller's own.
    pub(super) fn without_beginning<'t>(&self, text: &'t str) -> &'t str {
        /// What may be any word.
        const LEAST_BYTES: usize = 3;
        let forms = self.own.iter().flat_map(|one| &one.forms);
        let starts = forms.filter_map(|form| {
            let mut lengths = (LEAST_BYTES..form.len().min(text.len() + 1)).rev();
            let length = lengths.find(|length| text.as_bytes().ends_with(&form[..*length]))?;
            Some(text.len() - length)
        });
        starts
            .min()
            .and_then(|start| text.get(..start))
            .unwrap_or(text)
    }

    /// The name of a rule, in replacements and reports.
    pub(super) fn name(&self, name: RuleName) -> String {
        let name = match name {
            RuleName::BuiltIn(id) => Some(id.to_owned()),
            RuleName::Own(number) => self.own.get(usize::from(number)).map(OwnSecret::rule_name),
            RuleName::User(number) => {
                let rule = self.user.rules.get(usize::from(number));
                rule.map(|rule| rule.id.clone())
            }
        };
        name.unwrap_or_default()
    }

    /// Looks at a word that the gate found, and calls `found` for each secret.
    pub(super) fn inspect(
        &self,
        word: &Word,
        view: &View<'_>,
        at: usize,
        found: &mut dyn FnMut(Hit),
    ) {
        match word.target {
            Target::Own { secret, form } => {
                let one = self.own.get(usize::from(secret));
                let text = one.and_then(|one| one.forms.get(usize::from(form)));
                if let Some(end) = text.and_then(|text| view.literal(at, text)) {
                    found(Hit {
                        name: RuleName::Own(secret),
                        rank: 0,
                        found: Found::whole(at, end),
                    });
                }
            }
            Target::User(number) => {
                let rule = self.user.rules.get(usize::from(number));
                let Some(rule) = rule.filter(|rule| is_there(word, rule, view, at)) else {
                    return;
                };
                rule.find(view, at, &mut |secret| {
                    // A pattern knows nothing of replacements: what it makes of one is chance.
                    if replacements(view, &secret).next().is_some() {
                        return;
                    }
                    found(Hit {
                        name: RuleName::User(number),
                        rank: 1 << 16 | u32::from(number),
                        found: secret,
                    });
                });
            }
            Target::Special {
                line,
                special: special @ (Special::Command | Special::HandedOn),
            } => {
                let mut take = |one: Found| {
                    if !is_replaced(view, &one) {
                        found(Hit {
                            name: RuleName::BuiltIn(rules::name(line)),
                            rank: class(special) << 16 | u32::from(line),
                            found: one,
                        });
                    }
                };
                if special == Special::Command {
                    command::find(view, at, word.text(), &mut take);
                } else {
                    command::find_handed_on(view, at, word.text(), &mut take);
                }
            }
            Target::Form { line, .. } | Target::Special { line, .. } => {
                if let Some((class, one)) = self.inspect_rule(word, view, at)
                    && !is_replaced(view, &one)
                {
                    found(Hit {
                        name: RuleName::BuiltIn(rules::name(line)),
                        rank: class << 16 | u32::from(line),
                        found: one,
                    });
                }
            }
        }
    }

    /// What a rule of the table finds, and how sure it is.
    fn inspect_rule(&self, word: &Word, view: &View<'_>, at: usize) -> Option<(u32, Found)> {
        if !view.may_begin(at, word.edge) {
            return None;
        }
        let end = if word.is_folded {
            view.literal_folded(at, word.text())?
        } else {
            view.literal(at, word.text())?
        };
        let special = match word.target {
            Target::Special { special, .. } => special,
            Target::Form { from, to, .. } => {
                let form = Form::read(rules::form(from, to))?;
                return Some((2, token::find(&form, word.text(), view, at, end)?));
            }
            Target::Own { .. } | Target::User(_) => return None,
        };
        let found = match special {
            Special::PrivateKey => key::find(view, at, end),
            Special::AnnouncedKey => key::find_after_line(view, end),
            Special::EncodedKey => key::find_encoded(view, at),
            Special::Address => address::find(view, at, end),
            Special::DatabaseUser => address::find_user(view, end),
            Special::Authorization => header::find_authorization(view, at, end),
            Special::Bearer => header::find_bearer(view, end),
            Special::Cookie => header::find_cookie(view, at, end),
            Special::PasswordFile => password_file::find(view, at, end),
            Special::Code => code::find(view, at, end),
            // Of these there may be several, and they were found already.
            Special::Command | Special::HandedOn => None,
            Special::Pair(kind) => pair::find(kind, view, at, end, self.depth),
        };
        Some((class(special), found?))
    }
}

/// Whether one of a rule's keywords stands here in full, of which the word may be the beginning.
fn is_there(word: &Word, rule: &super::user::UserRule, view: &View<'_>, at: usize) -> bool {
    let mut keywords = rule.keywords.iter().map(String::as_bytes);
    keywords.any(|keyword| {
        keyword.starts_with(word.text())
            && (keyword.len() <= WORD_BYTES || view.literal_folded(at, keyword).is_some())
    })
}

/// Whether what was found is inside of a replacement.
fn is_replaced(view: &View<'_>, found: &Found) -> bool {
    replacements(view, found).any(|(from, to)| {
        to > found.from && (from < found.from || from == found.from && to >= found.to)
    })
}

/// The replacements that touch what was found, as far as that may matter.
fn replacements(view: &View<'_>, found: &Found) -> impl Iterator<Item = (usize, usize)> {
    let longest = detect::OPENING.len() + detect::REPLACEMENT_BYTES;
    let start = found.from.saturating_sub(longest).max(view.low);
    let near = view.slice(start, found.to);
    memchr::memchr_iter(b'[', near).filter_map(move |at| {
        let from = start + at;
        let length = look::replaced_length(view.slice(from, from + longest + 1))?;
        (from + length > found.from).then_some((from, from + length))
    })
}
