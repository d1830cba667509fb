//! State files of an earlier version, of a newer one, and of other programs. A state of version 1 is written here as
//! that version wrote it, straight into the embedded database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dynoxide::Database;
use serde_json::{Value, json};
use stores::{Place, Store, StoreError};

use crate::bench::{Folder, START_MS, ticket};

/// When the earliest link of the old state was intended.
const BEGAN_MS: i64 = START_MS - 40 * 86_400_000;

fn open(folder: &Folder) -> Result<Store, StoreError> {
    Store::embedded(Place::File(folder.file()), "t", Arc::new(|| START_MS))
}

fn request<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("a request")
}

fn put(database: &Database, item: Value) {
    database.put_item(request(json!({"TableName": "deskup", "Item": item}))).expect("puts");
}

fn get(database: &Database, pk: &str, sk: &str) -> Value {
    let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    let answer = database.get_item(request(json!({"TableName": "deskup", "Key": key}))).expect("gets");
    serde_json::to_value(answer.item).expect("an item")
}

fn table(name: &str) -> Value {
    let index = |name: &str, hash: &str, range: &str| {
        json!({
            "IndexName": name,
            "KeySchema": [{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        })
    };
    let attributes =
        ["pk", "sk", "dp", "ds", "lp", "ls"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [index("due", "dp", "ds"), index("list", "lp", "ls")],
    })
}

/// A state as version 1 left it: three links, an open conflict.
fn version_1(path: &Path) -> Database {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes the folder");
    let database = Database::new(path.to_str().expect("UTF-8")).expect("opens");
    database.create_table(request(table("deskup"))).expect("makes the table");
    let number = |n: i64| json!({"N": n.to_string()});
    put(
        &database,
        json!({"pk": {"S": "t#SYS"}, "sk": {"S": "SCHEMA"}, "t": {"S": "schema"}, "v": number(1), "mr": number(1),
               "incarnation": number(3)}),
    );
    for n in 1..=3 {
        put(
            &database,
            json!({"pk": {"S": format!("t#T#{n}")}, "sk": {"S": "LINK"}, "t": {"S": "link"}, "v": number(1),
                   "mr": number(1), "wt": {"S": "1.1"}, "state": {"S": "LINKED"}, "task": {"S": format!("task{n}")},
                   "nonce": {"S": "1-a"}, "fence": number(1), "ver": number(2), "fields": {"S": "{}"},
                   "intent_ms": number(BEGAN_MS + n * 1_000), "of_old": {"S": "kept"}}),
        );
    }
    database
}

fn beside(folder: &Folder, suffix: &str) -> PathBuf {
    let mut name = folder.file().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

fn files(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.file().parent().expect("a folder")).expect("reads");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.contains(".bak"));
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn a_state_of_version_1_is_copied_and_then_brought_up_to_date() {
    let folder = Folder::new();
    drop(version_1(&folder.file()));
    let store = open(&folder).expect("it is migrated");
    let installed = store.installation().get().await.expect("reads");
    assert_eq!(installed.created_ms, BEGAN_MS + 1_000, "its earliest link says since when it exists");
    assert_eq!(store.incarnation(), 4, "it goes on counting");
    let link = store.links().get(ticket(2)).await.expect("reads").expect("it is kept");
    assert_eq!(link.task.map(|task| task.to_string()).as_deref(), Some("task2"));
    drop(store);
    assert_eq!(files(&folder), ["state.db.v1.bak"]);
    let copy = Database::new(beside(&folder, ".v1.bak").to_str().expect("UTF-8")).expect("the copy opens");
    assert_eq!(get(&copy, "t#SYS", "SCHEMA")["v"]["N"], "1", "the copy is as the state was");
    assert_eq!(get(&copy, "t#SYS", "INSTALL"), Value::Null);
    assert_eq!(get(&copy, "t#T#3", "LINK")["of_old"]["S"], "kept");
    drop(open(&folder).expect("opens again"));
    assert_eq!(
        files(&folder).iter().filter(|name| name.ends_with(".bak")).count(),
        1,
        "nothing was left to do"
    );
}

/// A killed process leaves its last writes in the log beside the file: they are in the copy, too.
#[tokio::test(start_paused = true)]
async fn what_is_only_in_the_log_is_in_the_copy() {
    let (from, folder) = (Folder::new(), Folder::new());
    let database = version_1(&from.file());
    std::fs::create_dir_all(folder.file().parent().expect("a folder")).expect("makes the folder");
    for suffix in ["", "-wal"] {
        std::fs::copy(beside(&from, suffix), beside(&folder, suffix)).expect("copies, as a kill would");
    }
    drop(database);
    let alone = std::fs::metadata(folder.file()).expect("it is there").len();
    let log = std::fs::metadata(beside(&folder, "-wal")).expect("it is there").len();
    assert!(log > alone, "the rows are in the log: {log} and {alone}");
    drop(open(&folder).expect("it is migrated"));
    let copy = Database::new(beside(&folder, ".v1.bak").to_str().expect("UTF-8")).expect("the copy opens");
    assert_eq!(get(&copy, "t#T#3", "LINK")["of_old"]["S"], "kept");
}

#[test]
fn a_copy_that_is_there_is_never_written_over() {
    let folder = Folder::new();
    drop(version_1(&folder.file()));
    std::fs::write(beside(&folder, ".v1.bak"), "an earlier copy").expect("writes");
    drop(open(&folder).expect("it is migrated"));
    assert_eq!(files(&folder), ["state.db.v1.2.bak", "state.db.v1.bak"]);
    let earlier = std::fs::read_to_string(beside(&folder, ".v1.bak")).expect("reads");
    assert_eq!(earlier, "an earlier copy");
}

#[test]
fn where_no_copy_can_be_made_nothing_is_migrated() {
    let folder = Folder::new();
    drop(version_1(&folder.file()));
    // A folder where the copy is written first: no file can be made there.
    std::fs::create_dir_all(beside(&folder, ".bak.partial").join("x")).expect("makes it");
    let refused = open(&folder).expect_err("there is no room for a copy");
    assert!(refused.to_string().contains(".bak.partial"), "{refused}");
    let database = Database::new(folder.file().to_str().expect("UTF-8")).expect("opens");
    assert_eq!(get(&database, "t#SYS", "SCHEMA")["v"]["N"], "1");
    assert_eq!(get(&database, "t#SYS", "INSTALL"), Value::Null);
}

#[test]
fn a_state_of_a_newer_version_is_refused_and_left_alone() {
    let folder = Folder::new();
    let database = version_1(&folder.file());
    let number = |n: i64| json!({"N": n.to_string()});
    put(
        &database,
        json!({"pk": {"S": "t#SYS"}, "sk": {"S": "SCHEMA"}, "v": number(99), "mr": number(99), "incarnation": number(3)}),
    );
    drop(database);
    let refused = open(&folder).expect_err("it is newer");
    assert!(matches!(refused, StoreError::NewerRecord { needs: 99, .. }), "{refused:?}");
    assert!(files(&folder).is_empty());
    let database = Database::new(folder.file().to_str().expect("UTF-8")).expect("opens");
    assert_eq!(get(&database, "t#SYS", "SCHEMA")["incarnation"]["N"], "3", "not even counted");
}

/// A database with other tables: ours with every name of a table changed.
#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(version_1(&folder.file()));
    let mut bytes = std::fs::read(folder.file()).expect("reads");
    for (ours, theirs) in
        [(&b"_config"[..], &b"konfig_"[..]), (b"_tables", b"tabelle"), (b"_stream", b"strom__")]
    {
        let places: Vec<usize> = bytes
            .windows(ours.len())
            .enumerate()
            .filter(|(_, part)| *part == ours)
            .map(|(at, _)| at)
            .collect();
        places.into_iter().for_each(|at| bytes[at..at + theirs.len()].copy_from_slice(theirs));
    }
    std::fs::write(folder.file(), &bytes).expect("writes");
    let refused = open(&folder).expect_err("it is no state of ours").to_string();
    assert!(refused.contains("not a deskup state"), "{refused}");
    assert_eq!(std::fs::read(folder.file()).expect("reads"), bytes);
}

