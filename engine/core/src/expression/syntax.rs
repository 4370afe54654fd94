//! evalexpr's tree as expressions of ours.

use super::cut::{Cut, Piece, cut, piece_number};
use super::habits::habit;
use evalexpr::{EvalexprError, Node, Operator, build_operator_tree};
use viewfold_spec::Code;
use viewfold_value::Value;

/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 64;

/// The most operators, parentheses and operands of an expression. evalexpr builds its tree by recursion without a limit of
/// its own, so they are counted first.
const MAX_PARTS: usize = 512;

/// The longest expression, in bytes.
const MAX_BYTES: usize = 4096;

/// Why a text is no expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// Where, in bytes of the expression.
    pub at: usize,
    /// How many bytes are meant; 0: one character, or at the beginning the whole expression.
    pub length: usize,
    /// What kind of error it is.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether it is an error of evalexpr's, which knows no places: what people usually do wrong says more.
    vague: bool,
}

impl SyntaxError {
    pub(super) fn new(at: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError { at, length: 0, code: Code::BadExpression, message: message.into(), help: None, vague: false }
    }

    fn vague(at: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError { vague: true, ..SyntaxError::new(at, message) }
    }

    pub(super) fn length(mut self, length: usize) -> SyntaxError {
        self.length = length;
        self
    }

    pub(super) fn code(mut self, code: Code) -> SyntaxError {
        self.code = code;
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> SyntaxError {
        self.help = Some(help.into());
        self
    }
}

/// An expression as it was written; its paths and names are not resolved yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Expression {
    /// Where it starts, in bytes of the text; of an operator, where its first operand starts.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// What an [`Expression`] is.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// A number, text or boolean. Booleans know no place of their own.
    Constant(Value),
    /// A path, as written: `$.a`, `$$.time`, `doc.a`, `line.price`.
    Path(String),
    /// A bare name.
    Name(String),
    /// A function and its arguments.
    Call(String, Vec<Expression>),
    /// Values in parentheses: a list.
    List(Vec<Expression>),
    /// An operator with one operand.
    Unary(Unary, Box<Expression>),
    /// An operator with two operands.
    Binary(Binary, Box<Expression>, Box<Expression>),
}

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unary {
    /// `-a`
    Negate,
    /// `!a`
    Not,
}

/// Operators with two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "they are named after what they do")]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
}

/// Parses an expression.
///
/// # Errors
///
/// When it is none, or longer or deeper than is allowed.
pub fn parse(text: &str) -> Result<Expression, SyntaxError> {
    parse_bounded(text).map_err(|error| match error.vague {
        true => habit(text).unwrap_or(error),
        false => error,
    })
}

fn parse_bounded(text: &str) -> Result<Expression, SyntaxError> {
    if text.len() > MAX_BYTES {
        return Err(SyntaxError::new(0, format!("the expression is longer than {MAX_BYTES} bytes")));
    }
    if text.trim().is_empty() {
        return Err(SyntaxError::new(0, "the expression is empty"));
    }
    straight_quotes(text)?;
    parentheses(text)?;
    let cut = cut(text)?;
    if cut.operators + cut.pieces.len() > MAX_PARTS {
        let error = SyntaxError::new(0, format!("the expression has more than {MAX_PARTS} operators and operands"));
        return Err(error.help("divide it into several values"));
    }
    let tree = build_operator_tree(&cut.text).map_err(|error| syntax_error(&error))?;
    if tree.children().first().is_some_and(|node| *node.operator() == Operator::Tuple) {
        let error = SyntaxError::new(0, "these are several values, and an expression is one");
        let decimal = text
            .as_bytes()
            .windows(3)
            .any(|three| matches!(three, [a, b',', b] if a.is_ascii_digit() && b.is_ascii_digit()));
        return Err(error.help(match decimal {
            true => "a number has a point and no comma: `1.5`; a list is written in parentheses: `(1, 2)`",
            false => "a list is written in parentheses: `(1, 2)`",
        }));
    }
    convert(&tree, &cut)
}

