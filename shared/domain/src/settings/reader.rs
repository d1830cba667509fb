//! Reads tables of `deskup.toml` with their lines. A mistake is noted and reading goes on, so that a
//! person sees all of them at once; a key that nobody asked for is a mistake too.

use std::cell::RefCell;

use toml_edit::{Item, TableLike, Value as Toml};

use super::{At, Mistake, Name};
use crate::ids::Timestamp;

/// The file and the mistakes found so far.
pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Reader { text, mistakes: RefCell::new(Vec::new()) }
    }

    pub(super) fn line(&self, span: Option<std::ops::Range<usize>>) -> Option<usize> {
        let start = span?.start.min(self.text.len());
        Some(self.text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1)
    }

    pub(super) fn note(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }
}

/// One table; an absent one reads as empty.
pub(super) struct Section<'a> {
    pub(super) reader: &'a Reader<'a>,
    table: Option<&'a dyn TableLike>,
    path: String,
    line: Option<usize>,
    known: RefCell<Vec<String>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(reader: &'a Reader<'a>, table: &'a toml_edit::Table) -> Self {
        Section::new(reader, Some(table), String::new(), Some(1))
    }

    fn new(
        reader: &'a Reader<'a>,
        table: Option<&'a dyn TableLike>,
        path: String,
        line: Option<usize>,
    ) -> Self {
        Section { reader, table, path, line, known: RefCell::default() }
    }

    pub(super) fn at<T>(&self, key: &str, value: T) -> At<T> {
        At { line: self.line_of(key), field: self.path_of(key), value }
    }

    pub(super) fn wrong(&self, key: &str, message: impl Into<String>) {
        self.reader.note(self.at(key, ()).mistake(message));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.item(key).is_some()
    }

    /// A mistake about the whole table.
    pub(super) fn missing(&self, key: &str, message: impl Into<String>) {
        self.reader.note(Mistake { line: self.line, field: self.path_of(key), message: message.into() });
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn line_of(&self, key: &str) -> Option<usize> {
        let (key, item) = self.table?.get_key_value(key)?;
        self.reader.line(key.span().or_else(|| item.span())).or(self.line)
    }

    fn item(&self, key: &str) -> Option<&'a Item> {
        self.known.borrow_mut().push(key.to_owned());
        self.table?.get(key).filter(|item| !item.is_none())
    }

    pub(super) fn text(&self, key: &str) -> Option<At<String>> {
        match self.item(key)?.as_str() {
            Some(text) if !text.trim().is_empty() => Some(self.at(key, text.trim().to_owned())),
            Some(_) => {
                self.wrong(key, "is empty");
                None
            }
            None => {
                self.wrong(key, "must be a text in quotes");
                None
            }
        }
    }

    pub(super) fn boolean(&self, key: &str, default: bool) -> bool {
        let Some(item) = self.item(key) else { return default };
        item.as_bool().unwrap_or_else(|| {
            self.wrong(key, "must be true or false");
            default
        })
    }

    pub(super) fn integer(&self, key: &str) -> Option<At<u64>> {
        let item = self.item(key)?;
        let number = item.as_integer().and_then(|number| u64::try_from(number).ok());
        let number = number.or_else(|| item.as_str().and_then(|text| text.trim().parse().ok()));
        if number.is_none() {
            self.wrong(key, "must be a whole number");
        }
        number.map(|number| self.at(key, number))
    }

    /// A day or a moment, in milliseconds; a day begins at midnight UTC.
    pub(super) fn date(&self, key: &str) -> Option<i64> {
        let text = self.text(key)?;
        let time = Timestamp::parse_rfc3339(&text.value)
            .or_else(|| Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", text.value)));
        if time.is_none() {
            self.wrong(key, "must be a date like \"2026-01-31\"");
        }
        time.map(Timestamp::ms)
    }

    /// One word of a list of words.
    pub(super) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<At<T>> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.reader.note(text.mistake(format!(
                "`{}` is not known; use {}{}",
                text.value,
                one_of(&known),
                did_you_mean(&text.value, known.iter().copied())
            )));
        }
        found.map(|value| self.at(key, value))
    }

    /// One name or number, or several.
    pub(super) fn names(&self, key: &str) -> Vec<At<Name>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let values: Vec<&Toml> = match item.as_value() {
            Some(Toml::Array(array)) => array.iter().collect(),
            Some(value) => vec![value],
            None => Vec::new(),
        };
        if values.is_empty() {
            self.wrong(key, "must be a name, an id or a list of them");
        }
        let mut names = Vec::new();
        for value in values {
            let name = match value {
                Toml::String(text) if !text.value().trim().is_empty() => {
                    Some(Name::Text(text.value().trim().to_owned()))
                }
                Toml::Integer(number) => u64::try_from(*number.value()).ok().map(Name::Number),
                _ => None,
            };
            match name {
                Some(value_read) => {
                    let line = self.reader.line(value.span()).or_else(|| self.line_of(key));
                    names.push(At { line, field: self.path_of(key), value: value_read });
                }
                None => self.wrong(key, "must be a name, an id or a list of them"),
            }
        }
        names
    }

    /// All entries of this table that are texts, in order; `except` are read elsewhere.
    pub(super) fn pairs(&self, except: &[&str]) -> Vec<(At<String>, At<String>)> {
        let Some(table) = self.table else { return Vec::new() };
        let mut pairs = Vec::new();
        for (key, item) in table.iter() {
            self.known.borrow_mut().push(key.to_owned());
            if except.contains(&key) {
                continue;
            }
            let value = item.as_str().map(str::trim).map(str::to_owned);
            let value = value.or_else(|| item.as_integer().map(|number| number.to_string()));
            match value {
                Some(text) if !text.is_empty() => {
                    pairs.push((self.at(key, key.trim().to_owned()), self.at(key, text)));
                }
                _ => self.wrong(key, "must be a text in quotes"),
            }
        }
        pairs
    }

    pub(super) fn section(&self, key: &str) -> Section<'a> {
        let item = self.item(key);
        let table = item.and_then(Item::as_table_like);
        if item.is_some() && table.is_none() {
            self.wrong(key, format!("must be a table: [{}]", self.path_of(key)));
        }
        let line = item.and_then(|item| self.reader.line(item.span())).or_else(|| self.line_of(key));
        Section::new(self.reader, table, self.path_of(key), line.or(self.line))
    }

    /// The tables of a `[[key]]`.
    pub(super) fn sections(&self, key: &str) -> Vec<Section<'a>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let tables: Vec<(&'a dyn TableLike, Option<usize>)> = match item {
            Item::ArrayOfTables(tables) => tables
                .iter()
                .map(|table| (table as &'a dyn TableLike, self.reader.line(table.span())))
                .collect(),
            Item::Value(Toml::Array(array)) => array
                .iter()
                .filter_map(|value| {
                    Some((value.as_inline_table()? as &'a dyn TableLike, self.reader.line(value.span())))
                })
                .collect(),
            _ => Vec::new(),
        };
        if tables.is_empty() {
            self.wrong(key, format!("must be written as [[{key}]]"));
        }
        tables
            .into_iter()
            .map(|(table, line)| Section::new(self.reader, Some(table), self.path_of(key), line))
            .collect()
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(&self) {
        let Some(table) = self.table else { return };
        let known = self.known.borrow();
        for (key, _) in table.iter() {
            if !known.iter().any(|name| name == key) {
                let hint = did_you_mean(key, known.iter().map(String::as_str));
                let hint = if hint.is_empty() { format!("; known here: {}", known.join(", ")) } else { hint };
                self.wrong(key, format!("is not a setting{hint}"));
            }
        }
    }
}

/// `a, b or c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A hint when one of the known words is close.
pub(crate) fn did_you_mean<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> String {
    let lower = word.to_lowercase();
    let near = known
        .map(|name| (distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4)
        .min();
    near.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

/// Levenshtein: how many letters to change, add or drop.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}
