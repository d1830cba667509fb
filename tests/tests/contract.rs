//! Every recorded answer under `DESKUP_FIXTURES` is read by the clients' own types without loss.
//! `cargo test -p tests --test contract -- --nocapture` lists what was skipped and why.

use std::path::Path;

use clients::contract;

#[test]
fn every_recorded_answer_is_read_without_loss() {
    let report = match std::env::var_os("DESKUP_FIXTURES") {
        Some(folder) => {
            contract::walk(Path::new(&folder)).expect("DESKUP_FIXTURES names a folder of fixtures")
        }
        None => {
            println!("DESKUP_FIXTURES is not set: a few bodies of our own are checked instead");
            contract::own_samples()
        }
    };
    println!("{report}");
    assert!(report.parsed > 0, "nothing was checked");
    assert!(report.failed.is_empty(), "{} bodies lost something", report.failed.len());
}

/// The check can fail: a type that drops members is caught on our own bodies.
#[test]
fn a_type_that_loses_members_is_caught() {
    let report = contract::lossy_samples();
    assert!(report.parsed == 0 && !report.failed.is_empty(), "{report}");
}
