//! Exit codes, a published contract: 0 as pinned, 1 a change waits, 2 wrong usage, 3 could not
//! check, 130 interrupted.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as pinned, or the command did what it was asked to.
    Done,
    /// A change waits for a decision.
    ChangeWaits,
    /// The command was called wrongly.
    Usage,
    /// Something could not be checked or done.
    Failed,
    /// Ended by the person at the keyboard.
    Interrupted,
    /// As the server behind a gate did, whose code passes through.
    Server(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::ChangeWaits => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
            Exit::Interrupted => 130,
            Exit::Server(code) => code,
        }
    }

    /// The outcome of two parts together: 130 and 2 end everything, 1 beats 3 beats 0.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::ChangeWaits => 2,
            Exit::Usage => 3,
            Exit::Interrupted => 4,
            Exit::Server(_) => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn one_beats_three_beats_zero() {
        assert_eq!(Exit::Done.and(Exit::Failed), Exit::Failed);
        assert_eq!(Exit::Failed.and(Exit::ChangeWaits), Exit::ChangeWaits);
        assert_eq!(Exit::ChangeWaits.and(Exit::Failed), Exit::ChangeWaits);
        assert_eq!(Exit::ChangeWaits.and(Exit::Interrupted), Exit::Interrupted);
    }
}
