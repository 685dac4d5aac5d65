//! Embeds a built client in the binary, in a build with the feature `embed`.
//!
//! The client is read from the folder that `DUPLEX_EMBED` names. Any other build embeds an empty list and serves the
//! folder given with `--client-files`, so that compiling the server never waits for the client.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut source =
        String::from("/// The client's files: path below its folder, and bytes; sorted by path.\n");
    source.push_str("pub static FILES: &[(&str, &[u8])] = &[\n");
    if let Some(folder) = client()? {
        println!("cargo::rerun-if-changed={}", folder.display());
        for (name, path) in files(&folder, "")? {
            source.push_str(&format!("    ({name:?}, include_bytes!({path:?})),\n"));
        }
    }
    source.push_str("];\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("built_in.rs"), source)
}

/// Returns the folder of the built client, in a build that embeds it.
fn client() -> io::Result<Option<PathBuf>> {
    if env::var_os("CARGO_FEATURE_EMBED").is_none() {
        return Ok(None);
    }
    println!("cargo::rerun-if-env-changed=DUPLEX_EMBED");
    let folder = env::var_os("DUPLEX_EMBED");
    if folder.is_none() {
        println!("cargo::warning=DUPLEX_EMBED is not set, so the binary will contain no client");
    }
    folder.map(fs::canonicalize).transpose()
}

/// Lists every file below `folder` as its `/`-separated name and its path, sorted by name.
fn files(folder: &Path, above: &str) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!("{above}{}", path.file_name().unwrap_or_default().display());
        if path.is_dir() {
            found.extend(files(&path, &format!("{name}/"))?);
        } else {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}
