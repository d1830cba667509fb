//! Calls, by example.

use serde_json::{Value, json};

use super::{Failure, parse};
use crate::jsonpath::Sources;
use crate::random::Random;

fn call(text: &str) -> Result<Value, Failure> {
    let input = json!({ "list": [1, 2.0, "a", 2], "name": "A, B", "map": { "k": null, "l": [] } });
    let nothing = Value::Null;
    let sources = Sources { input: &input, context: &|| &nothing, variables: &|_| None };
    parse(text).expect("a call").value(&sources, &Random::new(1))
}

#[test]
fn calls_answer_as_recorded() {
    for (text, expected) in [
        ("States.Format('{} is \\{{}\\} in {}', 'x', 1.1, $.map)", json!("x is {1.1} in {k=null, l=[]}")),
        ("States.StringToJson('')", json!(null)),
        ("States.JsonToString($.map)", json!("{\"k\":null,\"l\":[]}")),
        ("States.Array()", json!([])),
        ("States.ArrayPartition($.list, 3)", json!([[1, 2.0, "a"], [2]])),
        ("States.ArrayContains($.list, 2)", json!(true)),
        ("States.ArrayUnique($.list)", json!([1, 2.0, "a"])),
        ("States.ArrayRange(0, 10, 3)", json!([0, 3, 6, 9])),
        ("States.ArrayGetItem($.list, States.MathAdd(1, 1))", json!("a")),
        ("States.MathAdd(1.49, 1.5)", json!(3)),
        ("States.MathAdd(-2.5, -0.5)", json!(-2)),
        ("States.StringSplit(', , ,', ',')", json!([" ", " "])),
        ("States.Base64Decode(States.Base64Encode('ü'))", json!("ü")),
        ("States.Hash('', 'MD5')", json!("d41d8cd98f00b204e9800998ecf8427e")),
        ("States.Hash('', 'SHA-1')", json!("da39a3ee5e6b4b0d3255bfef95601890afd80709")),
        ("States.JsonMerge($.map, States.StringToJson('{\"k\":1}'), false)", json!({ "k": 1, "l": [] })),
    ] {
        assert_eq!(call(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_a_function_does_not_take_is_refused() {
    for text in [
        "States.Format('{} {}', 1)",
        "States.ArrayPartition($.list, 0)",
        "States.ArrayGetItem($.list, 9)",
        "States.ArrayRange(1, 5000, 1)",
        "States.JsonMerge($.map, $.map, true)",
        "States.Hash('a', 'CRC')",
        "States.Nothing()",
    ] {
        assert!(matches!(call(text), Err(Failure::Refused(_))), "{text}");
    }
    assert!(matches!(call("States.Array($.nope)"), Err(Failure::Path(path, _)) if path == "$.nope"));
}

#[test]
fn what_is_no_call_is_refused() {
    let deep = "States.Array(".repeat(11) + &")".repeat(11);
    for text in
        ["States.Array(", "States.Array(1", "States.Array('a", "States.Array(a)", "States.Array() x", &deep]
    {
        assert!(parse(text).is_err(), "{text}");
    }
}
