//! What operators mean: exact numbers, no conversions.

use super::number::bad_number;
use crate::expression::{Binary, Unary};
use crate::report::{Problem, Reason};
use std::cmp::Ordering;
use viewfold_value::{NumberError, Value};

/// The longest text that `+` makes, in bytes: no item holds a longer one.
const MAX_TEXT_BYTES: usize = 400 << 10;

/// `-a`, `!a`
///
/// # Errors
///
/// When the operand is of another type.
pub fn unary(operator: Unary, operand: &Value) -> Result<Value, Problem> {
    match (operator, operand) {
        (Unary::Negate, Value::Number(number)) => Ok(Value::Number(-*number)),
        (Unary::Not, Value::Bool(value)) => Ok(Value::Bool(!value)),
        (Unary::Negate, other) => Err(wrong_type("`-` takes a number", other)),
        (Unary::Not, other) => Err(wrong_type("`!` takes true or false", other)),
    }
}

/// `a + b` and all the others. Values of different types are never equal; numbers are by their value.
///
/// # Errors
///
/// When an operand is of the wrong type, or the result no number that DynamoDB holds exactly.
pub fn binary(operator: Binary, left: &Value, right: &Value) -> Result<Value, Problem> {
    use Binary::{
        Add, And, Divide, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Multiply, NotEqual, Or, Power, Remainder,
        Subtract,
    };
    Ok(match operator {
        Equal => Value::Bool(left == right),
        NotEqual => Value::Bool(left != right),
        And | Or => match (left, right) {
            (Value::Bool(a), Value::Bool(b)) => Value::Bool(if operator == And { *a && *b } else { *a || *b }),
            (Value::Bool(_), other) | (other, _) => return Err(wrong_type("`&&` and `||` take true or false", other)),
        },
        Less | LessOrEqual | Greater | GreaterOrEqual => {
            let order = match (left, right) {
                (Value::Number(a), Value::Number(b)) => a.cmp(b),
                (Value::String(a), Value::String(b)) => a.cmp(b),
                (a, b) => {
                    let message =
                        format!("two numbers or two texts can be compared, not a {} and a {}", a.kind(), b.kind());
                    return Err(Problem::new(Reason::WrongType, message));
                }
            };
            Value::Bool(match operator {
                Less => order == Ordering::Less,
                LessOrEqual => order != Ordering::Greater,
                Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })
        }
        Add if matches!((left, right), (Value::String(_), Value::String(_))) => {
            let (Value::String(a), Value::String(b)) = (left, right) else {
                return Err(wrong_type("`+` takes two numbers or two texts", left));
            };
            if a.len() + b.len() > MAX_TEXT_BYTES {
                return Err(Problem::new(Reason::Expression, "the text would be longer than an item can be"));
            }
            Value::String(format!("{a}{b}"))
        }
        Add | Subtract | Multiply | Divide | Remainder | Power => {
            let (Value::Number(a), Value::Number(b)) = (left, right) else {
                let other = if matches!(left, Value::Number(_)) { right } else { left };
                return Err(wrong_type("arithmetic takes numbers", other));
            };
            let result = match operator {
                Add => a.checked_add(*b),
                Subtract => a.checked_sub(*b),
                Multiply => a.checked_mul(*b),
                Divide => a.checked_div(*b),
                Remainder => a.checked_rem(*b),
                _ => a.checked_pow(*b),
            };
            Value::Number(result.map_err(|error| match error {
                NumberError::DivisionByZero => Problem::new(Reason::Expression, format!("{a} is divided by zero")),
                error => bad_number(error),
            })?)
        }
    })
}

fn wrong_type(takes: &str, found: &Value) -> Problem {
    Problem::new(Reason::WrongType, format!("{takes}, and this is a {}", found.kind()))
}
