//! What the service adds, takes away and answers differently.

use serde_json::{Value, json};

use super::{Answer, Bindings, Core, Query, QueryError, check_expression};
use crate::jsonpath::Sources;
use crate::random::Random;

fn eval(text: &str) -> Result<Answer, QueryError> {
    let input =
        json!({ "a": { "b": [1] }, "items": [{ "n": 1 }, { "n": 2 }], "big": 9_007_199_254_740_993_u64 });
    let (variable, context) = (json!({ "y": 5 }), json!({ "State": { "Name": "S" } }));
    let random = Random::new(1);
    let sources = Sources {
        input: &input,
        context: &|| &context,
        variables: &|name| (name == "x").then_some(&variable),
    };
    let bindings = Bindings {
        sources,
        result: Some(&context),
        error_output: None,
        now_ms: 1_700_000_000_123,
        random: &random,
    };
    Core.eval(&Core.compile(text)?, &bindings)
}

fn value(text: &str) -> Value {
    match eval(text) {
        Ok(Answer::Value(value)) => value,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn expressions_see_the_state() {
    for (text, expected) in [
        ("$states.input.a.b", json!([1])),
        ("$states.input.items.n", json!([1, 2])),
        ("$states.input.items[n > 1].n", json!(2)),
        ("$states.input.big", json!(9_007_199_254_740_993_u64)),
        ("$x.y + 1", json!(6)),
        ("$states.context.State.Name & $states.result.State.Name", json!("SS")),
        ("$count($keys($states)) > 2", json!(true)),
        ("$lookup($states, 'input').a.b", json!([1])),
        ("$now()", json!("2023-11-14T22:13:20.123Z")),
        ("$now('[Y]')", json!("2023")),
        ("$millis()", json!(1_700_000_000_123_i64)),
        ("[1/0]", json!(["Infinity"])),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn the_functions_of_the_service_are_there() {
    for (text, expected) in [
        ("$partition([1..5], 2)", json!([[1, 2], [3, 4], [5]])),
        ("$range(0, 1, 0.25)", json!([0, 0.25, 0.5, 0.75, 1])),
        ("$range(3, 1, 1)", json!([])),
        ("$hash('', 'MD5')", json!("d41d8cd98f00b204e9800998ecf8427e")),
        ("$parse('{\"a\":[1]}').a[0]", json!(1)),
        ("$random(42)", json!(0.727_563_680_032_868_1)),
        ("$length($uuid())", json!(36)),
        ("$sort($shuffle([3, 1, 2]))", json!([1, 2, 3])),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn nothing_and_functions_are_told_apart_from_null() {
    assert_eq!(eval("$states.input.nope"), Ok(Answer::Undefined));
    assert_eq!(eval("$states.input.items.nope"), Ok(Answer::Undefined));
    assert_eq!(eval("$nope"), Ok(Answer::Undefined));
    assert_eq!(eval("function($x) { $x }"), Ok(Answer::Function));
    assert_eq!(eval("null"), Ok(Answer::Value(Value::Null)));
}

#[test]
fn errors_carry_their_code() {
    let code = |text: &str| eval(text).expect_err(text).code.unwrap_or_default();
    assert_eq!(code("$eval('1')"), "T1006");
    assert_eq!(code("'a' + 1"), "T2001");
    assert_eq!(code("$error('no')"), "D3137");
    assert!(eval("($f := function() { 1 + $f() }; $f())").is_err(), "endless recursion ends");
    assert!(eval("1 +").is_err());
}

#[test]
fn the_top_level_has_no_input() {
    for text in ["phone", "$.a", "$$.a", "$sum($)", "$x + phone", "{'a': [phone]}", "$x ? phone : 1", "1 +"] {
        assert!(check_expression(text).is_err(), "{text}");
    }
    for text in
        ["$x.phone", "$x[phone = 1]", "$x.{'a': b, 'c': $}", "$map($x, function($v) { $v.a })", "$x^(>a)"]
    {
        assert_eq!(check_expression(text), Ok(()), "{text}");
    }
    let refused = "Reference to 'phone' at the top level is not supported.";
    assert_eq!(check_expression("phone"), Err(refused.into()));
}
