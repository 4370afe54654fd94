//! JSONPath queries that can find many values ([RFC 9535]).
//!
//! jsonpath-rust parses; looking is ours, over our own values: numbers compare with all their digits, selectors behind `..`
//! and nested filters come out as the RFC has them, and the work is bounded. Sets are arrays of their elements here, and
//! binary data is its base64 text. What a path finds in a map comes in the order of the keys' text: the RFC leaves it open.
//!
//! [RFC 9535]: https://www.rfc-editor.org/rfc/rfc9535

use crate::path::{PathError, Step, no_stray_space, path_step, path_syntax_error, unquote_name};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector, SingularQuery,
    SingularQuerySegment, Test, TestFunction,
};
use jsonpath_rust::parser::parse_json_path;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_spec::Code;
use viewfold_value::{Number, Value};

/// The longest path, in bytes.
const MAX_BYTES: usize = 1000;

/// How deep brackets and parentheses of a path may be nested.
const MAX_DEPTH: usize = 16;

/// The most values that a query may look at in one event.
const MAX_VISITS: usize = 100_000;

/// The most memory that a regular expression of `match` or `search` may take, in bytes.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// A path: a plain beginning that a slot is filled by, and, where it can find many values, a query over what stands there.
#[derive(Debug, PartialEq)]
pub struct CompiledPath {
    /// The plain beginning.
    pub steps: Vec<Step>,
    /// What to look for there.
    pub rest: Option<Query>,
}

/// A query.
#[derive(Clone, Debug)]
pub struct Query {
    text: Arc<str>,
    segments: Arc<[Segment]>,
    /// The regular expressions of `match` and `search` that stand in the path, by their text.
    regexes: Arc<BTreeMap<(String, bool), Option<Regex>>>,
}

impl PartialEq for Query {
    fn eq(&self, other: &Query) -> bool {
        self.text == other.text
    }
}

/// Compiles a path.
///
/// # Errors
///
/// When the text is no JSONPath, is too long, or nested too deep.
pub fn compile(text: &str) -> Result<CompiledPath, PathError> {
    bounded(text)?;
    no_stray_space(text)?;
    let query = parse_json_path(text).map_err(|error| path_syntax_error(text, &error.to_string()))?;
    let JpQuery { segments } = query;
    let plain = segments.iter().take_while(|segment| path_step(segment).is_some()).count();
    // A filter may look at the payload itself: then the query begins there.
    let plain = if plain < segments.len() && segments.iter().any(looks_at_root) { 0 } else { plain };
    let steps = segments.iter().take(plain).filter_map(path_step).collect();
    if plain == segments.len() {
        return Ok(CompiledPath { steps, rest: None });
    }
    let rest: Arc<[Segment]> = segments.into_iter().skip(plain).collect();
    let mut regexes = BTreeMap::new();
    rest.iter().for_each(|segment| collect_regexes(segment, &mut regexes));
    Ok(CompiledPath { steps, rest: Some(Query { text: Arc::from(text), segments: rest, regexes: Arc::new(regexes) }) })
}

fn bounded(text: &str) -> Result<(), PathError> {
    let error = |message: String, at: Option<usize>| PathError {
        message,
        at: at.map(|at| (at, 1)),
        code: Code::BadPath,
        help: None,
    };
    if text.len() > MAX_BYTES {
        return Err(error(format!("the path is longer than {MAX_BYTES} bytes"), None));
    }
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(error(format!("the path is nested deeper than {MAX_DEPTH} levels"), Some(at)));
        }
    }
    // The parser goes into itself for each of these, closed or not.
    let negations = text.matches('!').count();
    if negations > MAX_DEPTH * 4 {
        return Err(error("the path has too many `!`".to_owned(), None));
    }
    Ok(())
}

impl Query {
    /// What the query finds in a value, in its order.
    ///
    /// # Errors
    ///
    /// When it would have to look at more than 100,000 values.
    pub fn find(&self, value: &Value) -> Result<Vec<Value>, String> {
        let mut search = Search { root: value, query: self, visits: 0 };
        let found = search.segments(&self.segments, vec![Cow::Borrowed(value)])?;
        Ok(found.into_iter().map(Cow::into_owned).collect())
    }
}

