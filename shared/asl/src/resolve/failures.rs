//! What happens when a step fails: each failure that it names has somebody who handles it, and nobody handles what
//! cannot happen.

use std::collections::BTreeSet;

use super::Resolver;
use crate::names;
use crate::workflow::Call;

/// Failures that come from the service and not from the step's code.
const OF_THE_SERVICE: [&str; 4] = ["States.", "Lambda.", "Runtime.", "Sandbox."];

impl Resolver<'_> {
    /// Errors that retriers and the fallback are for.
    pub(super) fn failures(&mut self, call: &Call) {
        let mut seen = BTreeSet::new();
        for retry in &call.retries {
            for error in &retry.errors {
                if *error == names::BUG || *error == names::REJECTED || *error == names::ALL {
                    self.mistake(&call.id, format!("`{error}` is never retried: trying again cannot help"));
                }
                if !seen.insert(*error) {
                    self.mistake(
                        &call.id,
                        format!("`{error}` has two retries; only the first would be used"),
                    );
                }
                if retry.attempts == 0 {
                    self.mistake(&call.id, format!("its retry for `{error}` makes no attempt: take it out"));
                }
            }
            if retry.interval_s == 0 || retry.most_s < retry.interval_s {
                self.mistake(&call.id, "a retry waits at least a second, and at most `most_s`");
            }
        }
        self.unreachable(call);
        self.unhandled(call);
        let Some(fallback) = &call.fallback else { return };
        if fallback.errors.is_empty() || (fallback.errors.contains(&names::ALL) && fallback.errors.len() > 1)
        {
            self.mistake(&call.id, "a fallback is for some named errors, or for States.ALL alone");
        }
        if let Some(trouble) = call.gives.trouble_with(&fallback.value) {
            self.mistake(&call.id, format!("its fallback is no result of the step: {trouble}"));
        }
    }

    /// Handlers of failures that the step, which names its own, does not have.
    fn unreachable(&mut self, call: &Call) {
        let is_known = |error: &str| {
            call.may_fail.contains(&error)
                || error == names::BUG
                || error == names::REJECTED
                || OF_THE_SERVICE.iter().any(|service| error.starts_with(service))
        };
        let retried = call.retries.iter().flat_map(|retry| &retry.errors);
        let caught = call.fallback.iter().flat_map(|fallback| &fallback.errors);
        let handlers = retried.map(|error| ("retry", error)).chain(caught.map(|error| ("fallback", error)));
        for (handler, error) in handlers.chain(call.ends_by.iter().map(|error| ("`ends_by`", error))) {
            if !call.may_fail.is_empty() && !is_known(error) {
                let message =
                    format!("its {handler} for `{error}` cannot be reached: the step names no such failure");
                self.mistake(&call.id, message);
            }
        }
    }

    /// Failures that the step names and nobody handles.
    fn unhandled(&mut self, call: &Call) {
        let falls_back = |error: &&str| {
            let fallback = call.fallback.as_ref();
            fallback.is_some_and(|to| to.errors.contains(error) || to.errors.contains(&names::ALL))
        };
        if self.catches && call.may_fail.is_empty() && !falls_back(&names::ALL) {
            let message = "the workflow promises to catch failures, and this step does not say which it has: name \
                           them with `fails`, or give a fallback for States.ALL";
            self.mistake(&call.id, message);
        }
        for error in call.may_fail.iter().filter(|error| !falls_back(error)) {
            let retried = call.retries.iter().any(|retry| retry.errors.contains(error));
            let ends = call.ends_by.contains(error);
            if self.catches {
                let but = if retried { ", and retries come to an end" } else { "" };
                let message =
                    format!("the workflow promises to catch `{error}`{but}: give the step a fallback for it");
                self.mistake(&call.id, message);
            } else if !retried && !ends {
                let message = format!(
                    "nobody handles its failure `{error}`: retry it, give a fallback, or say `ends_by`"
                );
                self.mistake(&call.id, message);
            }
        }
        for error in call.ends_by.iter().filter(|error| falls_back(error)) {
            self.mistake(&call.id, format!("`{error}` cannot end it, because its fallback catches it"));
        }
    }
}
