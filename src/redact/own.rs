//! The caller's own secrets: values of its environment, searched for as they are. That finds what no
//! form gives away.

use super::detect::{look, pair};

/// The least of a value: shorter ones occur by chance.
const LEAST_BYTES: usize = 8;
/// The longest name in a replacement.
const NAME_BYTES: usize = 64;
/// The most of a value that is searched for in one piece. Whole groups of base64, so that the pieces of a
/// longer one join there, too.
const PIECE_BYTES: usize = 4095;

/// Where a secret is known from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// A variable of this name.
    Variable(String),
    /// What stood in its place when it was replaced before.
    Rule(String),
}

/// The longest word of a name that is looked at.
const WORD_BYTES: usize = 32;

/// Words of a name that say that there is a secret.
const WORDS: &str = "APIKEY AUTH CERT COOKIE CREDENTIAL CREDENTIALS CREDS DSN JWT KEY KEYS PASS PASSPHRASE \
    PASSWD PASSWORD PRIVATE PWD SECRET SECRETS TOKEN TOKENS WEBHOOK";

/// Those of them with which a word may end that has more before: `SSHPASS`, `AWSKEY`.
const ENDINGS: [&str; 11] = [
    "AUTH",
    "CERT",
    "CREDENTIALS",
    "CREDS",
    "KEY",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "SECRET",
    "TOKEN",
];

/// Words that end likewise, and say something else.
const OTHER_WORDS: &str = "BYPASS COMPASS CONCERT DONKEY ENCOMPASS HOTKEY JOCKEY LESSKEY MONKEY PUBKEY \
    PUBLICKEY SURPASS TRESPASS TURKEY WHISKEY";

/// Where paths begin on most machines. A password may begin with a slash, too.
const ROOTS: &str = "Applications Library Users Volumes app bin boot builds data dev etc github home lib \
    lib32 lib64 media mnt nix opt private proc root run sbin secrets snap srv sys tmp usr var work \
    workdir workspace workspaces";

/// A secret of the caller's, under the name of its variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSecret {
    /// Where it is known from.
    name: Name,
    /// The value in each of the forms in which it is searched for.
    pub(super) forms: Vec<Vec<u8>>,
}

impl OwnSecret {
    /// The secret in a variable: its value if the name says that it is one, or the password in an
    /// address. None where the value is short, a path, a switch or stands for another; nor where it is made of
    /// words, unless the name speaks of a password.
    #[must_use]
    pub fn of_variable(name: &str, value: &str) -> Option<Self> {
        if value.len() < LEAST_BYTES {
            return None;
        }
        let secret = match password_of_address(value) {
            Some(password) => password,
            None if is_secret_name(name) && is_worth_hiding(name, value) => value,
            None => return None,
        };
        let mut lines = secret.lines().map(str::trim);
        let lines = lines.by_ref().filter(|line| line.len() >= LEAST_BYTES);
        let forms: Vec<Vec<u8>> = lines.flat_map(|line| forms(line.as_bytes())).collect();
        (!forms.is_empty()).then(|| Self {
            name: Name::Variable(name.to_owned()),
            forms,
        })
    }

    /// Whether it stands in a text, in one of the forms in which it is searched for.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let mut forms = self.forms.iter();
        forms.any(|form| memchr::memmem::find(text.as_bytes(), form).is_some())
    }

    /// A secret that was replaced in one place, to be found in others: under the name of the rule that
    /// was told there.
    #[must_use]
    pub fn of_replaced(rule: &str, secret: &str) -> Self {
        Self {
            name: Name::Rule(rule.to_owned()),
            forms: forms(secret.as_bytes()),
        }
    }

    /// How replacements and reports call it: `env.GITHUB_TOKEN`.
    pub(super) fn rule_name(&self) -> String {
        let name = match &self.name {
            Name::Variable(name) => name,
            Name::Rule(rule) => return rule.clone(),
        };
        let plain = name.chars().map(|character| match character {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' => character,
            _ => '_',
        });
        let plain: String = plain.take(NAME_BYTES).collect();
        format!("env.{plain}")
    }

    /// The secrets in an environment.
    pub fn of_environment<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<Self> {
        let variables = variables.into_iter();
        variables
            .filter_map(|(name, value)| Self::of_variable(name, value))
            .collect()
    }
}

