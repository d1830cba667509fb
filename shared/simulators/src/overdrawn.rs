//! Windows of a limit in which the sync's user sent more than it may: what a judge of budgets looks at.

/// One window in which too much was sent, whether it was refused or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdrawn {
    /// The limit.
    pub bucket: String,
    /// When the window began, ms.
    pub begins_ms: i64,
    /// When it ends, ms.
    pub ends_ms: i64,
    /// Requests of the sync's user in it.
    pub ours: u32,
    /// How many it may send.
    pub allowed: u32,
}

/// Windows so far, the newest of a limit last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Vec<Overdrawn>);

impl Book {
    /// One more request of the sync's user; `now` is its window with it.
    pub(crate) fn note(&mut self, now: Overdrawn) {
        if now.ours <= now.allowed {
            return;
        }
        let same = |known: &&mut Overdrawn| known.bucket == now.bucket && known.ends_ms == now.ends_ms;
        match self.0.iter_mut().rev().find(same) {
            Some(known) => known.ours = now.ours,
            None => self.0.push(now),
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Overdrawn> {
        self.0.clone()
    }
}
