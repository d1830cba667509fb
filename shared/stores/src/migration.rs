//! State files of other times and of other programs: what is no state of ours is refused before anything touches
//! it, and a state of an earlier version is copied before it is brought up to date.
//!
//! Versions of a state:
//! - 1: as it began.
//! - 2: the installation's row (`installation.rs`) says since when it exists; an earlier state has it from its links.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use dynoxide::Database;
use serde_json::{Value, json};

use crate::embedded::{io, request, sqlite, unusable};
use crate::error::StoreError;
use crate::{installation, schema};

/// How every SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The header of an SQLite file, and of the page of its schema.
const HEAD_BYTES: usize = 108;
/// The schema of a file is in its first pages.
const SCHEMA_BYTES_MAX: u64 = 1024 * 1024;
/// Two tables that the embedded database makes first.
const MARKS: [&[u8]; 2] = [b"_config", b"_tables"];
/// What is said of a file that is not ours.
const FOREIGN: &str = "this is not a deskup state";

/// Refuses a file that another program made or of which a part is missing. Only reads.
pub(crate) fn inspect(path: &Path) -> Result<(), StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(path, &error)),
    };
    if file.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(unusable(path, &format!("{FOREIGN}, it is no file at all")));
    }
    let length = file.metadata().map_err(|error| io(path, &error))?.len();
    let mut head = Vec::new();
    file.take(SCHEMA_BYTES_MAX).read_to_end(&mut head).map_err(|error| io(path, &error))?;
    if head.is_empty() {
        // SQLite makes the file first and fills it later: a process that was killed in between leaves this.
        return Ok(());
    }
    if head.len() < HEAD_BYTES || !head.starts_with(MAGIC) {
        return Err(unusable(path, &format!("{FOREIGN}, it is no database; it was left as it is")));
    }
    let has_tables = head[100] != LEAF || head[103..105] != [0, 0];
    let ours = MARKS.iter().any(|mark| head.windows(mark.len()).any(|window| window == *mark));
    if has_tables && !ours {
        return Err(unusable(path, &format!("{FOREIGN}, it is another program's; it was left as it is")));
    }
    match missing(&head, length) {
        Some(expected) if !has_log(path) => Err(unusable(
            path,
            &format!("it is cut short ({length} of {expected} bytes); put a copy of it back"),
        )),
        _ => Ok(()),
    }
}

/// The kind of a page that holds a whole small schema.
const LEAF: u8 = 0x0d;

