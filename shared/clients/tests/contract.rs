//! The contract check on our own bodies; recordings are the business of the `tests` package.

use clients::contract;

#[test]
fn our_own_samples_are_read_without_loss() {
    let report = contract::own_samples();
    assert_eq!((report.failed.len(), report.skipped.len()), (0, 0), "{report}");
}

#[test]
fn a_folder_of_the_layout_is_walked_and_reported() {
    let root = std::env::temp_dir().join(format!("deskup-contract-{}", std::process::id()));
    let folder = root.join("clickup/some");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, body: &str| std::fs::write(folder.join(name), body).unwrap();
    write("GET_task_abc1.json", r#"{"id":"abc1","status":{"status":"x"},"list":{"id":"1"},"later":[1]}"#);
    write("GET_task_abc2.json", r#"{"id":"abc2","status":"a text where an object belongs"}"#);
    write("GET_goal_1.json", "{}");
    let report = contract::walk(&root).unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    assert_eq!((report.parsed, report.skipped.len(), report.failed.len()), (1, 1, 1), "{report}");
    assert!(report.to_string().ends_with("\nfixtures: 1 parsed, 1 skipped, 1 failed"));
    assert!(!report.to_string().contains("a text where"), "no contents in the report");
    assert!(contract::walk(&root).is_err(), "a missing folder is an error, not zero files");
}
