//! The `aido` command.
#![no_main]

aido::program!(aido::cli::main);
