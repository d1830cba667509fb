//! What each type of state does.

mod map;
mod map_plan;
mod parallel;
mod resource;
mod simple;
mod task;
mod wait;

use asl::{State, StateKind};

use crate::flow::{Ended, Frame, Step, Stopped};
use crate::run::Run;

/// One attempt of a state, from its input to what it leaves.
pub(crate) async fn attempt<'a>(
    run: &'a Run<'a>,
    state: &'a State,
    frame: &mut Frame,
) -> Result<Step, Stopped> {
    match &state.kind {
        StateKind::Task(task) => task::attempt(run, state, task, frame).await,
        StateKind::Parallel(parallel) => parallel::attempt(run, state, parallel, frame).await,
        StateKind::Map(map) => map::attempt(run, state, map, frame).await,
        StateKind::Wait(wait) => wait::attempt(run, state, wait, frame).await,
        StateKind::Pass(pass) => Ok(simple::pass(run, state, pass, frame)?),
        StateKind::Choice(choice) => Ok(simple::choice(run, state, choice, frame)?),
        StateKind::Succeed => Ok(simple::succeed(run, state, frame)?),
        StateKind::Fail(fail) => Err(simple::fail(run, state, fail, frame).into()),
    }
}

/// Writes that a state failed for good, for the types that have an event for it.
pub(crate) fn give_up(state: &State, frame: &mut Frame) -> Result<(), Ended> {
    if matches!(state.kind, StateKind::Parallel(_) | StateKind::Map(_)) {
        frame.add(&format!("{}StateFailed", state.kind.type_name()), || None)?;
    }
    Ok(())
}
