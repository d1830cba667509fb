//! Records that no service lets through: each is spoiled in a way of its own between deskup and the wire, for ever. Nothing of
//! deskup knows about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value as Json, json};

/// How a ticket is spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// ClickUp refuses its title.
    Title,
    /// ClickUp answers its create with a 500.
    Broken,
    /// ClickUp says that its list is not there.
    NoList,
    /// ClickUp refuses its comments.
    Comment,
    /// Zendesk's answer with its comments ends in the middle.
    Truncated,
    /// Its comments have null where a number must be.
    Null,
    /// Nobody knows who wrote its comments.
    Nobody,
    /// Its comments may not be read.
    Forbidden,
    /// Its file answers with a 500.
    File,
    /// It has a status and a priority that nobody has heard of.
    Unheard,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 10] = [
        Way::Title,
        Way::Broken,
        Way::NoList,
        Way::Comment,
        Way::Truncated,
        Way::Null,
        Way::Nobody,
        Way::Forbidden,
        Way::File,
        Way::Unheard,
    ];

    /// Whether a ticket that is spoiled so gets its task all the same, and under which cause it is set aside.
    pub fn end(self) -> (bool, &'static str) {
        match self {
            Way::Title => (false, "clickup_input_005"),
            Way::Broken => (false, "create_unanswered"),
            Way::NoList => (false, "clickup_subcat_011"),
            Way::Comment => (true, "clickup_input_006"),
            Way::Truncated | Way::Null => (false, "zendesk_unreadableanswer"),
            Way::Forbidden => (false, "zendesk_forbidden"),
            Way::File => (true, "zendesk_500"),
            // What deskup does not know, it brings over as well as it can.
            Way::Nobody | Way::Unheard => (true, ""),
        }
    }
}

/// Spoils what is said of some tickets.
pub struct Poisoned {
    wire: Arc<dyn Transport>,
    ways: BTreeMap<u64, Way>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Tasks of spoiled tickets.
    tasks: BTreeMap<String, Way>,
    /// Addresses of files.
    files: BTreeSet<String>,
    /// How often each was spoiled.
    spoiled: BTreeMap<Way, u32>,
}

type Answer = Result<Response<Bytes>, TransportError>;

impl Poisoned {
    /// Spoils these tickets.
    pub fn new(wire: Arc<dyn Transport>, ways: BTreeMap<u64, Way>) -> Arc<Self> {
        Arc::new(Self { wire, ways, seen: Mutex::default() })
    }

    /// How often each way was met.
    pub fn spoiled(&self) -> BTreeMap<Way, u32> {
        self.seen().spoiled.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, way: Way) {
        *self.seen().spoiled.entry(way).or_default() += 1;
    }

    /// The answer that never reaches the service.
    fn instead(&self, request: &Request<Bytes>) -> Option<(Way, Response<Bytes>)> {
        let way = match (request.method(), place(request)) {
            (&Method::POST, Place::Create(Some(ticket))) => self.ways.get(&ticket).copied()?,
            (&Method::POST, Place::Comments(task)) => {
                self.seen().tasks.get(&task).copied().filter(|way| *way == Way::Comment)?
            }
            (&Method::GET, Place::TicketComments(ticket)) => {
                self.ways.get(&ticket).copied().filter(|way| *way == Way::Forbidden)?
            }
            _ if self.seen().files.contains(&request.uri().to_string()) => Way::File,
            _ => return None,
        };
        let (status, body) = match (way, place(request)) {
            (Way::Title, _) => (400, json!({ "err": "Task name invalid", "ECODE": "INPUT_005" })),
            (Way::Broken, _) => (500, json!({ "err": "Internal Server Error", "ECODE": "ITEMV2_003" })),
            (Way::NoList, _) => (404, json!({ "err": "List not found", "ECODE": "SUBCAT_011" })),
            (Way::Comment, Place::Comments(_)) => {
                (400, json!({ "err": "Comment invalid", "ECODE": "INPUT_006" }))
            }
            (Way::Forbidden, Place::TicketComments(_)) => {
                (403, json!({ "error": "Forbidden", "description": "You do not have access" }))
            }
            (Way::File, Place::Other) => (500, json!({})),
            _ => return None,
        };
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        Some((way, response))
    }

