//! What a lane leaves of a window to more urgent ones: all of its reserve at first, less and less in the last third. If
//! all were given up at once, whoever came after that would find nothing until the window ends.

/// A reserve is given up in so many steps: each costs whoever waits for it a request to the book.
const STEPS: i64 = 3;
/// This stays to the end.
const LAST_PERCENT: u32 = 1;
/// A limit that is smaller is given up as a whole: a hundredth of it would be more than that.
const SMALL: u32 = 100;

/// What is kept of a reserve, in percent of the limit, and when less is kept: so many ms from now, if ever.
pub(super) fn standing(percent: u32, limit: u32, left_ms: i64, window_ms: i64) -> (u32, Option<i64>) {
    let step_ms = (window_ms / 3 / STEPS).max(1);
    let steps = left_ms.div_euclid(step_ms).clamp(0, STEPS);
    let last = if limit < SMALL { 0 } else { LAST_PERCENT.min(percent) };
    let part = i64::from(percent) * steps / STEPS;
    let kept = u32::try_from(part).unwrap_or(percent).max(last);
    (kept, (kept > last).then_some(left_ms - steps * step_ms + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(limit: u32) -> Vec<u32> {
        [60, 21, 20, 19, 15, 14, 9, 4, 0].map(|left_s| standing(20, limit, left_s * 1_000, 60_000).0).to_vec()
    }

    #[test]
    fn it_is_given_up_step_by_step_and_a_hundredth_never() {
        assert_eq!(kept(1_000), [20, 20, 20, 13, 13, 13, 6, 1, 1]);
    }

    #[test]
    fn of_a_small_limit_nothing_is_kept_to_the_end() {
        assert_eq!(kept(10), [20, 20, 20, 13, 13, 13, 6, 0, 0]);
    }

    #[test]
    fn whoever_comes_when_it_says_finds_more() {
        for percent in [10, 20, 30] {
            let (mut left_ms, mut before, mut times) = (60_000, percent, 0);
            while let (kept, Some(wait_ms)) = standing(percent, 1_000, left_ms, 60_000) {
                assert!(kept < before || times == 0, "{percent}: {kept} with {left_ms} left");
                assert!(wait_ms > 0);
                (before, left_ms, times) = (kept, left_ms - wait_ms, times + 1);
            }
            assert_eq!(times, STEPS, "{percent}");
        }
    }

    #[test]
    fn who_leaves_nothing_has_nothing_to_give_up() {
        assert_eq!(standing(0, 1_000, 30_000, 60_000), (0, None));
    }
}
