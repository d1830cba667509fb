//! Users, groups, memberships and organizations: read only here.

use serde_json::{Value, json};

use super::paging;
use super::refusal::Refusal;
use super::rows::{MembershipRow, UserRow};
use super::tickets_read::ids_of;
use super::views::{self, Scene};
use super::{Asked, Desk, Reply};
use crate::clock::iso_seconds;
use crate::http_text::json as json_answer;

/// `GET /users/me`: with wrong credentials 200 and nobody.
pub(super) fn me(desk: &mut Desk, asked: &Asked) -> Reply {
    let Some(row) = desk.state.users.get(&asked.actor.user) else {
        let nobody = json!({"user": {
            "id": null,
            "url": null,
            "name": "Anonymous user",
            "email": "invalid@example.com",
            "role": "end-user",
            "active": false,
            "verified": false,
            "locale": "en-US",
            "locale_id": 1,
            "organization_id": null,
            "external_id": null,
            "tags": [],
            "user_fields": {},
        }});
        return Ok(json_answer(200, &nobody));
    };
    let mut user = views::user(desk.scene(), row);
    user["authenticity_token"] = "simulated".into();
    Ok(json_answer(200, &json!({ "user": user })))
}

/// `GET /users/{id}`.
pub(super) fn show(desk: &mut Desk, asked: &Asked) -> Reply {
    let id = i64::try_from(asked.id("api/v2/users/show")?).ok();
    let row = id.and_then(|id| desk.state.users.get(&id)).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"user": views::user(desk.scene(), row)})))
}

/// `GET /users/show_many?ids=` or `?external_ids=`.
pub(super) fn show_many(desk: &mut Desk, asked: &Asked) -> Reply {
    let ids: Vec<i64> = ids_of(&asked.call)?;
    let external = asked.call.query.list("external_ids");
    let by_external = |row: &&UserRow| {
        row.external_id.as_deref().is_some_and(|id| external.iter().any(|want| want.eq_ignore_ascii_case(id)))
    };
    let rows: Vec<&UserRow> = if external.is_empty() {
        ids.iter().filter_map(|id| desk.state.users.get(id)).collect()
    } else {
        desk.state.users.values().filter(by_external).collect()
    };
    let with_deleted = asked.call.query.flag("include_deleted");
    let rows = rows.into_iter().filter(|row| row.active || with_deleted);
    let users: Vec<Value> = rows.map(|row| views::user(desk.scene(), row)).collect();
    let count = users.len();
    Ok(json_answer(200, &json!({"users": users, "next_page": null, "previous_page": null, "count": count})))
}

/// `GET /users`, with `role=` or `role[]=`.
pub(super) fn list(desk: &mut Desk, asked: &Asked) -> Reply {
    let query = &asked.call.query;
    let roles: Vec<&str> = query.all("role").chain(query.all("role[]")).collect();
    let wanted = |row: &&UserRow| row.active && (roles.is_empty() || roles.contains(&row.role.as_str()));
    users_page(desk, asked, desk.state.users.values().filter(wanted))
}

/// `GET /users/search?query=` or `?external_id=`: offsets only.
pub(super) fn search(desk: &mut Desk, asked: &Asked) -> Reply {
    let query = &asked.call.query;
    if query.get("page[size]").is_some() {
        return Err(Refusal::bad_request("InvalidPaginationParameter", "Cursor pagination is not supported"));
    }
    if let Some(external) = query.get("external_id") {
        let same =
            |row: &&UserRow| row.external_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(external));
        return users_page(desk, asked, desk.state.users.values().filter(same));
    }
    let text = query.get("query").unwrap_or_default();
    if let Some(email) = text.strip_prefix("email:") {
        let found = desk.state.user_by_email(email.trim_matches('"'));
        return users_page(desk, asked, found.into_iter());
    }
    let needle = text.strip_prefix("name:").unwrap_or(text).to_lowercase();
    let fits = |row: &&UserRow| {
        let email = row.email.as_deref().unwrap_or_default();
        row.name.to_lowercase().contains(&needle) || email.to_lowercase() == needle
    };
    users_page(desk, asked, desk.state.users.values().filter(fits))
}

