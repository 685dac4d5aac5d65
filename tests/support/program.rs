//! `Program`: the binary that a test starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of the product. Cargo sets it for tests; the load generator does not need it.
const DUPLEX: &str = match option_env!("CARGO_BIN_EXE_duplex") {
    Some(path) => path,
    None => "duplex",
};

/// A server to start.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    /// The real server with the smallest feature.
    Probe,
    Product,
    /// The probe with a soft limit of [`FEW_FILES`] open files, which it may raise.
    ProbeOfFewFiles,
}

/// A number of open files that a test exceeds.
pub const FEW_FILES: usize = 64;

impl Program {
    /// Returns the path of the binary.
    fn path(self) -> &'static Path {
        static PROBE: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Program::Product => Path::new(DUPLEX),
            Program::Probe | Program::ProbeOfFewFiles => PROBE.get_or_init(probe),
        }
    }

    /// Prepares a process of the program.
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

/// Finds the probe, and panics if it is missing or outdated. Cargo builds examples for a plain `cargo test`, but not if
/// the command names a test target or another example.
fn probe() -> PathBuf {
    // The probe is next to the product, but not next to this test: other checkouts may share the build folder.
    let probe = Path::new(DUPLEX).with_file_name("examples").join("probe");
    let hint = "to build it: cargo build --package server --example probe";
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
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