    /// What the service said, spoiled.
    fn spoil(&self, at: Place, response: Response<Bytes>) -> Response<Bytes> {
        let Place::TicketComments(ticket) = at else { return self.spoil_tickets(at, response) };
        let Some(way) = self.ways.get(&ticket).copied() else { return response };
        if way == Way::Truncated {
            self.count(way);
            return response.map(|body| body.slice(..body.len() * 2 / 3));
        }
        let mut body: Json = serde_json::from_slice(response.body()).unwrap_or_default();
        for comment in body["comments"].as_array_mut().into_iter().flatten() {
            match way {
                Way::Null => comment["id"] = Json::Null,
                Way::Nobody => comment["author_id"] = json!(999_999_999),
                Way::File => {
                    let files = comment["attachments"].as_array().into_iter().flatten();
                    let urls = files.filter_map(|file| file["content_url"].as_str().map(str::to_owned));
                    self.seen().files.extend(urls);
                    return response;
                }
                _ => return response,
            }
        }
        self.count(way);
        response.map(|_| Bytes::from(body.to_string()))
    }

    fn spoil_tickets(&self, at: Place, response: Response<Bytes>) -> Response<Bytes> {
        if at != Place::Tickets {
            return response;
        }
        let mut body: Json = serde_json::from_slice(response.body()).unwrap_or_default();
        let mut spoiled = false;
        let (one, many) = match &mut body {
            Json::Object(members) => {
                let many = members.get_mut("tickets").map(Json::take);
                (members.get_mut("ticket").map(Json::take), many)
            }
            _ => (None, None),
        };
        let mut spoil = |mut ticket: Json| {
            if ticket["id"].as_u64().and_then(|id| self.ways.get(&id)) == Some(&Way::Unheard) {
                ticket["status"] = "marinating".into();
                ticket["priority"] = "someday".into();
                spoiled = true;
            }
            ticket
        };
        if let Some(one) = one {
            body["ticket"] = spoil(one);
        }
        if let Some(Json::Array(many)) = many {
            body["tickets"] = many.into_iter().map(spoil).collect();
        }
        if !spoiled {
            return response;
        }
        self.count(Way::Unheard);
        response.map(|_| Bytes::from(body.to_string()))
    }
}

impl Transport for Poisoned {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Answer> {
        async move {
            if let Some((way, response)) = self.instead(&request) {
                self.count(way);
                return Ok(response);
            }
            let at = place(&request);
            let answer = self.wire.send(request).await?;
            if let Place::Create(Some(ticket)) = at {
                let task: Json = serde_json::from_slice(answer.body()).unwrap_or_default();
                if let (Some(way), Some(task)) = (self.ways.get(&ticket), task["id"].as_str()) {
                    self.seen().tasks.insert(task.to_owned(), *way);
                }
                return Ok(answer);
            }
            Ok(self.spoil(at, answer))
        }
        .boxed()
    }
}

/// What a request is about, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A new task of this ticket.
    Create(Option<u64>),
    /// The comments of this task.
    Comments(String),
    /// The comments of this ticket.
    TicketComments(u64),
    /// Tickets, one or many.
    Tickets,
    Other,
}

fn place(request: &Request<Bytes>) -> Place {
    let path = request.uri().path().trim_end_matches(".json");
    let path = path.strip_prefix("/api/v2/").unwrap_or_default();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["list", _, "task"] if request.method() == Method::POST => {
            let asked: Json = serde_json::from_slice(request.body()).unwrap_or_default();
            let texts = ["description", "markdown_content", "markdown_description"];
            let marker = texts.iter().find_map(|name| domain::footer::parse(asked[name].as_str()?));
            Place::Create(marker.map(|marker| marker.ticket.get()))
        }
        ["task", task, "comment"] => Place::Comments(task.to_owned()),
        ["tickets", ticket, "comments"] => ticket.parse().map_or(Place::Other, Place::TicketComments),
        ["tickets", _] | ["incremental", "tickets", ..] if request.method() == Method::GET => Place::Tickets,
        _ => Place::Other,
    }
}
