//! Expressions to terms: names resolved, functions and types checked, constants computed.

use super::kinds::kind_of;
use super::term::{Place, Terms};
use super::{Compiler, hints};
use crate::evaluate::{Scope, evaluate};
use crate::expression::{self, Binary, Expression, LAZY, Unary};
use crate::functions::Function;
use crate::program::{Step, Term};
use std::sync::Arc;
use viewfold_spec::{Code, Literal, Spanned, suggest};
use viewfold_value::{Kind, Value};

/// The most parts that an expression may come to when its `let`s stand where they are used.
const MAX_WEIGHT: usize = 10_000;

impl Compiler<'_> {
    /// The term of the expression `text`, which starts at a place of a longer text.
    pub(super) fn expression(&mut self, text: &str, place: Place<'_>, terms: &mut Terms<'_>) -> Option<Term> {
        match expression::parse(text) {
            Ok(expression) => {
                let term = self.resolve(&expression, place, terms)?;
                if weight(&term) > MAX_WEIGHT {
                    let span = self.inside(place, text.len());
                    let message = format!("with the values of `let` in place this has more than {MAX_WEIGHT} parts");
                    self.error(Code::BadExpression, span, message);
                    return None;
                }
                Some(term)
            }
            Err(error) => {
                let lead = text.len() - text.trim_start().len();
                let (at, length) = match (error.at, error.length) {
                    (0, 0) => (lead, text.trim().len()),
                    (at, length) => (at, length.max(1)),
                };
                if !self.cut_off(place.span) {
                    let span = self.inside(Place { at: place.at + at, ..place }, length);
                    self.error(error.code, span, error.message).help = error.help;
                }
                None
            }
        }
    }

    /// The term of a value that is an expression without `${}`: `if`, `delete_when`.
    pub(super) fn condition(&mut self, literal: &Spanned<Literal>, key: &str, terms: &mut Terms<'_>) -> Option<Term> {
        let term = match &literal.value {
            Literal::Bool(value) => Term::Constant(Value::Bool(*value)),
            Literal::Text(text) if text.trim_start().starts_with("${") => self.term(literal, terms)?,
            Literal::Text(text) => self.expression(text, Place { text, at: 0, span: literal.span }, terms)?,
            _ => {
                let message = format!("`{key}` is an expression that is true or false");
                self.error(Code::WrongForm, literal.span, message).help =
                    Some(format!("for example `{key}: $.price > 0`"));
                return None;
            }
        };
        match kind_of(&term) {
            None | Some(Kind::Boolean) => Some(term),
            Some(kind) => {
                let message = format!("`{key}` has to be true or false, and this is a {kind}");
                self.error(Code::BadOperand, literal.span, message);
                None
            }
        }
    }

    fn resolve(&mut self, expression: &Expression, place: Place<'_>, terms: &mut Terms<'_>) -> Option<Term> {
        let here = Place { at: place.at + expression.at, ..place };
        let term = match &expression.kind {
            expression::Kind::Constant(value) => return Some(Term::Constant(value.clone())),
            expression::Kind::Path(path) => return self.path_operand(path, here, terms),
            expression::Kind::Name(name) => return self.name(name, here, terms),
            expression::Kind::Call(name, arguments) => {
                let is_lazy = |number: usize| match name.as_str() {
                    "if" => number > 0,
                    "default" | "exists" => true,
                    _ => false,
                };
                let mut resolved: Vec<Option<Term>> = Vec::with_capacity(arguments.len());
                for (number, argument) in arguments.iter().enumerate() {
                    self.lazy += usize::from(is_lazy(number));
                    resolved.push(self.resolve(argument, place, terms));
                    self.lazy -= usize::from(is_lazy(number));
                }
                let resolved: Vec<Term> = resolved.into_iter().collect::<Option<_>>()?;
                self.call(name, resolved, arguments, here, place)?
            }
            expression::Kind::List(list) => {
                let list: Vec<Option<Term>> = list.iter().map(|element| self.resolve(element, place, terms)).collect();
                Term::List(list.into_iter().collect::<Option<_>>()?)
            }
            expression::Kind::Unary(operator, operand) => {
                let term = self.resolve(operand, place, terms)?;
                let wanted = match operator {
                    Unary::Negate => Kind::Number,
                    Unary::Not => Kind::Boolean,
                };
                self.operand(&term, &[wanted], unary_text(*operator), operand, place)?;
                Term::Unary(*operator, Box::new(term))
            }
            expression::Kind::Binary(operator, left, right) => {
                let a = self.resolve(left, place, terms);
                let is_lazy = usize::from(matches!(operator, Binary::And | Binary::Or));
                self.lazy += is_lazy;
                let b = self.resolve(right, place, terms);
                self.lazy -= is_lazy;
                let (a, b) = (a?, b?);
                self.operands(*operator, (&a, left), (&b, right), place)?;
                if let (Binary::Divide | Binary::Remainder, Term::Constant(Value::Number(number))) = (operator, &b)
                    && *number == viewfold_value::Number::ZERO
                    && !matches!(a, Term::Constant(_))
                    && self.lazy == 0
                {
                    let span = self.inside(Place { at: place.at + right.at, ..place }, 1);
                    self.warning(Code::BadExpression, span, "this never has a value: it is divided by zero");
                }
                Term::Binary(*operator, Box::new(a), Box::new(b))
            }
        };
        self.computed(term, here)
    }

    /// The value of a term that is the same for every event. What goes wrong then goes wrong every time.
    fn computed(&mut self, term: Term, here: Place<'_>) -> Option<Term> {
        if !term.parts().iter().all(|part| matches!(part, Term::Constant(_))) {
            return Some(term);
        }
        match evaluate(&term, &Scope::default()) {
            Ok(Some(value)) => Some(Term::Constant(value)),
            Ok(None) => Some(term),
            // It may never be needed.
            Err(_) if self.lazy > 0 => Some(term),
            Err(problem) => {
                let span = self.inside(here, 1);
                self.error(Code::BadExpression, span, format!("this never has a value: {}", problem.message));
                None
            }
        }
    }

    fn path_operand(&mut self, written: &str, here: Place<'_>, terms: &mut Terms<'_>) -> Option<Term> {
        if written.starts_with('$') {
            return self.path(written, here, terms);
        }
        let root_end = written.find(['.', '[', '?']).unwrap_or(written.len());
        let (root, rest) = written.split_at(root_end);
        let (rest, optional) = match rest.strip_suffix('?') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let span = self.inside(here, written.len());
        let steps = match crate::path::parse(&format!("${rest}")) {
            Ok(steps) => steps,
            Err(error) => {
                self.error(
                    Code::BadPath,
                    span,
                    error.message.replace(&format!("`${rest}`"), &format!("`{written}`")),
                )
                .help = error.help.map(|help| help.replace("$.", &format!("{root}.")));
                return None;
            }
        };
        let path: Arc<str> = Arc::from(written.trim_end_matches('?'));
        if root == "doc" {
            if let Err(why) = terms.document {
                self.error(Code::BadExpression, span, format!("`doc.` cannot be used here: {why}")).help =
                    Some("a value of the event is `$.name`".into());
                return None;
            }
            let first = match steps.first() {
                Some(Step::Name(name)) => name,
                _ => {
                    self.error(Code::BadPath, span, "`doc.` goes on with the name of an attribute");
                    return None;
                }
            };
            if first.starts_with("_vf_") {
                self.error(Code::ReservedAttribute, span, format!("`{first}` is viewfold's own and cannot be read"));
                return None;
            }
            self.document_names.push((first.clone(), span));
            return Some(Term::Document { steps, optional, path });
        }
        if terms.element.as_deref() == Some(root) {
            return Some(Term::Element { steps, optional, path });
        }
        let (message, help) = if terms.lets.iter().any(|lets| lets.get(root).is_some()) {
            (
                format!("`{root}` is a value of `let`, which takes no path behind it"),
                format!("`get({root}, \"…\")` takes an entry of a map"),
            )
        } else {
            if self.told_as_difference(here, written, terms) {
                return None;
            }
            let names = terms.lets.iter().flat_map(|lets| lets.iter().map(|(name, _)| name.value.as_str()));
            let near = suggest::nearest(root, names.chain(terms.element.as_deref()));
            let near =
                near.map(|near| format!("did you mean `{near}{}`?", written.get(root.len()..).unwrap_or_default()));
            let help = near.or_else(|| hints::path(root, written.get(root.len()..).unwrap_or_default()));
            (
                format!("`{root}` is no name that is known here"),
                help.unwrap_or_else(|| format!("did you mean `$.{written}`?")),
            )
        };
        self.error(Code::UnknownName, span, message).help = Some(help);
        None
    }

    fn name(&mut self, name: &str, here: Place<'_>, terms: &mut Terms<'_>) -> Option<Term> {
        if name == "null" {
            return Some(Term::Constant(Value::Null));
        }
        if terms.element.as_deref() == Some(name) {
            return Some(Term::Element { steps: Vec::new(), optional: false, path: Arc::from(name) });
        }
        if let Some(literal) = terms.lets.iter().find_map(|lets| lets.get(name)) {
            return self.let_value(name, literal, here, terms);
        }
        let span = self.inside(here, name.len());
        let known = || {
            let lets = terms.lets.iter().flat_map(|lets| lets.iter().map(|(name, _)| name.value.as_str()));
            lets.chain(terms.element.as_deref())
        };
        if self.told_as_difference(here, name, terms) {
            return None;
        }
        let help = if let Some(near) = suggest::nearest(name, known()) {
            format!("did you mean `{near}`?")
        } else if name == "doc" {
            "the document's attributes are `doc.NAME`".to_owned()
        } else if Function::named(name).is_some() || LAZY.contains(&name) {
            format!("`{name}` is a function: `{name}(…)`")
        } else if terms.event.is_none() && terms.document.is_ok() {
            format!("the document's attributes are `doc.{name}`")
        } else if let Some(help) = hints::name(name) {
            help
        } else if self.written.iter().any(|written| written == name) && terms.document.is_ok() {
            format!("the document's `{name}` is `doc.{name}`, a value of the event `$.{name}`, a text \"{name}\"")
        } else {
            format!("a value of the event is `$.{name}`, a text is \"{name}\"")
        };
        self.error(Code::UnknownName, span, format!("`{name}` is no name that is known here")).help = Some(help);
        None
    }

    /// The value of `let`, compiled once for each rule that uses it.
    fn let_value(
        &mut self,
        name: &str,
        literal: &Spanned<Literal>,
        here: Place<'_>,
        terms: &mut Terms<'_>,
    ) -> Option<Term> {
        if let Some(known) = terms.compiled.get(name) {
            return known.as_ref().map(|(term, _)| Term::Let(Arc::clone(term)));
        }
        if terms.compiling.iter().any(|open| open == name) {
            let span = self.inside(here, name.len());
            let way = terms.compiling.join("` -> `");
            self.error(Code::UnknownName, span, format!("`{name}` is made of itself: `{way}` -> `{name}`"));
            return None;
        }
        terms.compiling.push(name.to_owned());
        let term = self.term(literal, terms);
        terms.compiling.pop();
        if !self.is_unused {
            self.used_lets.insert(literal.span);
        }
        let term = term.map(Arc::new);
        let entry = term.as_ref().map(|term| (Arc::clone(term), weight(term)));
        let heavy = entry.as_ref().is_some_and(|(_, weight)| *weight > MAX_WEIGHT);
        terms.compiled.insert(name.to_owned(), entry.filter(|_| !heavy));
        if heavy {
            let message = format!("with the values of `let` in place this has more than {MAX_WEIGHT} parts");
            self.error(Code::BadExpression, literal.span, message);
            return None;
        }
        term.map(Term::Let)
    }

    fn call(
        &mut self,
        name: &str,
        mut terms: Vec<Term>,
        arguments: &[Expression],
        here: Place<'_>,
        place: Place<'_>,
    ) -> Option<Term> {
        let span = self.inside(here, name.len());
        let counted = |few: usize, many: usize| (few..=many).contains(&arguments.len());
        let wrong_count = |takes: String| {
            format!("`{name}` takes {takes}, and here {} {}", if arguments.len() == 1 { "is" } else { "are" }, {
                arguments.len()
            })
        };
        if LAZY.contains(&name) {
            let (few, many, takes) = match name {
                "if" => (2, 3, "a condition and one or two values"),
                "exists" => (1, 1, "one value"),
                _ => (2, 2, "two values"),
            };
            if !counted(few, many) {
                self.error(Code::BadCall, span, wrong_count(takes.to_owned()));
                return None;
            }
            if let ("exists" | "default", expression::Kind::Constant(Value::String(text))) = (name, &arguments[0].kind)
            {
                let span = self.inside(Place { at: place.at + arguments[0].at, ..place }, text.len() + 2);
                let message = format!("\"{text}\" is a text, which is always there");
                let meant = if crate::path::is_path(text) { text.clone() } else { format!("$.{text}") };
                let end = if name == "exists" { ")" } else { ", …)" };
                self.error(Code::BadCall, span, message).help =
                    Some(format!("a path stands without quotes: `{name}({meant}{end}`"));
                return None;
            }
            let mut boxed = terms.drain(..).map(Box::new);
            let mut next = || boxed.next();
            let (first, second, third) = (next(), next(), next());
            return match (name, first, second, third) {
                ("exists", Some(value), _, _) => Some(Term::Exists(value)),
                ("default", Some(value), Some(otherwise), _) => Some(Term::Default(value, otherwise)),
                (_, Some(condition), Some(then), otherwise) => {
                    self.operand(&condition, &[Kind::Boolean], "the condition of `if`", &arguments[0], place)?;
                    Some(Term::If(condition, then, otherwise))
                }
                _ => None,
            };
        }
        let Some(function) = Function::named(name) else {
            let names = Function::ALL.iter().map(|function| function.name()).chain(LAZY);
            let help = hints::function(name, names);
            self.error(Code::BadCall, span, format!("`{name}` is no function")).help = Some(help);
            return None;
        };
        let signature = function.signature();
        let few = signature.parameters.len() - signature.optional;
        let many = if signature.variadic { usize::MAX } else { signature.parameters.len() };
        if !counted(few, many) {
            let takes = match (few, many) {
                (few, usize::MAX) => format!("{few} or more values"),
                (1, 1) => "one value".to_owned(),
                (few, many) if few == many => format!("{few} values"),
                (few, many) => format!("{few} to {many} values"),
            };
            let help = hints::count(name, arguments);
            self.error(Code::BadCall, span, wrong_count(takes)).help = help;
            return None;
        }
        for (number, (term, argument)) in terms.iter().zip(arguments).enumerate() {
            let Some(parameter) = signature.parameters.get(number).or(signature.parameters.last()) else { continue };
            if let Some(kind) = kind_of(term)
                && !parameter.takes(kind)
            {
                let span = self.inside(Place { at: place.at + argument.at, ..place }, 1);
                let message = format!("`{name}` takes {parameter} here, and this is a {kind}");
                self.error(Code::BadOperand, span, message).help = hints::argument(name, term, kind);
                return None;
            }
        }
        self.time_first(function, &terms, arguments, place)?;
        if let (Function::TimeFormat, Some(Term::Constant(Value::String(format)))) = (function, terms.get(1))
            && !format.contains('%')
        {
            let at = arguments.get(1).map_or(0, |argument| argument.at);
            let span = self.inside(Place { at: place.at + at, ..place }, format.len() + 2);
            let message = format!("the format `{format}` has no `%`, so it is the same for every time");
            self.warning(Code::BadCall, span, message).help =
                Some("the parts of a time are written `%Y-%m-%d`, `%H:%M:%S`".into());
        }
        // What the file says is right or wrong whatever the event brings.
        if let Some(sample) = function.sample()
            && let [Term::Constant(_), ..] = &terms[1..]
            && !matches!(terms[0], Term::Constant(_))
            && self.lazy == 0
        {
            let constants: Option<Vec<Value>> = terms[1..]
                .iter()
                .map(|term| match term {
                    Term::Constant(value) => Some(value.clone()),
                    _ => None,
                })
                .collect();
            let values = constants.map(|rest| [vec![sample], rest].concat());
            if let Some(Err(problem)) = values.map(|values| function.call(&values)) {
                let at = arguments.get(1).map_or(0, |argument| argument.at);
                let span = self.inside(Place { at: place.at + at, ..place }, 1);
                self.error(Code::BadExpression, span, format!("this never has a value: {}", problem.message));
                return None;
            }
        }
        Some(Term::Call(function, terms))
    }

    /// Checks that what stands where a function takes a time is no width or format.
    fn time_first(
        &mut self,
        function: Function,
        terms: &[Term],
        arguments: &[Expression],
        place: Place<'_>,
    ) -> Option<()> {
        let ([Term::Constant(Value::String(text)), _], [first, second]) = (terms, arguments) else { return Some(()) };
        let is_time = || Function::EpochMs.call(&[Value::from(text.as_str())]).is_ok();
        if !matches!(function, Function::TimeBucket | Function::TimeFormat) || is_time() {
            return Some(());
        }
        let name = function.name();
        let span = self.inside(Place { at: place.at + first.at, ..place }, text.len() + 2);
        let time = match &second.kind {
            expression::Kind::Path(path) | expression::Kind::Name(path) => path.as_str(),
            _ => "$.at",
        };
        self.error(Code::BadCall, span, format!("`{name}` takes the time first, and \"{text}\" is none")).help =
            Some(format!("the time stands first: `{name}({time}, \"{text}\")`"));
        None
    }

    /// Checks the types of an operator's two operands, as far as they are known.
    fn operands(
        &mut self,
        operator: Binary,
        (a, left): (&Term, &Expression),
        (b, right): (&Term, &Expression),
        place: Place<'_>,
    ) -> Option<()> {
        let text = binary_text(operator);
        let kinds: &[Kind] = match operator {
            Binary::Equal | Binary::NotEqual => {
                let (path, other) = match (a, b) {
                    (Term::Many { path, .. }, other) | (other, Term::Many { path, .. }) => (path, other),
                    _ => return Some(()),
                };
                let Some(kind @ (Kind::String | Kind::Number | Kind::Boolean)) = kind_of(other) else {
                    return Some(());
                };
                let span = self.inside(Place { at: place.at + left.at, ..place }, 1);
                let message = format!("`{path}` finds a list, which is never the same as a {kind}");
                let shown = match other {
                    Term::Constant(Value::String(text)) => format!("\"{text}\""),
                    Term::Constant(value) => value.to_string(),
                    _ => "x".to_owned(),
                };
                let list = path.strip_suffix("[*]").unwrap_or(path);
                let not = if operator == Binary::NotEqual { "!" } else { "" };
                self.error(Code::BadOperand, span, message).help = Some(format!(
                    "whether it is one of them says `{not}contains({list}, {shown})`, or a pattern of `when`"
                ));
                return None;
            }
            Binary::And | Binary::Or => &[Kind::Boolean],
            Binary::Add | Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
                &[Kind::Number, Kind::String]
            }
            _ => &[Kind::Number],
        };
        self.operand(a, kinds, text, left, place)?;
        self.operand(b, kinds, text, right, place)?;
        if let (Some(a), Some(b)) = (kind_of(a), kind_of(b))
            && a != b
        {
            let span = self.inside(Place { at: place.at + right.at, ..place }, 1);
            let message = format!("`{text}` takes two values of one type, and these are a {a} and a {b}");
            self.error(Code::BadOperand, span, message).help = Some(match operator {
                Binary::Add => "text is put together in a value: '${ first } ${ last }'".into(),
                _ => "`number(x)` and `text(x)` convert".into(),
            });
            return None;
        }
        Some(())
    }

    fn operand(
        &mut self,
        term: &Term,
        kinds: &[Kind],
        what: &str,
        expression: &Expression,
        place: Place<'_>,
    ) -> Option<()> {
        match kind_of(term) {
            Some(kind) if !kinds.contains(&kind) => {
                let span = self.inside(Place { at: place.at + expression.at, ..place }, 1);
                let wanted: Vec<String> = kinds.iter().map(|kind| format!("a {kind}")).collect();
                let what = if what.len() < 3 { format!("`{what}`") } else { what.to_owned() };
                let message = format!("{what} takes {}, and this is a {kind}", wanted.join(" or "));
                let help = match (kind, &expression.kind) {
                    (Kind::Boolean, expression::Kind::Binary(..))
                        if what.starts_with(['`']) && what.contains(['<', '>']) =>
                    {
                        Some("a range is two comparisons: `1 < x && x < 5`")
                    }
                    (Kind::String, _) if kinds == [Kind::Number] => Some("`number(x)` makes a number of a text"),
                    (Kind::Number, _) if kinds == [Kind::Boolean] => Some("a condition compares: `x > 0`"),
                    _ => None,
                };
                self.error(Code::BadOperand, span, message).help = help.map(str::to_owned);
                None
            }
            _ => Some(()),
        }
    }
}

/// How many parts a term has, the values of `let` counted wherever they are used.
fn weight(term: &Term) -> usize {
    let mut weight = 0;
    // Stops as soon as there are too many: a tower of `let`s is as wide as it is deep.
    term.any(&mut |_| {
        weight += 1;
        weight > MAX_WEIGHT
    });
    weight
}

const fn unary_text(operator: Unary) -> &'static str {
    match operator {
        Unary::Negate => "-",
        Unary::Not => "!",
    }
}

const fn binary_text(operator: Binary) -> &'static str {
    match operator {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::Remainder => "%",
        Binary::Power => "^",
        Binary::Equal => "==",
        Binary::NotEqual => "!=",
        Binary::Greater => ">",
        Binary::Less => "<",
        Binary::GreaterOrEqual => ">=",
        Binary::LessOrEqual => "<=",
        Binary::And => "&&",
        Binary::Or => "||",
    }
}