#[test]
fn a_database_of_the_same_kind_without_our_table_is_refused() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.file().parent().expect("a folder")).expect("makes the folder");
    let database = Database::new(folder.file().to_str().expect("UTF-8")).expect("opens");
    database.create_table(request(table("something-else"))).expect("makes the table");
    drop(database);
    let refused = open(&folder).expect_err("it is no state of ours").to_string();
    assert!(refused.contains("not a deskup state"), "{refused}");
}

#[test]
fn a_state_that_is_cut_short_is_said_to_be() {
    let folder = Folder::new();
    drop(version_1(&folder.file()));
    let bytes = std::fs::read(folder.file()).expect("reads");
    let half = &bytes[..bytes.len() / 2];
    std::fs::write(folder.file(), half).expect("writes");
    let refused = open(&folder).expect_err("half of it is missing").to_string();
    assert!(refused.contains("cut short"), "{refused}");
    assert_eq!(std::fs::read(folder.file()).expect("reads"), half, "left as it is");
}

#[tokio::test(start_paused = true)]
async fn a_new_state_knows_since_when_it_exists() {
    let folder = Folder::new();
    let store = open(&folder).expect("opens");
    assert!(files(&folder).is_empty(), "there was nothing to copy");
    assert_eq!(store.installation().get().await.expect("reads").created_ms, START_MS);
    drop(store);
    let later = Store::embedded(Place::File(folder.file()), "t", Arc::new(|| START_MS + 5)).expect("opens");
    let created_ms = later.installation().get().await.expect("reads").created_ms;
    assert_eq!(created_ms, START_MS, "later openings change nothing of it");
}
