//! What a person gave: addresses and credentials, from flags, the environment, files, or the terminal.

use clients::hosts::Base;
use domain::Settings;

use super::InitArgs;
use super::ask::Ask;
use crate::credentials::{self, Credentials, Written, WrittenClickup, WrittenZendesk};
use crate::failure::Failed;
use crate::installation::Installation;

/// Where ClickUp is for everybody.
const CLICKUP_URL: &str = "https://api.clickup.com";

/// Everything that is needed to enter both accounts.
pub struct Given {
    /// Zendesk's address.
    pub zendesk_url: String,
    /// ClickUp's address.
    pub clickup_url: String,
    /// The workspace, where one was named.
    pub workspace: Option<String>,
    /// The offset from UTC, where one was given.
    pub utc_offset: Option<String>,
    /// What can be sent.
    pub credentials: Credentials,
    /// What can be kept in credentials.toml, where it should be.
    pub to_save: Option<Written>,
}

impl Given {
    /// Collects everything, or tells everything that is missing.
    pub fn collect(args: &InitArgs, installation: &Installation, ask: &mut Ask) -> anyhow::Result<Self> {
        // A second run knows the addresses from the first.
        let before = std::fs::read_to_string(installation.settings_file()).ok();
        let before = before.and_then(|text| Settings::parse(&text).ok());
        let known =
            |of: fn(&Settings) -> &String| before.as_ref().map(of).filter(|text| !text.is_empty()).cloned();
        let clickup_url = args.clickup_url.clone().or_else(|| known(|settings| &settings.clickup_url));
        let clickup_url = address("--clickup-url", clickup_url.as_deref().unwrap_or(CLICKUP_URL))?;
        if let Some(offset) = args.utc_offset.as_deref().filter(|offset| !is_offset(offset)) {
            return Err(Failed::usage(format!("--utc-offset {offset}: write it like +02:00 or -03:30")));
        }
        let zendesk_url = args.zendesk_url.clone().or_else(|| known(|settings| &settings.zendesk_url));
        let found = written(args, installation)?;
        let mut missing = Vec::new();
        let zendesk_url = match zendesk_url {
            Some(url) => Some(url),
            None => {
                ask.line("Zendesk's address (https://acme.zendesk.com, or just acme)?", None, not_empty)?
            }
        };
        if zendesk_url.is_none() {
            missing.push("Zendesk's address: --zendesk-url or DESKUP_ZENDESK_URL");
        }
        let mut complete = found.written;
        let mut typed = false;
        if complete.zendesk == WrittenZendesk::default() {
            match ask_zendesk(ask)? {
                Some(zendesk) => (complete.zendesk, typed) = (zendesk, true),
                None => missing.push(
                    "Zendesk's credentials: DESKUP_ZENDESK_CLIENT_ID and DESKUP_ZENDESK_CLIENT_SECRET (or DESKUP_ZENDESK_EMAIL \
                     and DESKUP_ZENDESK_TOKEN), or --secrets-file",
                ),
            }
        }
        if complete.clickup == WrittenClickup::default() {
            match ask.secret("ClickUp's token, personal (pk_…) or OAuth?")? {
                Some(token) => (complete.clickup.token, typed) = (Some(token), true),
                None => missing.push("ClickUp's token: DESKUP_CLICKUP_TOKEN, or --secrets-file"),
            }
        }
        let Some(zendesk_url) = zendesk_url.filter(|_| missing.is_empty()) else {
            return Err(Failed::usage(format!(
                "there is no terminal to ask on, so this has to be given:\n  {}",
                missing.join("\n  ")
            )));
        };
        let to_save = (typed || found.from_secrets_file || args.save_credentials).then(|| complete.clone());
        Ok(Self {
            zendesk_url: address("--zendesk-url", &zendesk_url)?,
            clickup_url,
            workspace: args.workspace.clone().or_else(|| known(|settings| &settings.workspace)),
            utc_offset: args.utc_offset.clone(),
            credentials: credentials::complete(complete)?,
            to_save,
        })
    }
}

