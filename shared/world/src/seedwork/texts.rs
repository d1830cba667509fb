//! Ticket texts: from a CSV file of one of the known layouts, or the small set that ships with the crate.

use std::path::{Path, PathBuf};

/// The texts that ship with the project: the demo needs no file.
const BUILT_IN: &str = include_str!("texts.csv");

/// What one row of a file says about a ticket. Members that a layout does not have are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketText {
    /// Subject; some real tickets have none.
    pub title: String,
    /// First comment.
    pub body: String,
    /// Zendesk's status, where the row names one.
    pub status: Option<&'static str>,
    /// Zendesk's priority, where the row names one.
    pub priority: Option<&'static str>,
    /// Zendesk's type, where the row names one.
    pub kind: Option<&'static str>,
    /// A tag for the channel it came by, where the row names one.
    pub channel_tag: Option<String>,
}

/// Why a file of tickets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// The file cannot be opened.
    #[error("the tickets file {} cannot be opened", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: csv::Error,
    },
    /// The header has no columns we know.
    #[error(
        "{}:1: the header names no known columns: expected `title` and `body`, `Ticket Subject` and `Ticket \
         Description`, or `text`; found {found}",
        path.display()
    )]
    Header {
        /// Which file.
        path: PathBuf,
        /// The header as it is, shortened.
        found: String,
    },
    /// A row is not CSV of that layout. Its text is not repeated.
    #[error("{}:{line}: this row cannot be read: {why}", path.display())]
    Row {
        /// Which file.
        path: PathBuf,
        /// Where the row starts, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A header without rows.
    #[error("the tickets file {} has a header and no rows", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
}

/// The texts of a file, or those that ship with the project. At most `most` rows are kept.
pub fn read(file: Option<&Path>, most: usize) -> Result<Vec<TicketText>, TextsError> {
    match file {
        Some(path) => {
            let reader = csv::ReaderBuilder::new()
                .from_path(path)
                .map_err(|source| TextsError::Open { path: path.to_owned(), source })?;
            parse(reader, path, most)
        }
        None => {
            let reader = csv::ReaderBuilder::new().from_reader(BUILT_IN.as_bytes());
            parse(reader, Path::new("seedwork/texts.csv"), most)
        }
    }
}

/// Which column holds what.
struct Layout {
    title: Option<usize>,
    body: usize,
    status: Option<usize>,
    priority: Option<usize>,
    kind: Option<usize>,
    channel: Option<usize>,
    product: Option<usize>,
}

impl Layout {
    fn of(header: &csv::StringRecord) -> Option<Self> {
        let find = |name: &str| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
        let (title, body) = match (find("title"), find("body")) {
            (title, Some(body)) => (title, body),
            _ => match find("Ticket Description") {
                Some(body) => (find("Ticket Subject"), body),
                None => (None, find("text")?),
            },
        };
        Some(Self {
            title,
            body,
            status: find("Ticket Status"),
            priority: find("Ticket Priority"),
            kind: find("Ticket Type"),
            channel: find("Ticket Channel"),
            product: find("Product Purchased"),
        })
    }

    fn text(&self, row: &csv::StringRecord) -> TicketText {
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).map_or("", str::trim);
        let mut body = cell(Some(self.body)).to_owned();
        let product = cell(self.product);
        if !product.is_empty() {
            // The synthetic set leaves its template's placeholder in the text.
            body = body.replace("{product_purchased}", product);
        }
        let title = match self.title {
            Some(_) => cell(self.title).to_owned(),
            None => first_words(&body),
        };
        let channel = cell(self.channel).to_lowercase();
        TicketText {
            title,
            body,
            status: status(cell(self.status)),
            priority: priority(cell(self.priority)),
            kind: kind(cell(self.kind)),
            channel_tag: (!channel.is_empty()).then(|| format!("via_{}", channel.replace(' ', "_"))),
        }
    }
}

fn parse<R: std::io::Read>(
    mut reader: csv::Reader<R>,
    path: &Path,
    most: usize,
) -> Result<Vec<TicketText>, TextsError> {
    let header = reader.headers().map_err(|error| row_error(path, &error))?.clone();
    let Some(layout) = Layout::of(&header) else {
        let found: String = header.iter().collect::<Vec<_>>().join(", ").chars().take(120).collect();
        return Err(TextsError::Header { path: path.to_owned(), found });
    };
    let mut texts = Vec::new();
    for row in reader.records().take(most) {
        let row = row.map_err(|error| row_error(path, &error))?;
        let text = layout.text(&row);
        // A ticket without a first comment does not exist in Zendesk.
        if !text.body.is_empty() {
            texts.push(text);
        }
    }
    if texts.is_empty() {
        return Err(TextsError::Empty { path: path.to_owned() });
    }
    Ok(texts)
}

