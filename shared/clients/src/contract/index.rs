//! The table of a fixtures folder: which endpoint a file answers.

use std::collections::BTreeMap;
use std::path::Path;

/// Endpoint column by file.
#[derive(Clone, Debug, Default)]
pub(super) struct Index(BTreeMap<String, String>);

impl Index {
    /// A missing table is an empty one: file names then have to do.
    pub fn read(path: &Path) -> Self {
        std::fs::read_to_string(path).map(|text| Self::parse(&text)).unwrap_or_default()
    }

    fn parse(text: &str) -> Self {
        let rows = text.lines().filter_map(|line| {
            let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
            let (file, endpoint) = (cells.next()?, cells.next()?);
            let fits = file.contains('.') && !file.contains(' ');
            fits.then(|| (file.trim_matches('`').to_owned(), endpoint.to_owned()))
        });
        Self(rows.collect())
    }

    /// What the table says of a file.
    pub fn endpoint(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_prose_is_not() {
        let index = Index::parse(
            "# x\n| File | Endpoint |\n|---|---|\n| a/b.json | GET /api/v2/task/9hv/ | o |\ntext",
        );
        assert_eq!(index.endpoint("a/b.json"), Some("GET /api/v2/task/9hv/"));
        assert_eq!(index.0.len(), 1);
    }
}