/// Credentials that need no questions.
struct Found {
    written: Written,
    from_secrets_file: bool,
}

fn written(args: &InitArgs, installation: &Installation) -> anyhow::Result<Found> {
    let Some(file) = &args.secrets_file else {
        return Ok(Found { written: credentials::of(installation)?, from_secrets_file: false });
    };
    if !file.is_file() {
        return Err(Failed::usage(format!("--secrets-file {}: there is no such file", file.display())));
    }
    Ok(Found { written: credentials::from_file(file)?, from_secrets_file: true })
}

fn ask_zendesk(ask: &mut Ask) -> anyhow::Result<Option<WrittenZendesk>> {
    let any = |_: &str| Ok(());
    let question = "Identifier of Zendesk's OAuth client (empty: an older API token)?";
    let Some(client_id) = ask.line(question, None, any)? else { return Ok(None) };
    if !client_id.is_empty() {
        let client_secret = ask.secret("Its secret?")?;
        return Ok(Some(WrittenZendesk {
            client_id: Some(client_id),
            client_secret,
            ..WrittenZendesk::default()
        }));
    }
    let email = ask.line("Mail address of deskup's Zendesk user?", None, not_empty)?;
    let token = ask.secret("Its API token?")?;
    Ok(Some(WrittenZendesk { email, token, ..WrittenZendesk::default() }))
}

fn not_empty(text: &str) -> Result<(), &'static str> {
    if text.is_empty() { Err("this is needed") } else { Ok(()) }
}

/// Scheme and host of what people paste: an address with a path, a host, or a subdomain.
fn address(flag: &str, text: &str) -> anyhow::Result<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match host.contains(['.', ':', '[']) || flag != "--zendesk-url" {
        true => host.to_owned(),
        false => format!("{host}.zendesk.com"),
    };
    let url = format!("{}://{host}", scheme.to_ascii_lowercase());
    match Base::parse(&url) {
        Ok(_) if !rest.is_empty() => Ok(url),
        Ok(_) => {
            Err(Failed::usage(format!("{flag} is empty: write an address such as https://acme.zendesk.com")))
        }
        Err(error) => Err(Failed::usage(format!("{flag} {}: {error}", crate::terminal::plain(text)))),
    }
}

/// Whether a text is an offset as the settings take it.
pub fn is_offset(text: &str) -> bool {
    let rest = text.strip_prefix('+').or_else(|| text.strip_prefix('-'));
    let parts = rest.and_then(|rest| rest.split_once(':'));
    let parts = parts.and_then(|(h, m)| Some((h.parse::<u8>().ok()?, m.parse::<u8>().ok()?)));
    matches!(parts, Some((0..=14, 0..=59)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_becomes_an_address() {
        for (given, expected) in [
            ("acme", "https://acme.zendesk.com"),
            (" acme.zendesk.com ", "https://acme.zendesk.com"),
            ("https://acme.zendesk.com/agent/dashboard?x=1", "https://acme.zendesk.com"),
            ("HTTPS://support.acme.example/", "https://support.acme.example"),
            ("http://127.0.0.1:8811", "http://127.0.0.1:8811"),
        ] {
            assert_eq!(address("--zendesk-url", given).expect("an address"), expected, "{given}");
        }
        for given in ["", "http://acme.zendesk.com", "https://user@acme.zendesk.com", "ftp://acme", "ac me"] {
            let refused = address("--zendesk-url", given).expect_err("no address").to_string();
            assert!(refused.contains("--zendesk-url"), "{refused}");
        }
        assert_eq!(
            address("--clickup-url", "api.clickup.com").expect("an address"),
            "https://api.clickup.com"
        );
    }

    #[test]
    fn offsets_are_those_the_settings_take() {
        assert!(["+00:00", "-03:30", "+14:00"].into_iter().all(is_offset));
        assert!(!["", "2", "02:00", "+15:00", "+01:60", "+1h"].into_iter().any(is_offset));
    }
}
