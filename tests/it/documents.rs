//! What the documents say of the program: the commands run, the names exist, the tables are true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{AIDO, Output, TestEnv, files_below, has_program};

mod demonstration;
mod layers;
mod recipes;
mod source;

const README: &str = include_str!("../../README.md");
const TOUR: &str = include_str!("../../docs/tour.md");
const RUNNING: &str = include_str!("../../docs/running.md");
const ARCHITECTURE: &str = include_str!("../../docs/architecture.md");
const HARD_CASES: &str = include_str!("../../docs/hard-cases.md");

/// A path below the project's own directory.
fn project(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The pages at the root and every page below docs.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = files_below(&project("docs"));
    let at_root = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ];
    paths.extend(at_root.map(project));
    paths.retain(|path| path.extension() == Some("md".as_ref()));
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    paths.into_iter().map(read).collect()
}

/// The contents of every fenced block whose opening line names this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(named)) => open = Some((named == language, String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    let wanted = found.into_iter().filter(|(is_wanted, _)| *is_wanted);
    wanted.map(|(_, block)| block).collect()
}

/// What stands in back quotes, outside of fenced blocks.
fn quoted(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// A line of shell in the place, where `aido` is the program under test.
fn shell(env: &TestEnv, line: &str) -> Output {
    let programs = Path::new(AIDO).parent().unwrap().display().to_string();
    let path = format!("{programs}:/usr/local/bin:/usr/bin:/bin");
    env.bare(["sh", "-c", line]).env("PATH", path).output()
}

/// A repository that git itself made.
fn repository(test: &str) -> Option<TestEnv> {
    if !has_program("git", test) {
        return None;
    }
    let env = TestEnv::in_repository();
    fs::remove_dir_all(env.path("work/.git")).unwrap();
    let made = env.bare(["git", "init", "-q"]).output();
    assert_eq!(made.code(), 0, "{made:?}");
    Some(env)
}

#[test]
fn the_page_of_the_command_line_is_what_help_prints() {
    let env = TestEnv::new();
    let page = fs::read_to_string(project("docs/cli.md")).unwrap();
    let shown = blocks(&page, "text");
    let words: Vec<Option<&str>> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## aido"))
        .map(|word| Some(word.trim()).filter(|word| !word.is_empty()))
        .collect();
    let named: Vec<&str> = words.iter().copied().flatten().collect();
    let public = aido::cli::word::NAMES
        .iter()
        .filter(|name| !name.starts_with('_'));
    assert!(named.iter().eq(public), "{named:?}");
    assert_eq!(shown.len(), words.len());
    for (word, shown) in words.into_iter().zip(shown) {
        let run = env.aido(word.into_iter().chain(["--help"])).output();
        assert_eq!(run.code(), 0, "{run:?}");
        assert_eq!(
            run.stdout_text(),
            shown,
            "docs/cli.md: paste what `aido {} --help` prints",
            word.unwrap_or_default()
        );
    }
}

/// That they are up to date is tested beside what they are generated from.
#[test]
fn the_manuals_pages_are_typeset_without_a_warning() {
    if !has_program("groff", "the_manuals_pages_are_typeset_without_a_warning") {
        return;
    }
    let env = TestEnv::new();
    let pages = files_below(&project("man"));
    assert!(pages.len() >= 5, "{pages:?}");
    for page in pages {
        let page = page.to_str().unwrap();
        let run = env
            .bare(["groff", "-man", "-Tutf8", "-ww", "-z", page])
            .output();
        assert!(run.code() == 0 && run.stderr.is_empty(), "{page}: {run:?}");
    }
}

/// The commands of a page, in its order, in one repository. Each must exit with 0, or with the code that its
/// comment names.
#[track_caller]
fn assert_commands_run(test: &str, page: &str, least: usize) {
    let Some(env) = repository(test) else {
        return;
    };
    let demo = blocks(page, "console").concat();
    let demo = demo.lines().filter_map(|line| line.strip_prefix("$ "));
    let tasks = blocks(page, "sh").concat();
    let mut ran = 0;
    for line in demo.chain(tasks.lines()) {
        if !line.starts_with("aido ") {
            continue;
        }
        ran += 1;
        let code = line
            .rsplit_once("# exits ")
            .map_or(0, |(_, code)| code.parse().unwrap());
        let run = shell(&env, line);
        assert_eq!(run.code(), code, "{line}: {run:?}");
    }
    assert!(ran >= least, "only {ran} commands were found");
}

#[test]
fn the_readmes_commands_run() {
    assert_commands_run("the_readmes_commands_run", README, 15);
}

#[test]
fn the_tours_commands_run() {
    assert_commands_run("the_tours_commands_run", TOUR, 60);
}

/// The files can be read without aido, as the README shows.
#[test]
fn the_readmes_files_are_read_without_aido() {
    let Some(env) = repository("the_readmes_files_are_read_without_aido") else {
        return;
    };
    let run = shell(&env, "aido sh -c 'echo one; exit 3'");
    assert_eq!(run.code(), 3, "{run:?}");
    let lines = blocks(README, "sh").concat();
    let lines = lines.lines().filter(|line| {
        line.contains("nexus/.aisessions")
            && (!line.contains("jq ") || Path::new("/usr/bin/jq").exists())
    });
    let mut ran = 0;
    for line in lines {
        ran += 1;
        let run = shell(&env, line);
        assert!(run.code() == 0 && !run.stdout.is_empty(), "{line}: {run:?}");
    }
    assert!(ran >= 2, "only {ran} lines were found");
}

/// The commands of the guide to failures, in its order, in one repository: each exits as it says, and prints
/// the lines that it shows, but for times and sessions.
#[test]
fn the_guide_to_failures_shows_what_happens() {
    let Some(env) = repository("the_guide_to_failures_shows_what_happens") else {
        return;
    };
    let page = fs::read_to_string(project("docs/faults.md")).unwrap();
    let ran = run_console(&env, &page, |line, printed, shown| {
        let printed: Vec<String> = printed.lines().map(without_accidents).collect();
        for line_shown in shown.lines().map(without_accidents) {
            assert!(
                printed.contains(&line_shown),
                "{line}: {line_shown}: {printed:#?}"
            );
        }
    });
    assert!(ran >= 10, "only {ran} commands were found");
}

/// Runs the commands that a page shows with what they print, in their order: each exits as it says. Hands
/// over the line, what it printed and what the page shows, and tells how many there were.
fn run_console(env: &TestEnv, page: &str, compare: impl Fn(&str, &str, &str)) -> usize {
    let told = blocks(page, "console").concat();
    let mut ran = 0;
    for part in told.split("$ ").skip(1) {
        let (line, shown) = part.split_once('\n').unwrap();
        ran += 1;
        let code = line.rsplit_once("# exits ");
        let code = code.map_or(0, |(_, code)| code.parse().unwrap());
        let run = shell(env, line);
        assert_eq!(run.code(), code, "{line}: {run:?}");
        compare(line, &(run.stdout_text() + &run.stderr_text()), shown);
    }
    ran
}

/// A line with its sessions, ages and the width of a column taken out.
fn without_accidents(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let bare = word.trim_end_matches([',', ';', ')']);
        let is_age = bare.len() > 1
            && bare.ends_with(['s', 'm'])
            && bare[..bare.len() - 1]
                .bytes()
                .all(|byte| byte.is_ascii_digit());
        let is_hex = bare.len() == 8 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_age || is_hex { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The README's first command, without the build: one line on stderr says where the recording is.
#[test]
fn in_this_repository_a_run_says_where_its_recording_is() {
    let Some(env) = repository("in_this_repository_a_run_says_where_its_recording_is") else {
        return;
    };
    for command in ["cargo run --release -- git status", "cargo test"] {
        assert!(README.contains(command), "{command}");
    }
    let settings = fs::read_to_string(project("nexus/aido.toml")).unwrap();
    env.write("work/nexus/aido.toml", &settings);
    let run = shell(&env, "aido git status");
    let said = run.stderr_text();
    let id = env.only_session().id;
    let ending = &id[id.len() - 8..];
    assert_eq!((run.code(), said.lines().count()), (0, 1), "{run:?}");
    assert!(said.contains(&format!("aido show {ending}")), "{said}");
}

/// Every setting has a row: its variable, its option, and whether a repository may set it.
#[test]
fn the_page_on_running_has_every_setting() {
    let table = fs::read_to_string(project("src/config/layer.rs")).unwrap();
    let start = table.find("pub const KEYS").unwrap();
    let table = &table[start..];
    let table = &table[..table.find("\n];").unwrap()];
    let parts: Vec<&str> = table.split('"').collect();
    let mut keys = 0;
    for index in (3..parts.len()).step_by(2) {
        let (name, variable) = (parts[index - 2], parts[index]);
        if !variable.starts_with("AIDO_") {
            continue;
        }
        keys += 1;
        let row = format!("| `{name}` | `{variable}` |");
        let row = RUNNING.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("no row for {name}, {variable}"));
        let trust = parts[index + 1].split("Trust::").nth(1).unwrap();
        let (_, said) = [
            ("Anybody", "| yes |"),
            ("KeepMore", "| to keep more |"),
            ("UserOnly", "| no |"),
        ]
        .into_iter()
        .find(|(name, _)| trust.starts_with(name))
        .unwrap();
        assert!(row.contains(said), "{row}: no {said}");
    }
    assert_eq!(keys, table.matches("key(").count());
    for variable in ["AIDO_SESSION", "AIDO_BUILD_DYNAMIC"] {
        let is_named = [README, RUNNING].map(|page| page.contains(&format!("`{variable}")));
        assert_ne!(is_named, [false; 2], "{variable}");
    }
}

/// Every function of the integration tests that is a test, by name.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in [
        files_below(&project("tests/it")),
        files_below(&project("src")),
    ]
    .concat()
    {
        if path.extension() != Some("rs".as_ref()) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for after in text.split("#[test]\n").skip(1) {
            let name = after.split("fn ").nth(1).unwrap();
            names.insert(name.split('(').next().unwrap().to_owned());
        }
    }
    names
}

