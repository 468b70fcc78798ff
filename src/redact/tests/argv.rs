//! Secrets in command lines.

use super::made::{Lot, TOKENS};
use crate::redact::Redactor;

/// Arguments as they leave, and which of them that changed.
fn leaving(argv: &[String]) -> (Vec<String>, Vec<usize>) {
    let (redacted, report) = Redactor::default().argv(argv);
    let changed: Vec<usize> = (0..argv.len())
        .filter(|index| argv[*index] != redacted[*index])
        .collect();
    assert_eq!(report.is_clean(), changed.is_empty(), "{argv:?}");
    (redacted, changed)
}

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

const ARG: &str = "[REDACTED:argument]";

/// Command lines, and what is left of the words that change: `#` for an argument's replacement.
type Case = (&'static [&'static str], &'static [(usize, &'static str)]);

const SECRET: &[Case] = &[
    (&["tool", "--password", "hunter"], &[(2, "#")]),
    (&["tool", "--password=hunter", "x"], &[(1, "--password=#")]),
    (&["tool", "--api-key", "abc"], &[(2, "#")]),
    (&["tool", "-token", "abc"], &[(2, "#")]),
    (
        &["tool", "--client.secret=a=b"],
        &[(1, "--client.secret=#")],
    ),
    (
        &["env", "DB_PASSWORD=hunter", "tool"],
        &[(1, "DB_PASSWORD=#")],
    ),
    (
        &["docker", "run", "-e", "API_TOKEN=x y", "image"],
        &[(3, "API_TOKEN=#")],
    ),
    (&["mysql", "-u", "me", "-phunter", "db"], &[(3, "-p#")]),
    (&["/usr/bin/mysqldump", "-phunter"], &[(1, "-p#")]),
    (&["sshpass", "-p", "hunter", "ssh", "host"], &[(2, "#")]),
    (
        &["sudo", "sshpass", "-phunter", "ssh", "host"],
        &[(2, "-p#")],
    ),
    (
        &["docker", "login", "-u", "me", "-p", "hunter"],
        &[(5, "#")],
    ),
    (
        &["curl", "-u", "me:hunter", "https://x.example"],
        &[(2, "me:#")],
    ),
    (
        &["curl", "-ume:hunter", "https://x.example"],
        &[(1, "-ume:#")],
    ),
    (&["curl", "--user=me:hunter", "x"], &[(1, "--user=me:#")]),
    (&["curl", "--oauth2-bearer", "hunter", "x"], &[(2, "#")]),
    (&["curl", "-b", "sid=hunter", "x"], &[(2, "sid=#")]),
    (&["redis-cli", "-a", "hunter", "ping"], &[(2, "#")]),
    (
        &["openssl", "rsa", "-passin", "pass:hunter"],
        &[(3, "pass:#")],
    ),
    (&["smbclient", "-U", "me%hunter", "//h/s"], &[(2, "me%#")]),
    (&["7z", "x", "-phunter", "a.7z"], &[(2, "-p#")]),
    (&["zip", "-P", "hunter", "a.zip", "b"], &[(2, "#")]),
    (
        &[
            "kubectl",
            "create",
            "secret",
            "generic",
            "x",
            "--from-literal=a=hunter",
        ],
        &[(5, "--from-literal=a=#")],
    ),
    (
        &["npm", "config", "set", "//r.example/:_authToken", "hunter"],
        &[(4, "#")],
    ),
    (
        &["aws", "configure", "set", "aws_secret_access_key", "hunter"],
        &[(4, "#")],
    ),
    (&["vault", "login", "hunter"], &[(2, "#")]),
    (
        &["gh", "secret", "set", "NAME", "--body", "hunter"],
        &[(5, "#")],
    ),
    (
        &["sh", "-c", "mysql -phunter db | cat"],
        &[(2, "mysql -p# db | cat")],
    ),
    (
        &["bash", "-lc", "X=1 tool --token 'a b' && echo ok"],
        &[(2, "X=1 tool --token '#' && echo ok")],
    ),
    (&["tool", "--pw", "hunter"], &[(2, "#")]),
    (&["tool", "--password", "4711"], &[(2, "#")]),
    (
        &["env", "A_PASSWORD=hunter", "x", "B_TOKEN=hunter2", "tool"],
        &[(1, "A_PASSWORD=#"), (3, "B_TOKEN=#")],
    ),
    (
        &["sh", "-c", "mysql -phunter a; mysql -phunter2 b"],
        &[(2, "mysql -p# a; mysql -p# b")],
    ),
    (&["mongosh", "-p", "hunter", "db"], &[(2, "#")]),
    (&["mongodump", "-phunter"], &[(1, "-p#")]),
    (&["http", "-a", "me:hunter", "x.example"], &[(2, "me:#")]),
    (&["xh", "--auth=me:hunter", "x"], &[(1, "--auth=me:#")]),
    (
        &["ssh-keygen", "-t", "ed25519", "-N", "hunter"],
        &[(4, "#")],
    ),
    (
        &["ssh-keygen", "-p", "-P", "hunter", "-N", "hunter2"],
        &[(3, "#"), (5, "#")],
    ),
    (&["xfreerdp", "/u:me", "/p:hunter", "/v:h"], &[(2, "/p:#")]),
    (&["sqlcmd", "-U", "sa", "-P", "hunter"], &[(4, "#")]),
    (&["bcp", "t", "in", "f", "-Phunter"], &[(4, "-P#")]),
    (&["useradd", "-p", "hunter", "me"], &[(2, "#")]),
    (&["htpasswd", "-b", "file", "me", "hunter"], &[(4, "#")]),
    (&["htpasswd", "-nb", "me", "hunter"], &[(3, "#")]),
    (
        &["htpasswd", "-b", "-r", "12", "file", "me", "hunter"],
        &[(6, "#")],
    ),
    // With a blank between, what looks chosen is the password: letters, with digits or signs.
    (&["mysql", "-p", "abc1", "db"], &[(2, "#")]),
    (&["mysql", "-p", "abc!", "db"], &[(2, "#")]),
    (&["tool", "--pin", "4711"], &[(2, "[REDACTED:code]")]),
    (&["mysql", "-u", "me", "-p", "hunter2", "db"], &[(4, "#")]),
    (
        &["mysqladmin", "-u", "root", "password", "hunter"],
        &[(4, "#")],
    ),
    (&["htpasswd", "-bc", "file", "me", "hunter"], &[(4, "#")]),
    (
        &["htpasswd", "-bBC", "12", "file", "me", "hunter"],
        &[(5, "#")],
    ),
    (&["lftp", "-u", "me,hunter", "host"], &[(2, "me,#")]),
    (
        &["sh", "-c", "echo hunter | sudo -S true"],
        &[(2, "echo # | sudo -S true")],
    ),
    (
        &["bash", "-c", "sh -c \"mysql -p\\\"hunter 2\\\" db\""],
        &[(2, "sh -c \"mysql -p# db\"")],
    ),
    (
        &["git", "clone", "https://me:hunter@x.example/r"],
        &[(2, "https://me:[REDACTED:url-credential]@x.example/r")],
    ),
    (
        &["curl", "-H", "Authorization: Bearer a1b2c3d4e5f6g7"],
        &[(2, "Authorization: Bearer [REDACTED:bearer-token]")],
    ),
];

