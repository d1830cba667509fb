//! Lists as streams of entries, page by page, and the whole of a stream as a list.

use std::collections::VecDeque;

use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::error::ApiResult;

/// Pages of one list. A list that is longer is no list we read by pages; exports are for that.
pub(crate) const PAGES_MAX: u32 = 10_000;

/// Where the next page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum More<C> {
    /// From here.
    From(C),
    /// There is none.
    No,
}

struct State<C, T> {
    next: More<C>,
    ready: VecDeque<T>,
    pages: u32,
}

/// The entries of a list. `fetch` gets one page and says where the next one is; it is called only when
/// the entries before are used up.
pub(crate) fn entries<C, T, F, Fut>(first: C, fetch: F) -> impl Stream<Item = ApiResult<T>> + Send
where
    C: Send,
    T: Send,
    F: Fn(C) -> Fut + Send,
    Fut: Future<Output = ApiResult<(Vec<T>, More<C>)>> + Send,
{
    let start = State { next: More::From(first), ready: VecDeque::new(), pages: 0 };
    stream::try_unfold((start, fetch), |(mut state, fetch)| async move {
        loop {
            if let Some(entry) = state.ready.pop_front() {
                return Ok(Some((entry, (state, fetch))));
            }
            match std::mem::replace(&mut state.next, More::No) {
                More::From(place) if state.pages < PAGES_MAX => {
                    let (page, next) = fetch(place).await?;
                    // An empty page is not the end: only the answer's own word is.
                    state.ready = page.into();
                    state.next = next;
                    state.pages += 1;
                }
                _ => return Ok(None),
            }
        }
    })
}

/// All entries of a stream.
pub(crate) async fn collect<T>(entries: impl Stream<Item = ApiResult<T>> + Send) -> ApiResult<Vec<T>> {
    entries.boxed().try_collect().await
}
