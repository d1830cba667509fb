//! Variables and where they can be seen.
//!
//! The machine's states are the outer scope; each branch and each iteration is
//! an inner one, which reads outer variables, may not assign them, and ends
//! with its branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

type Variables = BTreeMap<String, Arc<Value>>;

/// The variables in sight.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scope {
    outer: Variables,
    own: Variables,
}

impl Scope {
    /// The scope of a branch or an iteration inside this one.
    pub(crate) fn inner(&self) -> Scope {
        let mut outer = self.outer.clone();
        outer.extend(self.own.iter().map(|(name, value)| (name.clone(), Arc::clone(value))));
        Scope { outer, own: Variables::new() }
    }

    /// The variable's value.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.own.get(name).or_else(|| self.outer.get(name)).map(Arc::as_ref)
    }

    /// Assigns all variables at once; the error names one that belongs to an outer scope.
    pub(crate) fn assign(&mut self, values: Map<String, Value>) -> Result<(), String> {
        if let Some(name) = values.keys().find(|name| self.outer.contains_key(*name)) {
            return Err(name.clone());
        }
        self.own.extend(values.into_iter().map(|(name, value)| (name, Arc::new(value))));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values(names: &[String], value: i64) -> Map<String, Value> {
        names.iter().map(|name| (name.clone(), json!(value))).collect()
    }

    proptest! {
        /// An inner scope reads everything outside, assigns nothing of it, and leaves no trace there.
        #[test]
        fn inner_scopes_read_and_do_not_write(
            outer in proptest::collection::vec("[a-e]", 0..5),
            inner in proptest::collection::vec("[a-h]", 0..5),
        ) {
            let mut scope = Scope::default();
            prop_assert!(scope.assign(values(&outer, 1)).is_ok());
            let before = scope.clone();
            let mut child = scope.inner();
            let refused = child.assign(values(&inner, 2)).is_err();
            prop_assert_eq!(refused, inner.iter().any(|name| outer.contains(name)));
            for name in &outer {
                prop_assert_eq!(child.get(name), Some(&json!(1)));
            }
            if !refused {
                for name in &inner {
                    prop_assert_eq!(child.get(name), Some(&json!(2)));
                    prop_assert_eq!(scope.get(name), None);
                }
            }
            prop_assert_eq!(scope, before);
        }
    }

    #[test]
    fn a_grandchild_reads_through_its_parents() {
        let mut scope = Scope::default();
        scope.assign(values(&["a".into()], 1)).expect("a is new");
        let mut child = scope.inner();
        child.assign(values(&["b".into()], 2)).expect("b is new");
        let mut grandchild = child.inner();
        assert_eq!((grandchild.get("a"), grandchild.get("b")), (Some(&json!(1)), Some(&json!(2))));
        assert_eq!(grandchild.assign(values(&["a".into()], 3)), Err("a".to_owned()));
    }
}
