//! Webhooks of the Workspace.

use domain::ListId;
use http::Method;
use serde_json::{Value as Json, json};

use super::{ClickUp, ClickupWebhook, CreatedWebhook, convert, incomplete};
use crate::error::ApiResult;
use crate::hosts::encode;
use crate::retry::Effect;
use crate::transport::Secret;
use crate::wire::clickup as wire;

impl ClickUp {
    /// Sets up a webhook for the whole Workspace, or for one list.
    pub async fn create_webhook(
        &self,
        endpoint: &str,
        events: &[&str],
        list: Option<&ListId>,
    ) -> ApiResult<CreatedWebhook> {
        let mut body = json!({ "endpoint": endpoint, "events": named(events) });
        if let Some(list) = list {
            body["list_id"] = json!(list.as_str());
        }
        let path = format!("/api/v2/team/{}/webhook", self.workspace);
        let call = self.write(Method::POST, "/team/{id}/webhook", path, Effect::Once).json(&body);
        let answer: wire::OneWebhook = self.read(&call).await?;
        let webhook = answer.webhook.take().unwrap_or_default();
        let id = answer.id.take().or_else(|| webhook.id.take()).ok_or_else(|| incomplete(&call))?;
        let secret = webhook.secret.take().map(Secret::new).ok_or_else(|| incomplete(&call))?;
        Ok(CreatedWebhook { id, secret })
    }

    /// The webhooks that our own user made; others are not shown.
    pub async fn webhooks(&self) -> ApiResult<Vec<ClickupWebhook>> {
        let call = self.get("/team/{id}/webhook", format!("/api/v2/team/{}/webhook", self.workspace));
        let answer: wire::Webhooks = self.read(&call).await?;
        Ok(answer.webhooks.into_items().into_iter().filter_map(convert::webhook).collect())
    }

    /// Changes a webhook; the status `active` revives a suspended one. Nothing missed is sent again.
    pub async fn update_webhook(
        &self,
        id: &str,
        endpoint: &str,
        events: &[&str],
        status: &str,
    ) -> ApiResult<()> {
        let path = format!("/api/v2/webhook/{}", encode(id));
        let body = json!({ "endpoint": endpoint, "events": named(events), "status": status });
        let call = self.write(Method::PUT, "/webhook/{id}", path, Effect::Repeatable).json(&body).about(id);
        self.send(&call).await.map(drop)
    }

    /// Removes a webhook; a missing one is fine.
    pub async fn delete_webhook(&self, id: &str) -> ApiResult<()> {
        let path = format!("/api/v2/webhook/{}", encode(id));
        let call = self.write(Method::DELETE, "/webhook/{id}", path, Effect::Repeatable).about(id);
        match self.send(&call).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// A list of names, or the star alone, which is no list.
fn named(events: &[&str]) -> Json {
    if events.contains(&"*") { json!("*") } else { json!(events) }
}
