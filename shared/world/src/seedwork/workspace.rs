//! Fields of the simulated Zendesk, and spaces, lists and fields of the simulated ClickUp, with the
//! tables that say what corresponds to what. The text of `deskup.toml` and the judge's rules are both
//! written from these tables, so that the judge needs no parser of ours.

use super::cast::{Cast, VIP_ORGANIZATION};

/// The ClickUp workspace.
pub const WORKSPACE_ID: &str = "9011001";

/// A status of a list: name and type.
pub const STATUSES: [(&str, &str); 7] = [
    ("to do", "open"),
    ("in progress", "custom"),
    ("waiting on customer", "custom"),
    ("on hold", "custom"),
    // Nobody in Zendesk reviews anything: this one has no counterpart.
    ("in review", "custom"),
    ("solved", "done"),
    ("closed", "closed"),
];

/// The status without counterpart.
pub const STATUS_WITHOUT_COUNTERPART: &str = "in review";

/// Zendesk status, the ClickUp statuses that mean the same (the first is written). Where one ClickUp status
/// stands for two, the one that a person can set is meant: nobody sets a ticket back to new.
pub const STATUS_TABLE: [(&str, &[&str]); 6] = [
    ("new", &["to do"]),
    ("open", &["to do", "in progress"]),
    ("pending", &["waiting on customer"]),
    ("hold", &["on hold"]),
    ("solved", &["solved"]),
    ("closed", &["closed"]),
];

/// Zendesk priority, ClickUp priority.
pub const PRIORITY_TABLE: [(&str, u8); 4] = [("urgent", 1), ("high", 2), ("normal", 3), ("low", 4)];

/// The tag that sends a ticket of the technical group to the hardware list. Nobody edits it.
pub const HARDWARE_TAG: &str = "hardware";

/// What a custom field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One of a few options.
    DropDown,
    /// A line of text.
    Text,
    /// Yes or no.
    Checkbox,
    /// A whole number.
    Number,
    /// A day.
    Date,
}

/// A custom field with both of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// Its name in `deskup.toml`.
    pub key: &'static str,
    /// Its title in Zendesk, its name in ClickUp.
    pub title: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Id in Zendesk.
    pub zendesk: i64,
    /// Id in ClickUp.
    pub clickup: String,
    /// Options of a drop-down.
    pub options: Vec<OptionPair>,
}

/// An option of a drop-down on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionPair {
    /// The tag that is Zendesk's value.
    pub tag: &'static str,
    /// The name for people, the same on both sides.
    pub name: &'static str,
    /// The option's id in ClickUp.
    pub uuid: String,
}

/// A ClickUp list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPlan {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: &'static str,
    /// Its space's id.
    pub space: &'static str,
    /// Which tickets go there.
    pub route: Route,
}

/// A rule that sends tickets to a list; the first that fits wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Group and tag.
    GroupAndTag(i64, &'static str),
    /// Group and organization.
    GroupAndOrganization(i64, i64),
    /// Group alone.
    Group(i64),
    /// Everything that no other route takes.
    Rest,
}

impl Route {
    /// Whether a ticket goes this way.
    pub fn takes(&self, group: Option<i64>, organization: Option<i64>, tags: &[String]) -> bool {
        match self {
            Route::GroupAndTag(id, tag) => group == Some(*id) && tags.iter().any(|known| known == tag),
            Route::GroupAndOrganization(id, company) => group == Some(*id) && organization == Some(*company),
            Route::Group(id) => group == Some(*id),
            Route::Rest => true,
        }
    }
}

/// Everything that is set up in the ClickUp workspace, and the Zendesk fields that match it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Spaces by id and name.
    pub spaces: Vec<(&'static str, &'static str)>,
    /// Lists, in the order in which their routes are tried.
    pub lists: Vec<ListPlan>,
    /// Custom fields; every list has them.
    pub fields: Vec<CustomField>,
}

impl Workspace {
    /// The workspace for a cast, with these fields.
    pub fn make(cast: &Cast, fields: Vec<CustomField>) -> Self {
        let group = |name: &str| cast.group(name).unwrap_or_default();
        let vip = cast.organization(VIP_ORGANIZATION).unwrap_or_default();
        let plans = [
            ("Support VIP", "90200", Route::GroupAndOrganization(group("Support"), vip)),
            ("Billing", "90200", Route::Group(group("Billing"))),
            ("Hardware", "90300", Route::GroupAndTag(group("Technical"), HARDWARE_TAG)),
            ("Technical", "90300", Route::Group(group("Technical"))),
            ("Accounts", "90200", Route::Group(group("Accounts"))),
            ("Support inbox", "90200", Route::Rest),
        ];
        let lists = plans
            .into_iter()
            .zip(901_100_u64..)
            .map(|((name, space, route), id)| ListPlan { id: id.to_string(), name, space, route })
            .collect();
        Self { spaces: vec![("90200", "Service"), ("90300", "Engineering")], lists, fields }
    }

    /// The list a ticket belongs to.
    pub fn list_for(
        &self,
        group: Option<i64>,
        organization: Option<i64>,
        tags: &[String],
    ) -> Option<&ListPlan> {
        self.lists.iter().find(|list| list.route.takes(group, organization, tags))
    }

    /// A list by its id.
    pub fn list(&self, id: &str) -> Option<&ListPlan> {
        self.lists.iter().find(|list| list.id == id)
    }

    /// Tags that are options of a drop-down and therefore no tags of people.
    pub fn option_tags(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().flat_map(|field| field.options.iter().map(|option| option.tag))
    }
}

/// The fields, with provisional ids until the services give theirs.
pub fn custom_fields() -> Vec<CustomField> {
    let field = |n: i64, key, title, kind, options: &[(&'static str, &'static str)]| CustomField {
        key,
        title,
        kind,
        zendesk: 7_700_000_000_000 + n,
        clickup: format!("0f1e2d3c-4b5a-4697-8877-{n:012}"),
        options: options
            .iter()
            .zip(1..)
            .map(|((tag, name), at)| OptionPair {
                tag,
                name,
                uuid: format!("a0b1c2d3-e4f5-4061-{n:04}-{at:012}"),
            })
            .collect(),
    };
    vec![
        field(
            1,
            "severity",
            "Severity",
            FieldKind::DropDown,
            &[("sev_minor", "Minor"), ("sev_major", "Major"), ("sev_critical", "Critical")],
        ),
        field(2, "order_number", "Order number", FieldKind::Text, &[]),
        field(3, "escalated", "Escalated", FieldKind::Checkbox, &[]),
        field(4, "seats", "Seats affected", FieldKind::Number, &[]),
        field(5, "promised_on", "Promised on", FieldKind::Date, &[]),
    ]
}
