//! Normal forms of text, and the difference of two texts by line.

/// One line with single blanks: services differ in what they keep of white space in subjects and names.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Several lines: line ends unified, blanks at line ends and around the text dropped.
pub(crate) fn lines(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n").replace('\u{a0}', " ");
    let lines: Vec<&str> = unified.split('\n').map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

/// Beyond this many lines the difference is not worked out: it would be quadratic work for nobody.
const DIFF_LINES_MAX: usize = 600;

/// What changed from one text to another, with `-` and `+` before the lines.
pub(crate) fn line_diff(old: &str, new: &str) -> String {
    let (mut a, mut b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same_head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    a.drain(..same_head);
    b.drain(..same_head);
    let same_tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    a.truncate(a.len() - same_tail);
    b.truncate(b.len() - same_tail);
    if a.len() > DIFF_LINES_MAX || b.len() > DIFF_LINES_MAX {
        return format!("The whole new text:\n\n{new}");
    }
    let common = longest_common(&a, &b);
    let mut diff = String::new();
    let mut add = |sign: char, line: &str| {
        diff.push(sign);
        diff.push(' ');
        diff.push_str(line);
        diff.push('\n');
    };
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[i + 1][j] >= common[i][j + 1]) {
            add('-', a[i]);
            i += 1;
        } else {
            add('+', b[j]);
            j += 1;
        }
    }
    diff.trim_end().to_owned()
}

/// Length of the longest common run of lines from each pair of places on.
fn longest_common(a: &[&str], b: &[&str]) -> Vec<Vec<u32>> {
    let mut length = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            length[i][j] =
                if a[i] == b[j] { length[i + 1][j + 1] + 1 } else { length[i + 1][j].max(length[i][j + 1]) };
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_only_what_changed() {
        assert_eq!(line_diff("a\nb\nc\nd", "a\nB\nc\nd\ne"), "- b\n+ B\n+ e");
        assert_eq!(line_diff("", "x"), "+ x");
        assert_eq!(line_diff("x\ny", "y"), "- x");
        assert_eq!(line_diff("same", "same"), "");
    }

    #[test]
    fn normal_forms_are_stable() {
        assert_eq!(one_line("  a\r\n b\t "), "a b");
        assert_eq!(lines("\r\n a \r\nb\t\n\n"), "a\nb");
    }
}
