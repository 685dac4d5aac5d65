//! Output folder of the client: file names with the hash of the contents, and compressed copies.

use crate::failure::{Failure, Result};
use crate::{files, stop};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Extensions of text files and of WebAssembly, which compresses like text. Images and fonts are compressed already.
const COMPRESSIBLE: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// Folder under construction. The finished folder stays until then, as a server may be serving it.
pub(super) struct OutputDir {
    fresh: PathBuf,
    finished: PathBuf,
}

impl OutputDir {
    /// Begins an empty folder that [`finish`](OutputDir::finish) moves to `finished`.
    pub(super) fn create(finished: &Path) -> Result<Self> {
        let fresh = finished.with_extension("new");
        files::remove(&fresh)?;
        Ok(OutputDir { fresh, finished: finished.to_owned() })
    }

    /// Writes a file whose name contains the hash of its bytes, so that browsers may cache it forever. Returns its
    /// URL: `client.css` becomes `/client-16cedf80ade01c62.css`.
    pub(super) fn add_hashed(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let name = hashed_name(bytes, name);
        self.add(&name, bytes)
    }

    /// Writes a file under exactly this name and returns its URL.
    pub(super) fn add(&self, name: &str, bytes: &[u8]) -> Result<String> {
        files::write(&self.fresh.join(name), bytes)?;
        Ok(format!("/{name}"))
    }

    /// Path until [`finish`](OutputDir::finish) is called.
    pub(super) fn path(&self) -> &Path {
        &self.fresh
    }

    /// Replaces the finished folder with this one.
    pub(super) fn finish(self) -> Result {
        files::remove(&self.finished)?;
        files::rename(&self.fresh, &self.finished)
    }
}

/// Inserts the hash into a file name: `client.wasm` becomes `client-<hash>.wasm`. The server knows the file by the
/// whole SHA-256, of which this is the beginning.
fn hashed_name(bytes: &[u8], name: &str) -> String {
    const HASH_BYTES: usize = 8;
    let hash: String = Sha256::digest(bytes)[..HASH_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{hash}.{extension}"),
        None => format!("{name}-{hash}"),
    }
}

/// Writes Brotli and gzip copies of the files below a folder: `client.js.br` and `client.js.gz` for `client.js`.
pub(super) fn compress(folder: &Path) -> Result {
    let is_compressible = |file: &&PathBuf| {
        file.extension().is_some_and(|kind| COMPRESSIBLE.iter().any(|known| kind == *known))
    };
    files::walk(folder)?.par_iter().filter(is_compressible).try_for_each(|file| compress_file(file))
}

fn compress_file(file: &Path) -> Result {
    if stop::requested() {
        return Err(Failure::Interrupted);
    }
    let bytes = files::read(file)?;
    for (suffix, compress) in [("br", brotli as fn(&[u8]) -> io::Result<Vec<u8>>), ("gz", gzip)] {
        let compressed =
            compress(&bytes).map_err(|error| format!("cannot compress {}: {error}", file.display()))?;
        if compressed.len() < bytes.len() {
            files::write(&file.with_added_extension(suffix), compressed)?;
        }
    }
    Ok(())
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let params = BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &params)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_name_holds_the_hash_of_the_bytes() {
        // `printf js | sha256sum`
        assert_eq!(hashed_name(b"js", "boot.js"), "boot-16cedf80ade01c62.js");
        assert_eq!(hashed_name(b"js", "boot"), "boot-16cedf80ade01c62");
        assert_ne!(hashed_name(b"other", "boot.js"), hashed_name(b"js", "boot.js"));
    }

    #[test]
    fn a_finished_folder_replaces_the_one_before() {
        let finished = std::env::temp_dir().join(format!("folder-{}", std::process::id()));
        for text in ["one", "two"] {
            let folder = OutputDir::create(&finished).unwrap();
            let url = folder.add_hashed("a.js", text.as_bytes()).unwrap();
            assert!(folder.path().join(&url[1..]).is_file());
            assert!(!finished.join(&url[1..]).exists());
            folder.finish().unwrap();
            assert!(finished.join(&url[1..]).is_file());
        }
        assert_eq!(files::walk(&finished).unwrap().len(), 1);
        files::remove(&finished).unwrap();
    }

    #[test]
    fn compressed_bytes_can_be_restored() {
        let text = "the log is the truth; ".repeat(100).into_bytes();
        let small = brotli(&text).unwrap();
        let zipped = gzip(&text).unwrap();
        assert!(small.len() < 100 && zipped.len() < 200);

        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &small[..], &mut back).unwrap();
        assert_eq!(back, text);
        back.clear();
        flate2::read::GzDecoder::new(&zipped[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, text);
    }
}