type Node<'v> = Cow<'v, Value>;

/// A query at work on a value.
struct Search<'v, 'q> {
    root: &'v Value,
    query: &'q Query,
    visits: usize,
}

impl<'v> Search<'v, '_> {
    fn visit(&mut self) -> Result<(), String> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            return Err(format!("{} looks at more than {MAX_VISITS} values", self.query.text));
        }
        Ok(())
    }

    fn segments(&mut self, segments: &[Segment], mut nodes: Vec<Node<'v>>) -> Result<Vec<Node<'v>>, String> {
        for segment in segments {
            let mut found = Vec::new();
            for node in &nodes {
                self.segment(segment, node, &mut found)?;
            }
            nodes = found;
        }
        Ok(nodes)
    }

    fn segment(&mut self, segment: &Segment, node: &Node<'v>, found: &mut Vec<Node<'v>>) -> Result<(), String> {
        match segment {
            Segment::Selector(selector) => self.selector(selector, node, found),
            Segment::Selectors(selectors) => {
                selectors.iter().try_for_each(|selector| self.selector(selector, node, found))
            }
            Segment::Descendant(inner) => {
                self.segment(inner, node, found)?;
                for child in children(node) {
                    self.visit()?;
                    self.segment(segment, &child, found)?;
                }
                Ok(())
            }
        }
    }

    fn selector(&mut self, selector: &Selector, node: &Node<'v>, found: &mut Vec<Node<'v>>) -> Result<(), String> {
        self.visit()?;
        match selector {
            Selector::Name(name) => found.extend(member(node, &unquote_name(name))),
            Selector::Index(index) => found.extend(element(node, *index)),
            Selector::Wildcard => {
                for child in children(node) {
                    self.visit()?;
                    found.push(child);
                }
            }
            Selector::Slice(start, end, step) => {
                if is_array(node) {
                    let elements = children(node);
                    for at in slice(elements.len(), *start, *end, step.unwrap_or(1)) {
                        self.visit()?;
                        found.extend(elements.get(at).cloned());
                    }
                }
            }
            Selector::Filter(filter) => {
                for child in children(node) {
                    self.visit()?;
                    if self.filter(filter, &child)? {
                        found.push(child);
                    }
                }
            }
        }
        Ok(())
    }

    fn filter(&mut self, filter: &Filter, node: &Node<'v>) -> Result<bool, String> {
        match filter {
            Filter::Or(filters) => {
                for filter in filters {
                    if self.filter(filter, node)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Filter::And(filters) => {
                for filter in filters {
                    if !self.filter(filter, node)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Atom(FilterAtom::Filter { expr, not }) => Ok(self.filter(expr, node)? != *not),
            Filter::Atom(FilterAtom::Test { expr, not }) => Ok(self.test(expr, node)? != *not),
            Filter::Atom(FilterAtom::Comparison(comparison)) => self.comparison(comparison, node),
        }
    }

    fn test(&mut self, test: &Test, node: &Node<'v>) -> Result<bool, String> {
        match test {
            Test::RelQuery(segments) => Ok(!self.segments(segments, vec![node.clone()])?.is_empty()),
            Test::AbsQuery(query) => Ok(!self.segments(&query.segments, vec![Cow::Borrowed(self.root)])?.is_empty()),
            Test::Function(function) => {
                Ok(matches!(self.function(function, node)?.as_deref(), Some(Value::Bool(true))))
            }
        }
    }

    fn comparison(&mut self, comparison: &Comparison, node: &Node<'v>) -> Result<bool, String> {
        let (left, right) = comparison.vals();
        let (left, right) = (self.comparable(left, node)?, self.comparable(right, node)?);
        let equal = match (&left, &right) {
            (None, None) => true,
            (Some(left), Some(right)) => left == right,
            _ => false,
        };
        let order = match (left.as_deref(), right.as_deref()) {
            (Some(Value::Number(a)), Some(Value::Number(b))) => Some(a.cmp(b)),
            (Some(Value::String(a)), Some(Value::String(b))) => Some(a.chars().cmp(b.chars())),
            _ => None,
        };
        Ok(match comparison {
            Comparison::Eq(..) => equal,
            Comparison::Ne(..) => !equal,
            Comparison::Lt(..) => order == Some(Ordering::Less),
            Comparison::Gt(..) => order == Some(Ordering::Greater),
            Comparison::Lte(..) => order == Some(Ordering::Less) || equal,
            Comparison::Gte(..) => order == Some(Ordering::Greater) || equal,
        })
    }

    fn comparable(&mut self, comparable: &Comparable, node: &Node<'v>) -> Result<Option<Node<'v>>, String> {
        match comparable {
            Comparable::Literal(literal) => Ok(Some(Cow::Owned(literal_value(literal)))),
            Comparable::Function(function) => self.function(function, node),
            Comparable::SingularQuery(SingularQuery::Current(segments)) => Ok(singular(node.clone(), segments)),
            Comparable::SingularQuery(SingularQuery::Root(segments)) => {
                Ok(singular(Cow::Borrowed(self.root), segments))
            }
        }
    }

    /// The value of a function; nothing where it has none.
    fn function(&mut self, function: &TestFunction, node: &Node<'v>) -> Result<Option<Node<'v>>, String> {
        Ok(match function {
            TestFunction::Length(argument) => match self.value(argument, node)?.as_deref() {
                Some(Value::String(text)) => count(text.chars().count()),
                Some(value) if !matches!(children(&Cow::Borrowed(value)).len(), 0) || is_container(value) => {
                    count(children(&Cow::Borrowed(value)).len())
                }
                _ => None,
            },
            TestFunction::Count(argument) => count(self.nodes(argument, node)?.len()),
            TestFunction::Value(argument) => {
                let mut nodes = self.nodes(argument, node)?;
                match nodes.len() {
                    1 => nodes.pop(),
                    _ => None,
                }
            }
            TestFunction::Match(text, pattern) => self.matches(text, pattern, true, node)?,
            TestFunction::Search(text, pattern) => self.matches(text, pattern, false, node)?,
            TestFunction::Custom(name, _) => return Err(format!("`{name}` is no function of JSONPath")),
        })
    }

    fn matches(
        &mut self,
        text: &FnArg,
        pattern: &FnArg,
        whole: bool,
        node: &Node<'v>,
    ) -> Result<Option<Node<'v>>, String> {
        let (text, pattern) = (self.value(text, node)?, self.value(pattern, node)?);
        let (Some(Value::String(text)), Some(Value::String(pattern))) = (text.as_deref(), pattern.as_deref()) else {
            return Ok(Some(Cow::Owned(Value::Bool(false))));
        };
        let found = match self.query.regexes.get(&(pattern.clone(), whole)) {
            Some(regex) => regex.as_ref().is_some_and(|regex| regex.is_match(text)),
            // A pattern that comes from the event.
            None => {
                self.visits += pattern.len();
                self.visit()?;
                regex_of(pattern, whole).is_some_and(|regex| regex.is_match(text))
            }
        };
        Ok(Some(Cow::Owned(Value::Bool(found))))
    }

    fn nodes(&mut self, argument: &FnArg, node: &Node<'v>) -> Result<Vec<Node<'v>>, String> {
        match argument {
            FnArg::Test(test) => match &**test {
                Test::RelQuery(segments) => self.segments(segments, vec![node.clone()]),
                Test::AbsQuery(query) => self.segments(&query.segments, vec![Cow::Borrowed(self.root)]),
                Test::Function(function) => Ok(self.function(function, node)?.into_iter().collect()),
            },
            FnArg::Literal(literal) => Ok(vec![Cow::Owned(literal_value(literal))]),
            FnArg::Filter(filter) => Ok(vec![Cow::Owned(Value::Bool(self.filter(filter, node)?))]),
        }
    }

    fn value(&mut self, argument: &FnArg, node: &Node<'v>) -> Result<Option<Node<'v>>, String> {
        let mut nodes = self.nodes(argument, node)?;
        Ok(match nodes.len() {
            1 => nodes.pop(),
            _ => None,
        })
    }
}

fn count(count: usize) -> Option<Node<'static>> {
    count.to_string().parse().ok().map(|number| Cow::Owned(Value::Number(number)))
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Map(_)) || is_array(&Cow::Borrowed(value))
}

fn is_array(node: &Node<'_>) -> bool {
    matches!(**node, Value::List(_) | Value::StringSet(_) | Value::NumberSet(_) | Value::BinarySet(_))
}

/// The values right below a value.
fn children<'v>(node: &Node<'v>) -> Vec<Node<'v>> {
    match node {
        Cow::Borrowed(Value::List(list)) => list.iter().map(Cow::Borrowed).collect(),
        Cow::Borrowed(Value::Map(map)) => map.values().map(Cow::Borrowed).collect(),
        other => match &**other {
            Value::List(list) => list.iter().cloned().map(Cow::Owned).collect(),
            Value::Map(map) => map.values().cloned().map(Cow::Owned).collect(),
            Value::StringSet(set) => set.iter().map(|text| Cow::Owned(Value::from(text.as_str()))).collect(),
            Value::NumberSet(set) => set.iter().map(|number| Cow::Owned(Value::Number(*number))).collect(),
            Value::BinarySet(set) => set.iter().map(|bytes| Cow::Owned(Value::String(BASE64.encode(bytes)))).collect(),
            _ => Vec::new(),
        },
    }
}

fn member<'v>(node: &Node<'v>, name: &str) -> Option<Node<'v>> {
    match node {
        Cow::Borrowed(Value::Map(map)) => map.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Map(map)) => map.get(name).cloned().map(Cow::Owned),
        _ => None,
    }
}

