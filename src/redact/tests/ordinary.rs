//! Ordinary text stays as it is: what looks like a secret and is none, and everything else.

use super::logs::ordinary;
use super::made::Lot;
use super::redacted;
use crate::redact::Redactor;

/// Lines that look like secrets, and must stay.
const LOOK_ALIKES: &[&str] = &[
    // Git, digests, ids.
    "commit 3fa9c1d2e4b5a6978877665544332211ffeeddcc",
    "index 83db48f..bf2a1c3 100644",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "request id 123e4567-e89b-42d3-a456-426614174000 took 3ms",
    "digest: sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "cache-key-9f86d081884c7d659a2feaa0c55ad015",
    "Restored from key: linux-cargo-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "/nix/store/0c0yh1lmlgvvh9kf6smj0a3z9vxz9i2y-openssl-3.0.13",
    "ETag: W/\"5f3-Uz1xQ2nGf0vH9kqXyL0mA\"",
    // Lock files and packages.
    "checksum = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
    "\"integrity\": \"sha512-8LkfYdPBMi3Lk4UX1xsFn4ddaSo0Y1rlLS1BfiEw2jpHu2z3cGNtMgdxWqbYVV9VQnxE9E2Zu7hb0iP5XWrk3A==\"",
    "\"node_modules/js-tokens\": { \"version\": \"4.0.0\" }",
    "js-tokens \"^3.0.0 || ^4.0.0\"",
    "name = \"proc-macro2-tokens\"\nversion = \"1.0.103\"",
    "\"resolved\": \"https://registry.npmjs.org/csrf-tokens/-/csrf-tokens-3.1.0.tgz\"",
    "+ password-hash v0.5.0",
    "Compiling secrecy v0.10.3",
    // Source code.
    "let token = lexer.next_token();",
    "token: Option<String>,",
    "pub password: Secret<String>,",
    "if password == expected2 { return Ok(()); }",
    "const PASSWORD_MIN_LENGTH: usize = 12;",
    "password = os.environ[\"DB_PASSWORD\"]",
    "self.token = token2",
    "secret: process.env.SECRET_V2,",
    "token::Token::Ident(ident2)",
    "api_key=config.api_key_v2,",
    "<input type=\"password\" name=\"password\" id=\"password1\">",
    "headers.Authorization = `Bearer ${token}`",
    "req.Header.Set(\"Authorization\", \"Bearer \"+token)",
    "Authorization: Bearer <token>",
    "Cookie: <name>=<value>",
    "for (const token of tokens2) {",
    "max_tokens: 4096, token_count=128000",
    "tokenizer = AutoTokenizer.from_pretrained(\"gpt2-medium-1234\")",
    "expected one of `!` or `::`, found token `abc123def456ghi7`",
    "pwd=/srv/build/x86_64-linux",
    "PWD=/home/me/src/project2",
    "next_page_token: CAEQAhoGCgR0ZXN0MTIzNDU2Nzg5MA",
    "\"secretName\": \"db-credentials-2024\"",
    "--token-file=/run/secrets/token2 --password-stdin",
    "--password string   the password to use (default 8 characters)",
    "usage: login [--password PASSWORD] [--token TOKEN]",
    "the password: at least 8 characters, one digit",
    "\"password\": \"Your password must have 12 characters\"",
    "password: ********",
    "PASSWORD=${DB_PASSWORD:-}",
    "password: {{ .Values.db.password }}",
    "PASSWORD=changeme",
    "token: <your-token-here>",
    "AKIAIOSFODNN7EXAMPLE",
    "secrets: inherit",
    "permissions: id-token: write",
    // What looks like a setting, a code, a command.
    "ENV PASSWORD must be set before the build",
    "ENV PATH /usr/local/bin:/usr/bin",
    "ENV TOKEN_FILE /run/secrets/token2",
    "setenv PASSWORD is what csh has for export",
    "+ export PATH=/usr/bin:/bin",
    "+ export TOKEN=",
    "+ TOKEN=$(cat /run/token2)",
    "export API_KEY=your-api-key-2",
    "render_pass: RenderPass2,",
    "first_pass = compute2(x);",
    "tests passed: 12, tests_passed=12",
    "-fpass-plugin=lib2.so --pass-through=all2",
    "key-9f86d081884c7d659a2feaa0c55ad015.json",
    "credentials: 'include', credentials=true",
    "credentials = load_credentials_v2()",
    "auth: required, auth=basic, --auth digest2",
    "author: someone-with-a-Name2 authority=Host1234567890",
    "auth = authenticate2(request)",
    "x-auth: ${TOKEN2}",
    "API key: <your-api-key-2>",
    "API key: see https://docs.example/keys/2",
    "password: Some(\"password\")",
    "password: Some(PASSWORD2)",
    "password: Some(getenv2(\"x\"))",
    "<add key=\"ApiKey\" value=\"\" />",
    "<add key=\"ApiKey\" value=\"${API_KEY2}\" />",
    "<input name=\"password\" value=\"\">",
    "jdbc:oracle:thin:@//db.example:1521/x",
    "jdbc:oracle:thin:user/password@db",
    "jdbc:oracle:thin:${USER}/${PASSWORD2}@db",
    "zip -r out2.zip src2",
    "7z x -p archive2.7z",
    "keytool -list -storepass $STOREPASS2",
    "openssl req -new -passin env:PASS2X -key k2.pem",
    "OpenSSL 3.0.13 -k",
    "az login --identity",
    "helm registry login -u me2 registry2.example",
    "twine upload -r testpypi2 dist2/*",
    "ldapsearch -x -W -b dc=example2",
    "SENDGRID_KEY=${SENDGRID_KEY2}",
    "single-pass encoder, multi-pass: yes2",
    "bypass_cache: always2",
    "SECRET_KEY = os.environ['SECRET_KEY']",
    "GPIO pin: 17, LED_PIN=13",
    "pin=2024-11-05 pinned: 1234",
    "mapping: 1234 spin: 1234",
    "OTP=26.2.1 otp: 1000ms",
    "PIN=0000",
    "aido note last --pin",
    "--pin last~1",
    "time 12:5432:app:main:ok x",
    "src/main.rs:5432:17: error: expected x",
    "http://localhost:5432: refused",
    "define('DB_PASSWORD', getenv('DB_PASSWORD'));",
    "['username', 'password', 'email2']",
    "CREATE USER me IDENTIFIED BY 'password'",
    "ALTER ROLE me WITH PASSWORD NULL",
    "mysql -u root -p db",
    "mysql -p$PASSWORD db",
    "mysql -p is how one is asked",
    "mysqldump --single-transaction -p app > dump.sql",
    "sshpass -p $PASSWORD ssh host",
    "sshpass -e ssh host",
    "htpasswd -b .htpasswd user password",
    "htpasswd .htpasswd me",
    "lftp -u user,password sftp://host",
    "lftp -u me sftp://host",
    "curl -u user:password https://x.example",
    "curl -u \"$USER:$TOKEN\" https://x.example",
    "docker login --password-stdin registry.example",
    "echo \"$PASSWORD\" | sudo -S true",
    "echo done | sudo tee /etc/motd",
    "cat token | docker login --password-stdin",
    "gh auth login --with-token < token.txt",
    "gh auth login --with-token <<< \"$TOKEN\"",
    "Authorization: Basic realm",
    "WWW-Authenticate: Basic realm=\"Restricted area\"",
    "MTIzNDU2Nzg5MDEyMzQ1Njc4 is base64",
    "see discord.com/api/webhooks/ID/TOKEN",
    // Addresses.
    "cloning https://github.com/rust-lang/rust.git",
    "ssh://git@github.com/owner/repository.git",
    "git@github.com:owner/repository.git",
    "postgres://user:password@localhost:5432/db",
    "https://user:${PASSWORD}@example.com/",
    "http://localhost:8080/@scope/package",
    "https://example.com/a:b@c",
    "mailto://someone@example.com",
    // Encoded, minified, drawn.
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImEuanMiXSwibWFwcGluZ3MiOiJBQUFBIn0=",
    "!function(e,t){\"object\"==typeof exports?module.exports=t():e.sk_=t()}(this,function(){var e=\"pk_\"})",
    ".sk-folding-cube-2 .sk-cube-parent-1:before{animation:sk-foldCubeAngle 2.4s infinite}",
    "_ZN4core3fmt9Formatter9TypeInfo_E17h0123456789abcdefE",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ9Zk0J0VbT0lLw2p5sN0Xw0QyZ8wCgYIKoZIzj0EAwIw\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl2Zz0Q9o8C1ZJ5s0Xw0QyZ8wCgYI\n-----END PUBLIC KEY-----",
    "put it between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0l5sN0Xw0QyZ8wCgYIKoZIzj0EAwIwQ9Zk me@host",
    "------------------------------------------------------------------------",
    "progress: [#########################>                ] 61%",
];

