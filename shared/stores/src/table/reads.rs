//! Reads: one item, many by key, a key condition, the whole table.

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity, Select};

use super::{Key, TRIES};
use crate::error::StoreError;
use crate::row::{Item, Kind, Row, text};
use crate::store::Store;

/// A query of the table or of an index.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) index: Option<&'static str>,
    pub(crate) hash: String,
    pub(crate) range: Range,
    pub(crate) limit: Option<usize>,
    pub(crate) backward: bool,
}

/// Which sort keys.
#[derive(Clone, Debug)]
pub(crate) enum Range {
    All,
    StartsWith(String),
    UpTo(String),
}

impl Query {
    /// Items of one partition whose sort key starts so; a consistent read.
    pub(crate) fn partition(pk: String, prefix: &str) -> Self {
        let range = if prefix.is_empty() { Range::All } else { Range::StartsWith(prefix.to_owned()) };
        Self { index: None, hash: pk, range, limit: None, backward: false }
    }

    /// Keys of an index; an eventual read, always.
    pub(crate) fn index(name: &'static str, hash: String, range: Range, limit: Option<usize>) -> Self {
        Self { index: Some(name), hash, range, limit, backward: false }
    }

    pub(crate) fn newest_first(mut self, limit: usize) -> Self {
        self.backward = true;
        self.limit = Some(limit);
        self
    }
}

/// A query by what it asks: a role grants each index by itself.
fn operation(index: Option<&str>) -> &'static str {
    match index {
        None => "Query",
        Some("due") => "Query/due",
        Some(_) => "Query/list",
    }
}

impl Store {
    /// One item.
    pub(crate) async fn get(
        &self,
        kind: Kind,
        key: &Key,
        consistent: bool,
    ) -> Result<Option<Row>, StoreError> {
        let mut last = StoreError::Unknown { operation: "GetItem" };
        for attempt in 0..TRIES {
            self.wait_before(attempt).await;
            let answer = self
                .client()
                .get_item()
                .table_name(self.table())
                .set_key(Some(key.item()))
                .consistent_read(consistent)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            match answer {
                Ok(done) => {
                    self.count_read("GetItem", done.consumed_capacity().and_then(|c| c.capacity_units()));
                    return Ok(done.item.map(|item| Row::new(kind, item)));
                }
                Err(error) => last = self.read_failed("GetItem", &error)?,
            }
        }
        Err(last)
    }

    /// Many items by key, eventual reads, in no order.
    pub(crate) async fn get_batch(&self, kind: Kind, keys: &[Key]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(100) {
            let mut left: Vec<Item> = chunk.iter().map(Key::item).collect();
            let mut attempt = 0;
            while !left.is_empty() {
                self.wait_before(attempt).await;
                attempt += 1;
                let asked = KeysAndAttributes::builder()
                    .set_keys(Some(left.clone()))
                    .build()
                    .map_err(|error| kind.corrupt(error.to_string()))?;
                let answer = self
                    .client()
                    .batch_get_item()
                    .request_items(self.table(), asked)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
                    .await;
                match answer {
                    Ok(done) => {
                        let units = done.consumed_capacity().iter().filter_map(|c| c.capacity_units()).sum();
                        self.count_read("BatchGetItem", Some(units));
                        let before = left.len();
                        left = done
                            .unprocessed_keys
                            .and_then(|mut by_table| by_table.remove(self.table()))
                            .map(|keys| keys.keys)
                            .unwrap_or_default();
                        rows.extend(
                            done.responses
                                .and_then(|mut by_table| by_table.remove(self.table()))
                                .unwrap_or_default()
                                .into_iter()
                                .map(|item| Row::new(kind, item)),
                        );
                        if left.len() < before {
                            attempt = attempt.min(1);
                        }
                    }
                    Err(error) => {
                        let error = self.read_failed("BatchGetItem", &error)?;
                        if attempt >= TRIES {
                            return Err(error);
                        }
                    }
                }
                if attempt >= TRIES && !left.is_empty() {
                    return Err(StoreError::Throttled { operation: "BatchGetItem" });
                }
            }
        }
        Ok(rows)
    }

