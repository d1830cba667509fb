//! Wildcards: `<name>` as a whole fits any value, inside a text any run of characters.

use serde_json::Value;

/// Whether a value is what a pattern stands for.
pub fn fits(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::String(pattern), value) if is_wildcard(pattern) => {
            let _ = value;
            true
        }
        (Value::String(pattern), Value::String(text)) => text_fits(pattern, text),
        (Value::Number(pattern), Value::Number(number)) => pattern.as_f64() == number.as_f64(),
        (Value::Array(patterns), Value::Array(values)) => {
            patterns.len() == values.len()
                && patterns.iter().zip(values).all(|(left, right)| fits(left, right))
        }
        (Value::Object(patterns), Value::Object(values)) => {
            patterns.len() == values.len()
                && patterns.iter().all(|(key, pattern)| match values.get(key) {
                    Some(value) => fits(pattern, value),
                    None => {
                        key.contains('<')
                            && values
                                .iter()
                                .any(|(other, value)| text_fits(key, other) && fits(pattern, value))
                    }
                })
        }
        (pattern, value) => pattern == value,
    }
}

/// Whether both hold the same things in any order. Patterns may overlap, so a match may move.
pub fn same_bag<P, V>(patterns: &[P], values: &[V], fits: impl Fn(&P, &V) -> bool) -> bool {
    fn place<P, V>(
        pattern: usize,
        patterns: &[P],
        values: &[V],
        taken: &mut [Option<usize>],
        tried: &mut [bool],
        fits: &impl Fn(&P, &V) -> bool,
    ) -> bool {
        for (index, value) in values.iter().enumerate() {
            if tried[index] || !fits(&patterns[pattern], value) {
                continue;
            }
            tried[index] = true;
            let free = match taken[index] {
                None => true,
                Some(other) => place(other, patterns, values, taken, tried, fits),
            };
            if free {
                taken[index] = Some(pattern);
                return true;
            }
        }
        false
    }
    let mut taken = vec![None; values.len()];
    patterns.len() == values.len()
        && (0..patterns.len()).all(|pattern| {
            place(pattern, patterns, values, &mut taken, &mut vec![false; values.len()], &fits)
        })
}

/// JSON text as a value.
pub fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

/// The Unix milliseconds of a whole second in UTC, as cases write their clock.
pub fn unix_ms(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days from civil: years start in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

fn is_wildcard(pattern: &str) -> bool {
    wildcard(pattern).is_some_and(|rest| rest.is_empty())
}

/// The rest of a text that starts with a wildcard.
fn wildcard(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?;
    let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || "_-:.".contains(c)))?;
    (end > 0 && inner[end..].starts_with('>')).then(|| &inner[end + 1..])
}

fn text_fits(pattern: &str, text: &str) -> bool {
    // Literal pieces between the wildcards; each is looked for after the one before.
    let mut pieces = vec![String::new()];
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        match wildcard(rest) {
            Some(after) => {
                pieces.push(String::new());
                rest = after;
            }
            None => {
                pieces.last_mut().expect("there is a piece").push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    if pieces.len() == 1 {
        return pattern == text;
    }
    let (first, last) = (&pieces[0], &pieces[pieces.len() - 1]);
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in &pieces[1..pieces.len() - 1] {
        let Some(at) = rest.find(piece.as_str()) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last.as_str())
}
