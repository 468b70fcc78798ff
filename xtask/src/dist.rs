//! The files of a release: an archive with the static binary, completions and manual pages, a Debian package
//! of the same, and checksums.
//!
//! The same sources and compiler give the same files: times in them are that of the last commit.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;
use sha2::{Digest, Sha256};

use crate::shell::{self, cargo, succeed};

/// What is to be made.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Build for this target, such as x86_64-unknown-linux-musl
    #[arg(long)]
    target: Option<String>,
}

/// Files of the project's that go along.
const DOCUMENTS: &[&str] = &["LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md"];

/// Shells, and where Debian keeps their completions.
const SHELLS: &[(&str, &str, &str)] = &[
    (
        "bash",
        "aido.bash",
        "usr/share/bash-completion/completions/aido",
    ),
    ("zsh", "_aido", "usr/share/zsh/vendor-completions/_aido"),
    (
        "fish",
        "aido.fish",
        "usr/share/fish/vendor_completions.d/aido.fish",
    ),
];

/// Builds the binary that is shipped.
///
/// # Errors
/// When it doesn't build.
pub(crate) fn release_binary() -> anyhow::Result<PathBuf> {
    build(None)
}

fn build(target: Option<&str>) -> anyhow::Result<PathBuf> {
    let mut command = cargo([
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        "aido",
    ]);
    let mut path = shell::target_directory()?;
    if let Some(target) = target {
        command.args(["--target", target]);
        path.push(target);
    }
    succeed(&mut command)?;
    Ok(path.join("release/aido"))
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let binary = build(arguments.target.as_deref())?;
    ensure_static(&binary)?;
    let version = succeed(Command::new(&binary).arg("--version"))?;
    let version = version
        .trim()
        .strip_prefix("aido ")
        .context("its version")?
        .to_owned();
    let target = match &arguments.target {
        Some(target) => target.clone(),
        None => format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
    };
    let out = shell::target_directory()?.join("dist");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    let time = commit_time();
    let mut made = vec![archive(
        &out,
        &binary,
        &format!("aido-{version}-{target}"),
        &time,
    )?];
    match shell::has("dpkg-deb") {
        true => made.push(debian(&out, &binary, &version, &time)?),
        false => eprintln!("xtask: no Debian package, since there is no dpkg-deb here"),
    }
    let mut sums = String::new();
    for file in &made {
        let mut digest = Sha256::new();
        digest.update(fs::read(file)?);
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        sums += &format!("{}  {name}\n", hex::encode(digest.finalize()));
        println!("{}", file.display());
    }
    let path = out.join("SHA256SUMS");
    fs::write(&path, sums)?;
    println!("{}", path.display());
    Ok(())
}

/// What is shipped runs anywhere.
fn ensure_static(binary: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(binary)?;
    let start = &bytes[..bytes.len().min(64 * 1024)];
    let is_dynamic = start
        .windows(8)
        .any(|window| window == b"/ld-linu" || window == b"/ld-musl");
    ensure!(
        !is_dynamic,
        "the binary is linked dynamically: the static C library is missing (libc6-dev), or AIDO_BUILD_DYNAMIC is set"
    );
    Ok(())
}

/// Seconds since 1970 of the last commit; 0 outside a repository.
fn commit_time() -> String {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"])
        .current_dir(shell::root());
    let time = succeed(&mut git).unwrap_or_default();
    let time = time.trim();
    if time.is_empty() {
        "0".to_owned()
    } else {
        time.to_owned()
    }
}

