//! What a failed request means: whether it happened, and whether another try would help.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::error::StoreError;
use crate::row::Item;
use crate::store::Store;

/// What a failed request means.
pub(super) enum Failed {
    /// The condition did not hold.
    Condition(Option<Item>),
    /// It did not happen; again later.
    Again(StoreError),
    /// It may have happened.
    Maybe,
    /// Again would not help.
    For(StoreError),
}

impl Store {
    pub(super) fn failed<E: ProvideErrorMetadata, R>(
        &self,
        operation: &'static str,
        error: SdkError<E, R>,
        refused: impl FnOnce(E) -> Option<Option<Item>>,
    ) -> Failed {
        let what = self.judge(operation, &error);
        match (what, error) {
            (Failed::Condition(_), SdkError::ServiceError(service)) => {
                // A refused write costs what it would have cost; the service does not say how much.
                self.count_write(operation, Some(1.0));
                Failed::Condition(refused(service.into_err()).flatten())
            }
            (what, _) => what,
        }
    }

    fn judge<E: ProvideErrorMetadata, R>(&self, operation: &'static str, error: &SdkError<E, R>) -> Failed {
        match error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or_default();
                let message = service.err().message().unwrap_or_default();
                match code {
                    "ConditionalCheckFailedException" => Failed::Condition(None),
                    "ProvisionedThroughputExceededException"
                    | "ThrottlingException"
                    | "RequestLimitExceeded"
                    | "TransactionConflictException"
                    | "TransactionInProgressException" => Failed::Again(StoreError::Throttled { operation }),
                    "InternalServerError" | "ServiceUnavailable" | "InternalFailure" => {
                        match self.file_trouble(message) {
                            Some(error) => Failed::For(error),
                            None => Failed::Maybe,
                        }
                    }
                    _ => {
                        Failed::For(StoreError::Refused { operation, message: format!("{code}: {message}") })
                    }
                }
            }
            SdkError::ConstructionFailure(_) => Failed::For(StoreError::Refused {
                operation,
                message: "the request could not be built".to_owned(),
            }),
            // Even a failed dispatch may have delivered the request, so nothing is assumed.
            _ => Failed::Maybe,
        }
    }

    /// For reads, what may have happened may be asked again.
    pub(super) fn read_failed<E: ProvideErrorMetadata, R>(
        &self,
        operation: &'static str,
        error: &SdkError<E, R>,
    ) -> Result<StoreError, StoreError> {
        match self.judge(operation, error) {
            Failed::Again(error) => Ok(error),
            Failed::Maybe => Ok(StoreError::Transient { operation, message: "no reply".to_owned() }),
            Failed::For(error) => Err(error),
            Failed::Condition(_) => {
                Err(StoreError::Refused { operation, message: "unexpected condition".to_owned() })
            }
        }
    }
}
