//! Loops that go on in another execution of the same workflow before the history of this one is full.
//!
//! After so many rounds the execution starts the next one, with its own input and a field that says where the loop
//! stands, and ends. The next one's name follows from the first one's and a number, so a start that is repeated
//! finds the name taken and counts as done. The last execution returns what the workflow returns; each one before it
//! returns `{"continued": name of the next}`.

use serde_json::{Map as JsonMap, Value, json};

use super::{Emitter, Scope, entry};
use crate::expression::wrap;
use crate::model::{
    Catcher, Choice, Flow, Jitter, Pass, Quantity, Retrier, Rule, State, StateKind, Task, Transition, Wait,
    When,
};
use crate::names::{self, CONTINUED};
use crate::resolve::{Resolved, kept, variable};
use crate::workflow::Work;

/// The input of the execution.
const INPUT: &str = "$states.context.Execution.Input";

/// The name of the first execution, how many followed it until now, and the name of the next. No step's variable has
/// such a name: on the outermost level they have no underscore.
const ORIGIN: &str = "origin_0";
const FOLLOWERS: &str = "followers_0";
const NEXT: &str = "next_0";

/// Starting the next execution is a short request; it is repeated for about ten minutes.
const START_TIMEOUT_S: u64 = 60;
const START_ATTEMPTS: u64 = 12;
const START_INTERVAL_S: u64 = 2;
const START_MOST_S: u64 = 120;

/// The longest head of a name: with `-c` and a number it has at most 80 characters.
const HEAD: usize = 70;

/// The name of the next execution as JSONata. A long name keeps its difference from others in a hash.
fn next_name() -> String {
    let cut = HEAD - 9;
    format!(
        "($length(${ORIGIN}) <= {HEAD} ? ${ORIGIN} : $substring(${ORIGIN}, 0, {cut}) & '-' & \
         $substring($hash(${ORIGIN}, 'SHA-256'), 0, 8)) & '-c' & $string(${FOLLOWERS} + 1)"
    )
}