/// Command lines without a secret.
const ORDINARY: &[&[&str]] = &[
    &["cargo", "test", "--", "--test-threads=2"],
    &[
        "git",
        "commit",
        "-m",
        "Add --password and --token options to the login page",
    ],
    &["git", "log", "--author=me", "-p", "token.rs"],
    &["docker", "run", "-p", "8080:80", "image"],
    &["docker", "login", "--password-stdin", "-u", "me"],
    &["curl", "-u", "me", "https://x.example/a?b=c"],
    &["curl", "-u", "me:$TOKEN", "https://x.example"],
    &["tool", "--password", "--verbose"],
    &["tool", "--password"],
    &["tool", "--password", "$PASSWORD"],
    &["tool", "--token-file", "token.txt", "--max-tokens", "4096"],
    &["tool", "--token", "/run/secrets/token"],
    &["tool", "--password", "@/run/secrets/pw"],
    &["tool", "--no-password", "word"],
    &["gh", "auth", "login", "--with-token"],
    &["mysql", "-p", "db"],
    &["mkdir", "-p", "secrets/token"],
    &["make", "KEY=value", "TOKEN="],
    &["python", "-c", "print(1)"],
    &["rg", "password|secret|token", "src"],
    &["psql", "-U", "me", "-h", "localhost"],
    &["ffmpeg", "-i", "a.mkv", "-pass", "1"],
    &["tool", "--pin"],
    &["npm", "publish", "--otp", "later"],
    &["htpasswd", "file", "me"],
    &["sh", "-c", "echo done | sudo tee x"],
    &["sh", "-c", "echo hunter22 | sort -S 5M"],
    &["sh", "-c", "cat <<< hunter22"],
    &["mysql", "-p", "ab1"],
    &["mysql", "-p", "2024"],
    &["mysql", "-p", "20!4"],
    &["mysql", "-p", "sales"],
    &["redis-cli", "-a", "-x"],
    &["tool", "--password", "1"],
    &["git", "commit", "-m", "say why password=name is read"],
    &["htpasswd", "--verify", "file", "me", "hunter"],
    &[],
];

