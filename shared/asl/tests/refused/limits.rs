//! Planted mistakes that would meet a limit of the service: payloads, histories, and names that it keeps.

use super::*;

#[test]
fn payloads_without_a_bound() {
    let list =
        |step: &Step<Ticket, Names>| step.call().named("List").with("ticket", input("ticket")).timeout_s(5);
    refused(
        &workflow(Block::new().step(list(&LIST))),
        expect![[r#"
        w/List: its result has a list without a known end, and a payload has at most 262144 bytes: give a pointer, or promise a size with `bytes_max`
    "#]],
    );
    let save = SAVE_ALL.call().with("names", result("List", "names")).timeout_s(5);
    taken(&workflow(Block::new().step(list(&SHORT_LIST)).step(save.clone())));
    // Declared in the other order, the same.
    taken(&workflow(Block::new().step(save).step(list(&SHORT_LIST))));
    let each = |most: Option<u64>| {
        let body = Block::new().step(SAVE.call().with("name", item()).timeout_s(5));
        let block = Block::new().for_each("Each", input("names"), 3, body, Some("Save"));
        most.into_iter().fold(block, Block::items_max)
    };
    refused(
        &workflow(each(None)),
        expect![[r#"
        w/Each: each of its items takes events of the one history, which has 25000: say how many items there are at most with `items_max`, or give each an execution of its own
    "#]],
    );
    let express = WorkflowDefinition::new::<Input>("w", Kind::Express);
    refused(
        &express.body(each(None)),
        expect![[r#"
        w/Each: its results are one payload, which has at most 262144 bytes: say how many items there are at most with `items_max`, or let it yield nothing
    "#]],
    );
    refused(
        &workflow(each(Some(300))),
        expect![[r#"
        w/Each: its 300 results of 1034 bytes each may have 310502 bytes, and a payload has at most 262144: hand on pointers, or less
    "#]],
    );
    taken(&workflow(each(Some(100))));
}

#[test]
fn payloads_that_are_too_large_together() {
    let page = |id: &str| PAGE.call().named(id).timeout_s(5);
    let two = || Block::new().step(page("A")).step(page("B"));
    refused(
        &workflow(two()).returns("a", whole("A")).returns("b", whole("B")),
        expect![[r#"
        w/A+B: what these steps beside each other hand on may have 300000 bytes, and a payload has at most 262144: hand on pointers, or less
    "#]],
    );
    taken(&workflow(two()).returns("a", whole("A")));
    let both = PAGE.call().with("a", whole("A")).with("b", whole("B")).timeout_s(5);
    refused(
        &WorkflowDefinition::new::<Value>("w", Kind::Standard).body(two().step(both)),
        expect![[r#"
        w/A+B: what these steps beside each other hand on may have 300000 bytes, and a payload has at most 262144: hand on pointers, or less
    "#]],
    );
}

#[test]
fn histories_that_would_be_too_long() {
    let turn = || Block::new().step(load());
    let done = || is_true(result("Load", "found"));
    // Beside another step, a loop cannot go on in another execution.
    let beside = Block::new().repeat("Loop", turn(), done(), None, WITHOUT_BOUND).step(load().named("Other"));
    refused(
        &workflow(beside),
        expect![[r#"
        w: may need any number of events of history, because `Loop` has no bound, at most 25000 are kept: lower a loop's `at_most` or a map's `items_max`, or move the loop out of maps, choices and branches, where it can go on in another execution
    "#]],
    );
    let inner = Block::new().repeat("Inner", turn(), done(), None, 10_000);
    let nested = Block::new().repeat("Outer", inner, above(counter("Outer"), 3), None, 10);
    refused(
        &workflow(nested),
        expect![[r#"
        w: one round of `Outer` may need 70004 events of history, and an execution has 12486 for it: split it
    "#]],
    );
    let each = Block::new()
        .for_each(
            "Each",
            input("names"),
            3,
            Block::new().step(SAVE.call().with("name", item()).timeout_s(5)),
            None,
        )
        .items_max(5_000);
    refused(
        &workflow(each),
        expect![[r#"
        w: may need 35008 events of history, at most 25000 are kept: lower a loop's `at_most` or a map's `items_max`, or move the loop out of maps, choices and branches, where it can go on in another execution
    "#]],
    );
    taken(&workflow(Block::new().repeat("Loop", turn(), done(), None, WITHOUT_BOUND)));
}

#[test]
fn names_that_are_the_compilers() {
    typed! { Continued = Type::Record(&[("continued", Type::Number), ("ticket", Type::Number)]); }
    let definition =
        WorkflowDefinition::new::<Continued>("w", Kind::Standard).body(Block::new().step(load()));
    refused(
        &definition,
        expect![[r#"
        w: the input field `continued` is the compiler's: rename it
    "#]],
    );
    refused(
        &workflow(Block::new().step(load())).returns("continued", literal(1)),
        expect![[r#"
        w/returns: the field `continued` is the compiler's: rename it
    "#]],
    );
}
