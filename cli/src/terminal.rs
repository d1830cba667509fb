//! Writing to people: errors with their whole chain once, tables that fit, colour only where it is wanted.
//! Outside text passes [`plain`] before it is drawn, so that it can neither move the cursor nor pose as another.

use std::io::{IsTerminal, Write};

use crate::width;

/// Columns where stdout is no terminal and nobody says how many: nothing is cut at an edge that is not there.
const COLUMNS_ENDLESS: usize = 10_000;

/// Narrower terminals get lines of this width.
const COLUMNS_LEAST: usize = 40;

/// Columns that give way first are made no narrower than this before the others give way too.
const FIRST_LEAST: usize = 12;

/// No column of a table is made narrower than this to fit.
const COLUMN_LEAST: usize = 5;

/// What is drawn for: how wide, and whether in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// How many columns there are.
    pub columns: usize,
    /// Whether colour is wanted.
    pub colour: bool,
    /// Whether a person looks at it: only then marks are added that keep the order of letters.
    pub terminal: bool,
}

impl Screen {
    /// What stdout is.
    pub fn stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        Screen { columns: columns_of(terminal), colour: colour_of(terminal), terminal }
    }

    /// A heading.
    pub fn heading(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What is wrong.
    pub fn bad(&self, text: &str) -> String {
        self.paint("31", text)
    }

    /// What is as it should be.
    pub fn good(&self, text: &str) -> String {
        self.paint("32", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Rows under headings. Each column is as wide as its widest cell; where that is too much for the screen, the
    /// last one gives way first, then the widest, and their cells are cut.
    pub fn table(&self, headings: &[&str], rows: &[Vec<String>]) -> String {
        self.table_of(headings, rows, &[headings.len().saturating_sub(1)])
    }

    /// The same; the columns that give way first are named.
    pub fn table_of(&self, headings: &[&str], rows: &[Vec<String>], first: &[usize]) -> String {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
        let mut widths: Vec<usize> = headings.iter().map(|heading| width::of(heading)).collect();
        for row in &rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width::of(cell));
            }
        }
        fit(&mut widths, first, self.columns);
        let line = |cells: &[&str]| {
            let mut text = String::from(" ");
            for (width, cell) in widths.iter().zip(cells) {
                text.push(' ');
                text.push_str(&self.cell(cell, *width));
                text.push(' ');
            }
            // A screen too narrow for the least widths.
            cut(text.trim_end(), self.columns)
        };
        let mut lines = vec![self.heading(&line(headings))];
        lines.extend(rows.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>())));
        lines.join("\n")
    }

    /// A line that ends where the screen does.
    pub fn line(&self, text: &str) -> String {
        cut(&plain(text), self.columns)
    }

    /// One sentence in lines that fit; all but the first are indented.
    pub fn wrap(&self, sentence: &str, indent: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for word in plain(sentence).split(' ').filter(|word| !word.is_empty()) {
            let room = self.columns.saturating_sub(width::of(&line) + 1);
            if !line.trim().is_empty() && width::of(word) > room {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            } else if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
        // A word that is wider than the screen.
        lines.into_iter().flat_map(|line| pieces(&line, self.columns)).collect()
    }

    /// A sentence after its name, in lines that fit; all but the first are indented as far as the name reaches.
    pub fn wrap_after(&self, name: &str, sentence: &str) -> Vec<String> {
        let indent = width::of(name);
        let narrower = Screen { columns: self.columns.saturating_sub(indent), ..*self };
        let lines = narrower.wrap(sentence, 0).into_iter().enumerate();
        lines
            .map(|(at, line)| if at == 0 { format!("{name}{line}") } else { format!("{:indent$}{line}", "") })
            .collect()
    }

    /// Outside text with its own lines, each of them broken where the screen ends.
    pub fn text(&self, text: &str, indent: usize) -> Vec<String> {
        let before = " ".repeat(indent);
        let narrower = Screen { columns: self.columns.saturating_sub(indent), ..*self };
        text.lines()
            .flat_map(|line| narrower.wrap(line, 0))
            .map(|line| format!("{before}{line}").trim_end().to_owned())
            .collect()
    }

    /// How many columns a value has where this many stand side by side. Without an edge one long value would move
    /// all others far to the right.
    pub fn cell_columns(&self, values: usize) -> usize {
        let most = if self.columns == COLUMNS_ENDLESS { 60 } else { 120 };
        (self.columns.saturating_sub(60) / values.max(1)).clamp(12, most)
    }

    /// A cell of exactly this many columns.
    fn cell(&self, text: &str, columns: usize) -> String {
        let cut = cut(text, columns);
        let blanks = columns.saturating_sub(width::of(&cut));
        // Without the mark the next cells would be drawn to the left of such letters.
        let mark = if self.terminal && cut.chars().any(width::is_right_to_left) { "\u{200e}" } else { "" };
        format!("{cut}{mark}{}", " ".repeat(blanks))
    }
}

