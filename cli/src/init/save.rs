//! Writes what a run found: whole files or none, and never over a file without being told to.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::InitArgs;
use super::given::Given;
use crate::credentials;
use crate::failure::Failed;
use crate::installation::Installation;

/// What became of the files.
pub struct Saved {
    /// deskup.toml.
    pub settings: PathBuf,
    /// Whether it is as it was before.
    pub unchanged: bool,
    /// Where the old one is.
    pub backup: Option<PathBuf>,
    /// credentials.toml, where it was written.
    pub credentials: Option<PathBuf>,
}

/// Writes deskup.toml, and credentials.toml where credentials were typed or a person wants them kept.
pub fn save(
    args: &InitArgs,
    installation: &Installation,
    given: &Given,
    toml: &str,
) -> anyhow::Result<Saved> {
    let settings = installation.settings_file();
    let old = match std::fs::read_to_string(&settings) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(cannot(&settings, &error)),
    };
    let unchanged = old.as_deref() == Some(toml);
    if old.is_some() && !unchanged && !args.force {
        return Err(Failed::usage(format!(
            "{0} is there already and would change; nothing was written. `deskup check` tells whether it still fits; --force \
             replaces it and keeps the old one as {0}.bak",
            settings.display()
        )));
    }
    std::fs::create_dir_all(installation.dir()).map_err(|error| cannot(installation.dir(), &error))?;
    let mut saved = Saved { settings: settings.clone(), unchanged, backup: None, credentials: None };
    // The new file stands ready before anything that exists is touched.
    let fresh = if unchanged { None } else { Some(Fresh::write(&settings, toml)?) };
    if let Some(written) = &given.to_save {
        let file = installation.credentials_file();
        credentials::save(written, &file)?;
        saved.credentials = Some(file);
    }
    if let Some(fresh) = fresh {
        if old.is_some() {
            let backup = free_name(&settings);
            std::fs::copy(&settings, &backup).map_err(|error| cannot(&backup, &error))?;
            saved.backup = Some(backup);
        }
        fresh.put(&settings)?;
    }
    Ok(saved)
}

/// A file beside the one it will become; gone if it never does.
struct Fresh(Option<PathBuf>);

impl Fresh {
    fn write(settings: &Path, text: &str) -> anyhow::Result<Self> {
        let path = settings.with_extension("toml.new");
        let fresh = Self(Some(path.clone()));
        let write = || {
            let mut file = std::fs::File::create(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| cannot(&path, &error))?;
        Ok(fresh)
    }

    fn put(mut self, settings: &Path) -> anyhow::Result<()> {
        let Some(path) = self.0.take() else { return Ok(()) };
        std::fs::rename(&path, settings).map_err(|error| cannot(settings, &error))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // It may never have come to be.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// `deskup.toml.bak`, or the first of its kind that is free: an old file is never lost.
fn free_name(settings: &Path) -> PathBuf {
    let first = settings.with_extension("toml.bak");
    let numbered = (2..).map(|n| settings.with_extension(format!("toml.bak{n}")));
    std::iter::once(first.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(first)
}

fn cannot(path: &Path, error: &std::io::Error) -> anyhow::Error {
    Failed::state(format!("{} cannot be written: {error}", path.display()))
}
