//! Errors as the service words them. Only the code is dependable; the status of one and the same error varies there.

use serde_json::json;

use crate::http_text::{self, Answer};

/// A request that is not done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub status: u16,
    pub err: &'static str,
    pub code: &'static str,
}

const fn refusal(status: u16, err: &'static str, code: &'static str) -> Refusal {
    Refusal { status, err, code }
}

// Documented, or reported by client projects.
pub(super) const NO_AUTHORIZATION: Refusal = refusal(401, "Authorization header required", "OAUTH_017");
pub(super) const OAUTH_TOKEN_UNKNOWN: Refusal = refusal(401, "Oauth token not found", "OAUTH_019");
pub(super) const TOKEN_INVALID: Refusal = refusal(401, "Token invalid", "OAUTH_025");
pub(super) const TEAM_NOT_AUTHORIZED: Refusal = refusal(401, "Team not authorized", "OAUTH_027");
pub(super) const CLIENT_MISMATCH: Refusal = refusal(401, "Client id does not match", "OAUTH_010");
pub(super) const WEBHOOK_EXISTS: Refusal = refusal(400, "Webhook configuration already exists", "OAUTH_171");
pub(super) const RATE_LIMITED: Refusal = refusal(429, "Rate limit reached", "APP_002");
pub(super) const TASK_DELETED: Refusal = refusal(404, "Task not found, deleted", "ITEM_013");
pub(super) const TASK_UNKNOWN: Refusal = refusal(404, "Task not found", "ITEM_015");
pub(super) const STATUS_UNKNOWN: Refusal = refusal(400, "Status not found", "CRTSK_001");
pub(super) const NOT_AN_OPTION: Refusal = refusal(400, "Value must be an option index or uuid", "FIELD_011");
pub(super) const STORAGE_FULL: Refusal = refusal(400, "Storage limit reached", "GBUSED_005");
pub(super) const NO_ACCESS: Refusal = refusal(403, "You do not have access", "ACCESS_083");

// Assumed: no source names the code, so each has one of its own to be told apart by.
pub(super) const LIST_FULL: Refusal = refusal(400, "List has reached its limit of tasks", "SUBCAT_900");
pub(super) const LIST_UNKNOWN: Refusal = refusal(404, "List not found", "SUBCAT_901");
pub(super) const PLACE_UNKNOWN: Refusal = refusal(404, "Location not found", "PROJECT_901");
pub(super) const NAME_INVALID: Refusal = refusal(400, "Task name invalid", "INPUT_005");
pub(super) const BODY_INVALID: Refusal = refusal(400, "Request body is not valid JSON", "INPUT_900");
pub(super) const VALUE_INVALID: Refusal = refusal(400, "Value is invalid", "INPUT_901");
pub(super) const TEXT_TOO_LONG: Refusal = refusal(400, "Description is too long", "ITEM_900");
pub(super) const ASSIGNEE_INVALID: Refusal = refusal(400, "Assignee has no access", "ITEM_901");
pub(super) const PARENT_INVALID: Refusal = refusal(400, "Parent not in this list", "ITEM_902");
pub(super) const FIELD_UNKNOWN: Refusal = refusal(404, "Custom field not found", "FIELD_901");
pub(super) const FIELD_NOT_APPLICABLE: Refusal =
    refusal(400, "Custom field does not apply to this task", "FIELD_902");
pub(super) const FIELD_VALUE_INVALID: Refusal = refusal(400, "Value has the wrong type", "FIELD_903");
pub(super) const COMMENT_UNKNOWN: Refusal = refusal(404, "Comment not found", "COMMENT_901");
pub(super) const COMMENT_EMPTY: Refusal = refusal(400, "Comment text missing", "COMMENT_902");
pub(super) const FILE_MISSING: Refusal = refusal(400, "No file in the request", "UPLOAD_902");
pub(super) const WEBHOOK_UNKNOWN: Refusal = refusal(404, "Webhook not found", "WEBHOOK_901");
pub(super) const WEBHOOK_INVALID: Refusal = refusal(400, "Webhook is incomplete", "WEBHOOK_902");
pub(super) const MAPPING_MISSING: Refusal =
    refusal(400, "The task's status does not exist in the new list", "MOVE_901");
pub(super) const MOVES_FORBIDDEN: Refusal = refusal(403, "Tasks cannot be moved", "MOVE_902");
pub(super) const SERVER_ERROR: Refusal = refusal(500, "Internal Server Error", "ITEM_500");
pub(super) const NOT_KEPT: Refusal = refusal(500, "The simulator could not write its journal", "SIM_500");

impl Refusal {
    /// The body of v2, or with `v3` the other one.
    pub fn answer(&self, v3: bool, now_ms: i64) -> Answer {
        let body = if v3 {
            json!({"status": self.status, "message": self.err, "trace_id": now_ms, "timestamp": now_ms})
        } else {
            json!({"err": self.err, "ECODE": self.code})
        };
        http_text::json(self.status, &body)
    }
}
