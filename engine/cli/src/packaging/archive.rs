//! Files to the bytes of a ZIP archive, the same bytes for the same files: on every machine, in every folder, at any time.

use crate::output::Failure;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// A file of an archive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry {
    /// Its path in the archive, parts joined by `/`.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    /// Whether it can be run. Lambda unpacks with the permissions that the archive has.
    pub(crate) executable: bool,
}

/// An archive in memory.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// How long its files are together.
    pub(crate) unzipped: u64,
}

/// How hard files are compressed, from 0 to 9: what is uploaded once is read at every cold start.
const LEVEL: i64 = 9;

impl Archive {
    /// Packs files, in the order of their paths.
    pub(crate) fn of(name: &'static str, mut entries: Vec<Entry>) -> Result<Archive, Failure> {
        entries.sort();
        let unzipped = entries.iter().map(|entry| entry.bytes.len() as u64).sum();
        let bytes = pack(&entries).map_err(|error| Failure::new(format!("{name} cannot be made: {error}")))?;
        Ok(Archive { name, bytes, unzipped })
    }

    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Checks that there is room for it in a folder: nothing of its name but a file, and no file where the folder would be.
    ///
    /// # Errors
    ///
    /// Wrong use: what is in its way.
    pub(crate) fn check_place(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(self.name);
        match (folder.is_file(), path.is_dir()) {
            (true, _) => {
                Err(Failure::wrong_use(format!("{} is a file, and no folder to write into", folder.display())))
            }
            (_, true) => {
                Err(Failure::wrong_use(format!("{} is a folder: it is in the way of the archive", path.display())))
            }
            _ => Ok(()),
        }
    }

    /// Writes it into a folder, which is made if missing: the whole of it, or nothing.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(self.name);
        let unfinished = folder.join(format!(".{}.{}", self.name, std::process::id()));
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::File::create(&unfinished))
            .and_then(|mut file| file.write_all(&self.bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&unfinished, &path));
        written.map_err(|error| {
            // Where it cannot be made it is not there either.
            let _ = fs::remove_file(&unfinished);
            Failure::new(format!("{} cannot be written: {error}", path.display()))
        })
    }
}

fn pack(entries: &[Entry]) -> zip::result::ZipResult<Vec<u8>> {
    // Whatever an archive says of a file is said here: what is left to the crate could be the machine's.
    let options = SimpleFileOptions::default()
        .system(System::Unix)
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::DEFAULT);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let mode = if entry.executable { 0o755 } else { 0o644 };
        archive.start_file(&*entry.path, options.unix_permissions(mode))?;
        archive.write_all(&entry.bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry {
        Entry { path: path.into(), bytes: path.repeat(100).into_bytes(), executable: false }
    }

    #[test]
    fn the_order_in_which_files_were_found_leaves_no_trace() {
        let one = Archive::of("a.zip", vec![entry("b/c"), entry("a")]).unwrap();
        let other = Archive::of("a.zip", vec![entry("a"), entry("b/c")]).unwrap();
        assert_eq!(one.bytes, other.bytes);
        assert_eq!(one.unzipped, 400);
        assert_eq!(one.sha256().len(), 64);
    }
}
