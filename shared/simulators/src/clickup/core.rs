//! A request from its arrival to its answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};

use super::ledger::{Counted, Ledger, Quota};
use super::options::ClickUpOptions;
use super::refusal::{self, Refusal};
use super::routes::Route;
use super::state::State;
use super::tx::Tx;
use super::{access, attachments, deliveries};
use crate::changes::EDIT_HEADER;
use crate::http_text::{self, Answer, Call};
use crate::{Dice, Outbound, SimError};

/// Everything a simulator is made of.
pub(super) struct Inner {
    pub options: ClickUpOptions,
    pub dice: Dice,
    outbound: Mutex<Option<Arc<dyn Outbound>>>,
    core: Mutex<Core>,
    /// Whether the deliveries that were pending in the journal have been started.
    resumed: AtomicBool,
}

/// The contents and the books, which change together.
#[derive(Debug, Default)]
pub(super) struct Core {
    pub state: State,
    pub ledger: Ledger,
}

impl Inner {
    pub fn open(options: ClickUpOptions) -> Result<Self, SimError> {
        let mut core = Core::default();
        core.ledger = Ledger::open(&options, &mut core.state)?;
        let seed = options.faults.seed ^ core.ledger.incarnation().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Ok(Self {
            dice: Dice::new(seed),
            outbound: Mutex::new(options.outbound.clone()),
            core: Mutex::new(core),
            resumed: AtomicBool::new(false),
            options,
        })
    }

    pub fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_outbound(&self, outbound: Arc<dyn Outbound>) {
        *self.outbound.lock().unwrap_or_else(PoisonError::into_inner) = Some(outbound);
    }

    /// Sends a delivery. Without an outbound nobody is there.
    pub fn post(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, String>> {
        let outbound = self.outbound.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match outbound {
            Some(outbound) => outbound.post(request),
            None => Box::pin(async { Err("connection refused".to_owned()) }),
        }
    }

    /// Goes on with what was pending when the journal was closed. Needs a runtime, so it waits for one.
    pub fn resume(self: &Arc<Self>) {
        if tokio::runtime::Handle::try_current().is_err() || self.resumed.swap(true, Ordering::SeqCst) {
            return;
        }
        let pending: Vec<u64> = self.core().state.deliveries.keys().copied().collect();
        for number in pending {
            deliveries::start(self, number);
        }
    }

    /// Answers a request. What it changed is committed when this returns.
    pub fn answer(self: &Arc<Self>, request: Request<Bytes>) -> Answer {
        self.resume();
        let download = attachments::is_download(&self.options, &request);
        let call = Call::new(request);
        if download {
            return attachments::download(&self.core().state, &self.options, &call);
        }
        let Some((route, path)) = Route::find(&call) else {
            return http_text::text(501, "The simulator does not know this route");
        };
        let now_ms = (self.options.clock)();
        let (mut answer, started) = self.serve(route, &call, &path, now_ms);
        http_text::set_date(&mut answer, now_ms);
        for number in started {
            deliveries::start(self, number);
        }
        answer
    }

    fn serve(&self, route: &Route, call: &Call, path: &[String], now_ms: i64) -> (Answer, Vec<u64>) {
        let mut core = self.core();
        let Core { state, ledger } = &mut *core;
        let refuse = |refusal: Refusal| refusal.answer(route.is_v3(), now_ms);
        let actor = if route.is_open() { Ok(0) } else { access::actor(state, call) };
        let actor = match actor {
            Ok(actor) => actor,
            Err(refusal) => return (refuse(refusal), Vec::new()),
        };
        // A person's edit stands for the application in a browser, which neither counts against a token nor fails.
        let edit = call.header(EDIT_HEADER).map(str::to_owned);
        let limited = edit.is_none() && !route.is_open();
        let plan = self.options.requests_per_minute();
        let quota =
            if limited { Some(ledger.take(actor, now_ms, ledger.per_minute.unwrap_or(plan))) } else { None };
        let quota = match quota.transpose() {
            Ok(quota) if limited && self.dice.roll(self.options.faults.too_many) => Err(quota),
            Ok(quota) => Ok(quota),
            Err(quota) => Err(Some(quota)),
        };
        let quota = match quota {
            Ok(quota) => quota,
            Err(quota) => {
                let kept = ledger.reject(actor, now_ms, route.label());
                let refusal = if kept.is_ok() { refusal::RATE_LIMITED } else { refusal::NOT_KEPT };
                return (marked(refuse(refusal), quota.map(Quota::spent)), Vec::new());
            }
        };
        let mut tx = Tx::new(state, &self.options, &self.dice, actor, edit);
        let failing = limited && self.dice.roll(self.options.faults.server_error);
        let result = if failing { Err(self.server_error()) } else { route.run(&mut tx, call, path) };
        let counted = Some(Counted { label: route.label(), limited });
        let (answer, kept) = match result {
            Ok(answer) => (answer, ledger.commit(tx, counted)),
            Err(refusal) => {
                tx.roll_back();
                let bare = Tx::new(state, &self.options, &self.dice, actor, None);
                (refuse(refusal), ledger.commit(bare, counted))
            }
        };
        match kept {
            Ok(started) => (marked(answer, quota), started),
            Err(error) => {
                tracing::warn!(%error, "a request to the simulated ClickUp was not kept");
                (refuse(refusal::NOT_KEPT), Vec::new())
            }
        }
    }
}

impl Inner {
    /// One of the errors that a service in trouble, or what stands before it, gives.
    fn server_error(&self) -> Refusal {
        let status = [500, 502, 503, 504][self.dice.with(|random| random.usize(..4))];
        Refusal { status, ..refusal::SERVER_ERROR }
    }
}

fn marked(mut answer: Answer, quota: Option<Quota>) -> Answer {
    if let Some(quota) = quota {
        quota.mark(&mut answer);
    }
    answer
}
