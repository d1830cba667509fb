//! A state machine as typed, plain data. Both query languages are covered, because the runner executes both.
//!
//! Values that the service evaluates at run time (`Arguments`, `Output`, `Parameters`, …) stay JSON: their
//! meaning depends on the state's language, and evaluating is the runner's work. States keep the order of the
//! definition, so that what is written out reads like what came in.

use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Number, Value};

/// The language of paths and expressions in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueryLanguage {
    /// `$.a.b`, payload templates and intrinsic functions: the default of the service.
    #[default]
    #[serde(rename = "JSONPath")]
    JsonPath,
    /// `{% … %}` expressions.
    #[serde(rename = "JSONata")]
    Jsonata,
}

impl QueryLanguage {
    /// The name as written in a definition.
    pub fn name(self) -> &'static str {
        match self {
            QueryLanguage::JsonPath => "JSONPath",
            QueryLanguage::Jsonata => "JSONata",
        }
    }
}

/// How the service runs and bills a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Exactly once, up to a year, billed by state transition, history kept.
    Standard,
    /// At least once, up to five minutes, billed by request and duration.
    Express,
}

impl Kind {
    /// The name as people and the bill write it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Standard => "Standard",
            Kind::Express => "Express",
        }
    }
}

/// A whole definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// `Comment`.
    pub comment: Option<String>,
    /// `Version`, "1.0" if given.
    pub version: Option<String>,
    /// The language of every state that names none itself.
    pub query_language: QueryLanguage,
    /// `TimeoutSeconds` of the whole execution.
    pub timeout_seconds: Option<u64>,
    /// `StartAt` and `States`.
    pub flow: Flow,
}

impl Machine {
    /// The language in which this state (of any nesting level) is evaluated: its own, otherwise the machine's.
    pub fn language_of(&self, state: &State) -> QueryLanguage {
        state.query_language.unwrap_or(self.query_language)
    }
}

/// `StartAt` and `States`: the top level, a branch of a Parallel, or the processor of a Map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// `Comment` of a branch or processor.
    pub comment: Option<String>,
    /// The name of the first state.
    pub start_at: String,
    /// The states in the order of the definition.
    pub states: Vec<State>,
}

impl Flow {
    /// The state of this name, on this level only: transitions never cross levels.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name == name)
    }
}

/// A path field with its three meanings: not given, `null` (which discards), and a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PathField {
    /// Not given: the field's default applies.
    #[default]
    Default,
    /// `null`.
    Null,
    /// A path.
    Path(String),
}

/// A number that may be fixed, computed (JSONata) or looked up (JSONPath, the `…Path` spelling of the field).
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// Written in the definition.
    Number(Number),
    /// `{% … %}`.
    Expression(String),
    /// From the `…Path` field.
    Path(String),
}

/// One state. Fields that most types share sit here; the parser refuses those that a type does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The key in `States`.
    pub name: String,
    /// `Comment`.
    pub comment: Option<String>,
    /// `QueryLanguage` if the state names one; see [`Machine::language_of`].
    pub query_language: Option<QueryLanguage>,
    /// `InputPath` (JSONPath).
    pub input_path: PathField,
    /// `Parameters` (JSONPath); in a Map the old name of `ItemSelector`.
    pub parameters: Option<Value>,
    /// `ResultSelector` (JSONPath).
    pub result_selector: Option<Value>,
    /// `ResultPath` (JSONPath).
    pub result_path: PathField,
    /// `OutputPath` (JSONPath).
    pub output_path: PathField,
    /// `Arguments` (JSONata).
    pub arguments: Option<Value>,
    /// `Output` (JSONata).
    pub output: Option<Value>,
    /// `Assign`: variable name (with `.$` in JSONPath) to value.
    pub assign: Option<JsonMap<String, Value>>,
    /// `Retry`, in order.
    pub retry: Vec<Retrier>,
    /// `Catch`, in order.
    pub catch: Vec<Catcher>,
    /// `Next` or `End`; none in Choice, Succeed and Fail.
    pub transition: Option<Transition>,
    /// `Type` and what only that type has.
    pub kind: StateKind,
}

impl State {
    /// A state with nothing but a name and a type.
    pub fn new(name: impl Into<String>, kind: StateKind) -> State {
        State {
            name: name.into(),
            comment: None,
            query_language: None,
            input_path: PathField::Default,
            parameters: None,
            result_selector: None,
            result_path: PathField::Default,
            output_path: PathField::Default,
            arguments: None,
            output: None,
            assign: None,
            retry: Vec::new(),
            catch: Vec::new(),
            transition: None,
            kind,
        }
    }

    /// The flows inside: branches of a Parallel, the processor of a Map.
    pub fn inner_flows(&self) -> Vec<&Flow> {
        match &self.kind {
            StateKind::Parallel(parallel) => parallel.branches.iter().collect(),
            StateKind::Map(map) => vec![&map.processor.flow],
            _ => Vec::new(),
        }
    }
}

/// Where a state goes when it succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `Next`.
    Next(String),
    /// `End: true`.
    End,
}