#[test]
fn arguments_that_are_secret_by_their_place_are_replaced() {
    for (argv, expected) in SECRET {
        let argv = words(argv);
        let (redacted, changed) = leaving(&argv);
        let mut wanted = argv.clone();
        for (index, text) in *expected {
            wanted[*index] = text.replace('#', ARG);
        }
        assert_eq!(redacted, wanted);
        let places: Vec<usize> = expected.iter().map(|(index, _)| *index).collect();
        assert_eq!(changed, places, "{argv:?}");
        let (again, changed) = leaving(&redacted);
        assert_eq!((again, changed), (redacted, Vec::new()), "done twice");
    }
}

#[test]
fn ordinary_arguments_stay() {
    for argv in ORDINARY {
        let argv = words(argv);
        let (redacted, changed) = leaving(&argv);
        assert_eq!((&redacted, changed), (&argv, Vec::new()));
    }
}

#[test]
fn every_token_in_an_argument_is_found_and_named() {
    for (index, (rule, recipe)) in TOKENS.iter().enumerate() {
        let secret = Lot::new(index as u64 + 77).cook(recipe);
        for word in [
            secret.clone(),
            format!("--x={secret}"),
            format!("-x{secret}"),
        ] {
            let argv = words(&["tool", &word, "last"]);
            let glued = word.starts_with("-x");
            let (redacted, changed) = leaving(&argv);
            // A letter before a short keyword makes it another word.
            if !glued {
                assert_eq!(changed, [1], "{argv:?}");
                let named = format!("[REDACTED:{rule}");
                assert!(redacted[1].contains(&named), "{redacted:?}");
            }
        }
        let argv = words(&["tool", "--token", &secret]);
        let (redacted, _) = leaving(&argv);
        assert!(!redacted[2].contains(&secret), "{redacted:?}");
    }
}

#[test]
fn a_line_of_shell_is_redacted_word_by_word() {
    let redactor = Redactor::default();
    for (line, expected) in [
        (
            "curl -u 'me:hunter' x; mysql -p\"hunter\"",
            "curl -u 'me:#' x; mysql -p#",
        ),
        (
            "PASSWORD=hunter ./run --password=hunter>out",
            "PASSWORD=# ./run --password=#>out",
        ),
        (
            "echo --password is an option",
            "echo --password # an option",
        ),
        ("cat a | grep token", "cat a | grep token"),
        (
            "sh -c 'mysql -phunter db' && echo hunter | sudo -S true",
            "sh -c 'mysql -p# db' && echo # | sudo -S true",
        ),
        (
            "gh auth login --with-token <<< hunter; bash -lc \"curl -u me:hunter x",
            "gh auth login --with-token <<< #; bash -lc \"curl -u me:# x",
        ),
    ] {
        let (shown, report) = redactor.shell_line(line);
        assert_eq!(shown, expected.replace('#', ARG));
        assert_eq!(shown == line, report.is_clean(), "{line}");
    }
}

/// What a program prints of command lines: a shell's prompt, a trace, JSON.
#[test]
fn what_one_command_prints_for_the_next_is_found_in_text() {
    for (line, secret) in [
        ("$ echo hunter22 | sudo -S apt update", "hunter22"),
        (
            "me@host:~$ echo -n 'hunter 22' | sudo -kS true",
            "hunter 22",
        ),
        (
            "printf '%s' hunter22 | docker login --password-stdin",
            "hunter22",
        ),
        ("+ echo me:hunter22|chpasswd", "me:hunter22"),
        ("$ printf 'pw %s' hunter22 | sudo -S true", "hunter22"),
        ("gh auth login --with-token <<<hunter22", "hunter22"),
        (
            "{\"cmd\":\"echo \\\"hunter 22\\\" | sudo -S true\",\"a\":1}",
            "hunter 22",
        ),
    ] {
        let text = format!("before\n{line}\nafter\n");
        let (shown, _) = Redactor::default().text(&text);
        let expected = text.replace(secret, "[REDACTED:argument]");
        assert_eq!(shown, expected);
    }
}

/// Each would take minutes if every word were followed to the end of the line.
#[test]
fn words_that_name_programs_again_and_again_are_read_once() {
    let redactor = Redactor::default();
    for program in ["htpasswd", "docker", "gh"] {
        let mut argv = vec![program.to_owned(); 40_000];
        argv.extend(words(&["mysql", "-phunter"]));
        let (shown, _) = redactor.argv(&argv);
        assert_eq!(shown.last().map(String::as_str), Some(&*format!("-p{ARG}")));
    }
    for piece in ["mysql -p ", "sudo -S ", "mysql -p sudo -S curl -u "] {
        let word = piece.repeat(120_000 / piece.len()) + "mysql -phunter22";
        let (shown, _) = redactor.argv(&[word]);
        assert!(shown[0].ends_with(&format!("mysql -p{ARG}")), "{piece}");
    }
}
