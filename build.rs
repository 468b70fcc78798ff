//! Tells the linker what Rust's settings can't: to link the binary statically, and which code comes first.
//!
//! A dynamic start costs about as much as all of the recording (docs/performance.md). Rust's own switch for
//! a static one (`-C target-feature=+crt-static`) can't be set for one binary: it would apply to procedural
//! macros too, which can't be built that way. So the linker is told directly, and finds, where it is asked
//! for the shared C library, scripts that name the static one.
//!
//! Code that every run reaches stands together, so that few pages of the program are mapped
//! (`link/first.txt`, which `cargo xtask layout` writes).
#![expect(
    clippy::disallowed_methods,
    reason = "a build script talks to cargo through these"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Rust's standard library asks to be linked with, and the archives that stand for it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("libc.so", &["libc.a"]),
    ("libm.so", &["libm.a"]),
    ("libgcc_s.so", &["libgcc_eh.a", "libgcc.a"]),
];

/// Code that comes first: a function's name, or a member of an archive; `*` stands for anything.
const FIRST: &str = "link/first.txt";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={FIRST}");
    println!("cargo:rerun-if-env-changed=AIDO_BUILD_DYNAMIC");
    if variable("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    if variable("CARGO_CFG_TARGET_ENV") == "gnu"
        && variable("HOST") == variable("TARGET")
        && variable("AIDO_BUILD_DYNAMIC").is_empty()
    {
        link_statically(&out);
    }
    // A linker of the builder's choice might not know what this asks for.
    let is_own_linker = !variable("RUSTC_LINKER").is_empty()
        || variable("CARGO_ENCODED_RUSTFLAGS").contains("link");
    if variable("PROFILE") == "release" && !is_own_linker {
        put_first(&out);
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn link_statically(out: &Path) {
    for (library, archives) in LIBRARIES {
        let found: Option<Vec<String>> = archives.iter().map(|name| find_archive(name)).collect();
        let Some(found) = found else { return };
        let script = format!("GROUP({})\n", found.join(" "));
        if fs::write(out.join(library), script).is_err() {
            return;
        }
    }
    println!("cargo:rustc-link-arg-bin=aido=-L{}", out.display());
    println!("cargo:rustc-link-arg-bin=aido=-no-pie");
    println!("cargo:rustc-link-arg-bin=aido=-static");
}

/// A script that adds a section to the linker's own. GNU ld and lld take it.
fn put_first(out: &Path) {
    let Ok(list) = fs::read_to_string(FIRST) else {
        return;
    };
    let mut script = "SECTIONS {\n  .text.first : {\n".to_owned();
    for name in list.lines() {
        let _ = match name.split_once(".a:") {
            Some(_) => writeln!(script, "    *{name}(.text .text.*)"),
            None => writeln!(script, "    *(.text.{name} .text.unlikely.{name})"),
        };
    }
    script += "  }\n} INSERT BEFORE .text;\n";
    let path = out.join("first.ld");
    if fs::write(&path, script).is_ok() {
        println!("cargo:rustc-link-arg-bin=aido=-T{}", path.display());
    }
}

/// The path of a static library that the C compiler knows.
fn find_archive(name: &str) -> Option<String> {
    let output = Command::new("cc")
        .arg(format!("-print-file-name={name}"))
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    // An unknown one is printed back as it is.
    let path = path.trim();
    Path::new(path).is_absolute().then(|| path.to_owned())
}
