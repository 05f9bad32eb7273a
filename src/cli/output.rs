//! The two outputs: data on stdout, words on stderr.
//!
//! Promises: colours only where the reader wants them (`--color`, `NO_COLOR`, a pipe); a reader who
//! closes the pipe ends the printing quietly and does not change the exit code.

use super::args::{Color, Verbosity};
use super::error::Error;
use anstream::{AutoStream, ColorChoice};
use std::io::{ErrorKind, IsTerminal, Write};

/// Where data and words go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    choice: ColorChoice,
    verbosity: Verbosity,
}

impl Output {
    /// Outputs as the options ask.
    pub fn new(color: Color, verbosity: Verbosity) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { choice, verbosity }
    }

    /// Prints data to stdout, as it is.
    pub fn data(&self, text: &str) -> Result<(), Error> {
        let mut stdout = AutoStream::new(std::io::stdout().lock(), self.choice);
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
            _ => Ok(()),
        }
    }

    /// Says a line to the person, unless `--quiet`.
    pub fn say(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.warn(line);
        }
    }

    /// Says a line that only `--verbose` asks for.
    pub fn detail(&self, line: &str) {
        if self.verbosity == Verbosity::Verbose {
            self.warn(line);
        }
    }

    /// Says a line that `--quiet` does not hide. Nothing is left to do when stderr is gone.
    pub fn warn(&self, line: &str) {
        let mut stderr = AutoStream::new(std::io::stderr().lock(), self.choice);
        let _ = writeln!(stderr, "{line}");
    }

    /// Replaces the last lines of a live terminal. Cursor movement is no colour: it stays where
    /// colours are not wanted.
    pub fn redraw(&self, lines: usize, text: &str) {
        let mut stderr = std::io::stderr().lock();
        if lines > 0 {
            let _ = write!(stderr, "\x1b[{lines}A\x1b[J");
        }
        let mut stderr = AutoStream::new(stderr, self.choice);
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Whether a line that is redrawn in place makes sense on stderr.
    pub fn is_live(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        self.verbosity > Verbosity::Quiet && !dumb && std::io::stderr().is_terminal()
    }
}
