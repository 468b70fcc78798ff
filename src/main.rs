//! The `aido` command.

fn main() -> std::process::ExitCode {
    aido::cli::main(std::env::args_os().collect())
}
