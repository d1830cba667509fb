//! Who sits at the terminal, and what they confirm.

use std::io::{BufRead, IsTerminal, Write};

use crate::failure::Failed;

/// Who types, as far as the system says: it stands beside what was done.
pub fn user() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "a person".to_owned())
}

/// A question to whoever sits at the terminal; anything but yes ends the command.
pub fn confirm(question: &str) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Failed::usage(format!("{question}? There is nobody to ask here: say --yes")));
    }
    let mut out = std::io::stderr().lock();
    write!(out, "{question}? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failed::usage("not confirmed; nothing was changed")),
    }
}