#[test]
fn what_only_looks_like_a_secret_stays() {
    for line in LOOK_ALIKES {
        assert_eq!(redacted(line), *line);
        let json = format!("{{\"line\": {}}}", serde_json::to_string(line).unwrap());
        assert_eq!(redacted(&json), json);
    }
}

/// Five megabytes of what builds print: digests, ids, lock files, diffs, encoded images, minified
/// code. Not one replacement.
#[test]
fn five_megabytes_of_what_builds_print_stay() {
    let text = ordinary(&mut Lot::new(2026), 5 << 20);
    let (shown, report) = Redactor::default().text(&text);
    assert!(report.is_clean(), "{report:?}");
    assert!(shown == text);
}

/// Random encoded bytes have every short keyword in them by chance.
#[test]
fn random_bytes_in_base64_and_hexadecimal_digits_stay() {
    let mut lot = Lot::new(7);
    for letters in ["{B76}\n", "{b4000}\n", "{h64}\n", "{u60}\n", "{B1000}=="] {
        let mut text = String::new();
        while text.len() < 1 << 20 {
            text += &lot.cook(letters);
        }
        let (_, report) = Redactor::default().text(&text);
        assert!(report.is_clean(), "{letters}: {report:?}");
    }
}

/// The text of this project: its own sources, documents and lock file, but for this very place and
/// the tests, which hold examples of secrets.
#[test]
fn the_sources_of_this_project_stay() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("Cargo.lock"), root.join("README.md")];
    let mut directories = vec![root.join("src"), root.join("docs"), root.join("benches")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if !path.starts_with(root.join("src/redact")) && !path.ends_with("tests.rs") {
                files.push(path);
            }
        }
    }
    let mut bytes = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        bytes += text.len();
        let (shown, report) = Redactor::default().text(&text);
        assert!(shown == text, "{}: {report:?}", file.display());
    }
    assert!(bytes > 500_000, "{bytes}");
}
