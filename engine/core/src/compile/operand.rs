//! The values of operations: what can be known about their types.

use super::Compiler;
use super::kinds::kind_of;
use crate::program::{OperationKind, Term};
use viewfold_spec::{Code, Span};
use viewfold_value::{Kind, Value};

impl Compiler<'_> {
    /// Checks what can be known about the type of an operation's value.
    pub(super) fn check_operand(&mut self, kind: &OperationKind, span: Span, element: Option<&str>) -> bool {
        let Some(value) = kind.value() else { return true };
        let Some(found) = kind_of(value) else { return true };
        let set = matches!(found, Kind::StringSet | Kind::NumberSet | Kind::BinarySet);
        let (takes, fine) = match kind {
            OperationKind::Add(_) => ("a number or a set", set || found == Kind::Number),
            OperationKind::RemoveFrom(_) => ("a set", set),
            OperationKind::Max(_) | OperationKind::Min(_) => {
                ("a number or a text", matches!(found, Kind::Number | Kind::String))
            }
            _ => return true,
        };
        if fine {
            return true;
        }
        let help = match (kind, value) {
            (OperationKind::Add(_), Term::Constant(Value::String(text))) => {
                if element.is_some_and(|name| {
                    text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                }) {
                    format!("for a part of the element write '${{ {text} }}'")
                } else if text.starts_with('-') && text.contains('$') {
                    format!("an expression is written '${{ {text} }}'")
                } else if let Some(number) = decimal(text) {
                    format!("a number is written in decimal digits alone: {number}")
                } else if text.starts_with(|c: char| c.is_ascii_digit())
                    && text.parse::<viewfold_value::Number>().is_err()
                {
                    "a number is written like 12, 0.5 or 1e6".to_owned()
                } else if text.parse::<viewfold_value::Number>().is_ok() {
                    format!("for a number write {text} without quotes")
                } else {
                    format!("did you mean `$.{}`?", text.trim_start_matches(['$', '.']))
                }
            }
            (OperationKind::Add(_), Term::Many { path, .. }) => format!("their sum is '${{ sum({path}) }}'"),
            (OperationKind::RemoveFrom(_), _) | (OperationKind::Add(_), _)
                if found == Kind::List || matches!(kind, OperationKind::RemoveFrom(_)) =>
            {
                "a set is written '${ set(\"a\", \"b\") }'".to_owned()
            }
            (OperationKind::Add(_), Term::Map(_) | Term::Constant(Value::Map(_))) => {
                "what is inside of a map is added to by its path: `add: { 'totals.eur': $.amount }`".to_owned()
            }
            (OperationKind::Add(_), _) => "use `set` to give the attribute a value".to_owned(),
            _ => "`number(x)` and `text(x)` convert".to_owned(),
        };
        let message = format!("`{}` takes {takes}, and this is a {found}", kind.name());
        self.error(Code::BadOperand, span, message).help = Some(help);
        false
    }
}

/// A number with `_` between its digits, or in hexadecimal digits.
fn decimal(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(|number| number.to_string());
    }
    let digits = text.replace('_', "");
    (digits != text && digits.parse::<viewfold_value::Number>().is_ok()).then_some(digits)
}
