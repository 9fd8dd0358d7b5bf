//! The project's own tasks. `cargo xtask` lists them.

mod prerequisites;
mod run;
mod tidy;

use std::process::ExitCode;

use run::{Failed, cargo};

const HELP: &str = "\
cargo xtask <task>

  test [ARGS]         the whole test suite; ARGS go to `cargo test`
  ci                  what has to pass before a merge: fmt, clippy, test, doc, tidy, generate --check
  generate [--check]  write the generated files, or say which are stale
  tidy                forbidden dependencies, paths and links of the documents, file names
  bench [ARGS]        the benchmark; ARGS go to tools/loadgen
  crash [ARGS]        kill -9 under load, many rounds; ARGS go to tools/loadgen
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = arguments.split_first().map_or(("", &[][..]), |(task, rest)| (task.as_str(), rest));
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let done = match task {
        "test" => test(&rest),
        "ci" => ci(),
        "generate" => generate(&rest),
        "tidy" => tidy::run(),
        "bench" => loadgen("bench", &rest),
        "crash" => loadgen("crash", &rest),
        "" | "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        unknown => Err(Failed(format!("unknown task {unknown:?}\n\n{HELP}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(message)) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn test(arguments: &[&str]) -> Result<(), Failed> {
    prerequisites::ensure()?;
    let mut all = vec!["test", "--workspace"];
    all.extend(arguments);
    cargo(&all)
}

fn generate(arguments: &[&str]) -> Result<(), Failed> {
    let mut all = vec!["run", "--quiet", "--package", "stentor-server", "--example", "generate", "--"];
    all.extend(arguments);
    cargo(&all)
}

fn ci() -> Result<(), Failed> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    test(&[])?;
    run::cargo_with(&["doc", "--workspace", "--no-deps", "--quiet"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    tidy::run()?;
    generate(&["--check"])
}

fn loadgen(task: &str, arguments: &[&str]) -> Result<(), Failed> {
    // They measure and kill the real binary, which has to be there first.
    cargo(&["build", "--release", "--package", "stentor-server", "--bin", "stentor"])?;
    let mut all = vec!["run", "--release", "--package", "loadgen", "--", task];
    all.extend(arguments);
    cargo(&all)
}
