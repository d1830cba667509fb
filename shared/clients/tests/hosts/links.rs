//! Links as somebody would write them who wants our credentials: pieces put together at random, each of them
//! a way in which two parsers may see two hosts.

use fastrand::Rng;

/// `~` stands for a tab, `^` for a line break: characters that no URL has.
const SCHEMES: &[&str] = &[
    "https://",
    "http://",
    "//",
    "HTTPS://",
    "HttpS://",
    "https:/",
    "https:",
    "https:///",
    "https:\\\\",
    "\\\\",
    "/\\",
    "ftp://",
    "",
    "/",
    "javascript:",
    "data:",
    "~https://",
    "ht~tps://",
    "^https://",
    "https:~//",
    " https://",
    "https://https://",
];

/// `OWN` is the account's own name.
const USERS: &[&str] = &[
    "",
    "OWN@",
    "user:pw@",
    "@",
    "OWN%40",
    "OWN\\@",
    "OWN:443@",
    "OWN#@",
    "OWN?@",
    "OWN/@",
    "OWN&@",
    ":@",
    "OWN%2f@",
    "a:b:c@",
    "OWN~@",
    "OWN\u{ff20}",
];

const HOSTS: &[&str] = &[
    "OWN",
    "OWN.",
    "OWN..",
    ".OWN",
    "OWN.evil.example",
    "evil.example",
    "EVIL.example",
    "evilOWN",
    "evil.example.",
    "other.zendesk.com",
    "api.other.clickup.com",
    "zendesk.com",
    "app.clickup.com",
    "t9001.p.clickup-attachments.com",
    "files.zdusercontent.com",
    "OWN\\.evil.example",
    "OWN%2eevil.example",
    "OWN%00.evil.example",
    "OWN~.evil.example",
    "evil.example%23.OWN",
    "evil.example\\OWN",
    "evil.example?OWN",
    // A Cyrillic a, as text and as punycode; full width letters and dots, which some parsers fold.
    "\u{430}cme.zendesk.com",
    "xn--cme-5cd.zendesk.com",
    "xn--OWN",
    "\u{ff41}cme.zendesk.com",
    "acme\u{3002}zendesk\u{3002}com",
    "api\u{2024}clickup.com",
    "acme.zendesk.co\u{200b}m",
    "acme.zende\u{17f}k.com",
    "\u{212a}elvin.example",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0.0.0.0",
    "169.254.169.254",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[fe80::1%25eth0]",
    "[2001:db8::1]",
    "[::1",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "metadata.internal",
    "printer.local",
    "",
];

const PORTS: &[&str] = &[
    "",
    ":443",
    ":0443",
    ":80",
    ":8443",
    ":",
    ":99999",
    ":443@evil.example",
    ":443.evil.example",
    ":-1",
    ":443:443",
    ":\u{664}43",
];

const PATHS: &[&str] = &[
    "",
    "/",
    "/x",
    "/api/v2/tickets/1",
    "/api/v2/groups?page[after]=x",
    "/..//evil.example",
    "//evil.example/x",
    "/api//evil.example",
    "/api/../..//evil.example",
    "?u=https://OWN",
    "#@OWN",
    "/\\evil.example",
    ";@OWN",
    "/api/v2/x%0d%0aHost:%20evil.example",
    "/api/v2/x^Host: evil.example",
    "/@OWN",
    "/api/v2/x?y#https://OWN",
];

/// One link for an account of that host. Most have one or two odd pieces: with five no parser takes them, and
/// nothing would be tried.
pub fn hostile(random: &mut Rng, own: &str) -> String {
    let odd_host = random.u8(..4);
    let mut piece = |from: &[&'static str], odd_of_4: u8| {
        // The first of each list is the plain one.
        if random.u8(..4) < odd_of_4 { from[random.usize(..from.len())] } else { from[0] }
    };
    let host: &[&str] = match odd_host {
        0 => &["OWN"],
        1 => &["evil.example"],
        _ => HOSTS,
    };
    let parts = [piece(SCHEMES, 1), piece(USERS, 1), piece(host, 4), piece(PORTS, 1), piece(PATHS, 2)];
    let mut link = parts.concat().replace("OWN", own).replace('~', "\t").replace('^', "\r\n");
    if random.u8(..16) == 0 {
        // One character anywhere turned into any other.
        let mut letters: Vec<char> = link.chars().collect();
        if !letters.is_empty() {
            let at = random.usize(..letters.len());
            letters[at] = char::from(random.u8(..128));
        }
        link = letters.into_iter().collect();
    }
    if random.u8(..8) == 0 { mixed_case(random, &link) } else { link }
}

fn mixed_case(random: &mut Rng, text: &str) -> String {
    text.chars()
        .map(|c| if random.bool() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect()
}
