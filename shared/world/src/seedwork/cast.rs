//! Who lives in a world: agents, customers and organizations of the simulated Zendesk, members of the
//! simulated ClickUp. Most colleagues have an account on both sides under one e-mail address; some do
//! not, because real companies look like that.

use std::collections::BTreeMap;

use fastrand::Rng;

/// The domain of everybody who works at the simulated company.
pub const COMPANY: &str = "northwind.example";
/// The address of deskup's own user in Zendesk: an admin, because exports are for admins only.
pub const ZENDESK_SYNC_EMAIL: &str = "deskup@northwind.example";
/// deskup's own member in ClickUp.
pub const CLICKUP_SYNC_ID: i64 = 990_001;
// Numbers until the account gives its own.
const SYNC_BASE: i64 = 7_900_000_000_001;
const AGENT_BASE: i64 = 7_100_000_000_001;
const CUSTOMER_BASE: i64 = 7_300_000_000_001;
const MEMBER_BASE: i64 = 310_001;
const GROUP_BASE: i64 = 7_500_000_000_001;
const ORGANIZATION_BASE: i64 = 7_600_000_000_001;
/// At most this many customers, however many tickets there are.
const CUSTOMERS_MAX: usize = 400;

/// Somebody who works at the company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// Name on both sides.
    pub name: String,
    /// Address on both sides.
    pub email: String,
    /// Id in Zendesk, if they are an agent there.
    pub zendesk: Option<i64>,
    /// Id in ClickUp, if they are a member there.
    pub clickup: Option<i64>,
    /// The Zendesk group, for agents.
    pub group: Option<i64>,
}

/// Somebody who writes tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Id in Zendesk.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// The organization, if any.
    pub organization: Option<i64>,
}

/// Everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// deskup's own user in Zendesk.
    pub zendesk_sync: i64,
    /// Groups by id and name.
    pub groups: Vec<(i64, String)>,
    /// Organizations by id and name.
    pub organizations: Vec<(i64, String)>,
    /// Agents and members.
    pub colleagues: Vec<Colleague>,
    /// Customers.
    pub customers: Vec<Customer>,
}

/// The groups of the simulated company.
pub const GROUPS: [&str; 4] = ["Support", "Billing", "Technical", "Accounts"];
/// The organization whose tickets have a list of their own.
pub const VIP_ORGANIZATION: &str = "Fabrikam Robotics";

const ORGANIZATIONS: [&str; 6] = [
    VIP_ORGANIZATION,
    "Contoso Bakeries",
    "Alpine Ski House",
    "Tailspin Toys",
    "Litware Labs",
    "Wide World Tools",
];
const FIRST: [&str; 20] = [
    "Jane", "Omar", "Mei", "Lars", "Ana", "Tomás", "Ruth", "Kofi", "Elif", "Paul", "Ingrid", "Ravi", "Zoë",
    "Hugo", "Nadia", "Yuki", "Bruno", "Sofia", "Émile", "Grace",
];
const LAST: [&str; 20] = [
    "Doe", "Haddad", "Lin", "Berg", "Costa", "Novák", "Meyer", "Mensah", "Yilmaz", "Smith", "Dahl", "Patel",
    "Arnaud", "Silva", "Rahman", "Tanaka", "Rossi", "Petrova", "O'Neil", "Hopper",
];