/// Whether a variable's name says that it holds a secret. Asked for every variable of every run, so it
/// allocates nothing.
fn is_secret_name(name: &str) -> bool {
    let mut words = name.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
    words.any(is_secret_word) || pair::is_secret_name(name.as_bytes())
}

/// Whether a word of a variable's name says so; digits after it don't count.
fn is_secret_word(word: &[u8]) -> bool {
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let word = &word[..word.len() - digits.count()];
    let mut upper = [0; WORD_BYTES];
    let Some(upper) = upper.get_mut(..word.len()) else {
        return false;
    };
    upper.copy_from_slice(word);
    upper.make_ascii_uppercase();
    look::is_listed(WORDS, upper)
        || ENDINGS
            .iter()
            .any(|ending| upper.ends_with(ending.as_bytes()))
            && !look::is_listed(OTHER_WORDS, upper)
}

/// Whether hiding every occurrence of a value hides a secret, and not a word or a path.
fn is_worth_hiding(name: &str, value: &str) -> bool {
    let bytes = value.as_bytes();
    let name = name.to_ascii_uppercase();
    let is_chosen = ["PASS", "SECRET"].iter().any(|word| name.contains(word))
        || ["_PWD", "TOKEN", "CREDS"]
            .iter()
            .any(|end| name.ends_with(end));
    let is_word = bytes
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || b"-_. ".contains(byte))
        && look::is_wordy(bytes);
    let is_path = match is_chosen && !name.ends_with("ASKPASS") {
        true => is_path_for_certain(value),
        false => look::is_path(bytes),
    };
    value.len() >= LEAST_BYTES
        && !is_stand_in(bytes)
        && !is_path
        && !value.contains("://")
        && (is_chosen || !is_word)
        && !pair::is_about(name.as_bytes())
}

/// Whether a value is the path of a file, though its name speaks of a password: it begins as paths do.
fn is_path_for_certain(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('/') else {
        return look::is_path(value.as_bytes());
    };
    let first = rest.split('/').next().unwrap_or(rest);
    look::is_path(value.as_bytes()) && look::is_listed(ROOTS, first.as_bytes())
}

/// Whether a value only stands for a secret. In an environment that is rarer than in a text: a sign before
/// it, or signs around it, don't say so if the rest is no name.
fn is_stand_in(value: &[u8]) -> bool {
    if !look::is_placeholder(value) {
        return false;
    }
    match value {
        [b'$', b'{' | b'(', ..] => true,
        [b'$', rest @ ..] => {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let after = rest.iter().find(|byte| !is_name(byte));
            after.is_none_or(|after| matches!(after, b'/' | b':')) || look::is_placeholder(rest)
        }
        [b'<' | b'{' | b'[' | b'(' | b'%' | b'@', inner @ .., _] => {
            !inner.iter().any(u8::is_ascii_digit) || look::is_placeholder(inner)
        }
        _ => true,
    }
}

/// The password of an address with credentials.
fn password_of_address(value: &str) -> Option<&str> {
    memchr::memchr(b'@', value.as_bytes())?;
    let (_, rest) = value.split_once("://")?;
    let (user_info, _) = rest.rsplit_once('@')?;
    let (_, password) = user_info.split_once(':')?;
    (password.len() >= LEAST_BYTES && !look::is_placeholder(password.as_bytes()))
        .then_some(password)
}

/// A value as it is, as JSON and URLs spell it, and in base64 at each of the three places where it can
/// stand among other bytes. Of a long one, each of its pieces.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let pieces = value.chunks(PIECE_BYTES).map(|piece| match piece.len() {
        // The last piece overlaps the one before, rather than being short.
        0..PIECE_BYTES => &value[value.len().saturating_sub(PIECE_BYTES)..],
        _ => piece,
    });
    pieces.flat_map(forms_of_piece).collect()
}

