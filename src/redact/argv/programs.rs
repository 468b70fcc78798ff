//! Programs with options of their own for secrets, as data.

use std::ops::Range;

use super::super::detect::look;

/// Which part of an option's value is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// All of it, if it looks chosen: the option may also do without a value.
    Chosen,
    /// What follows the first of this sign, as in `user:password`.
    After(u8),
    /// What follows this text, with which it has to begin, as in `pass:password`.
    Behind(&'static str),
}

/// Where an option's value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the next word.
    Next,
    /// In the same word.
    Joined,
    /// In either.
    Either,
}

use Part::{After, Behind, Chosen, Whole};
use Place::{Either, Joined, Next};

/// The row of a program: a word that must stand among its arguments, if any, and options.
type Row = (&'static str, &'static [(&'static str, Place, Part)]);

/// What is known of a program, by the name of its file.
fn row(program: &str) -> Option<Row> {
    Some(match program {
        // With a blank between, -p asks for the password, and what follows is a database: or the
        // password, by mistake.
        "mysql" | "mysqldump" | "mysqlimport" | "mysqlshow" | "mysqlcheck" | "mariadb"
        | "mariadb-dump" => ("", &[("-p", Joined, Whole), ("-p", Next, Chosen)]),
        "mysqladmin" | "mariadb-admin" => (
            "",
            &[
                ("-p", Joined, Whole),
                ("-p", Next, Chosen),
                ("password", Next, Whole),
            ],
        ),
        "lftp" => (
            "",
            &[("-u", Either, After(b',')), ("--user", Either, After(b','))],
        ),
        "htpasswd" => ("", &[]),
        "mongo" | "mongosh" | "mongodump" | "mongorestore" | "mongoexport" | "mongoimport" => {
            ("", &[("-p", Either, Whole)])
        }
        "sshpass" => ("", &[("-p", Either, Whole)]),
        "docker" | "podman" | "nerdctl" | "buildah" | "skopeo" | "helm" | "oras" | "crane"
        | "az" => ("login", &[("-p", Next, Whole)]),
        "curl" => (
            "",
            &[
                ("-u", Either, After(b':')),
                ("--user", Either, After(b':')),
                ("-U", Either, After(b':')),
                ("--proxy-user", Either, After(b':')),
                ("--oauth2-bearer", Either, Whole),
                ("--pass", Either, Whole),
                ("-b", Either, After(b'=')),
                ("--cookie", Either, After(b'=')),
            ],
        ),
        "http" | "https" | "xh" => (
            "",
            &[("-a", Either, After(b':')), ("--auth", Either, After(b':'))],
        ),
        "redis-cli" => ("", &[("-a", Next, Whole), ("--pass", Next, Whole)]),
        "ldapsearch" | "ldapadd" | "ldapmodify" | "ldapdelete" | "ldapwhoami" | "ldappasswd" => {
            ("", &[("-w", Either, Whole), ("-s", Next, Whole)])
        }
        "zip" | "unzip" => ("", &[("-P", Next, Whole)]),
        "7z" | "7za" | "7zr" | "7zz" | "rar" | "unrar" => {
            ("", &[("-p", Joined, Whole), ("-hp", Joined, Whole)])
        }
        "openssl" => (
            "",
            &[
                ("-passin", Next, Behind("pass:")),
                ("-passout", Next, Behind("pass:")),
                ("-pass", Next, Behind("pass:")),
                ("-k", Next, Whole),
                ("-K", Next, Whole),
            ],
        ),
        "ssh-keygen" => ("", &[("-N", Next, Whole), ("-P", Next, Whole)]),
        "keytool" | "jarsigner" => (
            "",
            &[
                ("-storepass", Next, Whole),
                ("-keypass", Next, Whole),
                ("-srcstorepass", Next, Whole),
                ("-deststorepass", Next, Whole),
            ],
        ),
        "smbclient" => (
            "",
            &[("-U", Either, After(b'%')), ("--user", Either, After(b'%'))],
        ),
        "xfreerdp" | "wlfreerdp" => ("", &[("/p:", Joined, Whole)]),
        "rdesktop" | "twine" => ("", &[("-p", Either, Whole)]),
        "sqlcmd" | "bcp" => ("", &[("-P", Either, Whole)]),
        "useradd" | "usermod" => ("", &[("-p", Next, Whole)]),
        "kubectl" | "oc" => ("", &[("--from-literal", Either, After(b'='))]),
        "vault" => ("login", &[("login", Next, Whole)]),
        "gh" => ("secret", &[("-b", Next, Whole), ("--body", Either, Whole)]),
        "npm" | "pnpm" | "yarn" | "aws" | "pip" | "poetry" | "gcloud" => ("", &[]),
        _ => return None,
    })
}

/// How many words after a program's name are read to know what it was told to do.
const NEAR_WORDS: usize = 64;

/// The parts of words that are secret to the program that stands before them.
pub(super) fn parts<W: AsRef<str>>(words: &[W]) -> Vec<(usize, Range<usize>)> {
    let mut parts = Vec::new();
    let mut current: Option<Row> = None;
    for index in 0..words.len() {
        let word = words[index].as_ref();
        // A program may stand after another: sudo, env, docker exec.
        let program = word.rsplit('/').next().unwrap_or(word);
        if let Some(row) = row(program) {
            let (needed, _) = row;
            let rest = &words[index + 1..];
            let rest = &rest[..rest.len().min(NEAR_WORDS)];
            let is_there = needed.is_empty() || rest.iter().any(|word| word.as_ref() == needed);
            current = is_there.then_some(row);
            if program == "htpasswd" {
                let last = last_of_htpasswd(rest).map(|last| index + 1 + last);
                let range =
                    last.and_then(|last| Some((last, part(words[last].as_ref(), 0, Whole)?)));
                parts.extend(range);
            }
            continue;
        }
        let Some((_, options)) = current else {
            continue;
        };
        // npm config set NAME VALUE, and the like.
        let is_name = index > 0
            && words[index - 1].as_ref() == "set"
            && super::is_secret_name(word.as_bytes());
        if is_name && let Some(next) = words.get(index + 1) {
            parts.extend(part(next.as_ref(), 0, Whole).map(|range| (index + 1, range)));
        }
        for (option, place, secret) in options {
            let next = words.get(index + 1).map(AsRef::as_ref);
            if (word == *option || ends_with_letter(word, option)) && *place != Joined {
                let range = next.and_then(|next| part(next, 0, *secret));
                parts.extend(range.map(|range| (index + 1, range)));
            } else if *place != Next && word.len() > option.len() && word.starts_with(option) {
                let long = option.starts_with("--");
                let is_joined = !long || word.as_bytes().get(option.len()) == Some(&b'=');
                let start = option.len() + usize::from(long);
                let range = part(word, start, *secret).filter(|_| is_joined);
                parts.extend(range.map(|range| (index, range)));
            }
        }
    }
    parts
}

/// The password among the arguments of `htpasswd -b FILE USER PASSWORD`, and of `-nb USER PASSWORD`.
fn last_of_htpasswd<W: AsRef<str>>(words: &[W]) -> Option<usize> {
    let is_option = |word: &W| word.as_ref().starts_with('-');
    let has = |letter: char| {
        let mut options = words.iter().filter(|word| is_option(word));
        options.any(|word| !word.as_ref().starts_with("--") && word.as_ref().contains(letter))
    };
    let number = if has('n') { 1 } else { 2 };
    let mut others = words
        .iter()
        .enumerate()
        .filter(|(_, word)| !is_option(word));
    // -C and -r take a number.
    let is_number = |word: &W| word.as_ref().bytes().all(|byte| byte.is_ascii_digit());
    let first = others.clone().next()?.1;
    let skipped = usize::from((has('C') || has('r')) && is_number(first));
    has('b')
        .then(|| others.nth(number + skipped))?
        .map(|(index, _)| index)
}

/// Whether a word is several options of one letter, this one the last: `-sSu` for `-u`.
fn ends_with_letter(word: &str, option: &str) -> bool {
    let letters = word.strip_prefix('-').filter(|letters| letters.len() > 1);
    let is_letters = |letters: &str| letters.bytes().all(|byte| byte.is_ascii_alphabetic());
    option.len() == 2
        && letters.is_some_and(|letters| is_letters(letters) && letters.ends_with(&option[1..]))
}

/// The secret part of a word's value, which begins at `start`.
pub(super) fn part(word: &str, start: usize, secret: Part) -> Option<Range<usize>> {
    let value = word.get(start..)?;
    let skipped = match secret {
        Whole | Chosen => 0,
        After(sign) => value.bytes().position(|byte| byte == sign)? + 1,
        Behind(text) => value.starts_with(text).then_some(text.len())?,
    };
    let value = value.get(skipped..)?;
    let is_one = !value.is_empty()
        && !look::is_placeholder(value.as_bytes())
        && (secret != Chosen || is_chosen(value))
        && (start > 0 || !word.starts_with('-'));
    is_one.then(|| start + skipped..word.len())
}

/// Whether a value looks like a password rather than a name.
fn is_chosen(value: &str) -> bool {
    let has = |is_one: fn(u8) -> bool| value.bytes().any(is_one);
    value.len() >= 4
        && has(|byte| byte.is_ascii_alphabetic())
        && (has(|byte| byte.is_ascii_digit()) || has(|byte| b"!@#$%^&*+=?~".contains(&byte)))
}