fn element<'v>(node: &Node<'v>, index: i64) -> Option<Node<'v>> {
    if !is_array(node) {
        return None;
    }
    let elements = children(node);
    let length = i64::try_from(elements.len()).ok()?;
    let at = if index < 0 { length.checked_add(index)? } else { index };
    elements.get(usize::try_from(at).ok()?).cloned()
}

fn singular<'v>(mut node: Node<'v>, segments: &[SingularQuerySegment]) -> Option<Node<'v>> {
    for segment in segments {
        node = match segment {
            SingularQuerySegment::Name(name) => member(&node, &unquote_name(name))?,
            SingularQuerySegment::Index(index) => element(&node, *index)?,
        };
    }
    Some(node)
}

/// The indexes of a slice (RFC 9535, 2.3.4.2).
fn slice(length: usize, start: Option<i64>, end: Option<i64>, step: i64) -> Vec<usize> {
    let Ok(length) = i64::try_from(length) else { return Vec::new() };
    let normal = |index: i64| if index >= 0 { index } else { length.saturating_add(index) };
    let mut indexes = Vec::new();
    if step > 0 {
        let lower = normal(start.unwrap_or(0)).clamp(0, length);
        let upper = normal(end.unwrap_or(length)).clamp(0, length);
        let mut at = lower;
        while at < upper {
            indexes.extend(usize::try_from(at));
            at = at.saturating_add(step);
        }
    } else if step < 0 {
        let upper = start.map_or(length - 1, normal).clamp(-1, length - 1);
        let lower = end.map_or(-1, normal).clamp(-1, length - 1);
        let mut at = upper;
        while at > lower {
            indexes.extend(usize::try_from(at));
            at = at.saturating_add(step);
        }
    }
    indexes
}

fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::Int(number) => number.to_string().parse().map_or(Value::Null, Value::Number),
        // The parser reads decimals as doubles: the shortest text of a double is what was written, up to its 15 digits.
        Literal::Float(number) => Number::parse(&number.to_string()).map_or(Value::Null, Value::Number),
        Literal::String(text) => Value::String(unquote_name(text)),
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Null => Value::Null,
    }
}

/// The regular expression of `match` (the whole text) or `search` (any part), as RFC 9485 has them: `.` is any character
/// but line breaks. Nothing where the text is none: it then matches nothing.
fn regex_of(pattern: &str, whole: bool) -> Option<Regex> {
    // In I-Regexp a dot outside of brackets leaves out carriage returns, too.
    let mut adapted = String::with_capacity(pattern.len() + 8);
    let (mut in_class, mut escaped) = (false, false);
    for c in pattern.chars() {
        match c {
            _ if escaped => {
                escaped = false;
                adapted.push(c);
            }
            '\\' => {
                escaped = true;
                adapted.push(c);
            }
            '[' => {
                in_class = true;
                adapted.push(c);
            }
            ']' => {
                in_class = false;
                adapted.push(c);
            }
            '.' if !in_class => adapted.push_str("[^\\n\\r]"),
            c => adapted.push(c),
        }
    }
    let text = if whole { format!("^(?:{adapted})$") } else { adapted };
    RegexBuilder::new(&text).size_limit(MAX_REGEX_BYTES).build().ok()
}