/// `GET /groups/{id}/users`.
pub(super) fn of_group(desk: &mut Desk, asked: &Asked) -> Reply {
    let group = asked.id("api/v2/groups/users")?;
    let members = desk.state.memberships.values().filter(|row| row.group == group);
    users_page(desk, asked, members.filter_map(|row| desk.state.users.get(&row.user)))
}

fn users_page<'a>(desk: &Desk, asked: &Asked, rows: impl Iterator<Item = &'a UserRow>) -> Reply {
    page(desk, asked, "users", rows, |row| row.id.to_string(), views::user)
}

/// `GET /groups`.
pub(super) fn groups(desk: &mut Desk, asked: &Asked) -> Reply {
    page(desk, asked, "groups", desk.state.groups.values(), |row| row.id.to_string(), views::group)
}

/// `GET /groups/{id}`.
pub(super) fn group(desk: &mut Desk, asked: &Asked) -> Reply {
    let row = desk.state.groups.get(&asked.id("api/v2/groups/show")?).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"group": views::group(desk.scene(), row)})))
}

/// `GET /group_memberships`.
pub(super) fn memberships(desk: &mut Desk, asked: &Asked) -> Reply {
    memberships_page(desk, asked, |_| true)
}

/// `GET /users/{id}/group_memberships`.
pub(super) fn memberships_of_user(desk: &mut Desk, asked: &Asked) -> Reply {
    let user = i64::try_from(asked.id("api/v2/group_memberships")?).unwrap_or_default();
    memberships_page(desk, asked, move |row| row.user == user)
}

/// `GET /groups/{id}/memberships`.
pub(super) fn memberships_of_group(desk: &mut Desk, asked: &Asked) -> Reply {
    let group = asked.id("api/v2/group_memberships")?;
    memberships_page(desk, asked, move |row| row.group == group)
}

fn memberships_page(desk: &Desk, asked: &Asked, fits: impl Fn(&MembershipRow) -> bool) -> Reply {
    let rows = desk.state.memberships.values().filter(|row| fits(row));
    page(desk, asked, "group_memberships", rows, |row| row.id.to_string(), membership)
}

fn membership(scene: Scene<'_>, row: &MembershipRow) -> Value {
    let created = iso_seconds(row.created_ms);
    json!({
        "url": scene.url(&format!("group_memberships/{}", row.id)),
        "id": row.id,
        "user_id": row.user,
        "group_id": row.group,
        "default": row.default,
        "created_at": created,
        "updated_at": created,
    })
}

/// `GET /organizations`.
pub(super) fn organizations(desk: &mut Desk, asked: &Asked) -> Reply {
    let rows = desk.state.organizations.values();
    page(desk, asked, "organizations", rows, |row| row.id.to_string(), views::organization)
}

/// `GET /organizations/{id}`.
pub(super) fn organization(desk: &mut Desk, asked: &Asked) -> Reply {
    let id = asked.id("api/v2/organizations/show")?;
    let row = desk.state.organizations.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"organization": views::organization(desk.scene(), row)})))
}

/// `GET /organizations/show_many?ids=`.
pub(super) fn organizations_many(desk: &mut Desk, asked: &Asked) -> Reply {
    let ids: Vec<u64> = ids_of(&asked.call)?;
    let rows = ids.iter().filter_map(|id| desk.state.organizations.get(id));
    let found: Vec<Value> = rows.map(|row| views::organization(desk.scene(), row)).collect();
    let count = found.len();
    let body = json!({"organizations": found, "next_page": null, "previous_page": null, "count": count});
    Ok(json_answer(200, &body))
}

/// One page of a list of rows.
fn page<'a, T: 'a>(
    desk: &Desk,
    asked: &Asked,
    member: &str,
    rows: impl Iterator<Item = &'a T>,
    key: impl Fn(&&'a T) -> String,
    view: impl Fn(Scene<'_>, &T) -> Value,
) -> Reply {
    let page = paging::cut(&asked.call, &desk.options.link_base, rows, key)?;
    let scene = desk.scene();
    let views: Vec<Value> = page.items.iter().map(|row| view(scene, row)).collect();
    let mut body = json!({ member: views });
    paging::extend(&mut body, page.beside);
    Ok(json_answer(200, &body))
}
