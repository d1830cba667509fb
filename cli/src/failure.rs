//! Exit codes: 0 done; 1 it ran and the result is not good; 2 asked for something that cannot be; 3 the state
//! cannot be used (in use, read only, disk full, from a newer version).

use stores::StoreError;

/// It ran, and the result is not good.
pub const FAILED: u8 = 1;
/// Options or files that cannot be.
pub const USAGE: u8 = 2;
/// The state cannot be used.
pub const STATE: u8 = 3;

/// A failure with its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failed {
    code: u8,
    message: String,
}

impl Failed {
    /// The result is not good.
    pub fn result(message: impl Into<String>) -> anyhow::Error {
        Self { code: FAILED, message: message.into() }.into()
    }

    /// Something was asked that cannot be.
    pub fn usage(message: impl Into<String>) -> anyhow::Error {
        Self { code: USAGE, message: message.into() }.into()
    }

    /// The state cannot be used.
    pub fn state(message: impl Into<String>) -> anyhow::Error {
        Self { code: STATE, message: message.into() }.into()
    }

    /// A failure of the store, with the code that fits.
    pub fn store(error: &StoreError) -> anyhow::Error {
        Self::state(error.to_string())
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}
