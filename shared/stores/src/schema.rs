//! The table: its keys and indexes, and the version its rows are written in.
//! Schema row: `{i}#SYS` / `SCHEMA`.

use serde_json::{Value, json};

use crate::error::StoreError;

/// The table's name when it is embedded.
pub(crate) const TABLE: &str = "deskup";

/// Version of the rows this code writes, and the newest it may change. What each version added, and how a
/// state of an earlier one gets it, is in `migration.rs`.
pub(crate) const VERSION: u32 = 2;

/// The least version whose code may change the rows that this code writes: they only have more attributes,
/// and attributes that a reader does not know survive.
pub(crate) const LEAST: u32 = 1;

/// The table with its two sparse, keys-only indexes.
pub(crate) fn create_table() -> Value {
    let index = |name: &str, hash: &str, range: &str| {
        json!({
            "IndexName": name,
            "KeySchema": [{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        })
    };
    let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let attributes = ["pk", "sk", "dp", "ds", "lp", "ls"].map(text);
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [index("due", "dp", "ds"), index("list", "lp", "ls")],
    })
}

fn key(installation: &str) -> Value {
    json!({"pk": {"S": format!("{installation}#SYS")}, "sk": {"S": "SCHEMA"}})
}

/// Reads the schema row.
pub(crate) fn get_schema(installation: &str) -> Value {
    json!({"TableName": TABLE, "Key": key(installation), "ConsistentRead": true})
}

/// Writes the schema row where it is missing and counts this opening.
pub(crate) fn count_incarnation(installation: &str) -> Value {
    json!({
        "TableName": TABLE,
        "Key": key(installation),
        "UpdateExpression":
            "SET #t = :t, #v = if_not_exists(#v, :v), #mr = if_not_exists(#mr, :least) ADD #incarnation :one",
        "ExpressionAttributeNames": {"#t": "t", "#v": "v", "#mr": "mr", "#incarnation": "incarnation"},
        "ExpressionAttributeValues": {
            ":t": {"S": "schema"},
            ":v": {"N": VERSION.to_string()},
            ":least": {"N": LEAST.to_string()},
            ":one": {"N": "1"},
        },
        "ReturnValues": "ALL_NEW",
    })
}

/// Says that the state is in this code's version now.
pub(crate) fn raise_version(installation: &str) -> Value {
    json!({
        "TableName": TABLE,
        "Key": key(installation),
        "UpdateExpression": "SET #v = :v",
        "ExpressionAttributeNames": {"#v": "v"},
        "ExpressionAttributeValues": {":v": {"N": VERSION.to_string()}},
    })
}

/// The version a state is in; none where the installation has no schema row yet.
pub(crate) fn version(row: &Value) -> Option<u32> {
    row["v"]["N"].as_str()?.parse().ok()
}

/// Refuses a table that needs newer code than this.
pub(crate) fn check(row: &Value) -> Result<(), StoreError> {
    let needs = row["mr"]["N"].as_str().and_then(|n| n.parse().ok()).unwrap_or(0);
    if needs > VERSION {
        Err(StoreError::NewerRecord { item: "the state file", needs, ours: VERSION })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_table_is_refused() {
        let row = json!({"mr": {"N": (VERSION + 1).to_string()}});
        assert_eq!(
            check(&row),
            Err(StoreError::NewerRecord { item: "the state file", needs: VERSION + 1, ours: VERSION })
        );
        assert_eq!(check(&json!({"mr": {"N": VERSION.to_string()}})), Ok(()));
    }
}
