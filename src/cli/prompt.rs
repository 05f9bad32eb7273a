//! Questions on the controlling terminal.
//!
//! Promises: an answer comes from the terminal itself, never from stdin, which a script or an AI
//! agent may have filled; what was typed before the question was shown does not answer it. Does not
//! prove that a person typed: see "Levels" in the design.

use super::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};

#[cfg(windows)]
const INPUT: &str = "CONIN$";
#[cfg(windows)]
const OUTPUT: &str = "CONOUT$";
#[cfg(not(windows))]
const INPUT: &str = "/dev/tty";
#[cfg(not(windows))]
const OUTPUT: &str = "/dev/tty";

/// The controlling terminal.
pub struct Terminal {
    input: BufReader<File>,
    output: anstream::AutoStream<File>,
}

/// One possible answer: what is typed, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// What is typed: a single letter.
    pub key: char,
    /// What it means, in a word or two.
    pub label: &'static str,
}

impl Terminal {
    /// Opens the controlling terminal; an error where there is none.
    pub fn open() -> Result<Self, Error> {
        let open = |path, write| OpenOptions::new().read(true).write(write).open(path);
        let input = open(INPUT, cfg!(windows)).map_err(|_| Error::NoTerminal)?;
        let output = open(OUTPUT, true).map_err(|_| Error::NoTerminal)?;
        Ok(Self { input: BufReader::new(input), output: anstream::AutoStream::auto(output) })
    }

    /// Shows text.
    pub fn show(&mut self, text: &str) -> Result<(), Error> {
        let shown = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        shown.map_err(|_| Error::NoTerminal)
    }

    /// Asks until one of the choices is typed. The end of input is an interruption, never a choice.
    pub fn ask(&mut self, question: &str, choices: &[Choice]) -> Result<char, Error> {
        let labels: Vec<String> =
            choices.iter().map(|choice| format!("[{}] {}", choice.key, choice.label)).collect();
        self.discard_typeahead();
        loop {
            self.show(&format!("{question} {} > ", labels.join("  ")))?;
            let line = self.line()?;
            let mut letters = line.trim().chars();
            let key = letters.next().map(|letter| letter.to_ascii_lowercase());
            let word: String = line.trim().to_lowercase();
            let matches = |choice: &&Choice| {
                word == choice.label || (Some(choice.key) == key && word.chars().count() == 1)
            };
            if let Some(choice) = choices.iter().find(matches) {
                return Ok(choice.key);
            }
        }
    }

    /// Asks a question that only the typed word `yes` affirms.
    pub fn confirm(&mut self, question: &str) -> Result<bool, Error> {
        self.discard_typeahead();
        self.show(&format!("{question} Type yes to go on: "))?;
        Ok(self.line()?.trim().eq_ignore_ascii_case("yes"))
    }

    /// Asks for a line, as it is typed.
    pub fn ask_line(&mut self, question: &str) -> Result<String, Error> {
        self.discard_typeahead();
        self.show(question)?;
        self.line()
    }

    fn line(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        match self.input.read_line(&mut line) {
            Ok(0) => Err(Error::Interrupted),
            Ok(_) => Ok(line),
            Err(_) => Err(Error::NoTerminal),
        }
    }

    #[cfg(unix)]
    fn discard_typeahead(&mut self) {
        use nix::sys::termios::{FlushArg, tcflush};
        let _ = tcflush(self.input.get_ref(), FlushArg::TCIFLUSH);
    }

    #[cfg(not(unix))]
    fn discard_typeahead(&mut self) {}
}
