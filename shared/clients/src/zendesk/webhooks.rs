//! Webhooks of the account. Their API has limits of its own.

use http::Method;
use serde_json::json;

use super::convert;
use super::{Continued, Invocation, Zendesk, ZendeskLimits, ZendeskWebhook, incomplete};
use crate::call::Call;
use crate::error::ApiResult;
use crate::hosts::encode;
use crate::pace::{Api, Bucket};
use crate::retry::Effect;
use crate::transport::Secret;
use crate::wire::zendesk as wire;

/// The lower of the two limits that were recorded.
const PER_MIN: u32 = 20;

impl Zendesk {
    /// Sets up a webhook for events.
    pub async fn create_webhook(
        &self,
        name: &str,
        endpoint: &str,
        subscriptions: &[&str],
    ) -> ApiResult<ZendeskWebhook> {
        let path = "/api/v2/webhooks";
        let call = Call::write(Api::Zendesk, Method::POST, "/webhooks", path, Effect::Once)
            .json(&json!({ "webhook": {
                "name": name,
                "endpoint": endpoint,
                "http_method": "POST",
                "request_format": "json",
                "status": "active",
                "subscriptions": subscriptions,
            }}))
            .spends(self.webhook_buckets());
        let answer: wire::OneWebhook = self.read(&call).await?;
        answer.webhook.take().and_then(convert::webhook).ok_or_else(|| incomplete(&call))
    }

    /// All webhooks of the account.
    pub async fn webhooks(&self) -> ApiResult<Vec<ZendeskWebhook>> {
        let call = Call::get(Api::Zendesk, "/webhooks", "/api/v2/webhooks")
            .query("page[size]", super::PER_PAGE)
            .spends(self.webhook_buckets());
        let all = self
            .all(call, |page: wire::Webhooks| {
                (page.webhooks.into_items(), Continued { meta: page.meta, links: page.links })
            })
            .await?;
        Ok(all.into_iter().filter_map(convert::webhook).collect())
    }

    /// Removes a webhook; a missing one is fine.
    pub async fn delete_webhook(&self, id: &str) -> ApiResult<()> {
        let path = format!("/api/v2/webhooks/{}", encode(id));
        let call = Call::write(Api::Zendesk, Method::DELETE, "/webhooks/{id}", path, Effect::Repeatable)
            .spends(self.webhook_buckets());
        match self.send(&call).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// The secret that signs a webhook's deliveries.
    pub async fn webhook_secret(&self, id: &str) -> ApiResult<Secret> {
        let path = format!("/api/v2/webhooks/{}/signing_secret", encode(id));
        let call =
            Call::get(Api::Zendesk, "/webhooks/{id}/signing_secret", path).spends(self.webhook_buckets());
        let answer: wire::OneSigningSecret = self.read(&call).await?;
        let secret = answer.signing_secret.take().and_then(|signing| signing.secret.take());
        secret.map(Secret::new).ok_or_else(|| incomplete(&call))
    }

    /// A new secret, valid from now on. Zendesk signs with it at once, so the old one is needed for what is on
    /// its way. Asked twice, the last answer counts.
    pub async fn renew_webhook_secret(&self, id: &str) -> ApiResult<Secret> {
        let path = format!("/api/v2/webhooks/{}/signing_secret", encode(id));
        let call = Call::write(
            Api::Zendesk,
            Method::POST,
            "/webhooks/{id}/signing_secret",
            path,
            Effect::Repeatable,
        )
        .spends(self.webhook_buckets());
        let answer: wire::OneSigningSecret = self.read(&call).await?;
        let secret = answer.signing_secret.take().and_then(|signing| signing.secret.take());
        secret.map(Secret::new).ok_or_else(|| incomplete(&call))
    }

    /// Changes what a webhook listens to and whether it does; the rest stays.
    pub async fn update_webhook(&self, id: &str, subscriptions: &[&str], status: &str) -> ApiResult<()> {
        let path = format!("/api/v2/webhooks/{}", encode(id));
        let call = Call::write(Api::Zendesk, Method::PATCH, "/webhooks/{id}", path, Effect::Repeatable)
            .json(&json!({ "webhook": { "subscriptions": subscriptions, "status": status } }))
            .spends(self.webhook_buckets());
        self.send(&call).await.map(drop)
    }

    /// The newest deliveries of a webhook and how they fared; at most a page of them.
    pub async fn webhook_invocations(&self, id: &str) -> ApiResult<Vec<Invocation>> {
        let path = format!("/api/v2/webhooks/{}/invocations", encode(id));
        let call = Call::get(Api::Zendesk, "/webhooks/{id}/invocations", path).spends(self.webhook_buckets());
        let page: wire::Invocations = self.read(&call).await?;
        Ok(page.invocations.into_items().into_iter().map(convert::invocation).collect())
    }

    /// The pair of headers speaks of the webhooks API, not of the account, so its bucket comes first.
    fn webhook_buckets(&self) -> [Bucket; 2] {
        [Bucket::new("webhooks", PER_MIN, ZendeskLimits::MINUTE_MS), self.limits.account()]
    }
}