fn archive(out: &Path, binary: &Path, name: &str, time: &str) -> anyhow::Result<PathBuf> {
    let directory = out.join(name);
    place(binary, &directory.join("aido"), 0o755)?;
    for document in DOCUMENTS {
        place(
            &shell::root().join(document),
            &directory.join(document),
            0o644,
        )?;
    }
    for page in manual_pages()? {
        let name = page.file_name().unwrap_or_default();
        place(&page, &directory.join("man").join(name), 0o644)?;
    }
    for (shell, file, _) in SHELLS {
        let script = succeed(Command::new(binary).args(["completions", shell]))?;
        write(&directory.join("completions").join(file), script.as_bytes())?;
    }
    let path = out.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args([
        "--create",
        "--gzip",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
    ]);
    tar.arg(format!("--mtime=@{time}")).env("GZIP", "-n");
    tar.arg("--file")
        .arg(&path)
        .arg("--directory")
        .arg(out)
        .arg(name);
    succeed(&mut tar)?;
    fs::remove_dir_all(directory)?;
    Ok(path)
}

fn debian(out: &Path, binary: &Path, version: &str, time: &str) -> anyhow::Result<PathBuf> {
    let architecture = succeed(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let name = format!("aido_{version}_{architecture}");
    let directory = out.join(&name);
    place(binary, &directory.join("usr/bin/aido"), 0o755)?;
    for document in ["README.md", "SECURITY.md"] {
        let target = directory.join("usr/share/doc/aido").join(document);
        place(&shell::root().join(document), &target, 0o644)?;
    }
    place(
        &shell::root().join("LICENSE"),
        &directory.join("usr/share/doc/aido/copyright"),
        0o644,
    )?;
    let changes = directory.join("usr/share/doc/aido/changelog");
    place(&shell::root().join("CHANGELOG.md"), &changes, 0o644)?;
    succeed(Command::new("gzip").arg("-9n").arg(&changes))?;
    for page in manual_pages()? {
        let name = page.file_name().unwrap_or_default();
        let target = directory.join("usr/share/man/man1").join(name);
        place(&page, &target, 0o644)?;
        succeed(Command::new("gzip").arg("-9n").arg(&target))?;
    }
    for (shell, _, path) in SHELLS {
        let script = succeed(Command::new(binary).args(["completions", shell]))?;
        write(&directory.join(path), script.as_bytes())?;
    }
    let size_kilobytes = size_bytes(&directory)?.div_ceil(1024);
    let control = format!(
        "Package: aido\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: the aido developers <maintainers@aido.invalid>\n\
         Section: utils\nPriority: optional\nInstalled-Size: {size_kilobytes}\n\
         Description: flight recorder for the commands that AI agents run\n \
         Runs a command as if it weren't there, and leaves behind what the command printed,\n \
         its true exit code and a small JSON record, signed with the user's own key.\n"
    );
    write(&directory.join("DEBIAN/control"), control.as_bytes())?;
    let path = out.join(format!("{name}.deb"));
    let mut build = Command::new("dpkg-deb");
    build
        .args(["--root-owner-group", "--build"])
        .arg(&directory)
        .arg(&path);
    succeed(build.env("SOURCE_DATE_EPOCH", time))?;
    fs::remove_dir_all(directory)?;
    Ok(path)
}

fn manual_pages() -> anyhow::Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(shell::root().join("man"))? {
        pages.push(entry?.path());
    }
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "1"));
    pages.sort();
    ensure!(!pages.is_empty(), "there are no manual pages");
    Ok(pages)
}

/// Copies a file and makes the directories before it.
fn place(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    make_parent(to)?;
    let mut source = File::open(from).with_context(|| from.display().to_string())?;
    io::copy(&mut source, &mut File::create(to)?)?;
    fs::set_permissions(to, Permissions::from_mode(mode))?;
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    make_parent(path)?;
    fs::write(path, content)?;
    fs::set_permissions(path, Permissions::from_mode(0o644))?;
    Ok(())
}

/// Directories that everybody may enter, whatever the umask.
fn make_parent(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().context("a file has a directory")?;
    fs::create_dir_all(parent)?;
    for directory in parent
        .ancestors()
        .take_while(|directory| !directory.ends_with("dist"))
    {
        fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn size_bytes(directory: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => size_bytes(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
