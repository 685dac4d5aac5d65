//! Brotli and gzip siblings for every file that shrinks: `client.js`, `client.js.br`, `client.js.gz`.

use crate::failure::{Failure, Result};
use crate::{files, stop};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};
use rayon::prelude::*;
use std::io::{self, Write};
use std::path::Path;

/// Text, and WASM, which compresses like text. Images and fonts are compressed already.
const KINDS: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// Writes the siblings of all files below a folder.
pub(super) fn folder(folder: &Path) -> Result {
    files::below(folder)?.par_iter().try_for_each(|file| {
        let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if KINDS.contains(&kind) { siblings(file, kind) } else { Ok(()) }
    })
}

fn siblings(file: &Path, kind: &str) -> Result {
    if stop::asked() {
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
