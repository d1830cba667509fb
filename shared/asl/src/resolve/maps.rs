//! Maps: what their items are, and what their bodies see.

use std::collections::BTreeMap;

use super::sizes::{Size, items_max};
use super::{Resolved, Resolver};
use crate::expression::{Expression, Shapes};
use crate::model::Kind;
use crate::names;
use crate::types::Type;
use crate::workflow::Block;

impl Resolver<'_> {
    pub(super) fn for_each(
        &mut self,
        id: &str,
        items: &Expression,
        (at_once, at_most): (u64, Option<u64>),
        body: &Block,
        gives: Option<&str>,
        inside: &Shapes,
    ) -> Resolved {
        if !(1..=names::INLINE_CONCURRENCY_MAX).contains(&at_once) {
            let most = names::INLINE_CONCURRENCY_MAX;
            self.mistake(id, format!("an inline Map runs 1 to {most} iterations at once, not {at_once}"));
        }
        if body.nodes.is_empty() {
            self.mistake(id, "a Map needs a step");
        }
        self.over_nothing(id, items, body);
        let at_most = items_max(items, at_most);
        if at_most.is_none() && self.kind == Kind::Standard {
            let most = names::HISTORY_EVENTS_MAX;
            let message = format!(
                "each of its items takes events of the one history, which has {most}: say how many items there are at \
                 most with `items_max`, or give each an execution of its own"
            );
            self.mistake(id, message);
        }
        let mut shapes = inside.clone();
        shapes.item = self.item(id, items, inside);
        let item_bytes = self.list_bytes(items, inside);
        let around = std::mem::replace(&mut self.item_bytes, item_bytes);
        let (resolved, visible) = self.block(id, body, &shapes);
        self.item_bytes = around;
        if let Some(gives) = gives {
            // A Standard map has been told already that its items need a bound.
            if at_most.is_some() || self.kind == Kind::Express {
                self.map_size(id, gives, at_most);
            }
            if !visible.results.contains_key(gives) || inside.results.contains_key(gives) {
                self.mistake(id, format!("gives the result of `{gives}`, which is no step of its body"));
            }
            self.reads(id, vec![gives]);
        }
        resolved
    }

    pub(super) fn for_each_apart(
        &mut self,
        id: &str,
        items: &Expression,
        at_once: u64,
        tolerated_percent: u64,
        body: &Block,
        inside: &Shapes,
    ) -> Resolved {
        if !(1..=names::CHILDREN_MAX).contains(&at_once) {
            let most = names::CHILDREN_MAX;
            self.mistake(id, format!("a distributed Map runs 1 to {most} executions at once, not {at_once}"));
        }
        if tolerated_percent > 100 {
            self.mistake(id, format!("{tolerated_percent} of 100 items cannot fail"));
        }
        if id.len() > names::LABEL_MAX {
            self.mistake(id, format!("a distributed Map's name has at most {} letters", names::LABEL_MAX));
        }
        if body.nodes.is_empty() {
            self.mistake(id, "a Map needs a step");
        }
        // Results and inputs of the workflow are elsewhere; its executions see their item.
        let shapes = Shapes {
            input: Type::Record(&[]),
            results: BTreeMap::new(),
            counters: Vec::new(),
            item: self.item(id, items, inside),
        };
        let item_bytes = self.list_bytes(items, inside);
        let around = std::mem::replace(&mut self.item_bytes, item_bytes);
        let resolved = self.block(id, body, &shapes).0;
        self.item_bytes = around;
        resolved
    }

    /// The size of the list that a map goes through, where it is known: no item is larger.
    fn list_bytes(&self, items: &Expression, inside: &Shapes) -> Option<u64> {
        match self.size(items, inside) {
            Size::UpTo(bytes) => Some(bytes),
            Size::Endless | Size::Unknown => None,
        }
    }

    /// The shape of a map's items.
    fn item(&mut self, id: &str, items: &Expression, inside: &Shapes) -> Option<Type> {
        self.reads(id, items.sources());
        Some(match items.shape(inside) {
            Ok(Type::List(of)) => *of,
            Ok(Type::Any) => Type::Any,
            Ok(other) => {
                self.mistake(id, format!("a Map takes a list, this is {}", other.describe()));
                Type::Any
            }
            Err(trouble) => {
                self.mistake(id, trouble);
                Type::Any
            }
        })
    }
}