impl Emitter<'_> {
    /// Puts before a flow what looks whether the execution goes on with a loop.
    pub(super) fn resumed(&self, body: &Resolved, flow: &mut Flow) {
        let Some(first) = self.continues.keys().next() else { return };
        let place = |field: &str| Value::String(wrap(&format!("{INPUT}.{CONTINUED}.{field}")));
        let mut rules = Vec::new();
        let mut resumes = Vec::new();
        for id in self.continues.keys() {
            let name = format!("{id}GoesOn");
            let rule = |next: &str| Rule {
                when: When::Condition(Value::String(wrap(&format!(
                    "$exists({INPUT}.{CONTINUED}) and {INPUT}.{CONTINUED}.loop = '{id}'"
                )))),
                next: next.to_owned(),
                assign: Some(JsonMap::from_iter([
                    (ORIGIN.to_owned(), place("origin")),
                    (FOLLOWERS.to_owned(), place("followers")),
                ])),
                output: None,
                comment: None,
            };
            rules.push(rule(&name));
            let mut resume = State::new(&name, StateKind::Pass(Pass::default()));
            let mut known = JsonMap::from_iter([(variable(id), place("rounds"))]);
            let kept = kept(body, self.readers, id);
            known.extend(kept.iter().map(|id| (variable(id), place(&format!("kept.{}", variable(id))))));
            resume.assign = Some(known);
            let first = self.first_of_loop(body, id).unwrap_or_default();
            resume.transition = Some(Transition::Next(first));
            resumes.push(resume);
        }
        let start = format!("{first}Begins");
        let begins = Choice { rules, default: Some(std::mem::replace(&mut flow.start_at, start.clone())) };
        let mut begins = State::new(&start, StateKind::Choice(begins));
        begins.assign = Some(JsonMap::from_iter([
            (ORIGIN.to_owned(), Value::String(wrap("$states.context.Execution.Name"))),
            (FOLLOWERS.to_owned(), Value::from(0)),
        ]));
        flow.states.splice(0..0, std::iter::once(begins).chain(resumes));
    }

    /// The first state of a round.
    fn first_of_loop(&self, body: &Resolved, id: &str) -> Option<String> {
        let is_it = |node: &&crate::resolve::ResolvedNode| {
            node.node.id == id && matches!(node.node.work, Work::Repeat { .. })
        };
        let inner = body.nodes.iter().find(is_it)?.inner.first()?;
        Some(entry(inner, inner.tree.as_ref()?))
    }

    /// The rules by which a loop goes on in another execution once it is due there, in the order in which they are
    /// asked: after a pause, if one is wanted. Adds the states that they lead to.
    pub(super) fn again(
        &self,
        id: &str,
        pause: Option<(String, Quantity)>,
        scope: &Scope,
        out: &mut Vec<State>,
    ) -> Vec<Rule> {
        let Some(rounds) = self.continues.get(id) else { return Vec::new() };
        let counter = variable(id);
        let due = format!("(${counter} + 1) % {rounds} = 0");
        let (starts, pauses) = (format!("{id}Continue"), format!("{id}LastPause"));
        let rule = |source: &str, next: &str| Rule {
            when: When::Condition(Value::String(wrap(source))),
            next: next.to_owned(),
            assign: Some(JsonMap::from_iter([
                (counter.clone(), Value::String(wrap(&format!("${counter} + 1")))),
                (NEXT.to_owned(), Value::String(wrap(&next_name()))),
            ])),
            output: None,
            comment: None,
        };
        let mut rules = Vec::new();
        if let Some((wanted, seconds)) = pause {
            rules.push(rule(&format!("{wanted} and {due}"), &pauses));
            let mut wait = State::new(&pauses, StateKind::Wait(Wait::Seconds(seconds)));
            wait.transition = Some(Transition::Next(starts.clone()));
            out.push(wait);
        }
        rules.push(rule(&due, &starts));
        let ends = format!("{id}Continued");
        out.push(self.start_next(id, &starts, &ends, scope));
        let mut end = State::new(&ends, StateKind::Succeed);
        end.output = Some(json!({ CONTINUED: wrap(&format!("${NEXT}")) }));
        out.push(end);
        rules
    }

    /// The task that starts the next execution.
    fn start_next(&self, id: &str, name: &str, next: &str, scope: &Scope) -> State {
        let mut state = State::new(
            name,
            StateKind::Task(Task {
                resource: names::START_EXECUTION.to_owned(),
                timeout: Some(Quantity::Number(START_TIMEOUT_S.into())),
                heartbeat: None,
                credentials: None,
            }),
        );
        let kept = kept(self.body, self.readers, id);
        let kept: Vec<String> =
            kept.iter().map(|id| format!("'{}': ${}", variable(id), scope.variable(id))).collect();
        let place = format!(
            "{{'loop': '{id}', 'rounds': ${}, 'origin': ${ORIGIN}, 'followers': ${FOLLOWERS} + 1, 'kept': {{{}}}}}",
            variable(id),
            kept.join(", ")
        );
        state.arguments = Some(json!({
            "StateMachineArn": wrap("$states.context.StateMachine.Id"),
            "Name": wrap(&format!("${NEXT}")),
            "Input": wrap(&format!("$merge([{INPUT}, {{'{CONTINUED}': {place}}}])")),
        }));
        let retrier = |error: &str, attempts| Retrier {
            error_equals: vec![error.to_owned()],
            max_attempts: Some(attempts),
            ..Retrier::default()
        };
        state.retry = vec![
            // Not worth another try: it was started.
            retrier(names::EXECUTION_EXISTS, 0),
            Retrier {
                interval_seconds: Some(START_INTERVAL_S),
                backoff_rate: Some(2.0),
                max_delay_seconds: Some(START_MOST_S),
                jitter: Some(Jitter::Full),
                ..retrier(names::ALL, START_ATTEMPTS)
            },
        ];
        state.catch = vec![Catcher {
            error_equals: vec![names::EXECUTION_EXISTS.to_owned()],
            next: next.to_owned(),
            output: Some(json!({})),
            comment: Some("An earlier attempt started it.".to_owned()),
            ..Catcher::default()
        }];
        state.output = Some(json!({}));
        state.transition = Some(Transition::Next(next.to_owned()));
        state
    }
}
