//! Reads the text of a path.

use serde_json::Value;
use thiserror::Error;

use super::filter::{Operand, Relation, Test};
use super::{Path, Root, Step};

/// A text that is no path.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{path}` is no path: {why} at character {at}")]
pub struct BadPath {
    path: String,
    at: usize,
    why: &'static str,
}

/// Reads a path: `$…`, `$$…` or `$name…`.
pub fn parse(text: &str) -> Result<Path, BadPath> {
    let mut reader = Reader { text, chars: text.chars().collect(), at: 0 };
    reader.expect('$', "a path starts with `$`")?;
    let root = match reader.peek() {
        Some('$') => {
            reader.at += 1;
            Root::Context
        }
        Some(first) if first.is_alphabetic() || first == '_' => {
            Root::Variable(reader.take_while(|c| c.is_alphanumeric() || c == '_'))
        }
        _ => Root::Input,
    };
    let steps = reader.steps(|c| c.is_none())?;
    if reader.peek().is_some() {
        return Err(reader.bad("an unexpected character"));
    }
    let definite = steps.iter().all(|step| matches!(step, Step::Key(_) | Step::Index(_)));
    Ok(Path { root, steps, definite })
}

struct Reader<'a> {
    text: &'a str,
    chars: Vec<char>,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn bad(&self, why: &'static str) -> BadPath {
        BadPath { path: self.text.to_owned(), at: self.at, why }
    }

    fn eat(&mut self, text: &str) -> bool {
        let fits = text.chars().enumerate().all(|(offset, c)| self.chars.get(self.at + offset) == Some(&c));
        if fits {
            self.at += text.chars().count();
        }
        fits
    }

    fn expect(&mut self, c: char, why: &'static str) -> Result<(), BadPath> {
        if self.peek() != Some(c) {
            return Err(self.bad(why));
        }
        self.at += 1;
        Ok(())
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let from = self.at;
        while self.peek().is_some_and(&keep) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect()
    }

    fn blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Steps until `end` holds for the next character or no step follows.
    fn steps(&mut self, end: impl Fn(Option<char>) -> bool) -> Result<Vec<Step>, BadPath> {
        let mut steps = Vec::new();
        while !end(self.peek()) {
            let deep = self.eat("..");
            let dotted = deep || self.eat(".");
            let step = match self.peek() {
                Some('[') => self.bracket()?,
                _ if !dotted => break,
                Some('*') => {
                    self.at += 1;
                    Step::Any
                }
                _ => {
                    // Names may hold dashes and more; only the syntax of paths ends them.
                    let name = self.take_while(|c| !c.is_whitespace() && !".[]()=!<>&|,".contains(c));
                    if name.is_empty() {
                        return Err(self.bad("a name is missing"));
                    }
                    Step::Key(name)
                }
            };
            steps.push(if deep { Step::Deep(Box::new(step)) } else { step });
        }
        Ok(steps)
    }

    fn bracket(&mut self) -> Result<Step, BadPath> {
        self.expect('[', "a bracket is missing")?;
        self.blanks();
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::Any
            }
            Some('?') => {
                self.at += 1;
                self.blanks();
                self.expect('(', "a filter needs parentheses")?;
                let test = self.either()?;
                self.blanks();
                self.expect(')', "a parenthesis is open")?;
                Step::Filter(test)
            }
            Some('\'' | '"') => self.names()?,
            _ => self.numbers()?,
        };
        self.blanks();
        self.expect(']', "a bracket is open")?;
        Ok(step)
    }

    fn names(&mut self) -> Result<Step, BadPath> {
        let mut names = vec![self.quoted()?];
        self.blanks();
        while self.eat(",") {
            self.blanks();
            names.push(self.quoted()?);
            self.blanks();
        }
        Ok(match names.pop() {
            Some(only) if names.is_empty() => Step::Key(only),
            last => {
                names.extend(last);
                Step::Keys(names)
            }
        })
    }

    fn numbers(&mut self) -> Result<Step, BadPath> {
        let first = self.integer()?;
        self.blanks();
        if self.eat(":") {
            self.blanks();
            let to = self.integer()?;
            return Ok(Step::Slice { from: first, to });
        }
        let mut indexes = vec![first.ok_or_else(|| self.bad("an index is missing"))?];
        while self.eat(",") {
            self.blanks();
            let index = self.integer()?;
            indexes.push(index.ok_or_else(|| self.bad("an index is missing"))?);
            self.blanks();
        }
        Ok(match indexes.as_slice() {
            [only] => Step::Index(*only),
            _ => Step::Indexes(indexes),
        })
    }

    fn integer(&mut self) -> Result<Option<i64>, BadPath> {
        let text = self.take_while(|c| c.is_ascii_digit() || c == '-');
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| self.bad("a number is expected"))
    }

    fn quoted(&mut self) -> Result<String, BadPath> {
        let quote = self.peek().filter(|c| *c == '\'' || *c == '"');
        let quote = quote.ok_or_else(|| self.bad("a quoted name is expected"))?;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.bad("a quote is open")),
                Some('\\') => {
                    self.at += 1;
                    text.extend(self.peek());
                }
                Some(c) if c == quote => break,
                Some(c) => text.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(text)
    }

    fn either(&mut self) -> Result<Test, BadPath> {
        let mut tests = vec![self.both()?];
        self.blanks();
        while self.eat("||") {
            tests.push(self.both()?);
            self.blanks();
        }
        Ok(Test::Or(tests))
    }

    fn both(&mut self) -> Result<Test, BadPath> {
        let mut tests = vec![self.single()?];
        self.blanks();
        while self.eat("&&") {
            tests.push(self.single()?);
            self.blanks();
        }
        Ok(Test::And(tests))
    }

    fn single(&mut self) -> Result<Test, BadPath> {
        self.blanks();
        if self.peek() == Some('!') {
            self.at += 1;
            return Ok(Test::Not(Box::new(self.single()?)));
        }
        if self.eat("(") {
            let test = self.either()?;
            self.blanks();
            self.expect(')', "a parenthesis is open")?;
            return Ok(test);
        }
        let left = self.operand()?;
        self.blanks();
        const RELATIONS: [(&str, Relation); 6] = [
            ("==", Relation::Equal),
            ("!=", Relation::NotEqual),
            ("<=", Relation::LessOrEqual),
            (">=", Relation::GreaterOrEqual),
            ("<", Relation::Less),
            (">", Relation::Greater),
        ];
        let Some((_, relation)) = RELATIONS.iter().find(|(text, _)| self.eat(text)) else {
            return Ok(Test::Exists(left));
        };
        self.blanks();
        Ok(Test::Compare(left, *relation, self.operand()?))
    }

    fn operand(&mut self) -> Result<Operand, BadPath> {
        let ends = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || ")=!<>&|".contains(c));
        match self.peek() {
            Some('@') => {
                self.at += 1;
                Ok(Operand::Item(self.steps(ends)?))
            }
            Some('$') => {
                self.at += 1;
                Ok(Operand::Root(self.steps(ends)?))
            }
            Some('\'' | '"') => Ok(Operand::Literal(Value::String(self.quoted()?))),
            _ => {
                let word = self.take_while(|c| !ends(Some(c)));
                if word.is_empty() {
                    return Err(self.bad("a value is expected"));
                }
                // A bare word on the right of a comparison is a string to the service.
                let literal = serde_json::from_str(&word).unwrap_or(Value::String(word));
                Ok(Operand::Literal(literal))
            }
        }
    }
}
