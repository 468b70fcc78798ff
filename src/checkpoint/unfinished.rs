//! What a checkpoint that came to nothing leaves behind: objects that git had begun to write. A disk that is
//! full would stay full of them.

use super::home::Home;
use crate::sys::file::Directory;

/// How git names objects, packs and their indexes while it writes them.
const UNFINISHED: [&[u8]; 3] = [b"tmp_obj_", b"tmp_pack_", b"tmp_idx_"];

impl Home {
    /// Removes objects that nobody finishes any more. If somebody else is taking a checkpoint right now, some
    /// may be theirs, and all stay: whoever fails last removes them, or else `prune` does.
    pub(super) fn remove_unfinished(&self) {
        let Ok(_alone) = self.own() else { return };
        let opened = Directory::open(&self.path.join("objects"));
        let Ok(objects) = opened else { return };
        let _ = objects.each_name(&mut |name| {
            if let Ok(directory) = objects.open_child(name) {
                remove_in(&directory);
            }
        });
    }
}

fn remove_in(directory: &Directory) {
    let mut names = Vec::new();
    let _ = directory.each_name(&mut |name| names.push(name.to_owned()));
    for name in names.iter().filter_map(|name| name.to_str()) {
        if UNFINISHED
            .iter()
            .any(|prefix| name.as_bytes().starts_with(prefix))
        {
            let _ = directory.remove(name);
        }
    }
}
