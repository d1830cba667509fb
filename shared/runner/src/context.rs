//! The context object, `$$` and `$states.context`.

use std::cell::OnceCell;

use asl::{State, StateKind};
use serde_json::{Map, Value, json};

use crate::flow::{Frame, Item};
use crate::run::Run;
use crate::timestamp;

/// The context object of a state, made when first asked for: most states never ask.
pub(crate) struct Context<'a> {
    cell: OnceCell<Value>,
    run: &'a Run<'a>,
    frame: &'a Frame,
    state: &'a State,
    token: Option<&'a str>,
    item: Option<&'a Item>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(run: &'a Run<'a>, frame: &'a Frame, state: &'a State, token: Option<&'a str>) -> Self {
        Context { cell: OnceCell::new(), run, frame, state, token, item: frame.items.last() }
    }

    /// The context in which a Map selects the input of one iteration.
    pub(crate) fn for_item(run: &'a Run<'a>, frame: &'a Frame, state: &'a State, item: &'a Item) -> Self {
        Context { item: Some(item), ..Context::new(run, frame, state, None) }
    }

    pub(crate) fn get(&self) -> &Value {
        self.cell.get_or_init(|| self.make())
    }

    fn make(&self) -> Value {
        let options = self.run.options;
        let mut context = Map::new();
        context.insert(
            "Execution".into(),
            json!({
                "Id": options.arn,
                "Input": self.run.input,
                "Name": options.name,
                "RoleArn": options.role_arn,
                "StartTime": timestamp::format_ms(self.run.started_ms),
                "RedriveCount": 0,
            }),
        );
        context.insert(
            "StateMachine".into(),
            json!({ "Id": options.machine_arn, "Name": options.machine_name }),
        );
        let entered = timestamp::format_ms(self.frame.entered_ms);
        let mut state = json!({ "Name": self.state.name, "EnteredTime": entered });
        // Only states that can be retried have a count.
        if matches!(self.state.kind, StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_)) {
            state["RetryCount"] = self.frame.retries.total().into();
        }
        context.insert("State".into(), state);
        if let Some(token) = self.token {
            context.insert("Task".into(), json!({ "Token": token }));
        }
        if let Some(item) = self.item {
            let mut members = json!({ "Index": item.index, "Value": *item.value });
            if let Some(key) = &item.key {
                members["Key"] = json!(key);
            }
            context.insert("Map".into(), json!({ "Item": members }));
        }
        Value::Object(context)
    }
}
