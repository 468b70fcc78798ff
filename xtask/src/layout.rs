//! Which code a run reaches, so that the linker can put it together.
//!
//! The kernel maps a program's file in blocks of 64 KiB around what is reached. Spread over a program of
//! 10 MB a run's code touches most of them; put first, it needs a quarter of the memory, and 50 page faults
//! less. `link/first.txt` names that code for build.rs. What it names and the program doesn't have is
//! passed over, so an old list makes a larger run and nothing worse.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::shell::{self, cargo, succeed};

/// The list, from the project's directory.
const LIST: &str = "link/first.txt";

/// Runs whose code comes first, those that are usual before those that are not.
const RUNS: &[&[&str]] = &[
    &["true"],
    &["--tty", "auto", "true"],
    &["git", "status"],
    &["seq", "10000"],
    &["-c", "echo hi; exit 3"],
];

/// What valgrind doesn't see: between clone and exec, and in the process that leads the command's group.
const ALSO: &[&str] = &[
    "_ZN4aido3sys5spawn*",
    "libc.a:setpgid.o",
    "libc.a:sigpending.o",
];

/// Code of a name that many types share is named for all of them, unless that takes this much more than the
/// part that is reached. Then each type's is named by its digits, which another compiler would choose
/// differently; for that case all of them come last, if they aren't larger than this.
const MORE: u64 = 2;
const LAST_MAX_BYTES: u64 = 64 * 1024;

pub(crate) fn run() -> anyhow::Result<()> {
    ensure!(
        shell::has("valgrind"),
        "it needs valgrind: apt install valgrind"
    );
    let place = shell::target_directory()?.join("layout");
    let map = place.join("map");
    fs::create_dir_all(&place)?;
    let mut build = cargo([
        "rustc",
        "--release",
        "--locked",
        "--quiet",
        "--bin",
        "aido",
        "--",
    ]);
    // The profile stays as it is: its settings are part of the digits in a function's name.
    build.args(["-C", "strip=none", "-C"]);
    build.arg(format!(
        "link-args=-Wl,-Map={} -Wl,--no-demangle",
        map.display()
    ));
    build.env("CARGO_TARGET_DIR", &place);
    succeed(&mut build)?;
    let map = fs::read_to_string(&map).context("the linker's map")?;
    let code = parse_map(&map);
    ensure!(
        code.len() > 1000,
        "the linker's map isn't one of lld, which this needs"
    );
    let mut runs = Vec::new();
    for arguments in RUNS {
        runs.push(reached(&place, arguments)?);
    }
    let list = list(&code, &runs);
    let path = shell::root().join(LIST);
    fs::write(&path, list)?;
    println!("{}", path.display());
    Ok(())
}

/// A piece of code, as the linker knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// `libc.a:memcpy.o`; `None` for what Rust's compiler made.
    member: Option<String>,
    /// Without `.text.` and what else stands before its name.
    section: String,
    size_bytes: u64,
}

/// The functions a run reaches.
fn reached(place: &Path, arguments: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let scratch = place.join("run");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    fs::create_dir_all(scratch.join("home"))?;
    succeed(
        Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(&scratch),
    )?;
    let profile = scratch.join("profile");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--trace-children=no"]);
    command.arg("--demangle=no");
    command.arg(format!("--callgrind-out-file={}.%p", profile.display()));
    command.arg(format!("--log-file={}/log.%p", scratch.display()));
    command.arg(place.join("release/aido")).args(arguments);
    command
        .current_dir(&scratch)
        .env("HOME", scratch.join("home"));
    let output = shell::output(&mut command)?;
    // Each process that aido makes of itself leaves one as well.
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&scratch)? {
        let path = entry?.path();
        if path
            .to_string_lossy()
            .starts_with(&*profile.to_string_lossy())
        {
            names.extend(parse_profile(&fs::read_to_string(path)?));
        }
    }
    ensure!(!names.is_empty(), "valgrind: {}", shell::complaint(&output));
    Ok(names)
}

/// Names of functions in what callgrind writes: `fn=(12) name` where one is first named, `cfn=` where it is
/// called. A level of recursion stands behind `'`.
fn parse_profile(profile: &str) -> BTreeSet<String> {
    let names = profile.lines().filter_map(|line| {
        let rest = line.strip_prefix("fn=").or(line.strip_prefix("cfn="))?;
        let (_, name) = rest.split_once(") ")?;
        Some(name.split('\'').next().unwrap_or(name).to_owned())
    });
    names.collect()
}

/// Symbols and the pieces that hold them, by lld's map: address, load address, size and alignment, then by
/// depth an output section, `FILE:(SECTION)` or a symbol.
fn parse_map(map: &str) -> BTreeMap<String, Piece> {
    let mut code = BTreeMap::new();
    let mut piece: Option<Piece> = None;
    for line in map.lines() {
        let mut words = line.split_whitespace();
        let Some(size) = words.nth(2) else { continue };
        let Ok(size_bytes) = u64::from_str_radix(size, 16) else {
            continue;
        };
        let Some(last) = words.nth(1) else { continue };
        if let Some((file, section)) = last.rsplit_once(":(") {
            piece = section
                .trim_end_matches(')')
                .strip_prefix(".text")
                .map(|section| Piece {
                    member: member(file),
                    section: function_of(section).to_owned(),
                    size_bytes,
                });
        } else if let Some(piece) = &piece {
            code.insert(last.to_owned(), piece.clone());
        }
    }
    code
}

