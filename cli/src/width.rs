//! How many columns a text takes on a terminal: wide letters and pictures take two, marks that sit on the letter
//! before them take none. The ranges are those of Unicode that terminals agree on.

/// Columns of a text.
pub fn of(text: &str) -> usize {
    text.chars().map(of_char).sum()
}

/// The longest beginning of a text that takes at most this many columns.
pub fn beginning(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += of_char(c);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// Whether a character belongs to a script that is written from right to left.
pub fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

/// Whether a character only changes how others are drawn or in which order. Terminals differ in what they make of
/// these, and some of them make a text look like another.
pub fn is_only_form(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x61c | 0x200b | 0x200d..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff
            | 0x1f3fb..=0x1f3ff | 0xe0000..=0xe0fff
    )
}

/// Columns of a character by itself.
fn of_char(c: char) -> usize {
    let code = u32::from(c);
    match code {
        0x20..=0x7e | 0xa0..=0xac | 0xae..=0x2ff => 1,
        _ if is_in(code, &NOTHING) => 0,
        _ if is_in(code, &WIDE) => 2,
        _ => 1,
    }
}

fn is_in(code: u32, ranges: &[(u32, u32)]) -> bool {
    ranges
        .binary_search_by(|(from, to)| {
            if *to < code {
                std::cmp::Ordering::Less
            } else if code < *from {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

/// Control characters, marks on letters, joiners, and what chooses between forms of a character.
const NOTHING: [(u32, u32); 62] = [
    (0x0000, 0x001f),
    (0x007f, 0x009f),
    (0x00ad, 0x00ad),
    (0x0300, 0x036f),
    (0x0483, 0x0489),
    (0x0591, 0x05bd),
    (0x05bf, 0x05bf),
    (0x05c1, 0x05c2),
    (0x05c4, 0x05c5),
    (0x05c7, 0x05c7),
    (0x0610, 0x061a),
    (0x061c, 0x061c),
    (0x064b, 0x065f),
    (0x0670, 0x0670),
    (0x06d6, 0x06dc),
    (0x06df, 0x06e4),
    (0x06e7, 0x06e8),
    (0x06ea, 0x06ed),
    (0x0711, 0x0711),
    (0x0730, 0x074a),
    (0x07a6, 0x07b0),
    (0x07eb, 0x07f3),
    (0x0816, 0x082d),
    (0x0859, 0x085b),
    (0x08d3, 0x0902),
    (0x093a, 0x093a),
    (0x093c, 0x093c),
    (0x0941, 0x0948),
    (0x094d, 0x094d),
    (0x0951, 0x0957),
    (0x0962, 0x0963),
    (0x0981, 0x0981),
    (0x09bc, 0x09bc),
    (0x09c1, 0x09c4),
    (0x09cd, 0x09cd),
    (0x0a01, 0x0a02),
    (0x0a3c, 0x0a51),
    (0x0abc, 0x0abc),
    (0x0ac1, 0x0acd),
    (0x0b3c, 0x0b3c),
    (0x0bcd, 0x0bcd),
    (0x0c4d, 0x0c56),
    (0x0ccd, 0x0ccd),
    (0x0d4d, 0x0d4d),
    (0x0e31, 0x0e31),
    (0x0e34, 0x0e3a),
    (0x0e47, 0x0e4e),
    (0x0eb1, 0x0eb1),
    (0x0eb4, 0x0ebc),
    (0x0ec8, 0x0ece),
    (0x1160, 0x11ff),
    (0x135d, 0x135f),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x20d0, 0x20f0),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
    (0x1f3fb, 0x1f3ff),
    (0xe0000, 0xe0fff),
];

/// East Asian letters and pictures.
const WIDE: [(u32, u32); 60] = [
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x2329, 0x232a),
    (0x23e9, 0x23ec),
    (0x23f0, 0x23f0),
    (0x23f3, 0x23f3),
    (0x25fd, 0x25fe),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x267f, 0x267f),
    (0x2693, 0x2693),
    (0x26a1, 0x26a1),
    (0x26aa, 0x26ab),
    (0x26bd, 0x26be),
    (0x26c4, 0x26c5),
    (0x26ce, 0x26ce),
    (0x26d4, 0x26d4),
    (0x26ea, 0x26ea),
    (0x26f2, 0x26f3),
    (0x26f5, 0x26f5),
    (0x26fa, 0x26fa),
    (0x26fd, 0x26fd),
    (0x2705, 0x2705),
    (0x270a, 0x270b),
    (0x2728, 0x2728),
    (0x274c, 0x274c),
    (0x274e, 0x274e),
    (0x2753, 0x2755),
    (0x2757, 0x2757),
    (0x2795, 0x2797),
    (0x27b0, 0x27b0),
    (0x27bf, 0x27bf),
    (0x2b1b, 0x2b1c),
    (0x2b50, 0x2b50),
    (0x2b55, 0x2b55),
    (0x2e80, 0x303e),
    (0x3041, 0x3247),
    (0x3250, 0x4dbf),
    (0x4e00, 0xa4cf),
    (0xa960, 0xa97c),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe10, 0xfe19),
    (0xfe30, 0xfe6f),
    (0xff01, 0xff60),
    (0xffe0, 0xffe6),
    (0x16fe0, 0x18d08),
    (0x1b000, 0x1b2ff),
    (0x1f004, 0x1f004),
    (0x1f0cf, 0x1f0cf),
    (0x1f18e, 0x1f18e),
    (0x1f191, 0x1f19a),
    (0x1f1e6, 0x1f202),
    (0x1f210, 0x1f265),
    (0x1f300, 0x1f3fa),
    (0x1f400, 0x1f6ff),
    (0x1f7e0, 0x1f7eb),
    (0x1f900, 0x1f9ff),
    (0x1fa70, 0x1faff),
    (0x20000, 0x3fffd),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_a_terminal() {
        for (text, columns) in [
            ("", 0),
            ("plain", 5),
            ("é", 1),
            ("e\u{301}", 1),
            ("日本語", 6),
            ("한국어", 6),
            ("ｆｕｌｌ", 8),
            ("🙂", 2),
            ("שלום", 4),
            ("שָׁלוֹם", 4),
            ("مرحبا", 5),
            ("a\u{200b}b", 2),
            ("…", 1),
        ] {
            assert_eq!(of(text), columns, "{text}");
        }
    }

    #[test]
    fn a_beginning_never_takes_more_than_its_columns() {
        assert_eq!(beginning("日本語", 5), "日本");
        assert_eq!(beginning("日本語", 6), "日本語");
        assert_eq!(beginning("e\u{301}x", 1), "e\u{301}");
        assert_eq!(beginning("abc", 0), "");
    }

    #[test]
    fn the_ranges_are_in_order() {
        for ranges in [&NOTHING[..], &WIDE[..]] {
            assert!(ranges.iter().all(|(from, to)| from <= to));
            assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
