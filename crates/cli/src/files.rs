//! Files that are read whole: a folder, a pipe, a device, and what is too large are refused, with the reason.
//!
//! Invariant `cli.bounded-read`: whatever a path names, reading it ends, and takes no more memory than [`MOST`] for the text.
//! A device such as `/dev/zero` has no end, a pipe may never get one (even opening it may wait for ever), and a file may grow
//! while it is read.
//!
//! Not here: what stands in the files (`traces`, `subject`, `programs`).
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

/// How many bytes a file may have: some five million events of a trace.
pub(crate) const MOST: u64 = 512 << 20;

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let failed = |why: std::io::Error| format!("failed to read {}: {why}", path.display());
    // Before it is opened, as that waits for whoever writes into a pipe.
    check(path, &path.metadata().map_err(failed)?)?;
    let file = File::open(path).map_err(failed)?;
    let data = file.metadata().map_err(failed)?;
    check(path, &data)?;
    let mut bytes = Vec::with_capacity(data.len() as usize);
    // What says that it is empty need not be, and what is written to grows.
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST {
        return Err(too_large(path));
    }
    String::from_utf8(bytes).map_err(|why| {
        format!("{} is no text: byte {} is not UTF-8", path.display(), why.utf8_error().valid_up_to())
    })
}

fn check(path: &Path, data: &Metadata) -> Result<(), String> {
    if data.is_dir() {
        return Err(format!("{} is a folder: name a file in it", path.display()));
    }
    if !data.is_file() {
        return Err(format!(
            "{} is no file but a pipe or a device, which need not have an end: write what it says into a file",
            path.display()
        ));
    }
    if data.len() > MOST { Err(too_large(path)) } else { Ok(()) }
}

fn too_large(path: &Path) -> String {
    format!("{} is larger than the {} MiB that are read at most", path.display(), MOST >> 20)
}
