//! The `stentor` binary.

fn main() -> std::process::ExitCode {
    stentor_server::cli::main()
}
