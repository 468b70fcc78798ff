//! The caller's own secrets: values of its environment, searched for as they are. That finds what no
//! form gives away.

use super::detect::{look, pair};

/// The least of a value: shorter ones occur by chance.
const LEAST_BYTES: usize = 8;
/// The longest name in a replacement.
const NAME_BYTES: usize = 64;
/// The longest value that is searched for; of a longer one, its beginning.
const MOST_BYTES: usize = 4096;

/// Where a secret is known from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// A variable of this name.
    Variable(String),
    /// What stood in its place when it was replaced before.
    Rule(String),
}

/// The longest word of a name that says that there is a secret, such as `CREDENTIALS`.
const WORD_BYTES: usize = 11;

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
    /// address. None where the value is short, a path, a switch, a plain word or stands for another.
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
    matches!(
        &*upper,
        b"AUTH"
            | b"APIKEY"
            | b"CERT"
            | b"COOKIE"
            | b"CREDENTIAL"
            | b"CREDENTIALS"
            | b"CREDS"
            | b"DSN"
            | b"JWT"
            | b"KEY"
            | b"KEYS"
            | b"PASS"
            | b"PASSPHRASE"
            | b"PASSWD"
            | b"PASSWORD"
            | b"PRIVATE"
            | b"PWD"
            | b"SECRET"
            | b"SECRETS"
            | b"TOKEN"
            | b"TOKENS"
            | b"WEBHOOK"
    )
}

/// Whether hiding every occurrence of a value hides a secret, and not a word or a path.
fn is_worth_hiding(name: &str, value: &str) -> bool {
    let bytes = value.as_bytes();
    let is_chosen = ["PASS", "SECRET"]
        .iter()
        .any(|word| name.to_ascii_uppercase().contains(word));
    let is_word = bytes
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || b"-_. ".contains(byte))
        && look::is_wordy(bytes);
    value.len() >= LEAST_BYTES
        && !look::is_placeholder(bytes)
        && !look::is_path(bytes)
        && !value.contains("://")
        && (is_chosen || !is_word)
        && !pair::is_about(name.as_bytes())
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
/// stand among other bytes.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let value = &value[..value.len().min(MOST_BYTES)];
    let mut forms = vec![value.to_vec()];
    for form in [in_json(value), in_url(value)] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    let encoded = (0..3).map(|place| in_base64(value, place));
    forms.extend(encoded.filter(|form| form.len() >= LEAST_BYTES));
    forms
}

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

fn in_url(value: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut form = Vec::with_capacity(value.len());
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
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
                "cGEic3Mgd1xvcmQx",
                "BhInNzIHdcb3JkM",
                "wYSJzcyB3XG9yZD",
            ]
        );
    }

    #[test]
    fn the_lines_of_a_value_are_searched_for_one_by_one() {
        let forms = forms_of("DEPLOY_KEY", "first-line-1\nshort\nsecond-line-2\n").unwrap();
        assert!(forms.contains(&"first-line-1".to_owned()));
        assert!(forms.contains(&"second-line-2".to_owned()));
        assert!(!forms.iter().any(|form| form == "short"));
    }
}
