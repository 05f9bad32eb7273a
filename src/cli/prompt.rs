//! Questions on the controlling terminal.
//!
//! Promises: an answer comes from the terminal itself, never from stdin, which a script or an AI
//! agent may have filled; what was typed before the question was shown does not answer it. Does not
//! prove that a person typed: see "Levels" in the design.

use super::app;
use super::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::sync::{Arc, Mutex, PoisonError};

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
    input: Arc<Mutex<BufReader<File>>>,
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
        let input = Arc::new(Mutex::new(BufReader::new(input)));
        Ok(Self { input, output: anstream::AutoStream::auto(output) })
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
            let spelled = |key: char| match word.as_str() {
                "yes" => key == 'y',
                "no" => key == 'n',
                word => word.chars().count() == 1,
            };
            let matches =
                |choice: &&Choice| word == choice.label || (Some(choice.key) == key && spelled(choice.key));
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

    /// Reads a line. Ctrl-C is heard here: since servers were read, it no longer ends this process.
    fn line(&mut self) -> Result<String, Error> {
        let runtime = app::runtime()?;
        let input = Arc::clone(&self.input);
        let read = runtime.spawn_blocking(move || {
            let mut line = String::new();
            let read = input.lock().unwrap_or_else(PoisonError::into_inner).read_line(&mut line);
            (read, line)
        });
        let answer = runtime.block_on(async {
            tokio::select! {
                read = read => Some(read),
                Ok(()) = tokio::signal::ctrl_c() => None,
            }
        });
        // The reading thread may wait on for a line that nobody types; nobody waits for it.
        runtime.shutdown_background();
        match answer {
            Some(Ok((Ok(1..), line))) => Ok(line),
            Some(Ok((Ok(0), _))) => Err(Error::Interrupted),
            Some(Ok((Err(_), _)) | Err(_)) => Err(Error::NoTerminal),
            None => {
                self.show("\n")?;
                Err(Error::Interrupted)
            }
        }
    }

    #[cfg(unix)]
    fn discard_typeahead(&mut self) {
        use nix::sys::termios::{FlushArg, tcflush};
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = tcflush(input.get_ref(), FlushArg::TCIFLUSH);
    }

    #[cfg(not(unix))]
    fn discard_typeahead(&mut self) {}
}
