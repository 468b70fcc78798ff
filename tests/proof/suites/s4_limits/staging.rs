//! How a limited store is made, and its limit taken away.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::process::Resource;

use super::NOBODY;
use crate::mounts::{self, Mounted};
use crate::place::Place;

type Act = Box<dyn Fn() -> Result<(), String>>;

/// A limited store, as it was made.
pub(super) struct Staged {
    pub(super) mounted: Vec<Mounted>,
    pub(super) limits: Vec<(Resource, u64)>,
    pub(super) variables: Vec<(OsString, OsString)>,
    /// Whether aido runs as another user.
    pub(super) is_nobodys: bool,
    /// Happens while the command runs.
    pub(super) meanwhile: Option<Act>,
    /// Takes the limit away.
    pub(super) relieve: Box<dyn FnOnce() -> Result<(), String>>,
}

impl Staged {
    pub(super) fn new() -> Self {
        Self {
            mounted: Vec::new(),
            limits: Vec::new(),
            variables: Vec::new(),
            is_nobodys: false,
            meanwhile: None,
            relieve: Box::new(|| Ok(())),
        }
    }

    pub(super) fn on(mounted: Mounted) -> Self {
        let mut staged = Self::new();
        staged.mounted.push(mounted);
        staged
    }

    pub(super) fn relieved_by(
        mut self,
        relieve: impl FnOnce() -> Result<(), String> + 'static,
    ) -> Self {
        self.relieve = Box::new(relieve);
        self
    }
}

pub(super) fn limited(resource: Resource, value: u64) -> Staged {
    let mut staged = Staged::new();
    staged.limits.push((resource, value));
    staged
}

pub(super) fn said(error: std::io::Error) -> String {
    error.to_string()
}

pub(super) fn memory(place: &Place, options: &str, relief: &str) -> Result<Staged, String> {
    let store = Mounted::memory(&format!("{options},mode=700"), &place.sessions())?;
    Ok(Staged::on(store).relieved_by(remount(place, relief, place.path("none"))))
}

/// Gives the mounted store other options, and removes a file.
pub(super) fn remount(
    place: &Place,
    options: &str,
    filler: PathBuf,
) -> impl FnOnce() -> Result<(), String> + use<> {
    let options = format!("remount,{options}");
    let directory = place.sessions();
    move || {
        mounts::run(
            "mount",
            &["-o".as_ref(), options.as_ref(), directory.as_os_str()],
        )?;
        let _ = fs::remove_file(filler);
        Ok(())
    }
}

pub(super) fn remove(path: &Path) -> Result<(), String> {
    fs::remove_file(path).map_err(said)
}

pub(super) fn permit(path: &Path, mode: u32) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(said)
}

/// A file system of this kind and size as the session directory.
pub(super) fn image(
    place: &Place,
    kind: &str,
    megabytes: u64,
    make: &[&str],
    options: &str,
) -> Result<Mounted, String> {
    let image = place.path("image");
    mounts::make_image(&image, kind, megabytes, make)?;
    let words = [
        "-t".as_ref(),
        kind.as_ref(),
        "-o".as_ref(),
        options.as_ref(),
        image.as_os_str(),
    ];
    let store = Mounted::new(&words, &place.sessions())?;
    let _ = fs::remove_dir(store.path().join("lost+found"));
    permit(store.path(), 0o700)?;
    Ok(store)
}

/// Writes until nothing more fits.
pub(super) fn fill(directory: &Path) -> Result<(), String> {
    use std::io::Write;
    let mut filler = File::create(directory.join("filler")).map_err(said)?;
    let mut size = 4096;
    while size > 0 {
        if filler.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
    Ok(())
}

/// The same while the command runs, by others than the recorder, who can't give anything back.
pub(super) fn filled_meanwhile(mut staged: Staged, directory: PathBuf) -> Staged {
    staged.meanwhile = Some(Box::new(move || fill(&directory)));
    staged
}

/// Leaves so many bytes free.
pub(super) fn fill_but(directory: &Path, bytes: u64) -> Result<(), String> {
    let filler = File::create(directory.join("filler")).map_err(said)?;
    let free = rustix::fs::statvfs(directory).map_err(|error| error.to_string())?;
    let taken = (free.f_bavail * free.f_frsize).saturating_sub(bytes);
    let flags = rustix::fs::FallocateFlags::empty();
    rustix::fs::fallocate(&filler, flags, 0, taken).map_err(|error| error.to_string())
}

/// Hands everything over to another user, if that is possible, and otherwise runs as this one, who is
/// no root then.
pub(super) fn of_nobody(place: &Place, store: &Path) -> Result<Staged, String> {
    let mut staged = Staged::new();
    if rustix::process::geteuid().is_root() {
        for path in [
            store,
            &place.path("home"),
            &place.work(),
            &place.path("temporary"),
        ] {
            chown(path, Some(NOBODY), Some(NOBODY)).map_err(said)?;
        }
        staged.is_nobodys = true;
    }
    Ok(staged)
}

/// A directory with an attribute of chattr(1), on a file system that goes with the test.
pub(super) fn with_attribute(place: &Place, attribute: &'static str) -> Result<Staged, String> {
    let store = image(place, "ext4", 8, &["-F", "-m", "0"], "loop")?;
    let directory = store.path().as_os_str().to_owned();
    let change = move |sign: &str| {
        let change = format!("{sign}{attribute}");
        mounts::run("chattr", &[change.as_ref(), directory.as_os_str()])
    };
    change("+")?;
    Ok(Staged::on(store).relieved_by(move || change("-")))
}
