//! Mutation testing of the modules that stand alone.
//!
//! aido's modules use each other in one direction only, so the lower ones build without the rest: a mutant of
//! `session` is compiled and tested in seconds, not minutes. For each a crate is made that has nothing else
//! in it, and cargo-mutants runs there. What is noticed only from further up counts as unnoticed; survivors
//! that are explained in docs/mutants.md are left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;

use crate::shell;

/// A module, and what it is built with.
struct Alone {
    name: &'static str,
    with: &'static [&'static str],
}

const ALONE: &[Alone] = &[
    Alone {
        name: "session",
        with: &[],
    },
    Alone {
        name: "transcript",
        with: &["session"],
    },
    Alone {
        name: "faults",
        with: &["session"],
    },
    Alone {
        name: "redact",
        with: &[],
    },
    Alone {
        name: "rewrite",
        with: &[],
    },
    Alone {
        name: "agents",
        with: &[],
    },
    Alone {
        name: "import",
        with: &["session", "transcript"],
    },
    Alone {
        name: "screen",
        with: &["session"],
    },
];

/// Where survivors are explained.
const EXPLAINED: &str = "docs/mutants.md";

/// Which modules, and which of their files.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Modules; all that stand alone if none is named
    module: Vec<String>,
    /// Only in these files, such as `src/session/id.rs`; may be given again
    #[arg(long, value_name = "FILE")]
    file: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Survivors {
    pub(crate) tried: usize,
    pub(crate) noticed: usize,
    /// Those of which docs/mutants.md says nothing.
    pub(crate) unexplained: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    ensure!(
        shell::has("cargo-mutants"),
        "it needs cargo-mutants: cargo install --locked cargo-mutants"
    );
    for name in &arguments.module {
        let names: Vec<&str> = ALONE.iter().map(|alone| alone.name).collect();
        ensure!(
            names.contains(&name.as_str()),
            "{name} doesn't stand alone; {} do",
            names.join(", ")
        );
    }
    let is_chosen = |alone: &&Alone| {
        arguments.module.is_empty() || arguments.module.iter().any(|name| name == alone.name)
    };
    let survivors = of(ALONE.iter().filter(is_chosen), &arguments.file)?;
    println!("{} tried, {} noticed", survivors.tried, survivors.noticed);
    for survivor in &survivors.unexplained {
        println!("unnoticed: {survivor}");
    }
    Ok(ExitCode::from(u8::from(!survivors.unexplained.is_empty())))
}

/// All modules that stand alone.
pub(crate) fn all() -> anyhow::Result<Survivors> {
    of(ALONE.iter(), &[])
}

fn of<'a>(modules: impl Iterator<Item = &'a Alone>, files: &[String]) -> anyhow::Result<Survivors> {
    let explained = fs::read_to_string(shell::root().join(EXPLAINED)).context(EXPLAINED)?;
    let mut all = Survivors::default();
    for module in modules {
        let crate_of = make_crate(module)?;
        let options = ["--in-place", "--timeout", "60", "--colors", "never"];
        let mut command = shell::cargo(["mutants"]);
        command.args(options).current_dir(&crate_of);
        command.arg("--output").arg(&crate_of);
        let whole = [format!("src/{}/**", module.name)];
        let files = if files.is_empty() { &whole } else { files };
        for file in files {
            command.args(["--file", file]);
        }
        command.args(["--", "--lib"]);
        command.env(
            "CARGO_TARGET_DIR",
            shell::target_directory()?.join("mutants/target"),
        );
        let output = shell::output(&mut command)?;
        let told = crate_of.join("mutants.out");
        let lines = |name: &str| -> Vec<String> {
            let text = fs::read_to_string(told.join(name)).unwrap_or_default();
            text.lines().map(without_place).collect()
        };
        let (missed, caught, late) = (
            lines("missed.txt"),
            lines("caught.txt"),
            lines("timeout.txt"),
        );
        let tried = missed.len() + caught.len() + late.len();
        // 2: some survived, 3: some ran out of time; else it did not work at all.
        let is_done = matches!(output.status.code(), Some(0 | 2 | 3));
        ensure!(
            is_done && tried > 0,
            "{}: {}",
            module.name,
            shell::complaint(&output)
        );
        all.tried += tried;
        all.noticed += caught.len() + late.len();
        let unexplained = missed
            .into_iter()
            .filter(|mutant| !explained.contains(mutant.as_str()));
        all.unexplained.extend(unexplained);
    }
    Ok(all)
}

/// `src/a.rs:1:2: replace …` without line and column, which change.
fn without_place(mutant: &str) -> String {
    let parts: Vec<&str> = mutant.splitn(4, ':').collect();
    match parts.as_slice() {
        [file, _, _, what] => format!("{file}:{what}"),
        _ => mutant.to_owned(),
    }
}

/// A crate of the module and what it needs.
fn make_crate(module: &Alone) -> anyhow::Result<PathBuf> {
    let root = shell::root();
    let place = shell::target_directory()?.join("mutants").join(module.name);
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(place.join("src"))?;
    let mut library = String::new();
    for name in module.with.iter().chain([&module.name]) {
        copy(&root.join("src").join(name), &place.join("src").join(name))?;
        library += &format!("pub mod {name};\n");
    }
    // Tests compare with these.
    for name in ["schema", "docs"] {
        copy(&root.join(name), &place.join(name))?;
    }
    fs::write(place.join("src/lib.rs"), library)?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let start = manifest
        .find("[dependencies]")
        .context("Cargo.toml: no [dependencies]")?;
    let end = manifest.find("[[bin]]").context("Cargo.toml: no [[bin]]")?;
    let head = "[package]\nname = \"aido\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
        [profile.test]\ndebug = 0\n\n";
    fs::write(
        place.join("Cargo.toml"),
        format!("{head}{}", &manifest[start..end]),
    )?;
    fs::copy(root.join("Cargo.lock"), place.join("Cargo.lock"))?;
    Ok(place)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_is_named_without_its_place() {
        let named = without_place("src/a/b.rs:10:5: replace A::b -> bool with true");
        assert_eq!(named, "src/a/b.rs: replace A::b -> bool with true");
        assert_eq!(without_place("odd"), "odd");
    }

    #[test]
    fn what_a_module_is_built_with_stands_alone_too() {
        for module in ALONE {
            assert!(
                shell::root().join("src").join(module.name).is_dir(),
                "{}",
                module.name
            );
            for name in module.with {
                assert!(ALONE.iter().any(|alone| alone.name == *name), "{name}");
            }
        }
    }
}
