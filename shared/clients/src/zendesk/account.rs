//! How the account is set up: what a person looks at before the first write.

use domain::triggers::Trigger;
use futures::stream::{StreamExt, TryStreamExt};

use super::convert;
use super::{AccountSettings, Continued, PER_PAGE, Zendesk};
use crate::error::ApiResult;
use crate::wire::zendesk as wire;

impl Zendesk {
    /// All triggers that are in use.
    pub async fn triggers(&self) -> ApiResult<Vec<Trigger>> {
        let call = self.get_paged("/triggers", "/api/v2/triggers").query("active", true);
        let all = self
            .all(call, |page: wire::Triggers| {
                (page.triggers.into_items(), Continued { meta: page.meta, links: page.links })
            })
            .await?;
        Ok(all.into_iter().filter_map(convert::trigger).collect())
    }

    /// The account's settings, as far as they touch a sync.
    pub async fn account_settings(&self) -> ApiResult<AccountSettings> {
        let call = self.get("/account/settings", "/api/v2/account/settings");
        let answer: wire::AccountSettings = self.read(&call).await?;
        let settings = answer.settings.take().unwrap_or_default();
        let features = settings.active_features.take().unwrap_or_default();
        let tickets = settings.tickets.take().unwrap_or_default();
        let hold = tickets.status_hold.get().or(features.on_hold_status.get());
        Ok(AccountSettings {
            sandbox: features.sandbox.get().copied(),
            hold_shown: hold.copied(),
            tagging: tickets.tagging.get().copied(),
            custom_statuses: features.custom_statuses_enabled.get().copied(),
        })
    }

    /// All ticket forms in use, by id and name.
    pub async fn ticket_forms(&self) -> ApiResult<Vec<(u64, String)>> {
        let call = self.get_paged("/ticket_forms", "/api/v2/ticket_forms").query("active", true);
        let all = self
            .all(call, |page: wire::TicketForms| {
                (page.ticket_forms.into_items(), Continued { meta: page.meta, links: page.links })
            })
            .await?;
        let form = |one: wire::TicketForm| Some((one.id.id()?, one.name.take().unwrap_or_default()));
        Ok(all.into_iter().filter_map(form).collect())
    }

    /// Organizations by id and name, so many pages of a hundred at most: an account may have too many to read.
    pub async fn first_organizations(&self, pages_max: usize) -> ApiResult<Vec<(u64, String)>> {
        let call = self.get_paged("/organizations", "/api/v2/organizations");
        let all = self.stream(call, |page: wire::Organizations| {
            let named = convert::named(page.organizations.into_items());
            (named, Continued { meta: page.meta, links: page.links })
        });
        all.take(pages_max * PER_PAGE as usize).boxed().try_collect().await
    }

    /// The scopes of the OAuth token in use; of no use with an API token, which has none.
    pub async fn token_scopes(&self) -> ApiResult<Vec<String>> {
        let call = self.get("/oauth/tokens/current", "/api/v2/oauth/tokens/current");
        let answer: wire::OneOauthToken = self.read(&call).await?;
        Ok(answer.token.take().map(|token| token.scopes.into_items()).unwrap_or_default())
    }
}
