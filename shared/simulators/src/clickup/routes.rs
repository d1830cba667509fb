//! Which endpoints there are. A route that is not here answers 501, so that a new call is noticed.

use http::Method;

use super::refusal::Refusal;
use super::tx::Tx;
use super::{
    access, attachments, comments, create, fields, listing, moves, places, tags, tasks, update, webhooks,
};
use crate::http_text::{Answer, Call, match_path};

/// Does the work of an endpoint: the decoded values of the path's braces come last.
pub(super) type Run = fn(&mut Tx<'_>, &Call, &[String]) -> Result<Answer, Refusal>;

/// One endpoint.
pub(super) struct Route {
    pub method: Method,
    pub pattern: &'static str,
    run: Run,
}

const V2: &str = "/api/v2";
const V3: &str = "/api/v3";

const fn route(method: Method, pattern: &'static str, run: Run) -> Route {
    Route { method, pattern, run }
}

/// Every endpoint.
pub(super) static ROUTES: [Route; 40] = [
    route(Method::POST, "/api/v2/oauth/token", access::token),
    route(Method::GET, "/api/v2/user", places::user),
    route(Method::GET, "/api/v2/team", places::teams),
    route(Method::GET, "/api/v2/team/{id}/space", places::spaces),
    route(Method::GET, "/api/v2/team/{id}/plan", places::plan),
    route(Method::GET, "/api/v2/team/{id}/field", places::fields_of_team),
    route(Method::GET, "/api/v2/team/{id}/task", listing::of_team),
    route(Method::GET, "/api/v2/team/{id}/webhook", webhooks::list),
    route(Method::POST, "/api/v2/team/{id}/webhook", webhooks::create),
    route(Method::PUT, "/api/v2/webhook/{id}", webhooks::update),
    route(Method::DELETE, "/api/v2/webhook/{id}", webhooks::delete),
    route(Method::GET, "/api/v2/space/{id}", places::space),
    route(Method::GET, "/api/v2/space/{id}/folder", places::folders),
    route(Method::GET, "/api/v2/space/{id}/list", places::lists_of_space),
    route(Method::GET, "/api/v2/space/{id}/field", places::fields_of_space),
    route(Method::GET, "/api/v2/space/{id}/tag", tags::of_space),
    route(Method::POST, "/api/v2/space/{id}/tag", tags::define),
    route(Method::GET, "/api/v2/folder/{id}/list", places::lists_of_folder),
    route(Method::GET, "/api/v2/list/{id}", places::list),
    route(Method::GET, "/api/v2/list/{id}/field", places::fields_of_list),
    route(Method::GET, "/api/v2/list/{id}/member", places::members_of_list),
    route(Method::GET, "/api/v2/list/{id}/task", listing::of_list),
    route(Method::POST, "/api/v2/list/{id}/task", create::create),
    route(Method::GET, "/api/v2/task/{id}", tasks::get),
    route(Method::PUT, "/api/v2/task/{id}", update::update),
    route(Method::DELETE, "/api/v2/task/{id}", tasks::delete),
    route(Method::GET, "/api/v2/task/{id}/member", places::members_of_task),
    route(Method::GET, "/api/v2/task/{id}/comment", comments::list),
    route(Method::POST, "/api/v2/task/{id}/comment", comments::create),
    route(Method::POST, "/api/v2/task/{id}/attachment", attachments::upload),
    route(Method::POST, "/api/v2/task/{id}/tag/{name}", tags::add),
    route(Method::DELETE, "/api/v2/task/{id}/tag/{name}", tags::remove),
    route(Method::POST, "/api/v2/task/{id}/field/{field}", fields::set),
    route(Method::DELETE, "/api/v2/task/{id}/field/{field}", fields::clear),
    route(Method::PUT, "/api/v2/comment/{id}", comments::update),
    route(Method::DELETE, "/api/v2/comment/{id}", comments::delete),
    route(Method::GET, "/api/v2/comment/{id}/reply", comments::replies),
    route(Method::POST, "/api/v2/comment/{id}/reply", comments::reply),
    route(Method::PUT, "/api/v3/workspaces/{id}/tasks/{task}/home_list/{list}", moves::home_list),
    route(Method::GET, "/api/v2/folder/{id}/field", places::fields_of_folder),
];

impl Route {
    /// The endpoint of a call and the values of its path.
    pub fn find(call: &Call) -> Option<(&'static Route, Vec<String>)> {
        let mut candidates = ROUTES.iter().filter(|route| route.method == call.method);
        candidates.find_map(|route| Some((route, match_path(route.pattern, &call.path)?)))
    }

    /// Does the work.
    pub fn run(&self, tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
        (self.run)(tx, call, path)
    }

    /// How the endpoint is named where calls are counted: `GET /task/{id}`.
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.pattern.strip_prefix(V2).unwrap_or(self.pattern))
    }

    /// Version 3 words its errors differently.
    pub fn is_v3(&self) -> bool {
        self.pattern.starts_with(V3)
    }

    /// The one endpoint that needs no token, as it gives them.
    pub fn is_open(&self) -> bool {
        self.pattern.ends_with("/oauth/token")
    }
}
