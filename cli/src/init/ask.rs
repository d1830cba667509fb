//! Questions at the terminal. Where there is none, nobody is asked and the caller says which option to use.

use std::io::{IsTerminal, Write};

use crate::failure::Failed;

/// How often somebody may answer what cannot be.
const TRIES_MAX: usize = 5;

/// Somebody who can be asked, or nobody.
pub struct Ask {
    source: Source,
}

enum Source {
    Nobody,
    Terminal,
    #[cfg(test)]
    Script(std::collections::VecDeque<String>),
}

impl Ask {
    /// Whoever sits at standard input.
    pub fn of_terminal() -> Self {
        Self { source: if std::io::stdin().is_terminal() { Source::Terminal } else { Source::Nobody } }
    }

    /// Answers of a test.
    #[cfg(test)]
    pub fn script(lines: &[&str]) -> Self {
        Self { source: Source::Script(lines.iter().map(|line| (*line).to_owned()).collect()) }
    }

    /// Whether anybody can be asked.
    pub fn is_on(&self) -> bool {
        !matches!(self.source, Source::Nobody)
    }

    /// One line, or what stands there already; `None` where nobody can be asked.
    pub fn line(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), &'static str>,
    ) -> anyhow::Result<Option<String>> {
        if !self.is_on() {
            return Ok(None);
        }
        for _ in 0..TRIES_MAX {
            let hint = default.map(|text| format!(" [{text}]")).unwrap_or_default();
            self.say(&format!("{question}{hint} "));
            let answer = self.read(false)?;
            let answer = if answer.is_empty() { default.unwrap_or_default().to_owned() } else { answer };
            match check(&answer) {
                Ok(()) => return Ok(Some(answer)),
                Err(why) => self.say(&format!("{why}\n")),
            }
        }
        Err(Failed::usage("no answer that can be used"))
    }

    /// One line that is not shown while it is typed.
    pub fn secret(&mut self, question: &str) -> anyhow::Result<Option<String>> {
        if !self.is_on() {
            return Ok(None);
        }
        for _ in 0..TRIES_MAX {
            self.say(&format!("{question} (not shown) "));
            let answer = self.read(true)?;
            self.say("\n");
            if !answer.is_empty() {
                return Ok(Some(answer));
            }
        }
        Err(Failed::usage("no answer that can be used"))
    }

    /// One of several, by number; `None` where nobody can be asked.
    pub fn choose(
        &mut self,
        question: &str,
        options: &[String],
        default: Option<usize>,
    ) -> anyhow::Result<Option<usize>> {
        if !self.is_on() {
            return Ok(None);
        }
        for (number, option) in (1..).zip(options) {
            self.say(&format!("  {number:>3}  {option}\n"));
        }
        let default = default.map(|at| (at + 1).to_string());
        let number = |text: &str| text.parse::<usize>().ok().filter(|n| (1..=options.len()).contains(n));
        let check = |text: &str| number(text).map(drop).ok_or("write one of the numbers");
        let answer = self.line(question, default.as_deref(), check)?;
        Ok(answer.and_then(|answer| number(&answer)).map(|number| number - 1))
    }

    fn say(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    fn read(&mut self, hidden: bool) -> anyhow::Result<String> {
        let line = match &mut self.source {
            Source::Nobody => None,
            Source::Terminal if hidden => read_hidden()?,
            Source::Terminal => read_line()?,
            #[cfg(test)]
            Source::Script(lines) => lines.pop_front(),
        };
        // The end of the input is no answer, and asking again would not help.
        line.map(|line| line.trim().to_owned())
            .ok_or_else(|| Failed::usage("the input ended before everything was answered"))
    }
}

fn read_line() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line)?;
    Ok((read > 0).then_some(line))
}

/// Reads a line while the terminal does not show it, and sets the terminal right however that ends.
fn read_hidden() -> anyhow::Result<Option<String>> {
    let hidden = Hidden::new();
    if hidden.is_none() {
        return Err(Failed::usage(
            "this terminal cannot hide what is typed: put the secrets into the environment or into a file for --secrets-file",
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let line = runtime.block_on(async {
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => None,
            line = tokio::task::spawn_blocking(read_line) => Some(line),
        }
    });
    drop(hidden);
    match line {
        Some(line) => Ok(line??),
        None => {
            // The thread that reads cannot be called back; the terminal is as it was.
            let _ = writeln!(std::io::stderr().lock());
            std::process::exit(130)
        }
    }
}

/// The terminal does not show what is typed while this lives.
struct Hidden;

impl Hidden {
    fn new() -> Option<Self> {
        stty("-echo").then_some(Self)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(word: &str) -> bool {
    let done = std::process::Command::new("stty").arg(word).stderr(std::process::Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_when_it_can_be_used() {
        let mut ask = Ask::script(&["x", "3", "", "  y  "]);
        let options = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert_eq!(ask.choose("which?", &options, None).expect("answered"), Some(2));
        let fine = |_: &str| Ok(());
        assert_eq!(ask.line("what?", Some("z"), fine).expect("answered").as_deref(), Some("z"));
        assert_eq!(ask.secret("what?").expect("answered").as_deref(), Some("y"));
        let ended = ask.line("more?", None, fine).expect_err("the script is over").to_string();
        assert!(ended.contains("input ended"), "{ended}");
    }

    #[test]
    fn nobody_is_not_asked() {
        let mut ask = Ask { source: Source::Nobody };
        assert_eq!(ask.secret("what?").expect("no failure"), None);
        assert_eq!(ask.choose("which?", &["a".to_owned()], Some(0)).expect("no failure"), None);
    }
}