/// `libc.a:memcpy.o` of `/usr/lib/libc.a(memcpy.o)`.
fn member(file: &str) -> Option<String> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let (archive, object) = name.strip_suffix(')')?.split_once('(')?;
    archive
        .ends_with(".a")
        .then(|| format!("{archive}:{object}"))
}

/// The name in `.unlikely.NAME` or `.NAME`.
fn function_of(section: &str) -> &str {
    let section = section.strip_prefix(".unlikely").unwrap_or(section);
    section.strip_prefix('.').unwrap_or(section)
}

/// A name without the digits at its end that stand for its types (`17h`, sixteen digits, `E`).
fn stem(section: &str) -> Option<&str> {
    let digits = section.strip_suffix('E')?;
    let (name, hash) = digits.split_at_checked(digits.len().checked_sub(16)?)?;
    let is_hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash && name.ends_with("17h")).then_some(name)
}

/// The C library has the same function for several processors, and picks one at the start: all of them.
fn variants(member: &str) -> String {
    let of_processor = ["libc.a:mem", "libc.a:str", "libc.a:wmem", "libc.a:wcs"];
    match member.split_once('-') {
        Some((name, _)) if of_processor.iter().any(|start| name.starts_with(start)) => {
            format!("{name}-*.o")
        }
        _ => member.to_owned(),
    }
}

/// The list: a line for each piece, those of earlier runs first.
fn list(code: &BTreeMap<String, Piece>, runs: &[BTreeSet<String>]) -> String {
    let all: BTreeSet<&String> = runs.iter().flatten().collect();
    // By stem: of all that have it, and of those reached.
    let mut sizes: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (symbol, piece) in code {
        if let Some(stem) = stem(&piece.section) {
            let (whole, hot) = sizes.entry(stem).or_default();
            *whole += piece.size_bytes;
            *hot += if all.contains(symbol) {
                piece.size_bytes
            } else {
                0
            };
        }
    }
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let mut add = |line: String| {
        if seen.insert(line.clone()) {
            lines.push(line);
        }
    };
    ALSO.iter().for_each(|line| add((*line).to_owned()));
    for symbol in runs.iter().flatten() {
        let Some(piece) = code.get(symbol) else {
            continue;
        };
        add(match (&piece.member, stem(&piece.section)) {
            (Some(member), _) => variants(member),
            (None, Some(stem))
                if sizes
                    .get(stem)
                    .is_some_and(|(whole, hot)| *whole <= MORE * hot) =>
            {
                format!("{stem}*")
            }
            (None, _) => piece.section.clone(),
        });
    }
    let shared = sizes
        .iter()
        .filter(|(_, (whole, hot))| *hot > 0 && *whole > MORE * *hot && *whole <= LAST_MAX_BYTES);
    lines.extend(shared.map(|(stem, _)| format!("{stem}*")));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "\
             VMA              LMA     Size Align Out     In      Symbol
          38c540           38c540   885f21    64 .text
          38c540           38c540       40    16         a.rcgu.o:(.text._ZN4aido3one17h0123456789abcdefE)
          38c540           38c540       40     1                 _ZN4aido3one17h0123456789abcdefE
          38c580           38c580       10    16         a.rcgu.o:(.text.unlikely._ZN4aido3two17h0123456789abcdefE)
          38c580           38c580       10     1                 _ZN4aido3two17h0123456789abcdefE
          38c590           38c590      100    16         a.rcgu.o:(.text._ZN4aido3two17h1111111111111111E)
          38c590           38c590      100     1                 _ZN4aido3two17h1111111111111111E
          38d000           38d000      200    16         /usr/lib/libc.a(memcmp-avx2.o):(.text.avx)
          38d000           38d000      200     1                 __memcmp_avx2
          38d200           38d200       20    16         /usr/lib/libc.a(close.o):(.text)
          38d200           38d200       20     1                 __close
          38d200           38d200       20     1                 close
          c55600           c55600       20    16         a.rcgu.o:(.data)
          c55600           c55600       20     1                 environ
";

    fn reached(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_map_tells_which_piece_holds_a_function() {
        let code = parse_map(MAP);
        let close = code.get("close").cloned();
        let expected = Piece {
            member: Some("libc.a:close.o".to_owned()),
            section: String::new(),
            size_bytes: 0x20,
        };
        assert_eq!(close, Some(expected));
        assert!(!code.contains_key("environ"), "data is not code");
        assert_eq!(code.len(), 6);
    }

    #[test]
    fn a_profile_names_functions_once_and_without_their_depth() {
        let profile = "fn=(1) one\n+3 4\ncfn=(2) two'2\ncalls=1 0\nfn=(1)\ncob=(3) three\n";
        assert_eq!(parse_profile(profile), reached(&["one", "two"]));
    }

    #[test]
    fn what_the_first_run_reaches_comes_first_and_nothing_twice() {
        let first = reached(&[
            "close",
            "__close",
            "_ZN4aido3one17h0123456789abcdefE",
            "elsewhere",
        ]);
        let second = reached(&[
            "__memcmp_avx2",
            "_ZN4aido3one17h0123456789abcdefE",
            "_ZN4aido3two17h0123456789abcdefE",
        ]);
        let list = list(&parse_map(MAP), &[first, second]);
        let lines: Vec<&str> = list.lines().skip(ALSO.len()).collect();
        let expected = [
            "_ZN4aido3one17h*",
            "libc.a:close.o",
            // The other of this name is sixteen times as large, and was not reached.
            "_ZN4aido3two17h0123456789abcdefE",
            // Another processor takes another one.
            "libc.a:memcmp-*.o",
            "_ZN4aido3two17h*",
        ];
        assert_eq!(lines, expected);
    }
}
