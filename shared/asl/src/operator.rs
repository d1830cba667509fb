//! The comparison operators of a JSONPath Choice, taken apart so that the runner need not look at names.

/// What kind of values a comparison takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `String…`.
    String,
    /// `Numeric…`.
    Numeric,
    /// `Boolean…`.
    Boolean,
    /// `Timestamp…`.
    Timestamp,
    /// `IsNull` only.
    Null,
    /// `IsPresent` only.
    Present,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `…Equals`.
    Equals,
    /// `…LessThan`.
    LessThan,
    /// `…GreaterThan`.
    GreaterThan,
    /// `…LessThanEquals`.
    LessThanEquals,
    /// `…GreaterThanEquals`.
    GreaterThanEquals,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `StringEquals`, `NumericLessThanPath`, …
    Compare {
        /// The type both sides must have.
        operand: Operand,
        /// The relation that must hold.
        relation: Relation,
        /// Whether the right side is a path.
        is_path: bool,
    },
    /// `StringMatches`: `*` stands for any text.
    StringMatches,
    /// `IsNull`, `IsPresent`, `IsNumeric`, `IsString`, `IsBoolean`, `IsTimestamp`.
    Is(Operand),
}

const OPERANDS: [(Operand, &str); 6] = [
    (Operand::String, "String"),
    (Operand::Numeric, "Numeric"),
    (Operand::Boolean, "Boolean"),
    (Operand::Timestamp, "Timestamp"),
    (Operand::Null, "Null"),
    (Operand::Present, "Present"),
];

const RELATIONS: [(Relation, &str); 5] = [
    (Relation::Equals, "Equals"),
    (Relation::LessThan, "LessThan"),
    (Relation::GreaterThan, "GreaterThan"),
    (Relation::LessThanEquals, "LessThanEquals"),
    (Relation::GreaterThanEquals, "GreaterThanEquals"),
];

impl Operator {
    /// The operator of this field name; none if the language has no such operator.
    pub fn parse(name: &str) -> Option<Operator> {
        if name == "StringMatches" {
            return Some(Operator::StringMatches);
        }
        if let Some(of) = name.strip_prefix("Is") {
            return OPERANDS.iter().find(|(_, text)| *text == of).map(|(operand, _)| Operator::Is(*operand));
        }
        let (operand, rest) = OPERANDS[..4]
            .iter()
            .find_map(|(operand, text)| name.strip_prefix(text).map(|rest| (*operand, rest)))?;
        let (rest, is_path) = match rest.strip_suffix("Path") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (relation, _) = *RELATIONS.iter().find(|(_, text)| *text == rest)?;
        if operand == Operand::Boolean && relation != Relation::Equals {
            return None;
        }
        Some(Operator::Compare { operand, relation, is_path })
    }

    /// The field name.
    pub fn name(self) -> String {
        let operand_name =
            |of: Operand| OPERANDS.iter().find(|(operand, _)| *operand == of).map_or("", |(_, text)| text);
        match self {
            Operator::StringMatches => "StringMatches".to_owned(),
            Operator::Is(operand) => format!("Is{}", operand_name(operand)),
            Operator::Compare { operand, relation, is_path } => {
                let relation = RELATIONS.iter().find(|(of, _)| *of == relation).map_or("", |(_, text)| text);
                format!("{}{relation}{}", operand_name(operand), if is_path { "Path" } else { "" })
            }
        }
    }

    /// Whether the operand is a path to the value rather than the value.
    pub fn is_path(self) -> bool {
        matches!(self, Operator::Compare { is_path: true, .. })
    }
}
