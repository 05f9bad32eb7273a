//! The command: parse, run, exit code.

fn main() -> std::process::ExitCode {
    mcpwatch::cli::main(std::env::args_os()).into()
}
