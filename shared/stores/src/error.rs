//! What can go wrong with the store, by what a caller can do about it. No text of tickets in here.

use std::path::PathBuf;

use domain::TicketId;

/// A failure of the store.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// The table is busy; nothing was written.
    #[error("the store is throttled ({operation})")]
    Throttled {
        /// The request's name.
        operation: &'static str,
    },
    /// Certainly did not happen, and may work later.
    #[error("the store did not answer ({operation}): {message}")]
    Transient {
        /// The request's name.
        operation: &'static str,
        /// The service's code or the connection's error.
        message: String,
    },
    /// The reply was lost and reading back did not settle it: the write may have happened.
    #[error("it is unknown whether the store took a write ({operation})")]
    Unknown {
        /// The request's name.
        operation: &'static str,
    },
    /// Somebody else changed the item since it was read, or the fence is old.
    #[error("{item} was changed by somebody else since it was read")]
    Stale {
        /// The kind of item.
        item: &'static str,
    },
    /// The task belongs to another ticket; nothing may be written to it.
    #[error("the task already belongs to ticket {ticket}")]
    TaskTaken {
        /// Its owner.
        ticket: TicketId,
    },
    /// A newer deskup wrote this item and says that we may not touch it.
    #[error("{item} needs deskup's data version {needs}, this one knows {ours}")]
    NewerRecord {
        /// The kind of item.
        item: &'static str,
        /// The version it needs.
        needs: u32,
        /// The version of this code.
        ours: u32,
    },
    /// An item cannot be read.
    #[error("{item} cannot be read: {what}")]
    Corrupt {
        /// The kind of item.
        item: &'static str,
        /// What is wrong, never a value.
        what: String,
    },
    /// An item would pass its limit.
    #[error("{item} would have {bytes} bytes, more than {limit}")]
    TooLarge {
        /// The kind of item.
        item: &'static str,
        /// Its size.
        bytes: usize,
        /// Its limit.
        limit: usize,
    },
    /// The request itself was refused: our mistake or a missing permission.
    #[error("the store refused {operation}: {message}")]
    Refused {
        /// The request's name.
        operation: &'static str,
        /// The service's code and message.
        message: String,
    },
    /// Another process has the state file open.
    #[error("the state file {} is in use by {holder}; stop that first, or use another --dir", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who holds it, as far as it said.
        holder: String,
    },
    /// The state file or its folder cannot be written.
    #[error("the state file {} cannot be written: {reason}", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// No room left on the disk of the state file.
    #[error("the disk is full: the state file {} cannot grow", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The state file is not ours or is damaged.
    #[error("the state file {} cannot be opened: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

impl StoreError {
    /// Whether a later attempt may work without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            StoreError::Throttled { .. } | StoreError::Transient { .. } | StoreError::Unknown { .. }
        )
    }

    /// Whether somebody else was first; read again and decide again.
    pub fn is_stale(&self) -> bool {
        matches!(self, StoreError::Stale { .. })
    }
}
