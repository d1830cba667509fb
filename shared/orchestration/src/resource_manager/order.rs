//! An order for a block of a window: what the book is asked for, and what it is told besides.

/// What to book.
pub(super) struct Order {
    /// The window's name in the book.
    pub(super) name_ms: i64,
    /// Its end by the service's clock.
    pub(super) edge_ms: i64,
    /// A neighbour, by how many windows, in which the same is booked: which of both the call will be counted in is not known yet.
    pub(super) or: Option<i64>,
    pub(super) limit: u32,
    pub(super) size: u32,
    pub(super) carried: u32,
    pub(super) reserve_percent: u32,
    /// When less of the reserve is kept.
    pub(super) again_ms: Option<i64>,
    pub(super) limit_seen: Option<u32>,
    /// What the service says is used, with what is booked here and not sent: the book must not say less.
    pub(super) used_seen: Option<u32>,
    /// Whether the book has to be told where the window ends.
    pub(super) is_edge_news: bool,
}
