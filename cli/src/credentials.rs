//! What lets deskup into both accounts: from the environment, or from a file that only its owner can read.

use std::path::Path;

pub use functions::credentials::{Credentials, Written, WrittenClickup, WrittenZendesk};

use functions::credentials::Incomplete;

use crate::failure::Failed;
use crate::installation::Installation;

/// What the environment says.
pub fn from_env() -> Written {
    let variable = |name: &str| {
        let value = std::env::var(format!("DESKUP_{name}")).ok()?;
        let value = value.trim().to_owned();
        (!value.is_empty()).then_some(value)
    };
    Written {
        zendesk: WrittenZendesk {
            client_id: variable("ZENDESK_CLIENT_ID"),
            client_secret: variable("ZENDESK_CLIENT_SECRET"),
            email: variable("ZENDESK_EMAIL"),
            token: variable("ZENDESK_TOKEN"),
        },
        clickup: WrittenClickup { token: variable("CLICKUP_TOKEN") },
    }
}

/// What the file says; nothing if there is none.
pub fn from_file(path: &Path) -> anyhow::Result<Written> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Written::default()),
        Err(error) => return Err(Failed::usage(format!("{} cannot be read: {error}", path.display()))),
    };
    only_ours(path)?;
    // What the parser says may quote the line, and lines here are secrets.
    toml_edit::de::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Failed::usage(format!(
            "{}:{line}: not understood; it has [zendesk] with client_id and client_secret (or email and token), and [clickup] with token",
            path.display()
        ))
    })
}

/// What the environment says, and where it is silent about a service, the file.
pub fn of(installation: &Installation) -> anyhow::Result<Written> {
    let (env, file) = (from_env(), from_file(&installation.credentials_file())?);
    let zendesk = if env.zendesk == WrittenZendesk::default() { file.zendesk } else { env.zendesk };
    let clickup = if env.clickup == WrittenClickup::default() { file.clickup } else { env.clickup };
    Ok(Written { zendesk, clickup })
}

/// Writes the file anew, for its owner alone; a reader finds the old one or the new one.
pub fn save(written: &Written, path: &Path) -> anyhow::Result<()> {
    let mut text = String::from("# What lets deskup into both accounts. Keep it to yourself.\n\n[zendesk]\n");
    let mut line = |key: &str, value: &Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("{key} = {}\n", toml_edit::Value::from(value.as_str())));
        }
    };
    line("client_id", &written.zendesk.client_id);
    line("client_secret", &written.zendesk.client_secret);
    line("email", &written.zendesk.email);
    line("token", &written.zendesk.token);
    if let Some(token) = &written.clickup.token {
        text.push_str(&format!("\n[clickup]\ntoken = {}\n", toml_edit::Value::from(token.as_str())));
    }
    write_private(path, &text)
        .map_err(|error| Failed::state(format!("{} cannot be written: {error}", path.display())))
}

/// Credentials that can be sent, or what is missing and who sets it.
pub fn complete(written: Written) -> anyhow::Result<Credentials> {
    written.complete().map_err(|Incomplete { variable, key }| {
        Failed::usage(format!(
            "credentials are missing: set {variable}, or run `deskup init`, which keeps them in credentials.toml ({key})"
        ))
    })
}

/// Refuses a file that others may read.
#[cfg(unix)]
fn only_ours(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failed::usage(format!(
            "{0} may be read by others (mode {mode:o}); its secrets count as known: renew them, then `chmod 600 {0}`",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(not(unix))]
fn only_ours(_path: &Path) -> anyhow::Result<()> {
    Ok(())
}

/// Writes a file that only its owner reads, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // A file that was there keeps its mode, so it may not be there.
    let _ = std::fs::remove_file(beside);
    let mut file = options.open(beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_read_back_and_only_by_us() {
        let dir = std::env::temp_dir().join(format!("deskup-credentials-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary folder can be written");
        let path = dir.join("credentials.toml");
        let written = Written {
            zendesk: WrittenZendesk {
                client_id: Some("deskup".to_owned()),
                client_secret: Some("a \"quoted\" \\ secret".to_owned()),
                ..WrittenZendesk::default()
            },
            clickup: WrittenClickup { token: Some("pk_1_X".to_owned()) },
        };
        save(&written, &path).expect("it is written");
        assert!(from_file(&path).expect("it is read") == written);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
            let refused = from_file(&path).expect_err("others may read it").to_string();
            assert!(refused.contains("chmod 600"), "{refused}");
        }
        std::fs::remove_dir_all(&dir).expect("it is ours");
    }

    #[test]
    fn a_mistake_in_the_file_quotes_nothing_of_it() {
        let dir = std::env::temp_dir().join(format!("deskup-credentials-bad-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary folder can be written");
        let path = dir.join("credentials.toml");
        write_private(&path, "[zendesk]\nclient_secrte = \"hunter2\"\n").expect("it is written");
        let refused = from_file(&path).expect_err("a word is wrong").to_string();
        assert!(refused.contains("credentials.toml:2") && !refused.contains("hunter2"), "{refused}");
        std::fs::remove_dir_all(&dir).expect("it is ours");
    }
}
