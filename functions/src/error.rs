//! Why a record could not be brought in step, and what that means for it.

use std::borrow::Cow;

use clients::{ApiError, ErrorKind};
use orchestration::{Failure, Halt, StepFailure};
use stores::StoreError;

use crate::sync::misfit::Misfit;

/// A failure while one record is worked on.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// A call to one of the services failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A new task was refused, and its list tells why.
    #[error("{misfit}")]
    Misfit {
        /// What the list does not have.
        misfit: Box<Misfit>,
        /// What ClickUp said.
        source: ApiError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record cannot be worked on and trying again will not help.
    #[error("{cause}: {detail}")]
    Poison {
        /// A fixed name under which like failures are grouped.
        cause: &'static str,
        /// Endpoint and ids, no text of the ticket.
        detail: String,
    },
    /// A person or the brake holds the lane.
    #[error("paused: {0}")]
    Paused(String),
    /// A plan was confirmed, and this is not in it.
    #[error("this is not in the confirmed plan")]
    Unplanned,
    /// It was looked for and made once more, and again nobody said whether it was made.
    #[error("creates of its task have no answer")]
    Unanswered,
    /// Somebody else works on the record, or it moved while we looked: later.
    #[error("{0}")]
    Later(&'static str),
}

impl SyncError {
    /// The failure's fixed name.
    pub fn failure(&self) -> Failure {
        match self {
            SyncError::Api(error) => match error.kind {
                ErrorKind::BudgetEmpty { .. } | ErrorKind::RateLimited { .. } => Failure::BudgetEmpty,
                ErrorKind::Transient | ErrorKind::Unknown | ErrorKind::Conflict => Failure::Transient,
                ErrorKind::Refused => Failure::Rejected,
                // It was there a moment ago: the next look sees what became of it.
                ErrorKind::NotFound => Failure::Transient,
                // Nothing was tried: it waits until we are let in again, and counts against no record.
                ErrorKind::Auth => Failure::Paused,
                ErrorKind::Unexpected => Failure::Transient,
            },
            SyncError::Store(error) if error.is_transient() => Failure::Transient,
            SyncError::Store(_) => Failure::Bug,
            SyncError::Misfit { .. } | SyncError::Poison { .. } => Failure::Rejected,
            SyncError::Paused(_) => Failure::Paused,
            SyncError::Later(_) | SyncError::Unanswered | SyncError::Unplanned => Failure::Transient,
        }
    }

    /// When it makes sense to try again, where the failure knows it.
    pub fn until_ms(&self) -> Option<i64> {
        match self {
            SyncError::Api(ApiError {
                kind: ErrorKind::BudgetEmpty { until_ms } | ErrorKind::RateLimited { until_ms },
                ..
            }) => Some(*until_ms),
            _ => None,
        }
    }

    /// The service's own code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            SyncError::Api(error) => error.code.as_deref(),
            // What is missing says more, and codes differ.
            _ => None,
        }
    }

    /// The call that failed, or what was missing for it. Ids of records would make every failure its own group, so of a
    /// call only the words are taken.
    pub fn endpoint(&self) -> Cow<'_, str> {
        match self {
            SyncError::Api(error) => {
                error.what.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().into()
            }
            SyncError::Misfit { misfit, .. } => misfit.group().into(),
            SyncError::Poison { cause, .. } => (*cause).into(),
            _ => "".into(),
        }
    }

    /// A fixed name for grouping in quarantine.
    pub fn cause(&self) -> String {
        match self {
            SyncError::Api(error) => match &error.code {
                Some(code) => format!("{}_{}", error.api.name(), code.to_lowercase()),
                None => format!(
                    "{}_{}",
                    error.api.name(),
                    error.status.map_or_else(|| "failed".to_owned(), |s| s.to_string())
                ),
            },
            SyncError::Misfit { misfit, .. } => misfit.cause().to_owned(),
            SyncError::Store(_) => "store".to_owned(),
            SyncError::Poison { cause, .. } => (*cause).to_owned(),
            SyncError::Paused(_) => "paused".to_owned(),
            SyncError::Later(_) => "busy".to_owned(),
            SyncError::Unanswered => "create_unanswered".to_owned(),
            SyncError::Unplanned => "unplanned".to_owned(),
        }
    }
}

impl From<Halt> for SyncError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Paused(paused) => SyncError::Paused(paused.reason),
            Halt::Store(error) => SyncError::Store(error),
        }
    }
}

impl From<SyncError> for StepFailure {
    fn from(error: SyncError) -> Self {
        StepFailure::new(error.failure(), error.to_string())
    }
}
