//! Rate limits: what is counted, when it is refused, and the headers that tell of it.
//!
//! The service spells the same thing in many ways, and not every endpoint says anything; both are kept, because a
//! client that collects headers by one name would work against a tidier simulator only.

use std::collections::BTreeMap;

use super::options::ZendeskOptions;
use crate::http_text::{Answer, json as json_answer, set_header, text};
use crate::overdrawn::{Book, Overdrawn};

const MINUTE_MS: i64 = 60_000;
/// The window of updates of one ticket by one user.
const TICKET_WINDOW_MS: i64 = 600_000;
/// The webhooks API has a bucket of its own.
const WEBHOOKS_PER_MIN: u32 = 100;
/// `GET /tickets`.
const LISTS_PER_MIN: u32 = 100;
/// What headers say where nothing is limited.
const UNLIMITED: u32 = 1_000_000;

/// What a request spends besides the account's own limit, and how its answer talks about limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing else; the account's headers in the older spelling.
    Plain,
    /// Nothing else; the account's headers in the newer spelling.
    Gateway,
    /// The list of tickets.
    List,
    /// An update of the ticket named first in the path.
    Update,
    /// A change of a ticket's tags: the same limits, spelled differently.
    Tags,
    /// An update of many tickets: no ticket's own limit.
    UpdateMany,
    /// An incremental export.
    Incremental,
    /// The webhooks API.
    Webhooks,
    /// Not limited and silent: OAuth, content of attachments.
    Free,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bucket {
    Account,
    Updates,
    Ticket(i64, u64),
    Lists,
    Incremental,
    Webhooks,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends_ms: i64,
    used: u32,
    /// Requests of the sync's user, refused ones included.
    ours: u32,
    /// The highest limit while it lasted.
    limit: u32,
}

/// The state of one bucket after a request.
#[derive(Clone, Copy, Debug)]
struct Room {
    limit: u32,
    remaining: u32,
    reset_s: i64,
}

/// All buckets of the account.
#[derive(Debug, Default)]
pub(super) struct Limits {
    windows: BTreeMap<Bucket, Window>,
    pub(super) overdrawn: Book,
}

/// What a request may do, and what its answer says about it.
pub(super) struct Permit {
    class: Class,
    rooms: Vec<(Bucket, Room)>,
    /// The bucket that has no room, when there is one.
    refused: Option<Bucket>,
}

impl Limits {
    /// Spends what this request costs. Buckets before the one that refuses are spent all the same.
    pub(super) fn spend(
        &mut self,
        options: &ZendeskOptions,
        class: Class,
        user: i64,
        ticket: Option<u64>,
        now_ms: i64,
    ) -> Permit {
        let mut permit = Permit { class, rooms: Vec::new(), refused: None };
        if class == Class::Free {
            return permit;
        }
        let account = (Bucket::Account, options.requests_per_min, MINUTE_MS);
        let updates = (Bucket::Updates, options.updates_per_min, MINUTE_MS);
        let mut costs = vec![account];
        match class {
            Class::Update | Class::Tags => {
                costs.push(updates);
                let own =
                    |ticket| (Bucket::Ticket(user, ticket), options.updates_per_ticket, TICKET_WINDOW_MS);
                costs.extend(ticket.map(own));
            }
            Class::UpdateMany => costs.push(updates),
            Class::List => costs.push((Bucket::Lists, LISTS_PER_MIN, MINUTE_MS)),
            Class::Incremental => {
                costs.push((Bucket::Incremental, options.incremental_per_min, MINUTE_MS));
            }
            Class::Webhooks => costs = vec![(Bucket::Webhooks, WEBHOOKS_PER_MIN, MINUTE_MS)],
            Class::Plain | Class::Gateway | Class::Free => {}
        }
        for (bucket, limit, window_ms) in costs {
            let (room, allowed) = if options.unlimited {
                let ends_ms = window_end(&bucket, window_ms, now_ms);
                (Room { limit: UNLIMITED, remaining: UNLIMITED, reset_s: reset_s(ends_ms, now_ms) }, true)
            } else {
                self.take(&bucket, limit, window_ms, now_ms)
            };
            if user == options.sync_user && !options.unlimited {
                let percent = if bucket == Bucket::Updates { options.updates_percent } else { 100 };
                self.note(&bucket, percent, window_ms);
            }
            permit.rooms.push((bucket.clone(), room));
            if !allowed {
                permit.refused = Some(bucket);
                break;
            }
        }
        permit
    }