/// The length that the header tells, if the file is shorter.
fn missing(head: &[u8], length: u64) -> Option<u64> {
    let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    // A page of 65,536 bytes is written as 1. The count is only true where both counters agree.
    let page = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let expected = u64::from(number(28)) * page;
    (number(24) == number(92) && length < expected).then_some(expected)
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Brings a state up to date, after a copy of it as it was. Returns the copy's name, if one was made.
pub(crate) fn migrate(
    database: &Database,
    path: &Path,
    installation: &str,
    now_ms: i64,
) -> Result<Option<PathBuf>, StoreError> {
    let failed = |error: dynoxide::DynoxideError| sqlite(path, &error.to_string());
    if database.get_table_metadata(schema::TABLE).map_err(failed)?.is_none() {
        return match database.table_count().map_err(failed)? {
            0 => Ok(None),
            _ => Err(unusable(path, FOREIGN)),
        };
    }
    let row = item(database, path, schema::get_schema(installation))?;
    schema::check(&row)?;
    let Some(version) = schema::version(&row).filter(|version| *version < schema::VERSION) else {
        return Ok(None);
    };
    let copy = back_up(database, path, version)?;
    if version < 2 {
        begin_of_installation(database, path, installation, now_ms)?;
    }
    // Last: a process that dies before this begins again, and finds done what it did.
    write(database, path, schema::raise_version(installation))?;
    Ok(copy)
}

/// A copy of the whole state in one file of its own. Nobody else has the state open: the lock is ours.
fn back_up(database: &Database, path: &Path, version: u32) -> Result<Option<PathBuf>, StoreError> {
    if path == Path::new(":memory:") {
        return Ok(None);
    }
    let partial = beside(path, ".bak.partial");
    let copy = free_name(path, version);
    let done = copy_to(database, path, &partial).and_then(|()| {
        std::fs::rename(&partial, &copy).map_err(|error| io(&copy, &error))?;
        // The name of the copy must outlive a power cut, too.
        let folder = copy.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).or(Ok(()))
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    done.map(|()| Some(copy))
}

fn copy_to(database: &Database, path: &Path, partial: &Path) -> Result<(), StoreError> {
    let name = partial.to_str().ok_or_else(|| unusable(path, "its path is not UTF-8"))?;
    // What an attempt that died left behind.
    let _ = std::fs::remove_file(partial);
    database.vacuum_into(name).map_err(|error| sqlite(partial, &error.to_string()))?;
    let permissions = std::fs::metadata(path).map_err(|error| io(path, &error))?.permissions();
    std::fs::set_permissions(partial, permissions).map_err(|error| io(partial, &error))?;
    File::open(partial).and_then(|file| file.sync_all()).map_err(|error| io(partial, &error))
}

/// The first name of a copy that nothing has: copies are never written over.
fn free_name(path: &Path, version: u32) -> PathBuf {
    let first = beside(path, &format!(".v{version}.bak"));
    if !first.exists() {
        return first;
    }
    let mut number = 2_u32;
    loop {
        let name = beside(path, &format!(".v{version}.{number}.bak"));
        if !name.exists() {
            return name;
        }
        number += 1;
    }
}

/// An installation exists since its earliest link; one without links, since now.
fn begin_of_installation(
    database: &Database,
    path: &Path,
    installation: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut earliest = now_ms;
    let mut from: Option<Value> = None;
    loop {
        let mut scan = json!({
            "TableName": schema::TABLE,
            "FilterExpression": "#sk = :sk AND begins_with(#pk, :pk)",
            "ExpressionAttributeNames": {"#sk": "sk", "#pk": "pk"},
            "ExpressionAttributeValues": {":sk": {"S": "LINK"}, ":pk": {"S": format!("{installation}#T#")}},
            "ProjectionExpression": "intent_ms",
        });
        if let Some(from) = from.take() {
            scan["ExclusiveStartKey"] = from;
        }
        let page =
            database.scan(request(path, scan)?).map_err(|error| sqlite(path, &error.to_string())).and_then(
                |page| serde_json::to_value(page).map_err(|error| unusable(path, &error.to_string())),
            )?;
        for link in page["Items"].as_array().into_iter().flatten() {
            let at = link["intent_ms"]["N"].as_str().and_then(|text| text.parse().ok());
            earliest = at.filter(|at| *at > 0).map_or(earliest, |at: i64| earliest.min(at));
        }
        match &page["LastEvaluatedKey"] {
            Value::Null => break,
            next => from = Some(next.clone()),
        }
    }
    begin(database, path, installation, earliest)
}

/// Notes since when an installation exists, unless it is noted.
pub(crate) fn begin(
    database: &Database,
    path: &Path,
    installation: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    write(
        database,
        path,
        json!({
            "TableName": schema::TABLE,
            "Key": {"pk": {"S": format!("{installation}#SYS")}, "sk": {"S": installation::SK}},
            "UpdateExpression":
                "SET #created_ms = if_not_exists(#created_ms, :at), #t = :t, #v = :v, #mr = :least",
            "ExpressionAttributeNames": {"#created_ms": "created_ms", "#t": "t", "#v": "v", "#mr": "mr"},
            "ExpressionAttributeValues": {
                ":at": {"N": at_ms.to_string()},
                ":t": {"S": "installation"},
                ":v": {"N": schema::VERSION.to_string()},
                ":least": {"N": schema::LEAST.to_string()},
            },
        }),
    )
}

fn item(database: &Database, path: &Path, get: Value) -> Result<Value, StoreError> {
    let answer = database.get_item(request(path, get)?).map_err(|error| sqlite(path, &error.to_string()))?;
    serde_json::to_value(answer.item).map_err(|error| unusable(path, &error.to_string()))
}

fn write(database: &Database, path: &Path, update: Value) -> Result<(), StoreError> {
    database.update_item(request(path, update)?).map(drop).map_err(|error| sqlite(path, &error.to_string()))
}
