//! Canary words: one in every internal text and nowhere else, so that a leak is found by looking for a
//! word instead of trusting whoever copied the text.

/// Every canary starts with this; no ticket text does.
pub const PREFIX: &str = "canary";
/// Letters after the prefix.
const LETTERS: usize = 12;

/// The canary of one internal text. Different for every number, and for every seed.
pub fn canary(seed: u64, number: u64) -> String {
    let mut rest = mix(seed ^ mix(number.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    let mut word = PREFIX.to_owned();
    for _ in 0..LETTERS {
        word.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    word
}

/// The canaries in a text.
pub fn find(text: &str) -> Vec<&str> {
    text.match_indices(PREFIX)
        .filter_map(|(at, _)| text.get(at..at + PREFIX.len() + LETTERS))
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect()
}

/// The finalizer of SplitMix64: close numbers become far ones.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn canaries_are_unique_and_found_again() {
        let words: BTreeSet<String> = (0..20_000).map(|n| canary(7, n)).collect();
        assert_eq!(words.len(), 20_000);
        let word = canary(7, 3);
        assert_eq!(find(&format!("(ask {word}, or not)")), [word.as_str()]);
        assert_eq!(find("a canary in a mine"), Vec::<&str>::new());
    }
}