fn row_error(path: &Path, error: &csv::Error) -> TextsError {
    let line = error.position().map_or(1, csv::Position::line);
    let why = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} columns, the header has {expected_len}")
        }
        csv::ErrorKind::Io(io) => io.to_string(),
        _ => "it is not CSV".to_owned(),
    };
    TextsError::Row { path: path.to_owned(), line, why }
}

fn status(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "open" => Some("open"),
        "pending customer response" | "pending" => Some("pending"),
        "closed" | "solved" => Some("solved"),
        _ => None,
    }
}

fn priority(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "critical" | "urgent" => Some("urgent"),
        "high" => Some("high"),
        "medium" | "normal" => Some("normal"),
        "low" => Some("low"),
        _ => None,
    }
}

fn kind(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "technical issue" => Some("incident"),
        "refund request" | "cancellation request" => Some("task"),
        "product inquiry" | "billing inquiry" => Some("question"),
        _ => None,
    }
}

fn first_words(body: &str) -> String {
    let words: Vec<&str> = body.split_whitespace().take(9).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(csv: &str) -> Result<Vec<TicketText>, String> {
        let reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
        parse(reader, Path::new("t.csv"), 100).map_err(|error| error.to_string())
    }

    #[test]
    fn the_texts_that_ship_can_be_read() {
        let texts = read(None, usize::MAX).expect("the file ships with the crate");
        assert!(texts.len() >= 40, "{}", texts.len());
        assert!(texts.iter().all(|text| !text.title.is_empty() && text.body.len() > 20));
    }

    #[test]
    fn every_known_layout_is_read_by_its_header() {
        let plain = check("row,title,body,urgency\n0,Hello,\"two\nlines\",3\n").expect("a known layout");
        assert_eq!((plain[0].title.as_str(), plain[0].body.as_str()), ("Hello", "two\nlines"));
        let synthetic = check(
            "Ticket ID,Product Purchased,Ticket Type,Ticket Subject,Ticket Description,Ticket Status,Ticket Priority,Ticket Channel\n\
             1,GoPro,Refund request,Setup,my {product_purchased} broke,Pending Customer Response,Critical,Social media\n",
        )
        .expect("a known layout");
        assert_eq!(
            synthetic[0],
            TicketText {
                title: "Setup".into(),
                body: "my GoPro broke".into(),
                status: Some("pending"),
                priority: Some("urgent"),
                kind: Some("task"),
                channel_tag: Some("via_social_media".into()),
            }
        );
        let queries = check("text,category,origin_split\nwhere is my new card?,card_arrival,train\n")
            .expect("a known layout");
        assert_eq!(queries[0].title, "where is my new card?");
    }

    /// The files named by `DESKUP_TICKETS`, where it is set: one file, or a folder of them.
    #[test]
    fn real_files_are_read_to_their_end() {
        let Some(place) = std::env::var_os("DESKUP_TICKETS").map(std::path::PathBuf::from) else { return };
        let files: Vec<PathBuf> = match std::fs::read_dir(&place) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(_) => vec![place],
        };
        for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "csv")) {
            let texts = read(Some(file), usize::MAX).unwrap_or_else(|error| panic!("{error}"));
            assert!(texts.len() > 1_000, "{}: {}", file.display(), texts.len());
        }
    }

    #[test]
    fn mistakes_name_file_and_line() {
        assert_eq!(
            check("a,b\n1,2\n").unwrap_err(),
            "t.csv:1: the header names no known columns: expected `title` and `body`, `Ticket Subject` and \
             `Ticket Description`, or `text`; found a, b"
        );
        assert_eq!(
            check("title,body\nx,y\nonly one\n").unwrap_err(),
            "t.csv:3: this row cannot be read: it has 1 columns, the header has 2"
        );
        assert_eq!(check("title,body\n").unwrap_err(), "the tickets file t.csv has a header and no rows");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Some(Path::new("no/such/file.csv")), 1).unwrap_err();
        assert_eq!(error.to_string(), "the tickets file no/such/file.csv cannot be opened");
    }
}