#[test]
fn every_hard_case_has_a_line_whose_tests_exist() {
    let groups = [
        ('A', 22),
        ('B', 13),
        ('C', 14),
        ('D', 16),
        ('E', 25),
        ('F', 7),
        ('G', 12),
        ('H', 14),
        ('S', 53),
        ('T', 6),
    ];
    let wanted: Vec<String> = groups
        .iter()
        .flat_map(|(group, count)| (1..=*count).map(move |number| format!("{group}{number:02}")))
        .collect();
    let rows: BTreeMap<&str, &str> = HARD_CASES
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(id, _)| id.len() == 3 && id.as_bytes()[1].is_ascii_digit())
        .collect();
    assert!(rows.keys().eq(wanted.iter()), "{:?}", rows.keys());
    let tests = test_names();
    for (id, row) in rows {
        let cited: Vec<&str> = quoted(row)
            .into_iter()
            .filter(|name| {
                name.contains('_')
                    && name.chars().all(|character| {
                        character.is_ascii_lowercase()
                            || character.is_ascii_digit()
                            || character == '_'
                    })
            })
            .collect();
        for name in &cited {
            assert!(tests.contains(*name), "{id}: there is no test {name}");
        }
        let is_a_limit = row.contains("**limit**") || row.contains("**no test**");
        assert!(is_a_limit || !cited.is_empty(), "{id} cites no test");
    }
}