    /// Items by key condition, page by page until `limit`.
    pub(crate) async fn query(&self, kind: Kind, query: Query) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        let mut from = None;
        loop {
            let want = query.limit.map(|limit| i32::try_from(limit - rows.len()).unwrap_or(i32::MAX));
            let (items, next, _) = self.query_page(&query, from, want, false).await?;
            rows.extend(items.into_iter().map(|item| Row::new(kind, item)));
            if next.is_none() || query.limit.is_some_and(|limit| rows.len() >= limit) {
                return Ok(rows);
            }
            from = next;
        }
    }

    /// How many items a key condition has.
    pub(crate) async fn count(&self, query: Query) -> Result<u64, StoreError> {
        let mut sum = 0;
        let mut from = None;
        loop {
            let (_, next, count) = self.query_page(&query, from, None, true).await?;
            sum += count;
            if next.is_none() {
                return Ok(sum);
            }
            from = next;
        }
    }

    async fn query_page(
        &self,
        query: &Query,
        from: Option<Item>,
        limit: Option<i32>,
        count: bool,
    ) -> Result<(Vec<Item>, Option<Item>, u64), StoreError> {
        let (hash, range) = query
            .index
            .map_or(("pk", "sk"), |index| if index == "due" { ("dp", "ds") } else { ("lp", "ls") });
        let mut last = StoreError::Unknown { operation: "Query" };
        for attempt in 0..TRIES {
            self.wait_before(attempt).await;
            let mut request = self
                .client()
                .query()
                .table_name(self.table())
                .set_index_name(query.index.map(str::to_owned))
                .expression_attribute_names("#h", hash)
                .expression_attribute_values(":h", text(&query.hash))
                .scan_index_forward(!query.backward)
                .set_limit(limit)
                .set_exclusive_start_key(from.clone())
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            request = match &query.range {
                Range::All => request.key_condition_expression("#h = :h"),
                Range::StartsWith(prefix) => request
                    .key_condition_expression("#h = :h AND begins_with(#r, :r)")
                    .expression_attribute_names("#r", range)
                    .expression_attribute_values(":r", text(prefix)),
                Range::UpTo(bound) => request
                    .key_condition_expression("#h = :h AND #r <= :r")
                    .expression_attribute_names("#r", range)
                    .expression_attribute_values(":r", text(bound)),
            };
            if query.index.is_none() {
                request = request.consistent_read(true);
            }
            if count {
                request = request.select(Select::Count);
            }
            match request.send().await {
                Ok(done) => {
                    self.count_read(
                        operation(query.index),
                        done.consumed_capacity().and_then(|c| c.capacity_units()),
                    );
                    let counted = u64::try_from(done.count).unwrap_or(0);
                    return Ok((done.items.unwrap_or_default(), done.last_evaluated_key, counted));
                }
                Err(error) => last = self.read_failed("Query", &error)?,
            }
        }
        Err(last)
    }

    /// A page of the table, or of one of so many segments of it, filtered by sort key and the start of the partition
    /// key.
    pub(crate) async fn scan_page(
        &self,
        kind: Kind,
        pk_prefix: &str,
        sk: &str,
        from: Option<&Key>,
        segment: Option<(i32, i32)>,
    ) -> Result<(Vec<Row>, Option<Key>), StoreError> {
        let mut last = StoreError::Unknown { operation: "Scan" };
        for attempt in 0..TRIES {
            self.wait_before(attempt).await;
            let answer = self
                .client()
                .scan()
                .table_name(self.table())
                .filter_expression("#sk = :sk AND begins_with(#pk, :pk)")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_values(":sk", text(sk))
                .expression_attribute_values(":pk", text(pk_prefix))
                .set_exclusive_start_key(from.map(Key::item))
                .set_segment(segment.map(|(segment, _)| segment))
                .set_total_segments(segment.map(|(_, of)| of))
                .consistent_read(true)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            match answer {
                Ok(done) => {
                    self.count_read("Scan", done.consumed_capacity().and_then(|c| c.capacity_units()));
                    let next = match done.last_evaluated_key {
                        Some(item) => {
                            let row = Row::new(kind, item);
                            Some(Key::new(row.text("pk")?, row.text("sk")?))
                        }
                        None => None,
                    };
                    let rows =
                        done.items.unwrap_or_default().into_iter().map(|item| Row::new(kind, item)).collect();
                    return Ok((rows, next));
                }
                Err(error) => last = self.read_failed("Scan", &error)?,
            }
        }
        Err(last)
    }
}
