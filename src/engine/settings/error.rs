//! Why a `config.toml` is refused.

/// A `config.toml` that is not taken, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What the reader says.
        message: String,
    },
    /// A key that there is not.
    #[error("there is no key `{key}`")]
    Unknown {
        /// The key with its tables.
        key: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// A value that the key does not take.
    #[error("`{key}` must be {expected}")]
    Value {
        /// The key with its tables.
        key: String,
        /// What it takes.
        expected: String,
    },
}

impl SettingsError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            SettingsError::Syntax { .. } => "Correct that line; docs/config.md shows every key.".to_owned(),
            SettingsError::Unknown { nearest: Some(nearest), .. } => format!("Did you mean `{nearest}`?"),
            SettingsError::Unknown { nearest: None, .. } => "docs/config.md lists every key.".to_owned(),
            SettingsError::Value { .. } => "docs/config.md says what each key takes.".to_owned(),
        }
    }
}
