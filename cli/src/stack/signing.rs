//! What signs deliveries, written down where the stack's intake reads it.

use aws::AwsError;
use clients::{Clock, Secret};
use domain::Side;
use functions::lambda::secrets::Signing;
use functions::local::ConnectError;
use functions::rotation::Keeper;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::link::Link;
use crate::machine::WallClock;

/// Keeps the secrets of both sides in one secret of the stack.
pub struct SigningKeeper {
    link: Link,
}

impl SigningKeeper {
    /// For this stack.
    pub fn new(link: Link) -> Self {
        Self { link }
    }

    async fn replace(&self, side: Side, secrets: &[Secret]) -> Result<(), String> {
        let session = self.link.session().await.map_err(|error| error.to_string())?;
        let mut signing = match aws::secrets::get(&session, &self.link.webhooks_secret).await {
            Ok(text) => Signing::read(&text),
            Err(error) if error.is_not_found() => Signing::default(),
            Err(error) => return Err(error.to_string()),
        };
        signing.renew(side, secrets, WallClock.now_ms());
        let put = aws::secrets::put(&session, &self.link.webhooks_secret, &signing.write()).await;
        put.map_err(|error: AwsError| error.to_string())
    }
}

impl Keeper for SigningKeeper {
    fn keep(&self, side: Side, secrets: Vec<Secret>) -> BoxFuture<'_, Result<(), ConnectError>> {
        async move { self.replace(side, &secrets).await.map_err(ConnectError::Keep) }.boxed()
    }
}
