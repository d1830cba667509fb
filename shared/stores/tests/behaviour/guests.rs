//! A second process at a state that another one holds: here two stores of one process, with a socket between.

use std::sync::Arc;

use stores::switches::SwitchName;
use stores::{FaultPlan, Lane, Store};

use crate::bench::{Bench, Folder, START_MS, ticket};

async fn guest(folder: &Folder) -> Option<Store> {
    Store::guest(&folder.file(), "t", Arc::new(|| START_MS)).await.expect("the socket answers")
}

#[tokio::test]
async fn a_guest_sees_what_the_holder_wrote_and_the_holder_what_the_guest_wrote() {
    let folder = Arc::new(Folder::new());
    let holder = Bench::in_folder(&folder, FaultPlan::none()).expect("opens").store;
    assert!(guest(&folder).await.is_none(), "nobody lends it yet");
    let lending = holder.lend().expect("a short path").expect("a file");
    holder.links().intend(ticket(7), "n", 1, "x", &stores::links::Sent::default()).await.expect("intends");
    let guest_store = guest(&folder).await.expect("it is lent");
    let link = guest_store.links().get(ticket(7)).await.expect("reads").expect("the holder wrote it");
    assert_eq!(link.nonce, "n");
    guest_store.switches().set(SwitchName::Pause(Lane::Live), "by hand", "test").await.expect("writes");
    let paused = holder.switches().get(SwitchName::Pause(Lane::Live)).await.expect("reads");
    assert_eq!(paused.map(|switch| switch.reason).as_deref(), Some("by hand"));
    assert_ne!(guest_store.incarnation(), holder.incarnation(), "their tokens differ");
    drop(lending);
    assert!(guest(&folder).await.is_none(), "it is lent no more");
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_that_a_killed_holder_left_is_taken_over_and_only_its_owner_may_use_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Arc::new(Folder::new());
    let holder = Bench::in_folder(&folder, FaultPlan::none()).expect("opens").store;
    let socket = format!("{}.sock", folder.file().display());
    std::fs::write(&socket, "left over").expect("the folder is ours");
    let _lending = holder.lend().expect("a short path").expect("a file");
    let mode = std::fs::metadata(&socket).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(guest(&folder).await.is_some());
}

/// Many guests at once, each with requests of its own.
#[tokio::test]
async fn guests_do_not_mix_up_their_answers() {
    let folder = Arc::new(Folder::new());
    let holder = Bench::in_folder(&folder, FaultPlan::none()).expect("opens").store;
    let _lending = holder.lend().expect("a short path").expect("a file");
    let guest = guest(&folder).await.expect("it is lent");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=40 {
        let guest = guest.clone();
        tasks.spawn(async move {
            let nonce = format!("n{number}");
            let links = guest.links();
            links
                .intend(ticket(number), &nonce, 1, "x", &stores::links::Sent::default())
                .await
                .expect("intends");
            assert_eq!(links.get(ticket(number)).await.expect("reads").expect("written").nonce, nonce);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no answer was another's");
    }
}
