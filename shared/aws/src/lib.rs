//! AWS over the one transport that the clients use: the SDK's own clients where they fit, and signed requests where
//! a whole SDK would be linked for one call.

mod connector;
pub mod queue;
pub mod secrets;
mod session;
pub mod stack;

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use clients::Transport;

pub use session::{AwsError, Session};

/// The SDK's HTTP client over a transport.
pub fn http_client(transport: Arc<dyn Transport>) -> SharedHttpClient {
    SharedHttpClient::new(connector::Connector::new(transport, None))
}
