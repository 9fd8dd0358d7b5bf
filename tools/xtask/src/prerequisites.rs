//! What the test suite needs besides Rust: very little. On Debian and as root it is installed, elsewhere it is named.

use std::process::Command;

use crate::run::{Failed, is_there, root};

/// A program, the Debian package that has it, and what it is for.
struct Needed {
    program: &'static str,
    package: &'static str,
    why: &'static str,
}

const NEEDED: [Needed; 3] = [
    Needed { program: "cc", package: "gcc libc6-dev", why: "compiles SQLite and the TLS library" },
    Needed { program: "kill", package: "procps", why: "the tests send signals to servers" },
    Needed { program: "python3", package: "python3 python3-venv", why: "explores the REST API with schemathesis" },
];

/// What explores the REST API, from the Python package index, in a place of its own.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Installs what is missing, or says what it is.
pub(crate) fn ensure() -> Result<(), Failed> {
    programs()?;
    if let Err(Failed(why)) = schemathesis() {
        // Its test says that it is skipped.
        eprintln!("xtask: {SCHEMATHESIS} cannot be installed: {why}");
    }
    if let Err(Failed(why)) = chat_sdks() {
        // Its test says that it is skipped.
        eprintln!("xtask: the published Chat SDKs cannot be installed: {why}");
    }
    if !is_there("chromium") && std::env::var_os("CHROMIUM").is_none() {
        // Its test says that it is skipped. It is too large to be installed unasked.
        eprintln!("xtask: no Chromium: the Chat SDKs run in jsdom only (Debian: apt-get install chromium)");
    }
    Ok(())
}

/// Installs the published Chat SDKs into `compat/easemob`, in the versions and with the checksums that are written there. Nothing of
/// them is run for it.
fn chat_sdks() -> Result<(), Failed> {
    let place = root().join("compat/easemob");
    let lock = std::fs::read(place.join("package-lock.json")).map_err(|error| Failed(error.to_string()))?;
    let installed = place.join("node_modules/.stentor-lock");
    if std::fs::read(&installed).is_ok_and(|of| of == lock) {
        return Ok(());
    }
    eprintln!("xtask: installing the published Chat SDKs");
    run(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&place))?;
    std::fs::write(installed, lock).map_err(|error| Failed(error.to_string()))
}

/// Installs schemathesis into `target/schemathesis`, unless it is there.
fn schemathesis() -> Result<(), Failed> {
    let place = root().join("target/schemathesis");
    if place.join("bin/st").is_file() {
        return Ok(());
    }
    eprintln!("xtask: installing {SCHEMATHESIS}");
    run(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    run(Command::new(place.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]))
}

fn run(command: &mut Command) -> Result<(), Failed> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed(format!("{} ended with {status}", command.get_program().display()))),
        Err(error) => Err(Failed(format!("{}: {error}", command.get_program().display()))),
    }
}

fn programs() -> Result<(), Failed> {
    let missing: Vec<&Needed> = NEEDED.iter().filter(|needed| !is_there(needed.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|needed| needed.package.split(' ')).collect();
    if is_there("apt-get") && is_root() {
        eprintln!("xtask: installing {}", packages.join(", "));
        install(&packages)?;
        if NEEDED.iter().all(|needed| is_there(needed.program)) {
            return Ok(());
        }
    }
    let list: String = missing.iter().map(|needed| format!("  {}: {}\n", needed.program, needed.why)).collect();
    Err(Failed(format!("missing:\n{list}On Debian: apt-get install {}", packages.join(" "))))
}

fn install(packages: &[&str]) -> Result<(), Failed> {
    for arguments in [vec!["update"], [vec!["install", "--yes", "--no-install-recommends"], packages.to_vec()].concat()]
    {
        let status = Command::new("apt-get").args(&arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Err(Failed(format!("apt-get {} failed", arguments.join(" "))));
        }
    }
    Ok(())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
