//! Runs other programs in the repository's root.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What went wrong.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Runs cargo.
pub(crate) fn cargo(arguments: &[&str]) -> Result<(), Failed> {
    cargo_with(arguments, &[])
}

/// Runs cargo with variables.
pub(crate) fn cargo_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(), Failed> {
    eprintln!("xtask: cargo {}", arguments.join(" "));
    let mut command = cargo_command();
    let status = command.args(arguments).envs(variables.iter().copied()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed(format!("cargo {} ended with {status}", arguments.join(" ")))),
        Err(error) => Err(Failed(format!("cargo cannot be run: {error}"))),
    }
}

/// What cargo prints.
pub(crate) fn cargo_output(arguments: &[&str]) -> Result<String, Failed> {
    let output = cargo_command().args(arguments).output();
    let output = output.map_err(|error| Failed(format!("cargo cannot be run: {error}")))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failed(format!("cargo {} failed: {told}", arguments.join(" "))))
    }
}

fn cargo_command() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root());
    command
}

/// Whether a program can be found.
pub(crate) fn is_there(program: &str) -> bool {
    let Some(paths) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&paths).any(|path| path.join(program).is_file())
}
