//! The routes that are served, with what each costs and who may call it. Everything else is answered with 501.

use super::limits::Class;
use super::{Asked, Desk, Reply};
use super::{
    admin, auth, comments, exports, jobs, people, requests, tags, tickets_read, tickets_write, uploads,
    webhooks,
};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Even nobody.
    Nobody,
    /// Any user.
    User,
    Staff,
    Admin,
}

/// What answers a route.
pub(super) type Handler = fn(&mut Desk, &Asked) -> Reply;

/// One route: method, pattern below `/api/v2` (or from the root for OAuth), who may, what it costs, who answers.
pub(super) struct Route {
    pub method: &'static str,
    pub pattern: &'static str,
    pub need: Need,
    pub class: Class,
    pub handler: Handler,
}

const fn route(
    method: &'static str,
    pattern: &'static str,
    need: Need,
    class: Class,
    handler: Handler,
) -> Route {
    Route { method, pattern, need, class, handler }
}

use Class::{Free, Gateway, Incremental, List, Plain, Tags, Update, UpdateMany, Webhooks};
use Need::{Admin, Nobody, Staff, User};

/// The one path that is not below `/api/v2`.
pub(super) const FROM_ROOT: &str = "/oauth/tokens";

/// Every route, the more specific ones first.
pub(super) const ROUTES: &[Route] = &[
    route("POST", FROM_ROOT, Nobody, Free, auth::token),
    route("GET", "/oauth/tokens/current", Nobody, Plain, auth::current),
    route("GET", "/tickets", Staff, List, tickets_read::list),
    route("POST", "/tickets", Staff, Gateway, tickets_write::create),
    route("GET", "/tickets/show_many", Staff, Plain, tickets_read::show_many),
    route("PUT", "/tickets/update_many", Staff, UpdateMany, jobs::update_many),
    route("GET", "/tickets/{id}", Staff, Plain, tickets_read::show),
    route("PUT", "/tickets/{id}", Staff, Update, tickets_write::update),
    route("DELETE", "/tickets/{id}", Staff, Plain, tickets_write::delete),
    route("GET", "/tickets/{id}/comments", Staff, Gateway, comments::list),
    route("GET", "/tickets/{id}/audits", Staff, Gateway, tickets_read::audits),
    route("GET", "/tickets/{id}/related", Staff, Plain, tickets_read::related),
    route("GET", "/tickets/{id}/tags", Staff, Plain, tags::list),
    route("PUT", "/tickets/{id}/tags", Staff, Tags, tags::change),
    route("POST", "/tickets/{id}/tags", Staff, Tags, tags::change),
    route("DELETE", "/tickets/{id}/tags", Staff, Tags, tags::change),
    route("POST", "/tickets/{id}/merge", Staff, Plain, jobs::merge),
    route("GET", "/deleted_tickets", Staff, Plain, tickets_read::deleted),
    route("PUT", "/deleted_tickets/{id}/restore", Staff, Plain, tickets_write::restore),
    route("POST", "/requests", User, Gateway, requests::create),
    route("PUT", "/requests/{id}", User, Gateway, requests::update),
    route("POST", "/uploads", User, Gateway, uploads::create),
    route("DELETE", "/uploads/{token}", User, Gateway, uploads::delete),
    route("GET", "/attachments/{id}", Staff, Gateway, uploads::show),
    route("GET", "/incremental/tickets/cursor", Admin, Incremental, exports::tickets_by_cursor),
    route("GET", "/incremental/tickets", Admin, Incremental, exports::tickets_by_time),
    route("GET", "/incremental/ticket_events", Admin, Incremental, exports::ticket_events),
    route("GET", "/job_statuses/show_many", Staff, Plain, jobs::show_many),
    route("GET", "/job_statuses/{id}", Staff, Plain, jobs::show),
    route("GET", "/users/me", Nobody, Plain, people::me),
    route("GET", "/users/show_many", Staff, Plain, people::show_many),
    route("GET", "/users/search", Staff, Gateway, people::search),
    route("GET", "/users", Staff, Plain, people::list),
    route("GET", "/users/{id}", Staff, Plain, people::show),
    route("GET", "/users/{id}/group_memberships", Staff, Gateway, people::memberships_of_user),
    route("GET", "/groups", Staff, Gateway, people::groups),
    route("GET", "/groups/{id}", Staff, Gateway, people::group),
    route("GET", "/groups/{id}/users", Staff, Gateway, people::of_group),
    route("GET", "/groups/{id}/memberships", Staff, Gateway, people::memberships_of_group),
    route("GET", "/group_memberships", Staff, Gateway, people::memberships),
    route("GET", "/organizations/show_many", Staff, Plain, people::organizations_many),
    route("GET", "/organizations", Staff, Plain, people::organizations),
    route("GET", "/organizations/{id}", Staff, Plain, people::organization),
    route("GET", "/ticket_fields", Staff, Plain, admin::fields),
    route("GET", "/ticket_fields/{id}", Staff, Plain, admin::one_field),
    route("GET", "/custom_statuses", Staff, Plain, admin::custom_statuses),
    route("GET", "/ticket_forms", User, Plain, admin::forms),
    route("GET", "/triggers", Admin, Plain, admin::triggers),
    route("GET", "/account/settings", Staff, Plain, admin::settings),
    route("GET", "/webhooks", Admin, Webhooks, webhooks::list),
    route("POST", "/webhooks", Admin, Webhooks, webhooks::create),
    route("GET", "/webhooks/{id}", Admin, Webhooks, webhooks::show),
    route("PUT", "/webhooks/{id}", Admin, Webhooks, webhooks::change),
    route("PATCH", "/webhooks/{id}", Admin, Webhooks, webhooks::change),
    route("DELETE", "/webhooks/{id}", Admin, Webhooks, webhooks::delete),
    route("GET", "/webhooks/{id}/invocations", Admin, Webhooks, webhooks::invocations),
    route("GET", "/webhooks/{id}/signing_secret", Admin, Webhooks, webhooks::secret),
    route("POST", "/webhooks/{id}/signing_secret", Admin, Webhooks, webhooks::reset_secret),
];

/// Which part of a token's scope a route belongs to.
pub(super) fn resource(pattern: &str) -> &str {
    match pattern.trim_start_matches('/').split('/').next().unwrap_or_default() {
        "incremental" | "deleted_tickets" | "uploads" | "attachments" | "job_statuses" => "tickets",
        first => first,
    }
}
