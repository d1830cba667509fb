//! Choices and loops as states.

use serde_json::{Map as JsonMap, Value};

use super::{Emitter, Exit, Scope, assign, entry, quantity};
use crate::expression::{Condition, Expression, wrap};
use crate::model::{Choice, Pass, Rule, State, StateKind, Transition, Wait, When};
use crate::resolve::{Resolved, ResolvedNode};
use crate::workflow::WITHOUT_BOUND;

impl Emitter<'_> {
    pub(super) fn choose(
        &mut self,
        node: &ResolvedNode,
        when: &Condition,
        scope: &mut Scope,
        exit: &Exit<'_>,
        out: &mut Vec<State>,
    ) {
        let id = node.node.id.as_str();
        let [then, otherwise] = node.inner.as_slice() else { return };
        let live = self.live(&[node]);
        let made_by = |block: &Resolved| -> Vec<String> {
            let made = block.nodes.iter().flat_map(|node| node.produced.iter().map(|(id, _)| id.clone()));
            made.filter(|id| live.contains(&id.as_str())).collect()
        };
        let (of_then, of_otherwise) = (made_by(then), made_by(otherwise));
        let mut state = State::new(id, StateKind::Succeed);
        let mut inner = Vec::new();
        let (then_entry, then_nulls) = self.side(id, then, &of_otherwise, scope, exit, &mut inner);
        let (other_entry, other_nulls) = self.side(id, otherwise, &of_then, scope, exit, &mut inner);
        state.assign = other_nulls;
        state.kind = StateKind::Choice(Choice {
            rules: vec![Rule {
                when: When::Condition(Value::String(wrap(&when.source(&scope.places)))),
                next: then_entry,
                assign: then_nulls,
                output: None,
                comment: None,
            }],
            default: Some(other_entry),
        });
        out.push(state);
        out.extend(inner);
        of_then.iter().chain(&of_otherwise).for_each(|made| scope.learn(made));
    }

    /// One side of a choice: where it starts, and which variables of the other side are null on it.
    fn side(
        &mut self,
        id: &str,
        block: &Resolved,
        not_made: &[String],
        scope: &Scope,
        exit: &Exit<'_>,
        out: &mut Vec<State>,
    ) -> (String, Option<JsonMap<String, Value>>) {
        let mut scope = scope.clone();
        let nulls: JsonMap<String, Value> =
            not_made.iter().map(|id| (scope.variable(id), Value::Null)).collect();
        if matches!(exit, Exit::End(_)) {
            scope.places.extend(not_made.iter().map(|id| (id.clone(), "null".to_owned())));
        } else {
            not_made.iter().for_each(|id| scope.learn(id));
        }
        let start = match &block.tree {
            Some(tree) => {
                self.tree(block, tree, &mut scope, exit, out);
                entry(block, tree)
            }
            None => landing(&format!("{id}Skipped"), &scope, exit, out),
        };
        let needed = matches!(exit, Exit::Next(_)) && !nulls.is_empty();
        (start, needed.then_some(nulls))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a loop, named one by one")]
    pub(super) fn repeat(
        &mut self,
        node: &ResolvedNode,
        until: &Condition,
        pause: Option<&Expression>,
        at_most: u64,
        scope: &mut Scope,
        exit: &Exit<'_>,
        out: &mut Vec<State>,
    ) {
        let id = node.node.id.as_str();
        let Some((body, tree)) = node.inner.first().and_then(|body| Some((body, body.tree.as_ref()?))) else {
            return;
        };
        let first = entry(body, tree);
        let mut start = State::new(id, StateKind::Pass(Pass::default()));
        start.assign = assign(&scope.variable(id), Value::from(0));
        start.transition = Some(Transition::Next(first.clone()));
        out.push(start);
        scope.learn(id);
        let done = format!("{id}Done");
        self.tree(body, tree, scope, &Exit::Next(done.clone()), out);

        let mut landed = Vec::new();
        let after = landing(&format!("{id}Finished"), scope, exit, &mut landed);
        let counter = format!("${}", scope.variable(id));
        let next_round = assign(&scope.variable(id), Value::String(wrap(&format!("{counter} + 1"))));
        let rule = |source: String, next: &str, assign| Rule {
            when: When::Condition(Value::String(wrap(&source))),
            next: next.to_owned(),
            assign,
            output: None,
            comment: None,
        };
        let mut rules = vec![rule(until.source(&scope.places), &after, None)];
        if at_most != WITHOUT_BOUND {
            rules.push(rule(format!("{counter} + 1 >= {at_most}"), &after, None));
        }
        let pausing = format!("{id}Pause");
        let wanted = pause.map(|pause| format!("{} > 0", pause.source(&scope.places)));
        let last_pause = pause.zip(wanted.clone());
        let last_pause = last_pause.map(|(pause, wanted)| (wanted, quantity(pause, &scope.places)));
        let mut continued = Vec::new();
        rules.extend(self.again(id, last_pause, scope, &mut continued));
        rules.extend(wanted.map(|wanted| rule(wanted, &pausing, next_round.clone())));
        let mut choice = State::new(done, StateKind::Choice(Choice { rules, default: Some(first.clone()) }));
        choice.assign = next_round;
        out.push(choice);
        if let Some(pause) = pause {
            let seconds = quantity(pause, &scope.places);
            let mut wait = State::new(pausing, StateKind::Wait(Wait::Seconds(seconds)));
            wait.transition = Some(Transition::Next(first));
            out.push(wait);
        }
        out.extend(continued);
        out.extend(landed);
    }
}

/// Where a Choice can lead when nothing more is to be done: the next state, or an end of its own.
fn landing(name: &str, scope: &Scope, exit: &Exit<'_>, out: &mut Vec<State>) -> String {
    match exit {
        Exit::Next(next) => next.clone(),
        Exit::End(finish) => {
            let mut state = State::new(name, StateKind::Succeed);
            state.output = Some(finish.value(&scope.places));
            out.push(state);
            name.to_owned()
        }
    }
}