/// Checks that there are no quotes and signs of a word processor.
fn straight_quotes(text: &str) -> Result<(), SyntaxError> {
    let is_curly = |c: char| matches!(c, '“' | '”' | '„' | '‘' | '’' | '«' | '»');
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        let operator = match c {
            '−' | '–' | '—' => "-",
            '×' | '⋅' => "*",
            '÷' => "/",
            '≤' => "<=",
            '≥' => ">=",
            '≠' => "!=",
            '\u{a0}' => " ",
            _ => "",
        };
        if !quoted && !operator.is_empty() {
            let error = SyntaxError::new(at, format!("`{c}` is no sign of an expression")).length(c.len_utf8());
            return Err(error.help(format!("write `{operator}`")));
        }
        if is_curly(c) && !quoted {
            let rest = &text[at + c.len_utf8()..];
            let inner = &rest[..rest.find(is_curly).unwrap_or(rest.len())];
            let end = text[at..]
                .char_indices()
                .skip(1)
                .find(|(_, c)| is_curly(*c))
                .map_or(c.len_utf8(), |(end, c)| end + c.len_utf8());
            let error = SyntaxError::new(at, format!("`{c}` is no quotation mark of an expression")).length(end);
            return Err(error.help(format!("write straight ones: \"{}\"", inner.trim())));
        }
    }
    Ok(())
}

/// Checks that parentheses match and are not nested too deep.
fn parentheses(text: &str) -> Result<(), SyntaxError> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => open.push(at),
            (None, ')') if open.pop().is_none() => {
                return Err(SyntaxError::new(at, "this `)` closes nothing"));
            }
            (None, _) => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(SyntaxError::new(at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
    }
    match open.pop() {
        Some(at) => Err(SyntaxError::vague(at, "this `(` is never closed")),
        None => Ok(()),
    }
}

fn syntax_error(error: &EvalexprError) -> SyntaxError {
    let message = match error {
        EvalexprError::WrongOperatorArgumentAmount { .. } => {
            "an operator lacks an operand, or has one too many".to_owned()
        }
        EvalexprError::MissingOperatorOutsideOfBrace => "two values stand side by side without an operator".to_owned(),
        EvalexprError::AppendedToLeafNode => "two values stand side by side without an operator".to_owned(),
        EvalexprError::UnmatchedPartialToken { first, .. } => format!("`{first}` is no operator"),
        other => format!("this is no expression: {other}"),
    };
    SyntaxError::vague(0, message)
}

fn convert(node: &Node, cut: &Cut) -> Result<Expression, SyntaxError> {
    let child = |number: usize| match node.children().get(number) {
        Some(child) => convert(child, cut),
        None => Err(SyntaxError::vague(0, "an operator lacks an operand")),
    };
    let binary = |operator: Binary| {
        let (left, right) = (child(0)?, child(1)?);
        Ok(Expression { at: left.at, kind: Kind::Binary(operator, Box::new(left), Box::new(right)) })
    };
    let unary = |operator: Unary| {
        let operand = child(0)?;
        Ok(Expression { at: operand.at, kind: Kind::Unary(operator, Box::new(operand)) })
    };
    match node.operator() {
        Operator::RootNode if node.children().is_empty() => {
            Err(SyntaxError::vague(0, "there is nothing in parentheses"))
        }
        Operator::RootNode => child(0),
        Operator::Add => binary(Binary::Add),
        Operator::Sub => binary(Binary::Subtract),
        Operator::Mul => binary(Binary::Multiply),
        Operator::Div => binary(Binary::Divide),
        Operator::Mod => binary(Binary::Remainder),
        Operator::Exp => binary(Binary::Power),
        Operator::Eq => binary(Binary::Equal),
        Operator::Neq => binary(Binary::NotEqual),
        Operator::Gt => binary(Binary::Greater),
        Operator::Lt => binary(Binary::Less),
        Operator::Geq => binary(Binary::GreaterOrEqual),
        Operator::Leq => binary(Binary::LessOrEqual),
        Operator::And => binary(Binary::And),
        Operator::Or => binary(Binary::Or),
        Operator::Neg => unary(Unary::Negate),
        Operator::Not => unary(Unary::Not),
        Operator::Const { value } => {
            let value = match value {
                evalexpr::Value::Boolean(value) => Value::Bool(*value),
                other => return Err(SyntaxError::vague(0, format!("`{other}` is no value of an expression"))),
            };
            Ok(Expression { at: 0, kind: Kind::Constant(value) })
        }
        Operator::VariableIdentifierRead { identifier } => {
            let (piece, at) = piece(identifier, cut)?;
            let kind = match piece {
                Piece::Path(path) => Kind::Path(path.clone()),
                Piece::Name(name) => Kind::Name(name.clone()),
                Piece::Number(number) => Kind::Constant(Value::Number(*number)),
                Piece::Text(text) => Kind::Constant(Value::String(text.clone())),
            };
            Ok(Expression { at, kind })
        }
        Operator::FunctionIdentifier { identifier } => {
            let (piece, at) = piece(identifier, cut)?;
            let Piece::Name(name) = piece else {
                return Err(SyntaxError::vague(at, "two values stand side by side without an operator"));
            };
            Ok(Expression { at, kind: Kind::Call(name.clone(), arguments(node, cut)?) })
        }
        Operator::Tuple => {
            let list: Result<Vec<Expression>, SyntaxError> =
                node.children().iter().map(|element| convert(element, cut)).collect();
            let list = list?;
            Ok(Expression { at: list.first().map_or(0, |first| first.at), kind: Kind::List(list) })
        }
        _ => Err(SyntaxError::vague(0, "an expression is one value: it has no assignments and no `;`")),
    }
}