#[test]
fn every_relative_link_leads_to_a_file() {
    for (path, text) in pages() {
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let file = path.parent().unwrap().join(target);
            assert!(file.exists(), "{}: {target}", path.display());
        }
    }
}

#[test]
fn the_architecture_leads_to_every_design_page() {
    let pages = files_below(&project("docs/design"));
    assert!(pages.len() > 20, "{pages:?}");
    for page in pages {
        let name = page.file_name().unwrap().to_str().unwrap();
        let link = format!("](design/{name})");
        assert!(ARCHITECTURE.contains(&link), "{name}");
    }
}

#[test]
fn every_source_file_that_a_page_names_exists() {
    for (path, text) in pages() {
        for name in quoted(&text) {
            let is_file = name.ends_with(".rs") && !name.contains(' ');
            let exists = || project(name).exists() || project("src").join(name).exists();
            assert!(!is_file || exists(), "{}: {name}", path.display());
        }
    }
}

/// "Where is …": the file is there, and so is each thing that is said to be in it.
#[test]
fn where_things_are_is_true() {
    let (_, table) = ARCHITECTURE.split_once("## Where is …").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let mut checked = 0;
    let mut behaviours = BTreeSet::new();
    // Each group has a heading of its own.
    for row in rows.filter(|row| *row != "| behaviour | place |") {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert!(behaviours.insert(cells[0]), "{row}: it is there twice");
        let names = quoted(cells[1]);
        let mut text = String::new();
        for name in names {
            if name.ends_with(".rs") || name.ends_with(".txt") {
                let path = project("src").join(name);
                text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{row}: {error}"));
            } else {
                checked += 1;
                assert!(text.contains(name), "{row}: no {name} there");
            }
        }
    }
    assert!(checked > 20, "only {checked} names were found");
}
