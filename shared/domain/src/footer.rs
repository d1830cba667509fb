//! The line at the end of a task's description that says which ticket it came from. It doubles as the
//! marker by which a created task is found again after a lost reply. People may move, damage or delete
//! it, and copies of tasks carry it too: it proves nothing by itself.

use std::borrow::Cow;

use crate::ids::TicketId;

/// What a footer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The ticket that was mirrored.
    pub ticket: TicketId,
    /// The nonce of the attempt that made the task.
    pub nonce: String,
}

const LEAD: &str = "Zendesk ticket ";
const TAG: &str = "[deskup ";

/// The footer of a task made for a ticket: one line, to be put after an empty one.
pub fn footer(ticket: TicketId, ticket_url: &str, nonce: &str) -> String {
    format!("{LEAD}{ticket}: {ticket_url} {TAG}{ticket} {nonce}]")
}

/// A text with the footer below it.
pub fn with_footer(text: &str, footer: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() { footer.to_owned() } else { format!("{text}\n\n{footer}") }
}

/// The newest complete marker in a description.
pub fn parse(description: &str) -> Option<Marker> {
    description.lines().rev().find_map(marker_of)
}

/// The footer lines of a description as they stand, for a rewrite that has to keep them.
pub fn footer_of(description: &str) -> Option<&str> {
    description.lines().rev().find(|line| is_footer(line)).map(str::trim)
}

/// The description without its footer: what people wrote, also below the footer.
pub fn strip(description: &str) -> Cow<'_, str> {
    if !description.lines().any(is_footer) {
        return Cow::Borrowed(description.trim_end());
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut dropped = false;
    for line in description.lines() {
        if is_footer(line) {
            // The empty line above the footer is part of it, so that text below it closes the gap.
            while kept.last().is_some_and(|line| line.trim().is_empty()) {
                kept.pop();
            }
            dropped = true;
        } else if !(dropped && kept.is_empty() && line.trim().is_empty()) {
            kept.push(line);
        }
    }
    Cow::Owned(kept.join("\n").trim_end().to_owned())
}

fn is_footer(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(LEAD) && line.contains(TAG) || marker_of(line).is_some() && line.starts_with(TAG)
}

fn marker_of(line: &str) -> Option<Marker> {
    let inside = &line[line.rfind(TAG)? + TAG.len()..];
    let (ticket, nonce) = inside.get(..inside.find(']')?)?.split_once(' ')?;
    let fits =
        !nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits { Some(Marker { ticket: ticket.parse().ok()?, nonce: nonce.to_owned() }) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(id: u64) -> TicketId {
        TicketId::new(id).unwrap()
    }

    #[test]
    fn what_is_written_reads_back_and_goes_away() {
        let line = footer(ticket(7), "https://a.zendesk.com/agent/tickets/7", "n-1");
        let text = with_footer("Printer on fire.\n\nPlease help. \n", &line);
        assert_eq!(parse(&text), Some(Marker { ticket: ticket(7), nonce: "n-1".into() }));
        assert_eq!(strip(&text), "Printer on fire.\n\nPlease help.");
        assert_eq!(footer_of(&text), Some(line.as_str()));
        assert_eq!(strip(&with_footer("", &line)), "");
    }

    #[test]
    fn text_below_the_footer_is_kept() {
        let line = footer(ticket(7), "u", "n");
        assert_eq!(strip(&format!("above\n\n{line}\nbelow")), "above\nbelow");
        assert_eq!(strip(&format!("{line}\n\nbelow")), "below");
    }

    #[test]
    fn a_damaged_or_missing_footer_is_no_marker() {
        for text in
            ["", "[deskup 7]", "[deskup 0 n]", "[deskup x n]", "[deskup 7 n", "deskup 7 n", "[deskup 7 a b]"]
        {
            assert_eq!(parse(text), None, "{text}");
            assert_eq!(strip(text), text);
        }
        assert_eq!(strip("text\n\nZendesk ticket 7: u [deskup 7"), "text");
    }
}