/// Whether a filter in a segment looks at the payload itself.
fn looks_at_root(segment: &Segment) -> bool {
    let selector = |selector: &Selector| matches!(selector, Selector::Filter(filter) if filter_looks_at_root(filter));
    match segment {
        Segment::Descendant(inner) => looks_at_root(inner),
        Segment::Selector(one) => selector(one),
        Segment::Selectors(many) => many.iter().any(selector),
    }
}

fn filter_looks_at_root(filter: &Filter) -> bool {
    match filter {
        Filter::Or(filters) | Filter::And(filters) => filters.iter().any(filter_looks_at_root),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => filter_looks_at_root(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => test_looks_at_root(expr),
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (left, right) = comparison.vals();
            [left, right].into_iter().any(|side| match side {
                Comparable::Literal(_) | Comparable::SingularQuery(SingularQuery::Current(_)) => false,
                Comparable::SingularQuery(SingularQuery::Root(_)) => true,
                Comparable::Function(function) => function_looks_at_root(function),
            })
        }
    }
}

fn test_looks_at_root(test: &Test) -> bool {
    match test {
        Test::AbsQuery(_) => true,
        Test::RelQuery(segments) => segments.iter().any(looks_at_root),
        Test::Function(function) => function_looks_at_root(function),
    }
}

fn function_looks_at_root(function: &TestFunction) -> bool {
    arguments(function).into_iter().any(|argument| match argument {
        FnArg::Literal(_) => false,
        FnArg::Test(test) => test_looks_at_root(test),
        FnArg::Filter(filter) => filter_looks_at_root(filter),
    })
}

fn arguments(function: &TestFunction) -> Vec<&FnArg> {
    match function {
        TestFunction::Custom(_, arguments) => arguments.iter().collect(),
        TestFunction::Length(argument) => vec![argument],
        TestFunction::Value(argument) | TestFunction::Count(argument) => vec![argument],
        TestFunction::Search(text, pattern) | TestFunction::Match(text, pattern) => vec![text, pattern],
    }
}

type Regexes = BTreeMap<(String, bool), Option<Regex>>;

fn collect_regexes(segment: &Segment, into: &mut Regexes) {
    let mut selector = |selector: &Selector| {
        if let Selector::Filter(filter) = selector {
            collect_from_filter(filter, into);
        }
    };
    match segment {
        Segment::Descendant(inner) => collect_regexes(inner, into),
        Segment::Selector(one) => selector(one),
        Segment::Selectors(many) => many.iter().for_each(selector),
    }
}

