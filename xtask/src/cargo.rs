//! Calls of cargo: its builds and their outputs, which the user's configuration may have moved.

use crate::failure::Result;
use crate::label::LineLabel;
use crate::{console, process};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Creates a cargo command. `args` is split at spaces.
pub(crate) fn command(args: &str) -> Command {
    process::command("cargo", args)
}

/// Runs a `cargo build` and returns the path of the program `name`, or of the WebAssembly library of that name.
/// Cargo's output is printed behind the label if there is one.
pub(crate) fn build(command: &mut Command, name: &str, label: Option<LineLabel>) -> Result<PathBuf> {
    command.arg("--message-format=json-render-diagnostics");
    if let Some(label) = label {
        console::request_colours(command.stderr(label.pipe()?));
    }
    let mut program = None;
    process::for_each_line(command, |line| {
        if let Some(path) = program_in_message(line, name) {
            program = Some(path);
        }
    })?;
    program.ok_or_else(|| {
        let repeat = process::command_line(command);
        format!("cargo built no program `{name}`; to see what it builds:\n    {repeat}").into()
    })
}

/// Path of the program `name` in a line of `--message-format=json` (Cargo reference, "External tools").
fn program_in_message(line: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let target = &message["target"];
    let is_program = |kind: &Value| kind == "bin" || kind == "example" || kind == "cdylib";
    if message["reason"] != "compiler-artifact"
        || target["name"] != name
        || !target["kind"].as_array()?.iter().any(is_program)
    {
        return None;
    }
    // Some targets add a `.js` file to a WebAssembly program, and Windows adds debug symbols.
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    files.map(PathBuf::from).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.extension().is_none_or(|extension| extension == "wasm" || extension == "exe")
}

/// Cargo's target folder as cargo reports it: the environment or any configuration file may move it.
pub(crate) fn target_dir() -> Result<PathBuf> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(target) = TARGET.get() {
        return Ok(target.clone());
    }
    let output = capture("metadata --no-deps --offline --format-version 1")?;
    let metadata: Value = serde_json::from_str(&output).unwrap_or_default();
    let target =
        metadata["target_directory"].as_str().ok_or("cannot parse the output of `cargo metadata`")?;
    Ok(TARGET.get_or_init(|| target.into()).clone())
}

/// Runs a short cargo command silently and returns its stdout. `args` is split at spaces.
pub(crate) fn capture(args: &str) -> Result<String> {
    let subcommand = args.split(' ').next().unwrap_or_default();
    process::capture("cargo", args)
        .ok_or_else(|| format!("`cargo {subcommand}` failed; to see why:\n    cargo {args}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    fn line(kind: &str, name: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"],"name":"{name}"}},"filenames":["/t/{name}"],"fresh":true}}"#
        )
    }

    #[test]
    fn the_program_of_that_name_is_found_and_not_a_library() {
        assert_eq!(program_in_message(&line("bin", "app"), "app"), Some("/t/app".into()));
        assert_eq!(program_in_message(&line("example", "app"), "app"), Some("/t/app".into()));
        assert_eq!(program_in_message(&line("cdylib", "app"), "app"), Some("/t/app".into()));
        assert_eq!(program_in_message(&line("lib", "app"), "app"), None);
        assert_eq!(program_in_message(&line("bin", "other"), "app"), None);
        assert_eq!(program_in_message(r#"{"reason":"build-finished","success":true}"#, "app"), None);
        assert_eq!(program_in_message("   Compiling app", "app"), None);
    }

    /// Builds a real package below a folder with special characters, with a configuration that moves the output.
    #[test]
    fn a_program_is_found_wherever_the_users_configuration_puts_it() {
        let root = std::env::temp_dir().join(format!("artifact 'ä' \"{}\"", std::process::id()));
        let project = root.join("app");
        let write = |path: &str, text: &str| files::write(&root.join(path), text).unwrap();
        write("app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        write("app/src/main.rs", "fn main() {}");
        write(".cargo/config.toml", "[build]\ntarget-dir = \"elsewhere\"\ntarget = \"host-tuple\"\n");
        let built = |name: &str| {
            let mut command = command("build --offline");
            for variable in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"] {
                command.env_remove(variable);
            }
            build(command.current_dir(&project), name, None)
        };
        let program = built("app").unwrap();
        assert!(program.starts_with(root.join("elsewhere")) && program.is_file(), "{}", program.display());
        assert!(built("other").unwrap_err().message().unwrap().contains("no program `other`"));
        files::remove(&root).unwrap();
    }
}
