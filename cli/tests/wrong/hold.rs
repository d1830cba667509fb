//! What somebody does to a good installation before they ask for something.

use crate::Held;
use crate::accounts::{Accounts, Running, folder, said, wait_for};
use crate::bent::Bent;

/// Who may do what with a file.
pub fn chmod(held: &mut Held, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(held.dir.join(name), permissions).unwrap();
}

/// An address where nobody listens.
pub fn nobody() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{free}")
}

/// Zendesk's older credentials instead of the OAuth client.
pub fn api_token(held: &mut Held, email: &str, token: &str) {
    held.env.insert("DESKUP_ZENDESK_CLIENT_ID", None);
    held.env.insert("DESKUP_ZENDESK_CLIENT_SECRET", None);
    held.env.insert("DESKUP_ZENDESK_EMAIL", Some(email.to_owned()));
    held.env.insert("DESKUP_ZENDESK_TOKEN", Some(token.to_owned()));
}

/// Something else answers for Zendesk.
pub fn bend(held: &mut Held, bent: Bent) {
    let url = held.accounts.ports.zendesk_url.clone();
    held.edit(&url, &bent.url);
    held.beside.push(Box::new(bent));
}

/// The first list is private, and deskup is not among its members.
pub fn hide_list(held: &mut Held) {
    let id = held.accounts.ports.scenario.workspace.lists[0].id.clone();
    let me = world::seedwork::cast::CLICKUP_SYNC_ID;
    let clickup = &held.accounts.ports.clickup;
    let deskup = clickup.members().into_iter().find(|member| member.id == me).unwrap();
    let seeded = clickup.seed(|seed| {
        // Owners and admins see every list.
        seed.add_member(simulators::clickup::Member { role: simulators::clickup::Role::Member, ..deskup });
        seed.set_access(&id, &[], true);
    });
    seeded.unwrap();
}

/// Somebody gives a status of every list another name.
pub fn rename_status(held: &mut Held, from: &str, to: &str) {
    use world::seedwork::workspace::STATUSES;
    let lists = held.accounts.ports.scenario.workspace.lists.clone();
    let renamed = |name: &str| if name == from { to } else { name }.to_owned();
    let seeded = held.accounts.ports.clickup.seed(|seed| {
        for list in lists {
            seed.add_list(simulators::clickup::ListSeed {
                id: list.id,
                name: list.name.to_owned(),
                space: list.space.to_owned(),
                statuses: STATUSES.map(|(name, kind)| (renamed(name), kind.to_owned())).to_vec(),
                ..Default::default()
            });
        }
    });
    seeded.unwrap();
}

/// A state of a deskup that does not exist yet.
pub fn from_the_future(held: &mut Held) {
    held.in_step();
    let path = held.dir.join("deskup.sqlite");
    let database = dynoxide::Database::new(path.to_str().unwrap()).unwrap();
    let version = serde_json::json!({
        "TableName": "deskup",
        "Item": {
            "pk": {"S": "local#SYS"}, "sk": {"S": "SCHEMA"},
            "v": {"N": "99"}, "mr": {"N": "99"}, "incarnation": {"N": "1"},
        },
    });
    database.put_item(serde_json::from_value(version).unwrap()).unwrap();
}

/// Another deskup serves here.
pub fn hold(held: &mut Held) {
    let mut command = held.accounts.deskup(&held.dir, &["serve", "--listen", "127.0.0.1:0"]);
    let log = held.accounts.ports.zendesk_url.replace(['/', ':'], "");
    let logs = folder(&format!("hold-{log}"));
    let running = Running::start(&mut command, &logs);
    let socket = held.dir.join("deskup.sqlite.sock");
    wait_for("the other deskup to hold the state", || socket.exists().then_some(()));
    held.beside.push(Box::new(running));
}

/// A good plan, made before.
pub fn plan(held: &mut Held) {
    let output = held.accounts.deskup(&held.dir, &["plan", "--out", "plan.json"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output).1);
}

/// Where the accounts are, for `init`.
pub fn init_flags(held: &mut Held) {
    let ports = &held.accounts.ports;
    let flags = ["--zendesk-url", &ports.zendesk_url, "--clickup-url", &ports.clickup_url];
    held.more.extend(flags.map(str::to_owned));
}

/// More tickets than a first run takes unasked.
pub fn many(held: &mut Held) {
    held.accounts = Accounts::open(80, 1);
    let settings = held.accounts.settings();
    held.put("deskup.toml", &settings);
}