fn collect_from_filter(filter: &Filter, into: &mut Regexes) {
    match filter {
        Filter::Or(filters) | Filter::And(filters) => {
            filters.iter().for_each(|filter| collect_from_filter(filter, into));
        }
        Filter::Atom(FilterAtom::Filter { expr, .. }) => collect_from_filter(expr, into),
        Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
            Test::RelQuery(segments) => segments.iter().for_each(|segment| collect_regexes(segment, into)),
            Test::AbsQuery(query) => query.segments.iter().for_each(|segment| collect_regexes(segment, into)),
            Test::Function(function) => {
                let whole = matches!(**function, TestFunction::Match(..));
                if let TestFunction::Match(_, FnArg::Literal(Literal::String(pattern)))
                | TestFunction::Search(_, FnArg::Literal(Literal::String(pattern))) = &**function
                {
                    let pattern = unquote_name(pattern);
                    into.insert((pattern.clone(), whole), regex_of(&pattern, whole));
                }
            }
        },
        Filter::Atom(FilterAtom::Comparison(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_value::json;

    const STORE: &str = r#"{"store":{"book":[
        {"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},
        {"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99},
        {"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},
        {"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord of the Rings","isbn":"0-395-19395-8","price":22.99}],
        "bicycle":{"color":"red","price":399}},"max":10,"wanted":["fiction"],
        "big":[12345678901234567890123456789012345678,12345678901234567890123456789012345679]}"#;

    /// What a path finds, as JSON.
    fn find(path: &str, text: &str) -> String {
        let root = json::parse(text.as_bytes()).unwrap();
        let compiled = compile(path).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let mut value = Some(&root);
        for step in &compiled.steps {
            value = match (step, value) {
                (Step::Name(name), Some(Value::Map(map))) => map.get(name),
                (Step::Index(index), Some(Value::List(list))) => {
                    usize::try_from(if *index < 0 { list.len() as i64 + index } else { *index })
                        .ok()
                        .and_then(|at| list.get(at))
                }
                _ => None,
            };
        }
        let found = match (value, &compiled.rest) {
            (None, _) => Vec::new(),
            (Some(value), None) => vec![value.clone()],
            (Some(value), Some(query)) => query.find(value).unwrap(),
        };
        Value::List(found).to_string()
    }

    #[test]
    fn paths_find_what_the_rfc_says() {
        // The examples of RFC 9535, sections 1.5 and 2.3 to 2.5, and corners of its test suite.
        let list = r#"["a","b","c","d","e","f","g"]"#;
        let object = r#"{"a":[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}],"o":{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}},"e":"f"}"#;
        for (path, text, found) in [
            ("$.store.book[*].author", STORE, r#"["Nigel Rees","Evelyn Waugh","Herman Melville","J. R. R. Tolkien"]"#),
            ("$..author", STORE, r#"["Nigel Rees","Evelyn Waugh","Herman Melville","J. R. R. Tolkien"]"#),
            ("$.store..price", STORE, "[399,8.95,12.99,8.99,22.99]"),
            ("$..book[2].title", STORE, r#"["Moby Dick"]"#),
            ("$..book[-1].title", STORE, r#"["The Lord of the Rings"]"#),
            ("$..book[0,1].price", STORE, "[8.95,12.99]"),
            ("$..book[:2].price", STORE, "[8.95,12.99]"),
            ("$..book[?@.isbn].price", STORE, "[8.99,22.99]"),
            ("$..book[?@.price<10].title", STORE, r#"["Sayings of the Century","Moby Dick"]"#),
            ("$.store.book[?@.price<$.max].price", STORE, "[8.95,8.99]"),
            ("$.store.book[?@.category==$.wanted[0]].price", STORE, "[12.99,8.99,22.99]"),
            ("$.big[?@ == $.big[0]]", STORE, "[12345678901234567890123456789012345678]"),
            ("$['store'].bicycle['color','price']", STORE, r#"["red",399]"#),
            ("$[1]", list, r#"["b"]"#),
            ("$[-2]", list, r#"["f"]"#),
            ("$[9]", list, "[]"),
            ("$[1:3]", list, r#"["b","c"]"#),
            ("$[5:]", list, r#"["f","g"]"#),
            ("$[1:5:2]", list, r#"["b","d"]"#),
            ("$[5:1:-2]", list, r#"["f","d"]"#),
            ("$[::-1]", list, r#"["g","f","e","d","c","b","a"]"#),
            ("$[0:3:0]", list, "[]"),
            ("$[-100:2]", list, r#"["a","b"]"#),
            ("$[0,0]", list, r#"["a","a"]"#),
            ("$[0:2,5]", list, r#"["a","b","f"]"#),
            ("$.a[?@.b == 'kilo']", object, r#"[{"b":"kilo"}]"#),
            ("$.a[?(@.b == 'kilo')]", object, r#"[{"b":"kilo"}]"#),
            ("$.a[?@>3.5]", object, "[5,4,6]"),
            ("$.a[?@.b]", object, r#"[{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}]"#),
            (
                "$[?@.*]",
                object,
                r#"[[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}],{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}}]"#,
            ),
            ("$[?@[?@.b]]", object, r#"[[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}]]"#),
            ("$.o[?@<3, ?@<3]", object, "[1,2,1,2]"),
            ("$.a[?@<2 || @.b == \"k\"]", object, r#"[1,{"b":"k"}]"#),
            ("$.a[?match(@.b, \"[jk]\")]", object, r#"[{"b":"j"},{"b":"k"}]"#),
            ("$.a[?search(@.b, \"[jk]\")]", object, r#"[{"b":"j"},{"b":"k"},{"b":"kilo"}]"#),
            ("$.o[?@>1 && @<4]", object, "[2,3]"),
            ("$.o[?@.u || @.x]", object, r#"[{"u":6}]"#),
            ("$.a[?@.b == $.x]", object, "[3,5,1,2,4,6]"),
            ("$.a[?@ == @]", object, r#"[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}]"#),
            ("$.a[?!@.b]", object, "[3,5,1,2,4,6]"),
            ("$[?length(@) < 3]", r#"["ab","abc",[1],{"a":1,"b":2,"c":3},5]"#, r#"["ab",[1]]"#),
            ("$[?count(@.*) == 2]", r#"[[1,2],[1],{"a":1,"b":2}]"#, r#"[[1,2],{"a":1,"b":2}]"#),
            ("$[?value(@..c) == 1]", r#"[{"a":{"c":1}},{"c":1,"d":{"c":2}}]"#, r#"[{"a":{"c":1}}]"#),
            ("$[?@.a == null]", r#"[{"a":null},{"b":null},{"a":1}]"#, r#"[{"a":null}]"#),
            ("$[?@.a == 1.0]", r#"[{"a":1},{"a":1e0},{"a":"1"}]"#, r#"[{"a":1},{"a":1}]"#),
            ("$[?@.a <= null]", r#"[{"a":null},{"a":1}]"#, r#"[{"a":null}]"#),
            ("$.o['j j']['k.k']", r#"{"o":{"j j":{"k.k":3}}}"#, "[3]"),
            ("$[\"'\"][\"@\"]", r#"{"'":{"@":2}}"#, "[2]"),
            ("$..[0]", r#"[[1,2],[3]]"#, "[[1,2],1,3]"),
            ("$..[0,1]", r#"[[1,2]]"#, "[[1,2],1,2]"),
            ("$..['a','b']", r#"{"a":1,"x":{"b":2}}"#, "[1,2]"),
            ("$..[?@.x]", r#"[{"x":1},[{"x":2}]]"#, r#"[{"x":1},{"x":2}]"#),
            ("$..*", r#"{"a":[1]}"#, "[[1],1]"),
            ("$[?@.a[?@.b > 1]]", r#"[{"a":[{"b":2}]},{"a":[{"b":1}]}]"#, r#"[{"a":[{"b":2}]}]"#),
            ("$[*]", "5", "[]"),
        ] {
            assert_eq!(find(path, text), found, "{path}");
        }
    }

    #[test]
    fn plain_paths_need_no_query() {
        let path = compile("$.a['b'][0]").unwrap();
        assert_eq!((path.steps.len(), path.rest), (3, None));
        let path = compile("$.a.b[*].c").unwrap();
        assert_eq!(path.steps.len(), 2);
        // A filter that looks at the root has to begin there.
        assert_eq!(compile("$.a[?@.x == $.y]").unwrap().steps, []);
    }

    #[test]
    fn nothing_runs_away() {
        for text in [
            format!("$[?{}", "(".repeat(900)),
            format!("$[?{}@.a]", "!".repeat(900)),
            format!("${}", "[?@".repeat(300)),
            format!("$.{}", "a".repeat(2000)),
        ] {
            assert!(compile(&text).is_err());
        }
        let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
        let query = compile("$..[?@..[?@..*]]").unwrap().rest.unwrap();
        let wide = format!("[{}]", vec![deep; 50].join(","));
        assert!(query.find(&json::parse(wide.as_bytes()).unwrap()).is_err());
    }

    #[test]
    fn sets_are_arrays() {
        let query = compile("$[*]").unwrap().rest.unwrap();
        let set = Value::StringSet(["b".into(), "a".into()].into());
        assert_eq!(query.find(&set), Ok(vec!["a".into(), "b".into()]));
    }
}