fn forms_of_piece(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_vec()];
    let in_urls = KEPT_IN_URLS.iter().map(|kept| in_url(value, kept));
    // Forms have a plus for a blank.
    let mut in_form = in_url(value, b"-_. ");
    for byte in in_form.iter_mut().filter(|byte| **byte == b' ') {
        *byte = b'+';
    }
    let in_form = value.contains(&b' ').then_some(in_form);
    let in_json = [in_json(value), in_ascii_json(value)];
    for form in in_json.into_iter().chain(in_urls).chain(in_form) {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    let encoded = (0..3).map(|place| in_base64(value, place));
    forms.extend(encoded.filter(|form| form.len() >= LEAST_BYTES));
    forms
}

/// What stays as it is in addresses: by RFC 3986, in JavaScript, and in Python.
const KEPT_IN_URLS: [&[u8]; 3] = [b"-_.~", b"-_.~!*'()", b"-_.~/"];

fn in_json(value: &[u8]) -> Vec<u8> {
    let mut form = Vec::with_capacity(value.len());
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            form.push(b'\\');
        }
        form.push(*byte);
    }
    form
}

/// The same where nothing but ASCII is written, as Python does.
fn in_ascii_json(value: &[u8]) -> Vec<u8> {
    let form = in_json(value);
    let Ok(text) = std::str::from_utf8(&form) else {
        return form;
    };
    let mut ascii = Vec::with_capacity(form.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character as u8);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                ascii.extend(format!("\\u{unit:04x}").into_bytes());
            }
        }
    }
    ascii
}

fn in_url(value: &[u8], kept: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut form = Vec::with_capacity(value.len());
    for byte in value {
        if byte.is_ascii_alphanumeric() || kept.contains(byte) {
            form.push(*byte);
        } else {
            let digit = |number: u8| DIGITS[usize::from(number & 15)];
            form.extend([b'%', digit(byte >> 4), digit(*byte)]);
        }
    }
    form
}

