//! `Program`: which binary a test starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Cargo tells it to tests only. The load generator does without.
const DUPLEX: &str = match option_env!("CARGO_BIN_EXE_duplex") {
    Some(path) => path,
    None => "duplex",
};

/// A server to start.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    /// The core with the smallest feature.
    Probe,
    /// The product as it is.
    Product,
    /// The probe, with [`FEW_FILES`] open at once, unless it asks for more.
    ProbeOfFewFiles,
}

/// Too few for what a test opens.
pub const FEW_FILES: usize = 64;

impl Program {
    /// Where cargo put it.
    fn path(self) -> &'static Path {
        static PROBE: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Program::Product => Path::new(DUPLEX),
            Program::Probe | Program::ProbeOfFewFiles => PROBE.get_or_init(probe),
        }
    }

    /// How to start it.
    pub fn command(self) -> Command {
        match self {
            Program::Probe | Program::Product => Command::new(self.path()),
            Program::ProbeOfFewFiles => {
                let mut shell = Command::new("sh");
                shell
                    .args(["-c", &format!("ulimit -S -n {FEW_FILES} && exec \"$0\" \"$@\"")])
                    .arg(self.path());
                shell
            }
        }
    }
}

/// Cargo builds examples with a plain `cargo test`, and not when one test target is named, or another example. An
/// old one would test an old server.
fn probe() -> PathBuf {
    // Beside the product, and not beside this test: that lies in the build folder, which other copies may share.
    let probe = Path::new(DUPLEX).with_file_name("examples").join("probe");
    let hint = "build it first: cargo build --package server --example probe";
    let Ok(sources) = fs::read_to_string(probe.with_extension("d")) else {
        panic!("{} is missing; {hint}", probe.display());
    };
    let built = modified(&probe).unwrap_or_else(|| panic!("{} is missing; {hint}", probe.display()));
    let newer = sources.split_whitespace().skip(1).find(|source| modified(Path::new(source)) > Some(built));
    if let Some(source) = newer {
        panic!("{} is older than {source}; {hint}", probe.display());
    }
    probe
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}
