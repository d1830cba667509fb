//! Where a window ends, and what those who share it call it: by the book, and by what answers tell.

use stores::budgets::Window;

use super::{BucketState, EDGE_MS};

/// Headers tell of edges by the second.
const ROUNDED_MS: i64 = 1_500;

impl BucketState {
    /// Takes over what others call this window: the newest of the book, or where that is over, one that follows it.
    pub(in super::super) fn agree(&mut self, newest: Option<&Window>, now: i64) {
        self.is_agreed = true;
        let Some(newest) = newest else { return };
        // By the service's clock, as far as it is known.
        let over_ms = now + self.edge_ms - self.reset_ms - newest.reset_ms;
        let later_ms = self.edge_ms - newest.reset_ms;
        let is_later = self.is_edge_sure && newest.is_told && later_ms >= self.window_ms / 2;
        let further = if is_later {
            (later_ms + self.window_ms / 2).div_euclid(self.window_ms)
        } else if over_ms >= 0 {
            over_ms.div_euclid(self.window_ms) + 1
        } else {
            // Somebody who was not sure booked in it, too, before it began.
            -i64::from(!newest.is_told && -over_ms > self.window_ms)
        };
        let further_ms = further * self.window_ms;
        self.name_ms = newest.start_ms + further_ms;
        if self.is_edge_sure && (further != 0 || !newest.is_told) {
            self.is_edge_news = true;
            return;
        }
        self.is_edge_sure = further == 0 && newest.is_told;
        let edge_ms = newest.reset_ms + further_ms;
        self.reset_ms += edge_ms - self.edge_ms;
        self.edge_ms = edge_ms;
    }

    /// Follows the service's edge: whatever we took it for, it is that of the window which our calls are counted in.
    pub(super) fn align(&mut self, reset_ms: i64, edge_ms: Option<i64>) {
        self.is_aligned = true;
        if self.is_edge_sure && reset_ms - self.reset_ms >= self.window_ms / 2 {
            // Edges are told by the second: the next window has begun before we took this one to be over.
            self.begin(1);
        }
        let late = reset_ms - self.reset_ms;
        // Ending too early would count calls of one window in the next, so an edge that is earlier only by the rounding
        // of headers does not count.
        if self.is_edge_sure && (-EDGE_MS..=0).contains(&late) {
            return;
        }
        self.reset_ms = reset_ms;
        let edge_ms = edge_ms.unwrap_or(self.edge_ms + late);
        // Who believes in an earlier one would begin the next window too soon.
        self.is_edge_news |=
            !self.is_edge_sure || edge_ms > self.edge_ms || self.edge_ms - edge_ms >= ROUNDED_MS;
        self.is_edge_sure = true;
        self.edge_ms = edge_ms;
    }
}