/// The type of a state with the fields that only it has.
#[derive(Clone, Debug, PartialEq)]
pub enum StateKind {
    /// Calls something.
    Task(Task),
    /// Branches on data.
    Choice(Choice),
    /// Runs branches at the same time and waits for all.
    Parallel(Parallel),
    /// Runs a flow once per item.
    Map(Box<Map>),
    /// Lets time pass.
    Wait(Wait),
    /// Reshapes data.
    Pass(Pass),
    /// Ends its level successfully.
    Succeed,
    /// Ends with an error.
    Fail(Fail),
}

impl StateKind {
    /// The value of `Type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            StateKind::Task(_) => "Task",
            StateKind::Choice(_) => "Choice",
            StateKind::Parallel(_) => "Parallel",
            StateKind::Map(_) => "Map",
            StateKind::Wait(_) => "Wait",
            StateKind::Pass(_) => "Pass",
            StateKind::Succeed => "Succeed",
            StateKind::Fail(_) => "Fail",
        }
    }
}

/// Task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// `Resource`.
    pub resource: String,
    /// `TimeoutSeconds` or `TimeoutSecondsPath`.
    pub timeout: Option<Quantity>,
    /// `HeartbeatSeconds` or `HeartbeatSecondsPath`.
    pub heartbeat: Option<Quantity>,
    /// `Credentials`.
    pub credentials: Option<Value>,
}

/// Pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pass {
    /// `Result` (JSONPath); `null` is a result too.
    pub result: Option<Value>,
}

/// Wait, with exactly one of its fields.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// `Seconds` or `SecondsPath`.
    Seconds(Quantity),
    /// `Timestamp`: a literal, or an expression in JSONata.
    Timestamp(String),
    /// `TimestampPath`.
    TimestampPath(String),
}

/// Fail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fail {
    /// `Error`: a literal, or an expression in JSONata.
    pub error: Option<String>,
    /// `Cause`: likewise.
    pub cause: Option<String>,
    /// `ErrorPath` (JSONPath): a path or an intrinsic call.
    pub error_path: Option<String>,
    /// `CausePath` (JSONPath).
    pub cause_path: Option<String>,
}

/// Choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// `Choices`; the first that holds wins.
    pub rules: Vec<Rule>,
    /// `Default`.
    pub default: Option<String>,
}

/// One rule of a Choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// When it holds.
    pub when: When,
    /// `Next`.
    pub next: String,
    /// `Assign` of this rule; it replaces the state's.
    pub assign: Option<JsonMap<String, Value>>,
    /// `Output` of this rule (JSONata).
    pub output: Option<Value>,
    /// `Comment`.
    pub comment: Option<String>,
}

/// The condition of a rule in either language.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// `Condition` (JSONata): an expression, or a literal boolean.
    Condition(Value),
    /// A comparison or a combination of comparisons (JSONPath).
    Test(Test),
}

/// A JSONPath condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// All hold.
    And(Vec<Test>),
    /// One holds.
    Or(Vec<Test>),
    /// It does not hold.
    Not(Box<Test>),
    /// `Variable` compared with an operand.
    Compare {
        /// `Variable`.
        variable: String,
        /// The comparison.
        operator: Operator,
        /// The value, or the path if [`Operator::is_path`].
        operand: Value,
    },
}

pub use crate::operator::{Operand, Operator, Relation};

/// Parallel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parallel {
    /// `Branches`.
    pub branches: Vec<Flow>,
}

/// Map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// `Items` (JSONata): an expression, or a literal list or object.
    pub items: Option<Value>,
    /// `ItemsPath` (JSONPath).
    pub items_path: Option<String>,
    /// `ItemSelector`.
    pub item_selector: Option<Value>,
    /// `ItemProcessor`, or `Iterator` in old definitions.
    pub processor: Processor,
    /// `MaxConcurrency` or `MaxConcurrencyPath`.
    pub max_concurrency: Option<Quantity>,
    /// `ToleratedFailureCount` or its `…Path`.
    pub tolerated_failure_count: Option<Quantity>,
    /// `ToleratedFailurePercentage` or its `…Path`.
    pub tolerated_failure_percentage: Option<Quantity>,
    /// `Label`.
    pub label: Option<String>,
    /// `ItemReader`.
    pub item_reader: Option<Value>,
    /// `ItemBatcher`.
    pub item_batcher: Option<Value>,
    /// `ResultWriter`.
    pub result_writer: Option<Value>,
}

/// What a Map runs per item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Processor {
    /// Written as `Iterator` rather than `ItemProcessor`.
    pub old_spelling: bool,
    /// `ProcessorConfig` if given.
    pub config: Option<ProcessorConfig>,
    /// The states.
    pub flow: Flow,
}

impl Processor {
    /// Whether each item or batch is an execution of its own.
    pub fn is_distributed(&self) -> bool {
        self.config.as_ref().is_some_and(|config| config.mode == Mode::Distributed)
    }
}

/// `ProcessorConfig`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessorConfig {
    /// `Mode`.
    pub mode: Mode,
    /// `ExecutionType` of a distributed Map's children.
    pub execution_type: Option<Kind>,
}

/// Where the iterations of a Map run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Inside the execution.
    #[default]
    Inline,
    /// As executions of their own.
    Distributed,
}

pub use crate::retry::{Catcher, Jitter, Retrier};