impl Cast {
    /// Three agents a group, of whom two in all have no ClickUp account, and three members without a Zendesk
    /// account. Their Zendesk ids are provisional until [`Cast::renumber`].
    pub fn make(tickets: usize, random: &mut Rng) -> Self {
        let groups: Vec<(i64, String)> =
            (GROUP_BASE..).zip(GROUPS).map(|(id, name)| (id, name.to_owned())).collect();
        let organizations: Vec<(i64, String)> =
            (ORGANIZATION_BASE..).zip(ORGANIZATIONS).map(|(id, name)| (id, name.to_owned())).collect();
        let colleagues = colleagues(&groups);
        let customers = (0..(tickets / 4).clamp(6, CUSTOMERS_MAX))
            .map(|n| {
                let (first, last) = (FIRST[random.usize(0..FIRST.len())], LAST[random.usize(0..LAST.len())]);
                let organization =
                    (random.f64() < 0.7).then(|| organizations[random.usize(0..organizations.len())].0);
                Customer {
                    id: CUSTOMER_BASE + n as i64,
                    name: format!("{first} {last}"),
                    email: format!("customer{n}@mail.example"),
                    organization,
                }
            })
            .collect();
        Self { zendesk_sync: SYNC_BASE, groups, organizations, colleagues, customers }
    }

    /// Replaces every Zendesk id by the one that the account gave.
    pub fn renumber(&mut self, ids: &BTreeMap<i64, i64>) {
        let real = |id: &mut i64| *id = ids.get(id).copied().unwrap_or(*id);
        real(&mut self.zendesk_sync);
        self.groups.iter_mut().chain(&mut self.organizations).for_each(|(id, _)| real(id));
        for colleague in &mut self.colleagues {
            colleague.zendesk.iter_mut().chain(&mut colleague.group).for_each(real);
        }
        for customer in &mut self.customers {
            real(&mut customer.id);
            customer.organization.iter_mut().for_each(real);
        }
    }

    /// Agents of a group.
    pub fn agents_of(&self, group: i64) -> impl Iterator<Item = &Colleague> {
        self.agents().filter(move |colleague| colleague.group == Some(group))
    }

    /// All agents.
    pub fn agents(&self) -> impl Iterator<Item = &Colleague> {
        self.colleagues.iter().filter(|colleague| colleague.zendesk.is_some())
    }

    /// All members of the ClickUp workspace besides deskup.
    pub fn members(&self) -> impl Iterator<Item = &Colleague> {
        self.colleagues.iter().filter(|colleague| colleague.clickup.is_some())
    }

    /// Who has this Zendesk id.
    pub fn by_zendesk(&self, id: i64) -> Option<&Colleague> {
        self.colleagues.iter().find(|colleague| colleague.zendesk == Some(id))
    }

    /// Who has this ClickUp id.
    pub fn by_clickup(&self, id: i64) -> Option<&Colleague> {
        self.colleagues.iter().find(|colleague| colleague.clickup == Some(id))
    }

    /// The id of a group by its name.
    pub fn group(&self, name: &str) -> Option<i64> {
        self.groups.iter().find(|(_, known)| known == name).map(|(id, _)| *id)
    }

    /// The id of an organization by its name.
    pub fn organization(&self, name: &str) -> Option<i64> {
        self.organizations.iter().find(|(_, known)| known == name).map(|(id, _)| *id)
    }
}

fn colleagues(groups: &[(i64, String)]) -> Vec<Colleague> {
    let mut colleagues = Vec::new();
    let agents = groups.len() * 3;
    for n in 0..agents + 3 {
        let agent = n < agents;
        // The last agent of the first and of the third group works in Zendesk only.
        let member = !agent || (n != 2 && n != 8);
        let (first, last) = (FIRST[n % FIRST.len()], LAST[n % LAST.len()]);
        colleagues.push(Colleague {
            name: format!("{first} {last}"),
            email: format!("{}.{}@{COMPANY}", plain(first), plain(last)),
            zendesk: agent.then_some(AGENT_BASE + n as i64),
            clickup: member.then_some(MEMBER_BASE + n as i64),
            group: agent.then(|| groups[n / 3].0),
        });
    }
    colleagues
}

/// Addresses are plain ASCII even where names are not.
fn plain(name: &str) -> String {
    name.chars()
        .filter_map(|c| match c {
            'á' => Some('a'),
            'É' | 'é' | 'ë' => Some('e'),
            'ö' => Some('o'),
            c if c.is_ascii_alphabetic() => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}
