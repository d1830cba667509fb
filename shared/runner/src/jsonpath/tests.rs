//! The dialect, by example and by property.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Nowhere, Sources, insert, parse};

fn find(path: &str, input: &Value) -> Result<Value, Nowhere> {
    let context = json!({ "State": { "Name": "S" } });
    let variable = json!({ "deep": [1, 2] });
    let sources =
        Sources { input, context: &|| &context, variables: &|name| (name == "x").then_some(&variable) };
    parse(path).expect("a path").find(&sources)
}

#[test]
fn paths_of_published_machines_are_read() {
    let input = json!({
        "detail-type": "t", "list": [{ "Name": "eggs", "n": 1 }, { "Name": "ham", "n": 2 }],
        "deep": { "n": 3 }, "words": ["a", "b", "c"],
    });
    for (path, expected) in [
        ("$.detail-type", json!("t")),
        ("$['detail-type']", json!("t")),
        ("$.list[0].Name", json!("eggs")),
        ("$.list.[1].n", json!(2)),
        ("$.words[-1]", json!("c")),
        ("$.words[7]", json!(null)),
        ("$.words[1:]", json!(["b", "c"])),
        ("$.words[:2]", json!(["a", "b"])),
        ("$.words[0,2]", json!(["a", "c"])),
        ("$.list[*].n", json!([1, 2])),
        ("$..n", json!([1, 2, 3])),
        ("$.list.[*].['Name','n']", json!(["eggs", 1, "ham", 2])),
        ("$.list[?(@.Name==eggs)].n", json!([1])),
        ("$.list[?(@.Name == 'ham' && @.n >= 2)]", json!([{ "Name": "ham", "n": 2 }])),
        ("$.list[?(@.n < 2 || !(@.n != 2))].n", json!([1, 2])),
        ("$.list[?(@.missing)]", json!([])),
        ("$.missing[*].n", json!([])),
        ("$$.State.Name", json!("S")),
        ("$x.deep[1]", json!(2)),
    ] {
        assert_eq!(find(path, &input), Ok(expected), "{path}");
    }
}

#[test]
fn a_definite_path_to_nothing_says_where_it_ends() {
    let text = |path: &str| find(path, &json!({ "a": { "b": 1 } })).expect_err("nothing").text();
    assert_eq!(text("$.a.c"), "No results for path: $['a']['c']");
    assert_eq!(text("$.no.such.path"), "Missing property in path $['no']");
}

#[test]
fn what_is_no_path_is_refused() {
    for text in ["", "a.b", "$.", "$.a[", "$.a['b", "$.a[?(@.b]", "$.a b"] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_result_is_written_through_missing_parents() {
    let path = parse("$.a.b").expect("a path");
    assert_eq!(insert(&path, json!({ "c": 1 }), json!(2)), Some(json!({ "c": 1, "a": { "b": 2 } })));
    assert_eq!(insert(&path, json!({ "a": 1 }), json!(2)), Some(json!({ "a": { "b": 2 } })));
    assert_eq!(insert(&path, json!({ "a": [] }), json!(2)), None);
}

proptest! {
    /// Reading never panics, whatever the text.
    #[test]
    fn any_text_is_read_or_refused(text in "[$.a\\[\\]'?@()*:,0-9 &|=!<>-]{0,24}") {
        let _ = parse(&text);
    }

    /// A definite path gives what was written there, or fails; an indefinite one gives a list.
    #[test]
    fn definite_paths_have_one_value(names in proptest::collection::vec("[a-c]", 1..4), deep: bool) {
        let path: String = names.iter().map(|name| format!(".{name}")).collect();
        let parsed = parse(&format!("${path}")).expect("a path");
        let value = insert(&parsed, json!({}), json!("leaf")).expect("there is room");
        let (one, beyond) = (find(&format!("${path}"), &value), find(&format!("${path}.more"), &value));
        prop_assert_eq!(one, Ok(json!("leaf")));
        prop_assert!(beyond.is_err());
        let many = if deep { format!("$.{path}") } else { format!("${path}[*]") };
        prop_assert!(find(&many, &value).is_ok_and(|found| found.is_array()));
    }
}
