//! Links the binary statically where the system has what that needs, because a dynamic start costs
//! about as much as all of the recording (docs/performance.md).
//!
//! Rust's own switch for it (`-C target-feature=+crt-static`) can't be set for one binary: it would
//! apply to procedural macros too, which can't be built that way. So the linker is told directly,
//! and finds, where it is asked for the shared C library, scripts that name the static one.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script talks to cargo through these"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Rust's standard library asks to be linked with, and the archives that stand for it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("libc.so", &["libc.a"]),
    ("libm.so", &["libm.a"]),
    ("libgcc_s.so", &["libgcc_eh.a", "libgcc.a"]),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=AIDO_BUILD_DYNAMIC");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let fits = variable("CARGO_CFG_TARGET_OS") == "linux"
        && variable("CARGO_CFG_TARGET_ENV") == "gnu"
        && variable("HOST") == variable("TARGET")
        && variable("AIDO_BUILD_DYNAMIC").is_empty();
    if !fits {
        return;
    }
    let out = PathBuf::from(variable("OUT_DIR"));
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
