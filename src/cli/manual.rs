//! The manual's pages in `man/`: generated from the arguments' definitions, as `--help` is, and
//! committed, so that the program doesn't carry the generator. `aido man` doesn't exist, since it would
//! stand in the way of man(1).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::args::{self, EXIT_STATUS};
use super::word::WordLine;

const FILES: &[(&str, &str)] = &[
    ("nexus/.aisessions/", "the sessions of a repository"),
    ("nexus/aido.toml", "the settings of a repository"),
    ("~/.config/aido/config.toml", "the user's settings"),
    (
        "~/.local/state/aido/",
        "the user's key, and sessions outside any repository",
    ),
];

/// Each page's file name, and its text.
fn pages() -> BTreeMap<String, String> {
    let mut own = WordLine::command();
    own.build();
    let words: Vec<Command> = own
        .get_subcommands()
        .filter(|word| !word.is_hide_set())
        .cloned()
        .collect();
    let names: Vec<String> = words
        .iter()
        .map(|word| format!("aido-{}", word.get_name()))
        .collect();
    let run = args::command().after_help("").subcommands(words.clone());
    let run = run.subcommand_help_heading("WORDS OF ITS OWN");
    let mut pages = BTreeMap::new();
    pages.insert("aido.1".to_owned(), page(run, &names));
    for (word, name) in words.into_iter().zip(names) {
        pages.insert(format!("{name}.1"), page(word, &["aido".to_owned()]));
    }
    pages
}

fn page(command: Command, others: &[String]) -> String {
    let (is_run, has_words) = (command.get_name() == "aido", command.has_subcommands());
    let source = format!("aido {}", env!("CARGO_PKG_VERSION"));
    // The generator leaves an empty date out, and what follows would take its place.
    let man = Man::new(command).date(" ").source(source).manual("aido");
    let mut text = Vec::new();
    man.render_title(&mut text).unwrap();
    man.render_name_section(&mut text).unwrap();
    man.render_synopsis_section(&mut text).unwrap();
    man.render_options_section(&mut text).unwrap();
    let mut own = Roff::new();
    if has_words {
        man.render_subcommands_section(&mut text).unwrap();
    }
    if is_run {
        own.control("SH", ["EXIT STATUS"]);
        let said = EXIT_STATUS.replace('\n', " ");
        let said = said.replace("Exit status: ", "It is ");
        own.text([roman(said)]);
        own.control("SH", ["FILES"]);
        for (name, what) in FILES {
            own.control("TP", []);
            own.text([bold(*name)]);
            own.text([roman(*what)]);
        }
    }
    own.control("SH", ["SEE ALSO"]);
    let others: Vec<Vec<Inline>> = others
        .iter()
        .map(|name| vec![bold(name), roman("(1)")])
        .collect();
    own.text(others.join(&roman(", ")));
    own.to_writer(&mut text).unwrap();
    // Each section comes with the same definitions; once is enough.
    let definitions = Roff::new().render();
    let text = String::from_utf8(text).unwrap();
    format!("{definitions}{}", text.replace(&definitions, ""))
}

#[test]
fn the_committed_pages_are_the_ones_that_the_arguments_give() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let entries = std::fs::read_dir(&directory).into_iter().flatten();
    let committed: BTreeMap<String, String> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let pages = pages();
    if committed != pages {
        let fresh = tempfile::tempdir().unwrap().keep();
        for (name, text) in pages {
            let mut file = File::create(fresh.join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        let (old, new) = (directory.display(), fresh.display());
        panic!("{old} is out of date: replace it by {new}");
    }
}
