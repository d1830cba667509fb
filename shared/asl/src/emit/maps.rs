//! Maps as states: inside the execution, or with an execution for each item.

use serde_json::{Value, json};

use super::{EXECUTION, Emitter, Exit, Finish, Scope, assign, leave};
use crate::expression::{Expression, ITEM, Places, wrap};
use crate::model::{Kind, Map, Mode, Processor, ProcessorConfig, Quantity, State, StateKind};
use crate::resolve::ResolvedNode;

impl Emitter<'_> {
    #[expect(clippy::too_many_arguments, reason = "the parts of a map, named one by one")]
    pub(super) fn for_each(
        &mut self,
        node: &ResolvedNode,
        items: &Expression,
        at_once: u64,
        gives: Option<&str>,
        scope: &mut Scope,
        exit: &Exit<'_>,
        out: &mut Vec<State>,
    ) {
        let id = node.node.id.as_str();
        let Some(body) = node.inner.first() else { return };
        let finish = match gives {
            Some(step) => Finish::Value(Expression::Result(step.to_owned(), None)),
            None => Finish::Fields(Vec::new()),
        };
        let mut inner = scope.clone();
        inner.depth += 1;
        inner.carries_item = true;
        let flow = self.flow(body, body.tree.as_ref(), &mut inner, &finish);
        let mut state = State::new(
            id,
            StateKind::Map(Box::new(Map {
                items: Some(items.value(&scope.places)),
                max_concurrency: Some(Quantity::Number(at_once.into())),
                processor: Processor {
                    old_spelling: false,
                    config: Some(ProcessorConfig { mode: Mode::Inline, execution_type: None }),
                    flow,
                },
                ..Map::default()
            })),
        );
        if gives.is_some() && self.is_read(id) && matches!(exit, Exit::Next(_)) {
            state.assign = assign(&scope.variable(id), Value::String(wrap("$states.result")));
        }
        let mut places = scope.places.clone();
        places.insert(id.to_owned(), "$states.result".to_owned());
        leave(&mut state, scope, exit, &places);
        scope.learn(id);
        out.push(state);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a map, named one by one")]
    pub(super) fn for_each_apart(
        &mut self,
        node: &ResolvedNode,
        items: &Expression,
        at_once: u64,
        tolerated_percent: u64,
        scope: &Scope,
        exit: &Exit<'_>,
        out: &mut Vec<State>,
    ) {
        let id = node.node.id.as_str();
        let Some(body) = node.inner.first() else { return };
        // An execution of its own has none of the variables around it.
        let mut inner = Scope {
            depth: scope.depth + 1,
            places: Places::from([(ITEM.to_owned(), "$states.input.item".to_owned())]),
            carries_item: true,
            execution: "$states.input.execution",
        };
        let flow = self.flow(body, body.tree.as_ref(), &mut inner, &Finish::Fields(Vec::new()));
        let mut state = State::new(
            id,
            StateKind::Map(Box::new(Map {
                items: Some(items.value(&scope.places)),
                item_selector: Some(json!({
                    "execution": wrap(EXECUTION),
                    "item": wrap("$states.context.Map.Item.Value"),
                })),
                max_concurrency: Some(Quantity::Number(at_once.into())),
                tolerated_failure_percentage: Some(Quantity::Number(tolerated_percent.into())),
                label: Some(id.to_owned()),
                processor: Processor {
                    old_spelling: false,
                    config: Some(ProcessorConfig {
                        mode: Mode::Distributed,
                        execution_type: Some(Kind::Standard),
                    }),
                    flow,
                },
                ..Map::default()
            })),
        );
        leave(&mut state, scope, exit, &scope.places);
        out.push(state);
    }
}