/// A function has one child: its parenthesis, and in that nothing, one argument, or several in a tuple.
fn arguments(function: &Node, cut: &Cut) -> Result<Vec<Expression>, SyntaxError> {
    let Some(mut inner) = function.children().first() else { return Ok(Vec::new()) };
    if *inner.operator() == Operator::RootNode {
        match inner.children() {
            [] => return Ok(Vec::new()),
            [only, ..] => inner = only,
        }
    }
    if *inner.operator() == Operator::Tuple {
        inner.children().iter().map(|argument| convert(argument, cut)).collect()
    } else {
        convert(inner, cut).map(|argument| vec![argument])
    }
}

fn piece<'c>(identifier: &str, cut: &'c Cut) -> Result<(&'c Piece, usize), SyntaxError> {
    piece_number(identifier)
        .and_then(|number| cut.pieces.get(number))
        .map(|(piece, at)| (piece, *at))
        .ok_or_else(|| SyntaxError::vague(0, "something here is no name, value or operator of an expression"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An expression with all its parentheses.
    fn shown(expression: &Expression) -> String {
        match &expression.kind {
            Kind::Constant(value) => value.to_string(),
            Kind::Path(text) | Kind::Name(text) => text.clone(),
            Kind::Call(name, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(shown).collect();
                format!("{name}({})", arguments.join(", "))
            }
            Kind::List(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", ")),
            Kind::Unary(operator, operand) => format!("({operator:?} {})", shown(operand)),
            Kind::Binary(operator, left, right) => format!("({} {operator:?} {})", shown(left), shown(right)),
        }
    }

    #[test]
    fn the_grammar_is_evalexprs() {
        for (text, tree) in [
            ("1 + 2 * 3", "(1 Add (2 Multiply 3))"),
            ("-$.a ^ 2", "(Negate ($.a Power 2))"),
            ("a || b && !c", "(a Or (b And (Not c)))"),
            ("a - b - c", "((a Subtract b) Subtract c)"),
            ("(a - (b - c)) % 2", "((a Subtract (b Subtract c)) Remainder 2)"),
            (
                "if(doc.games > 0, fixed(doc.wins * 100 / doc.games, 2), \"0.00\")",
                "if((doc.games Greater 0), fixed(((doc.wins Multiply 100) Divide doc.games), 2), \"0.00\")",
            ),
            ("f()", "f()"),
            ("f((a))", "f(a)"),
            // evalexpr needs no parentheses around one argument.
            ("len $.a", "len($.a)"),
            ("f(g(a, b), c) + 1", "(f(g(a, b), c) Add 1)"),
            ("\"a \\\" $.b\" == str::trim($.c?)", "(\"a \\\" $.b\" Equal str::trim($.c?))"),
            ("contains((\"a\", b), $.c)", "contains([\"a\", b], $.c)"),
            ("((a, b))", "[a, b]"),
            ("len((a, (b, c)))", "len([a, [b, c]])"),
            ("true != false", "(true NotEqual false)"),
        ] {
            assert_eq!(parse(text).map(|parsed| shown(&parsed)).as_deref(), Ok(tree), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_an_error() {
        for text in ["", "  ", "1 +", "1 2", "(1", "1)", "()", "1 & 2", "$.a $.b", "3(4)", "a, b"] {
            assert!(parse(text).is_err(), "{text}: {:?}", parse(text));
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
        for many in ["-", "len ", "!"] {
            assert!(parse(&format!("{}1", many.repeat(500))).is_ok());
            assert!(parse(&format!("{}1", many.repeat(800))).is_err());
        }
        assert!(parse(&vec!["1"; 2000].join("+")).is_err());
    }
}