/// Makes columns narrower until a line of them fits: those named first, then all; the widest of them each time.
fn fit(widths: &mut [usize], first: &[usize], columns: usize) {
    let line = |widths: &[usize]| widths.iter().map(|width| width + 2).sum::<usize>();
    let all: Vec<usize> = (0..widths.len()).collect();
    for (among, least) in [(first, FIRST_LEAST), (&all, COLUMN_LEAST)] {
        while line(widths) > columns {
            let widest =
                among.iter().copied().filter(|at| widths.get(*at).is_some_and(|width| *width > least));
            let Some(at) = widest.max_by_key(|at| widths[*at]) else { break };
            widths[at] -= 1;
        }
    }
}

/// A text in pieces of at most this many columns.
fn pieces(text: &str, columns: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let piece = width::beginning(rest, columns.max(2));
        if piece.len() == rest.len() {
            pieces.push(rest.to_owned());
            return pieces;
        }
        pieces.push(piece.to_owned());
        rest = &rest[piece.len()..];
    }
}

/// How wide a help is: as the terminal, at most 100 columns, and 80 where nobody says.
pub fn help_columns() -> usize {
    match Screen::stdout().columns {
        COLUMNS_ENDLESS => 80,
        columns => columns.min(100),
    }
}

fn columns_of(terminal: bool) -> usize {
    let real = terminal.then(|| console::Term::stdout().size_checked()).flatten();
    let real = real.map(|(_, columns)| usize::from(columns)).filter(|columns| *columns > 0);
    let told = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    real.or_else(told).unwrap_or(if terminal { 80 } else { COLUMNS_ENDLESS }).max(COLUMNS_LEAST)
}

/// `NO_COLOR` says no, `CLICOLOR_FORCE` says yes, `CLICOLOR=0` and a dumb terminal say no; else a terminal gets it.
fn colour_of(terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal
        && set("CLICOLOR").is_none_or(|value| value != "0")
        && set("TERM").is_none_or(|term| term != "dumb")
}

/// Prints an error and what caused it.
pub fn error(error: &anyhow::Error) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "deskup: {}", lines(&error.to_string()));
    for cause in error.chain().skip(1) {
        let _ = writeln!(out, "  because: {}", lines(&cause.to_string()));
    }
}

/// Prints data.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is the reader's choice.
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Prints talk.
pub fn talk(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// How many columns there are.
pub fn columns() -> usize {
    Screen::stdout().columns
}

/// A heading.
pub fn heading(text: &str) -> String {
    Screen::stdout().heading(text)
}

/// Rows under headings, see [`Screen::table`].
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    Screen::stdout().table(headings, rows)
}

/// At most this many columns, with an ellipsis where something is missing.
pub fn cut(text: &str, columns: usize) -> String {
    if width::of(text) <= columns {
        return text.to_owned();
    }
    format!("{}…", width::beginning(text, columns.saturating_sub(1)))
}

/// One line of outside text: no control characters, so that nothing can move the cursor, and nothing that only
/// changes how or in which order letters are drawn.
pub fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !width::is_only_form(*c))
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

/// Several lines of outside text, each of them plain.
pub fn lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// A number with separators.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time span for people.
pub fn span(ms: i64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        ..=0 => format!("{ms} ms"),
        1..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", (seconds + 30) / 60),
        7_200..=172_799 => format!("{:.1} h", seconds as f64 / 3_600.0),
        _ => format!("{:.1} days", seconds as f64 / 86_400.0),
    }
}
