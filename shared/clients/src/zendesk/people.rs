//! Who and what tickets point at: people, groups, organizations, fields, statuses.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Person, UserId};

use super::convert;
use super::{Continued, CustomStatus, MANY_MAX, TicketField, Zendesk, incomplete};
use crate::error::{ApiResult, ErrorKind};
use crate::wire::zendesk as wire;

impl Zendesk {
    /// Who we are. Zendesk answers 200 for wrong credentials too, with nobody: that and an end user are
    /// errors of kind `Auth`.
    pub async fn me(&self) -> ApiResult<Person> {
        let call = self.get("/users/me", "/api/v2/users/me");
        let ask = async || {
            let answer: wire::OneUser = self.read(&call).await?;
            answer.user.take().map(convert::person).ok_or_else(|| incomplete(&call))
        };
        let mut person = ask().await?;
        // Whoever has a token that was revoked is nobody here, with 200; with the next token the user may be somebody.
        if person.id.is_none() && self.core.auth().renews(&call) {
            self.core.auth().forget().await;
            person = ask().await?;
        }
        if person.id.is_none() {
            return Err(call.error(ErrorKind::Auth).with_code("Anonymous"));
        }
        if !matches!(person.role.as_str(), "agent" | "admin") {
            return Err(call.error(ErrorKind::Auth).with_code("NotAnAgent"));
        }
        Ok(person)
    }

    /// People by id; missing ones are left out, and so are system authors, whose ids are negative.
    pub async fn people(&self, ids: &[UserId]) -> ApiResult<Vec<Person>> {
        let ids: BTreeSet<i64> = ids.iter().map(|id| id.0).filter(|id| *id > 0).collect();
        let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
        let mut people = Vec::with_capacity(ids.len());
        for some in ids.chunks(MANY_MAX) {
            let call = self
                .get("/users/show_many", "/api/v2/users/show_many")
                .query("ids", some.join(","))
                .about(format!("{} people", some.len()));
            let page: wire::Users = self.read(&call).await?;
            people.extend(page.users.into_items().into_iter().map(convert::person));
        }
        Ok(people)
    }

    /// All agents and admins with their groups.
    pub async fn agents(&self) -> ApiResult<Vec<Person>> {
        let call =
            self.get_paged("/users", "/api/v2/users").query("role[]", "agent").query("role[]", "admin");
        let mut people = self
            .all(call, |page: wire::Users| {
                let people: Vec<Person> = page.users.into_items().into_iter().map(convert::person).collect();
                (people, Continued { meta: page.meta, links: page.links })
            })
            .await?;
        let mut groups = self.memberships().await?;
        for person in &mut people {
            if let Some(id) = person.id {
                person.groups = groups.remove(&id).unwrap_or_default();
            }
        }
        Ok(people)
    }

    async fn memberships(&self) -> ApiResult<BTreeMap<UserId, BTreeSet<u64>>> {
        let call = self.get_paged("/group_memberships", "/api/v2/group_memberships");
        let all = self
            .all(call, |page: wire::GroupMemberships| {
                (page.group_memberships.into_items(), Continued { meta: page.meta, links: page.links })
            })
            .await?;
        let mut groups: BTreeMap<UserId, BTreeSet<u64>> = BTreeMap::new();
        for one in all {
            if let (Some(user), Some(group)) = (one.user_id.number(), one.group_id.id()) {
                groups.entry(UserId(user)).or_default().insert(group);
            }
        }
        Ok(groups)
    }

    /// All groups.
    pub async fn groups(&self) -> ApiResult<Vec<(u64, String)>> {
        let call = self.get_paged("/groups", "/api/v2/groups");
        self.all(call, |page: wire::Groups| {
            (convert::named(page.groups.into_items()), Continued { meta: page.meta, links: page.links })
        })
        .await
    }

    /// Organizations by id; missing ones are left out.
    pub async fn organizations(&self, ids: &[u64]) -> ApiResult<Vec<(u64, String)>> {
        let ids: BTreeSet<u64> = ids.iter().copied().collect();
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let mut organizations = Vec::with_capacity(ids.len());
        for some in ids.chunks(MANY_MAX) {
            let call = self
                .get("/organizations/show_many", "/api/v2/organizations/show_many")
                .query("ids", some.join(","))
                .about(format!("{} organizations", some.len()));
            let page: wire::Organizations = self.read(&call).await?;
            organizations.extend(convert::named(page.organizations.into_items()));
        }
        Ok(organizations)
    }

    /// All ticket fields with their options. This list comes whole unless pages are asked for.
    pub async fn ticket_fields(&self) -> ApiResult<Vec<TicketField>> {
        let call = self.get("/ticket_fields", "/api/v2/ticket_fields");
        let page: wire::TicketFields = self.read(&call).await?;
        Ok(page.ticket_fields.into_items().into_iter().filter_map(convert::field).collect())
    }

    /// All custom statuses; the list has no pages.
    pub async fn custom_statuses(&self) -> ApiResult<Vec<CustomStatus>> {
        let call = self.get("/custom_statuses", "/api/v2/custom_statuses");
        let page: wire::CustomStatuses = self.read(&call).await?;
        Ok(page.custom_statuses.into_items().into_iter().filter_map(convert::custom_status).collect())
    }
}
