//! The finished client's folder while it is filled: files whose names stand for their bytes.

use crate::failure::{Failure, Result};
use crate::{files, stop};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A folder that is being filled, beside the one that a server may be serving.
pub(super) struct OutputDir {
    fresh: PathBuf,
    finished: PathBuf,
}

impl OutputDir {
    /// Begins an empty one, which [`finish`](OutputDir::finish) will put in the place of `finished`.
    pub(super) fn create(finished: &Path) -> Result<Self> {
        let fresh = finished.with_extension("new");
        files::remove(&fresh)?;
        files::create_dir(&fresh)?;
        Ok(OutputDir { fresh, finished: finished.to_owned() })
    }

    /// Writes a file under a name with the hash of its bytes, which the server then lets browsers keep for ever. Its
    /// URL: `client.css` becomes `/client-16cedf80ade01c62.css`.
    pub(super) fn add_hashed(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let name = hashed_name(bytes, name);
        self.add(&name, bytes)
    }

    /// Writes a file under just this name. Its URL.
    pub(super) fn add(&self, name: &str, bytes: &[u8]) -> Result<String> {
        files::write(&self.fresh.join(name), bytes)?;
        Ok(format!("/{name}"))
    }

    /// Where it is until it is finished.
    pub(super) fn path(&self) -> &Path {
        &self.fresh
    }

    /// Puts it in its place.
    pub(super) fn finish(self) -> Result {
        files::remove(&self.finished)?;
        files::rename(&self.fresh, &self.finished)
    }
}

/// `client.wasm` becomes `client-<hash>.wasm`: the first half of what the server knows the file by.
fn hashed_name(bytes: &[u8], name: &str) -> String {
    const HASH_BYTES: usize = 8;
    let hash: String = Sha256::digest(bytes)[..HASH_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    match name.rsplit_once('.') {
        Some((stem, kind)) => format!("{stem}-{hash}.{kind}"),
        None => format!("{name}-{hash}"),
    }
}

/// Text, and WASM, which compresses like text. Images and fonts are compressed already.
const KINDS: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// Writes the siblings of all files below a folder.
pub(super) fn compress(folder: &Path) -> Result {
    files::walk(folder)?.par_iter().try_for_each(|file| {
        let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if KINDS.contains(&kind) { compress_file(file, kind) } else { Ok(()) }
    })
}

fn compress_file(file: &Path, kind: &str) -> Result {
    if stop::requested() {
        return Err(Failure::Interrupted);
    }
    let bytes = files::read(file)?;
    for (end, compress) in [("br", brotli as fn(&[u8]) -> io::Result<Vec<u8>>), ("gz", gzip)] {
        let small =
            compress(&bytes).map_err(|error| format!("cannot compress {}: {error}", file.display()))?;
        if small.len() < bytes.len() {
            files::write(&file.with_extension(format!("{kind}.{end}")), small)?;
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
    fn a_folder_takes_the_place_of_the_one_before_when_it_is_whole() {
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
    fn what_was_compressed_comes_back() {
        let text = "the log is the truth; ".repeat(100).into_bytes();
        let (small, zipped) = (brotli(&text).unwrap(), gzip(&text).unwrap());
        assert!(small.len() < 100 && zipped.len() < 200);

        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &small[..], &mut back).unwrap();
        assert_eq!(back, text);
        back.clear();
        flate2::read::GzDecoder::new(&zipped[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, text);
    }
}
