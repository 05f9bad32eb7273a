//! The survey: what the command line and the daemon both do with configured servers. Plan which are
//! meant and which may be started, read them, compare them with their pins, and apply decisions.
//!
//! Promises: nothing is started that its owner did not ask for; what was started has ended when a
//! function here returns. Does not print or ask: callers get values and progress events.

pub mod announce;
pub mod clock;
pub mod content;
pub mod decide;
pub mod error;
pub mod ground;
pub mod judge;
pub mod locks;
pub mod machine;
pub mod pins;
pub mod plan;
pub mod policy;
pub mod pool;
pub mod progress;
pub mod proposals;
pub mod reading;
pub mod record;
pub mod run;
pub mod settings;
pub mod sighted;
pub mod target;
pub mod trust;
pub mod upgrade;
pub mod values;
pub mod wrap;
pub mod wrap_diff;
mod wrap_error;
pub mod wrap_reach;
mod wrap_same;
pub mod wrap_status;

pub use error::SurveyError;
pub use ground::Ground;
