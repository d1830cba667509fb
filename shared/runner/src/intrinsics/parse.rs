//! Reads the text of a call.

use serde_json::Value;

use super::Expression;
use crate::jsonpath;

/// Calls nest at most this deep, which bounds the recursion of the reader.
const DEPTH_MAX: usize = 10;

/// Reads `States.Name(arguments)`; the error says what is wrong, for a person.
pub fn parse(text: &str) -> Result<Expression, String> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0 };
    let expression = reader.expression(0)?;
    reader.blanks();
    if reader.at < reader.chars.len() {
        return Err(format!("`{text}` goes on after its end"));
    }
    Ok(expression)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn expression(&mut self, depth: usize) -> Result<Expression, String> {
        self.blanks();
        match self.peek() {
            None => Err("an argument is missing".into()),
            Some('\'') => self.string().map(|text| Expression::Literal(Value::String(text))),
            Some('$') => self.path(),
            Some(_) => {
                let from = self.at;
                while self.peek().is_some_and(|c| !"(),".contains(c) && !c.is_whitespace()) {
                    self.at += 1;
                }
                let word: String = self.chars[from..self.at].iter().collect();
                if self.peek() == Some('(') {
                    return self.arguments(word, depth);
                }
                serde_json::from_str(&word)
                    .map(Expression::Literal)
                    .map_err(|_| format!("`{word}` is neither a literal nor a call"))
            }
        }
    }

    fn arguments(&mut self, name: String, depth: usize) -> Result<Expression, String> {
        if depth >= DEPTH_MAX {
            return Err(format!("calls nest deeper than {DEPTH_MAX}"));
        }
        self.at += 1;
        let mut arguments = Vec::new();
        self.blanks();
        if self.peek() == Some(')') {
            self.at += 1;
            return Ok(Expression::Call { name, arguments });
        }
        loop {
            arguments.push(self.expression(depth + 1)?);
            self.blanks();
            let next = self.peek();
            self.at += 1;
            match next {
                Some(',') => {}
                Some(')') => return Ok(Expression::Call { name, arguments }),
                _ => return Err(format!("the arguments of {name} do not end")),
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err("a quote is open".into()),
                Some('\'') => break,
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        // Braces stay escaped: only States.Format knows what they mean.
                        Some(c @ ('{' | '}')) => text.extend(['\\', c]),
                        Some(c @ ('\'' | '\\')) => text.push(c),
                        Some(c) => text.extend(['\\', c]),
                        None => return Err("a backslash is open".into()),
                    }
                }
                Some(c) => text.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(text)
    }

    /// A path ends at a comma or parenthesis outside of its own brackets.
    fn path(&mut self) -> Result<Expression, String> {
        let from = self.at;
        let (mut brackets, mut quote) = (0usize, None);
        while let Some(c) = self.peek() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '[') => brackets += 1,
                (None, ']') => brackets = brackets.saturating_sub(1),
                (None, ',' | ')') if brackets == 0 => break,
                (None, c) if c.is_whitespace() && brackets == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        let path = jsonpath::parse(&text).map_err(|bad| bad.to_string())?;
        Ok(Expression::Path(path, text))
    }
}