    fn take(&mut self, bucket: &Bucket, limit: u32, window_ms: i64, now_ms: i64) -> (Room, bool) {
        if self.windows.len() > 4_096 {
            self.windows.retain(|_, window| window.ends_ms > now_ms);
        }
        let fresh = Window { ends_ms: window_end(bucket, window_ms, now_ms), used: 0, ours: 0, limit };
        let window = self.windows.entry(bucket.clone()).or_insert(fresh);
        if window.ends_ms <= now_ms {
            *window = fresh;
        }
        window.limit = window.limit.max(limit);
        let allowed = window.used < limit;
        if allowed {
            window.used += 1;
        }
        let room = Room {
            limit,
            remaining: limit - window.used.min(limit),
            reset_s: reset_s(window.ends_ms, now_ms),
        };
        (room, allowed)
    }

    /// One more request of the sync's user, which may use so much of a limit.
    fn note(&mut self, bucket: &Bucket, percent: u32, window_ms: i64) {
        let Some(window) = self.windows.get_mut(bucket) else { return };
        window.ours += 1;
        self.overdrawn.note(Overdrawn {
            bucket: format!("{bucket:?}"),
            begins_ms: window.ends_ms - window_ms,
            ends_ms: window.ends_ms,
            ours: window.ours,
            allowed: window.limit * percent / 100,
        });
    }
}

/// Resets are whole seconds, rounded up: who waits that long finds room.
fn reset_s(ends_ms: i64, now_ms: i64) -> i64 {
    (ends_ms - now_ms + 999) / 1000
}

/// The account's minutes are the clock's; a ticket's ten minutes start with its first update.
fn window_end(bucket: &Bucket, window_ms: i64, now_ms: i64) -> i64 {
    match bucket {
        Bucket::Ticket(..) => now_ms + window_ms,
        _ => (now_ms.div_euclid(window_ms) + 1) * window_ms,
    }
}

impl Permit {
    /// The 429, when there is no room.
    pub(super) fn refusal(&self) -> Option<Answer> {
        let bucket = self.refused.as_ref()?;
        let reset_s = self.rooms.last().map_or(1, |(_, room)| room.reset_s);
        let said = match bucket {
            Bucket::Incremental => {
                exceeded("Number of allowed incremental export API requests per minute exceeded")
            }
            Bucket::Ticket(..) => {
                exceeded("Number of allowed API updates of one ticket per 10 minutes exceeded")
            }
            Bucket::Updates | Bucket::Lists => exceeded("Number of allowed API requests per minute exceeded"),
            Bucket::Account | Bucket::Webhooks => {
                text(429, "Number of allowed API requests per minute exceeded")
            }
        };
        Some(retry_after(said, reset_s))
    }

    /// Adds the headers this endpoint sends.
    pub(super) fn describe(&self, answer: &mut Answer) {
        for (bucket, room) in &self.rooms {
            match bucket {
                Bucket::Account => account_headers(answer, self.class, room),
                Bucket::Webhooks => {
                    set_header(answer, "x-rate-limit", &room.limit.to_string());
                    set_header(answer, "x-rate-limit-remaining", &room.remaining.to_string());
                }
                // Recorded: exports say nothing of their own limit.
                Bucket::Incremental => {}
                Bucket::Updates if self.class == Class::Tags => {
                    endpoint_header(answer, "zendesk-ratelimit-tickets-update", room);
                }
                Bucket::Updates => endpoint_header(answer, "zendesk-rate-limit-tickets-update", room),
                Bucket::Ticket(..) => endpoint_header(answer, "zendesk-ratelimit-per-ticket-updates", room),
                Bucket::Lists => endpoint_header(answer, "zendesk-rate-limit-tickets-index", room),
            }
        }
    }
}

/// A 429 with the time to wait.
pub(super) fn retry_after(mut answer: Answer, seconds: i64) -> Answer {
    set_header(&mut answer, "retry-after", &seconds.to_string());
    answer
}

fn exceeded(description: &str) -> Answer {
    json_answer(429, &serde_json::json!({"error": "APIRateLimitExceeded", "description": description}))
}

fn account_headers(answer: &mut Answer, class: Class, room: &Room) {
    let spelled = match class {
        Class::Gateway | Class::List | Class::Incremental => {
            ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
        }
        _ => ["rate-limit", "rate-limit-remaining", "rate-limit-reset"],
    };
    let values = [i64::from(room.limit), i64::from(room.remaining), room.reset_s];
    for (name, value) in spelled.iter().zip(values) {
        set_header(answer, name, &value.to_string());
    }
    set_header(answer, "x-rate-limit", &room.limit.to_string());
    set_header(answer, "x-rate-limit-remaining", &room.remaining.to_string());
}

fn endpoint_header(answer: &mut Answer, name: &str, room: &Room) {
    let Room { limit, remaining, reset_s } = room;
    set_header(answer, name, &format!("total={limit}; remaining={remaining}; resets={reset_s}"));
}