/// Base64 (RFC 4648) of a value with so many bytes before it, as far as those and what follows don't
/// matter.
fn in_base64(value: &[u8], before: usize) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = [&[0; 2][..before], value].concat();
    let six_bits = |index: usize| {
        let bit = index * 6;
        let byte = |at: usize| u16::from(bytes.get(at).copied().unwrap_or(0));
        let both = byte(bit / 8) << 8 | byte(bit / 8 + 1);
        usize::from(both >> (10 - bit % 8) & 63)
    };
    let whole = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
    whole.map(|index| DIGITS[six_bits(index)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms_of(name: &str, value: &str) -> Option<Vec<String>> {
        let own = OwnSecret::of_variable(name, value)?;
        let forms = own.forms.into_iter().map(String::from_utf8);
        Some(forms.map(Result::unwrap).collect())
    }

    #[test]
    fn variables_that_hold_secrets_are_told_by_name_and_value() {
        for (name, value, is_one) in [
            ("GITHUB_TOKEN", "abcd1234efgh", true),
            ("DB_PASSWORD", "letmeinplease", true),
            ("npm_config__auth", "dXNlcjpwYXNzdw", true),
            ("DATABASE_URL", "postgres://app:s3cretpass@db/x", true),
            ("SIGNING_KEY2", "0011223344556677", true),
            ("DATABASE_URL", "postgres://db/x", false),
            ("SSH_AUTH_SOCK", "/tmp/ssh-x/agent.1", false),
            ("PWD", "/srv/some/where", false),
            ("PATH", "/usr/bin:/bin", false),
            ("KEYBOARD", "something-123", false),
            ("AUTH_MODE", "kerberos5-and-more", false),
            ("SSHPASS", "hunter22x", true),
            ("AWSKEY", "abcd1234efgh", true),
            ("APPAUTH", "abcd1234efgh", true),
            ("DBCREDS", "abcd1234efgh", true),
            ("MYCERT", "abcd1234efgh", true),
            ("HOTKEY", "ctrl+alt+t12", false),
            ("COMPASS", "north-by-12-west", false),
            ("DB_PASSWORD", "/weird/pass88", true),
            ("DB_PASSWORD", "$tart-88!x", true),
            ("DB_PASSWORD", "<angled88>", true),
            ("DB_PASSWORD", "correct-horse-battery", true),
            ("APP_TOKEN", "correct-horse-battery", true),
            ("DB_PWD", "correcthorse", true),
            ("SERVICE_CREDS", "{\"id\":\"a1b2c3d4\"}", true),
            ("SSH_ASKPASS", "/weird/askpass88", false),
            ("APP_SECRET", "/usr/bin/ssh-agent", false),
            ("APP_SECRET", "/run/secrets/app2", false),
            ("APP_SECRET", "~/secrets/app2", false),
            ("APP_SECRET", "$HOME/secret2", false),
            ("APP_SECRET", "$OTHER_SECRET2", false),
            ("APP_SECRET", "$(cat secret2)", false),
            ("APP_SECRET", "<your-secret-2>", false),
            ("APP_SECRET", "<angled>", false),
            ("APP_SECRET", "[REDACTED:env.X2]", false),
            ("APP_SECRET", "changeme", false),
            ("APP_SECRET", "changeme-now-88", false),
            ("APP_SECRET", "true", false),
            ("APP_SECRET", "disabled", false),
            ("MAX_TOKENS", "unlimited", false),
            ("OLDPWD", "/weird/some/where88", false),
            ("TOKEN", "short", false),
            ("TOKEN", "undefined", false),
            ("API_KEY", "${FROM_ELSEWHERE}", false),
            ("XDG_SESSION_TYPE", "wayland-and-more1", false),
        ] {
            assert_eq!(forms_of(name, value).is_some(), is_one, "{name}={value}");
        }
    }

    #[test]
    fn a_value_is_known_in_json_in_a_url_and_in_base64() {
        let forms = forms_of("TOKEN", "pa\"ss w\\ord1").unwrap();
        assert_eq!(
            forms,
            [
                "pa\"ss w\\ord1",
                "pa\\\"ss w\\\\ord1",
                "pa%22ss%20w%5Cord1",
                "pa%22ss+w%5Cord1",
                "cGEic3Mgd1xvcmQx",
                "BhInNzIHdcb3JkM",
                "wYSJzcyB3XG9yZD",
            ]
        );
    }

    #[test]
    fn a_value_is_in_a_text_in_any_of_its_forms() {
        let own = OwnSecret::of_variable("TOKEN", "pa\"ss w\\ord1").unwrap();
        for text in [
            "say pa\"ss w\\ord1",
            "a?b=pa%22ss+w%5Cord1",
            "Basic dTpwYSJzcyB3XG9yZDE=",
        ] {
            assert!(own.is_in(text), "{text}");
        }
        assert!(!own.is_in("pass word1"));
    }

    #[test]
    fn the_lines_of_a_value_are_searched_for_one_by_one() {
        let forms = forms_of("DEPLOY_KEY", "first-line-1\nshort\nsecond-line-2\n").unwrap();
        assert!(forms.contains(&"first-line-1".to_owned()));
        assert!(forms.contains(&"second-line-2".to_owned()));
        assert!(!forms.iter().any(|form| form == "short"));
    }

    #[test]
    fn a_value_is_known_as_forms_and_ascii_json_spell_it() {
        let forms = forms_of("TOKEN", "grü ß/12!x").unwrap();
        for form in [
            "gr\\u00fc \\u00df/12!x",
            "gr%C3%BC+%C3%9F%2F12%21x",
            "gr%C3%BC%20%C3%9F%2F12!x",
            "gr%C3%BC%20%C3%9F/12%21x",
        ] {
            assert!(forms.iter().any(|one| one == form), "{form}: {forms:?}");
        }
    }

    #[test]
    fn every_piece_of_a_long_value_is_known() {
        let value: String = (0..3000).map(|number| format!("{number:04}")).collect();
        let own = OwnSecret::of_variable("TOKEN", &value).unwrap();
        let plain = own.forms.iter().filter(|form| {
            value
                .as_bytes()
                .windows(form.len())
                .any(|part| part == &form[..])
        });
        let covered: usize = plain.map(Vec::len).sum();
        assert!(covered >= value.len());
        assert!(own.forms.iter().all(|form| form.len() < 2 * PIECE_BYTES));
        assert!(
            own.forms
                .iter()
                .any(|form| value.as_bytes().ends_with(form))
        );
    }
}
