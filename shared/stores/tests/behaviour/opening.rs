//! Opening a state file: what goes wrong is said in a way that a person can act on.

use std::sync::Arc;

use stores::{FaultPlan, Place, Store, StoreError};

use crate::bench::{Bench, Folder, ticket};

fn open(path: std::path::PathBuf) -> Result<Store, StoreError> {
    Store::embedded(Place::File(path), "t", Arc::new(|| 0))
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_there_after_the_next_opening() {
    let folder = Arc::new(Folder::new());
    let first = Bench::in_folder(&folder, FaultPlan::none()).expect("opens");
    assert_eq!(first.store.incarnation(), 1);
    first
        .store
        .links()
        .intend(ticket(7), "n", 1, "x", &stores::links::Sent::default())
        .await
        .expect("intends");
    drop(first);
    let second = Bench::in_folder(&folder, FaultPlan::none()).expect("opens again");
    assert_eq!(second.store.incarnation(), 2, "so that no seed repeats");
    let link = second.store.links().get(ticket(7)).await.expect("reads").expect("it was written");
    assert_eq!(link.nonce, "n");
}

#[test]
fn a_second_process_is_told_who_holds_the_file() {
    let folder = Arc::new(Folder::new());
    let first = open(folder.file()).expect("opens");
    let refused = open(folder.file()).expect_err("one holder at a time");
    let text = refused.to_string();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused:?}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    drop(first);
    open(folder.file()).expect("it is free again");
}

#[test]
fn a_read_only_file_is_said_to_be_one() {
    let folder = Folder::new();
    drop(open(folder.file()).expect("opens"));
    let mut permissions = std::fs::metadata(folder.file()).expect("it is there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(folder.file(), permissions).expect("it is ours");
    let refused = open(folder.file()).expect_err("it cannot be written");
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused:?}");
    assert!(refused.to_string().contains("read-only"), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    drop(open(folder.file()).expect("opens"));
    let below_a_file = folder.file().join("deeper").join("state.db");
    let refused = open(below_a_file.clone()).expect_err("a file is no folder");
    assert!(refused.to_string().contains(&below_a_file.display().to_string()), "{refused}");
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let folder = Folder::new();
    drop(open(folder.file()).expect("opens"));
    let text = "this is no database, and it is long enough to be looked at as one".repeat(20);
    for suffix in ["", "-wal", "-shm"] {
        let mut name = folder.file().into_os_string();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
    std::fs::write(folder.file(), &text).expect("writes");
    let refused = open(folder.file()).expect_err("it is no database");
    assert!(matches!(refused, StoreError::Unusable { .. }), "{refused:?}");
    assert_eq!(std::fs::read_to_string(folder.file()).expect("reads"), text);
}

#[tokio::test(start_paused = true)]
async fn two_installations_in_one_table_do_not_meet() {
    let folder = Folder::new();
    for (name, expected) in [("a", None), ("b", None), ("a", Some("n-a"))] {
        let store = Store::embedded(Place::File(folder.file()), name, Arc::new(|| 0)).expect("opens");
        let found = store.links().get(ticket(7)).await.expect("reads").map(|link| link.nonce);
        assert_eq!(found.as_deref(), expected, "{name}");
        store
            .links()
            .intend(ticket(7), &format!("n-{name}"), 1, "x", &stores::links::Sent::default())
            .await
            .expect("intends");
    }
}
