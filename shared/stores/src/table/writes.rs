//! Sends writes. One write has one form, whatever its verb, because the same things have to hold for each:
//! newer rows are left alone, a refused condition returns the item that refused it, and a lost reply is
//! settled by what the item says.
//!
//! A lost reply is settled so: every write leaves its own token in `wt`. The write is sent again; if it is
//! refused and the item bears our token, it was ours and it had happened.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

use super::expressions::{names, operation, update_expression};
use super::failures::Failed;
use super::write::{Verb, Write, Wrote};
use super::{Key, TRIES};
use crate::error::StoreError;
use crate::row::{Item, number, refuse_newer, text};
use crate::schema::{LEAST, VERSION};
use crate::store::Store;

impl Store {
    /// Sends a write until its fate is known.
    pub(crate) async fn write(&self, write: Write) -> Result<Wrote, StoreError> {
        let bytes = write.bytes();
        if bytes > write.kind.bytes_max {
            return Err(StoreError::TooLarge { item: write.kind.name, bytes, limit: write.kind.bytes_max });
        }
        let token = self.token();
        let mut doubt = false;
        let mut last = StoreError::Unknown { operation: operation(write.verb) };
        for attempt in 0..TRIES {
            self.wait_before(attempt).await;
            match self.write_once(&write, &token, doubt).await {
                Ok(item) => return Ok(Wrote::Yes(item)),
                Err(Failed::Condition(old)) => {
                    let ours = |item: &Item| item.get("wt").and_then(|wt| wt.as_s().ok()) == Some(&token);
                    return match old {
                        Some(item) if doubt && ours(&item) => Ok(Wrote::Yes(item)),
                        None if doubt && write.verb == Verb::Delete => Ok(Wrote::Yes(Item::new())),
                        Some(item) => refuse_newer(write.kind, &item).map(|()| Wrote::No(Some(item))),
                        None => Ok(Wrote::No(None)),
                    };
                }
                Err(Failed::Again(error)) => last = error,
                Err(Failed::Maybe) => doubt = true,
                Err(Failed::For(error)) => return Err(error),
            }
        }
        Err(if doubt { StoreError::Unknown { operation: operation(write.verb) } } else { last })
    }

    async fn write_once(&self, write: &Write, token: &str, doubt: bool) -> Result<Item, Failed> {
        match write.verb {
            Verb::Put => self.put_once(write, token).await,
            Verb::Update => self.update_once(write, token, doubt).await,
            Verb::Delete => self.delete_once(write).await,
        }
    }

    async fn put_once(&self, write: &Write, token: &str) -> Result<Item, Failed> {
        let mut item = Key::new(&write.pk, &write.sk).item();
        for (name, value) in &write.attributes {
            item.insert((*name).to_owned(), value.clone());
        }
        item.extend(write.dynamic.iter().cloned());
        item.insert("t".to_owned(), text(write.kind.name));
        item.insert("v".to_owned(), number(VERSION));
        item.insert("mr".to_owned(), number(LEAST));
        item.insert("wt".to_owned(), text(token));
        let condition = write.conditions.join(" AND ");
        let mut request = self.client().put_item().table_name(self.table()).set_item(Some(item.clone()));
        for name in names(&condition) {
            request = request.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, value) in &write.values {
            request = request.expression_attribute_values(name, value.clone());
        }
        let answer = request
            .condition_expression(condition)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => {
                self.count_write("PutItem", done.consumed_capacity().and_then(|c| c.capacity_units()));
                Ok(item)
            }
            Err(error) => Err(self.failed("PutItem", error, |service| match service {
                PutItemError::ConditionalCheckFailedException(e) => Some(e.item),
                _ => None,
            })),
        }
    }

    async fn update_once(&self, write: &Write, token: &str, doubt: bool) -> Result<Item, Failed> {
        let update = update_expression(write);
        // Newer rows are left alone: the condition says so, because most updates do not read first.
        let mut condition = "(attribute_not_exists(#mr) OR #mr <= :mr)".to_owned();
        for more in &write.conditions {
            condition.push_str(" AND (");
            condition.push_str(more);
            condition.push(')');
        }
        if doubt && write.once {
            condition.push_str(" AND (attribute_not_exists(#wt) OR #wt <> :wt)");
        }
        let mut request = self
            .client()
            .update_item()
            .table_name(self.table())
            .set_key(Some(Key::new(&write.pk, &write.sk).item()));
        for name in names(&update).union(&names(&condition)) {
            request = request.expression_attribute_names(format!("#{name}"), *name);
        }
        for (name, value) in &write.attributes {
            request = request.expression_attribute_values(format!(":{name}"), value.clone());
        }
        for (name, value) in &write.dynamic {
            request = request.expression_attribute_values(format!(":{name}"), value.clone());
        }
        for (name, n) in &write.additions {
            request = request.expression_attribute_values(format!(":add_{name}"), number(*n));
        }
        for (name, value) in &write.values {
            request = request.expression_attribute_values(name, value.clone());
        }
        let answer = request
            .expression_attribute_values(":t", text(write.kind.name))
            .expression_attribute_values(":least", number(LEAST))
            .expression_attribute_values(":mr", number(VERSION))
            .expression_attribute_values(":wt", text(token))
            .update_expression(update)
            .condition_expression(condition)
            .return_values(write.returns.clone())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => {
                self.count_write("UpdateItem", done.consumed_capacity().and_then(|c| c.capacity_units()));
                Ok(done.attributes.unwrap_or_default())
            }
            Err(error) => Err(self.failed("UpdateItem", error, |service| match service {
                UpdateItemError::ConditionalCheckFailedException(e) => Some(e.item),
                _ => None,
            })),
        }
    }

    async fn delete_once(&self, write: &Write) -> Result<Item, Failed> {
        let mut condition = "attribute_exists(#pk) AND (attribute_not_exists(#mr) OR #mr <= :mr)".to_owned();
        for more in &write.conditions {
            condition.push_str(" AND (");
            condition.push_str(more);
            condition.push(')');
        }
        let mut request = self
            .client()
            .delete_item()
            .table_name(self.table())
            .set_key(Some(Key::new(&write.pk, &write.sk).item()));
        for name in names(&condition) {
            request = request.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, value) in &write.values {
            request = request.expression_attribute_values(name, value.clone());
        }
        let answer = request
            .expression_attribute_values(":mr", number(VERSION))
            .condition_expression(condition)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => {
                self.count_write("DeleteItem", done.consumed_capacity().and_then(|c| c.capacity_units()));
                Ok(Item::new())
            }
            Err(error) => Err(self.failed("DeleteItem", error, |service| match service {
                DeleteItemError::ConditionalCheckFailedException(e) => Some(e.item),
                _ => None,
            })),
        }
    }
}
