//! What is called otherwise in other languages: functions and names.

use super::Compiler;
use super::term::{Place, Terms};
use crate::expression::{self, Expression, LAZY, RESERVED};
use crate::functions::Function;
use crate::program::Term;
use viewfold_spec::{Code, Spanned, suggest};
use viewfold_value::{Kind, Value};

impl Compiler<'_> {
    /// Whether an unknown name is the end of one with a `-` in it: `$.order-id` is a difference. Tells so.
    pub(super) fn told_as_difference(&mut self, here: Place<'_>, name: &str, terms: &Terms<'_>) -> bool {
        let before = place_before(here);
        let Some(rest) =
            before.strip_suffix('-').filter(|rest| rest.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        else {
            // The beginning of a name of `let` with a `-` in it, which has been told there.
            let behind = here.text.get(here.at..).unwrap_or_default();
            return terms.lets.iter().flat_map(|lets| lets.iter()).any(|(known, _)| {
                known.value.len() > name.len() && known.value.contains('-') && behind.starts_with(known.value.as_str())
            });
        };
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '[' | ']' | '\'' | '"');
        let start = rest.char_indices().rev().take_while(|(_, c)| is_part(*c)).last().map_or(rest.len(), |(at, _)| at);
        let written = &here.text[start..here.at + name.len()];
        let known = terms.lets.iter().flat_map(|lets| lets.iter()).any(|(known, _)| known.value == *written);
        let Some(path) = crate::path::bracketed(written).filter(|_| written.starts_with('$')) else { return known };
        let span = self.inside(Place { at: start, ..here }, written.len());
        let message = format!("`{written}` is a difference in an expression, and no path");
        self.error(Code::UnbracketedName, span, message).help =
            Some(format!("write `{}` (RFC 9535); a difference has spaces around its `-`", path.replace('\'', "\"")));
        true
    }

    /// Checks the names of `let` or `each`: they have to be names that an expression can use.
    pub(super) fn check_name(&mut self, name: &Spanned<String>) -> bool {
        let mut characters = name.chars();
        let fine = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && characters.all(|c| c.is_alphanumeric() || c == '_');
        if !fine {
            self.error(Code::WrongForm, name.span, format!("`{}` is no name for a value", name.value)).help = Some({
                let fixed: String =
                    name.trim_start_matches('$').chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
                match fixed.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                    true => format!("a letter or `_`, then letters, digits and `_`: `{fixed}`"),
                    false => "a letter or `_`, then letters, digits and `_`".to_owned(),
                }
            });
            return false;
        }
        if RESERVED.contains(&name.as_str()) || LAZY.contains(&name.as_str()) || Function::named(name).is_some() {
            self.error(Code::WrongForm, name.span, format!("`{}` means something else in expressions", name.value))
                .help = Some("choose another name".into());
            return false;
        }
        true
    }
}

/// What stands before a place in its text.
fn place_before(place: Place<'_>) -> &str {
    place.text.get(..place.at).unwrap_or_default()
}

/// What to write in place of a function that there is not; `known` are those that there are.
pub(super) fn function<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    if let Some(help) = foreign_function(name) {
        return help.to_owned();
    }
    let known: Vec<&str> = known.into_iter().collect();
    // `math::abs`, `String.trim`: the name behind a prefix.
    let last = name.rsplit("::").next().unwrap_or(name);
    let same = |function: &&&str| function.rsplit("::").next() == Some(last);
    if let Some(function) = known.iter().find(same) {
        return format!("did you mean `{function}`?");
    }
    match suggest::nearest(name, known.iter().copied()).or_else(|| nearest_last(last, &known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => match foreign_function(last) {
            Some(help) => help.to_owned(),
            None => format!("the functions are {}", suggest::list(known)),
        },
    }
}

/// What to write where a function has too few or too many values.
pub(super) fn count(name: &str, arguments: &[Expression]) -> Option<String> {
    let paths: Option<Vec<&str>> = arguments
        .iter()
        .map(|argument| match &argument.kind {
            expression::Kind::Path(path) => Some(path.as_ref()),
            _ => None,
        })
        .collect();
    match (name, arguments, paths.as_deref()) {
        ("sum", [_, _, ..], Some(paths)) => {
            Some(format!("`sum` takes a list; values are added with `{}`", paths.join(" + ")))
        }
        ("sum", [_, _, ..], _) => Some("`sum` takes a list; values are added with `a + b`".to_owned()),
        ("get", [_], Some([path])) => {
            let (map, key) = path.rsplit_once('.').filter(|(map, _)| *map != "$")?;
            Some(format!(
                "`get(map, key)` takes an entry of a map: `get({map}, \"{key}\")`, or the path alone, `{path}`"
            ))
        }
        ("get", [_], _) => Some("`get(map, key)` takes an entry of a map".to_owned()),
        _ => None,
    }
}

/// What to write in place of an argument of a wrong type.
pub(super) fn argument(function: &str, term: &Term, kind: Kind) -> Option<String> {
    match (function, term, kind) {
        (_, Term::Constant(Value::String(text)), Kind::String) if text.parse::<viewfold_value::Number>().is_ok() => {
            Some(format!("without the quotes it is a number: {text}"))
        }
        ("max" | "min", _, Kind::List) => {
            Some(format!("there is no {function} of a list: `{function}(a, b)` takes its values one by one"))
        }
        ("number", _, Kind::Boolean) => Some("a boolean becomes a number with `if(x, 1, 0)`".to_owned()),
        _ => None,
    }
}

/// The function whose name without its prefix is near.
fn nearest_last<'n>(word: &str, known: &[&'n str]) -> Option<&'n str> {
    let last = |name: &&'n str| name.rsplit("::").next().unwrap_or(name);
    let near = suggest::nearest(word, known.iter().map(last))?;
    known.iter().find(|name| last(name) == near).copied()
}

fn foreign_function(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(match plain.as_str() {
        "length" | "lenght" | "size" | "count" | "strlen" | "cardinality" => "the length of a text or list is `len(x)`",
        "concat" | "concatenate" | "join" | "strcat" | "textjoin" => {
            "text is put together in the value itself: '${ $.first } ${ $.last }', or with `+`"
        }
        "ifnotexists" => "what is not there yet is filled in with `default(x, y)`: `default(doc.total, 0)`",
        "coalesce" | "ifnull" | "nvl" | "orelse" | "ornull" | "ifempty" | "firstnonnull" => {
            "a missing value is filled in with `default(x, y)`"
        }
        "lower" | "lowercase" | "tolower" | "tolowercase" | "downcase" | "lcase" => {
            "it is called `str::to_lowercase(x)`"
        }
        "upper" | "uppercase" | "toupper" | "touppercase" | "upcase" | "ucase" => "it is called `str::to_uppercase(x)`",
        "strip" | "trimspace" => "it is called `str::trim(x)`",
        "now" | "today" | "currenttime" | "currenttimestamp" | "getdate" | "timenow" | "sysdate" => {
            "the time of an event is `$$.time`; `$$.now` is the clock, which differs when an event comes again"
        }
        "int" | "integer" | "float" | "double" | "decimal" | "num" | "tonumber" | "parseint" | "parsefloat"
        | "toint" | "cast" => "a text becomes a number with `number(x)`",
        "str" | "string" | "tostring" | "tostr" | "strstr" => "a number becomes a text with `text(x)`",
        "substring" | "substr" | "slice" | "mid" => "it is called `str::substring(x, from, to)`",
        "left" => "the beginning of a text is `str::substring(x, 0, n)`",
        "replace" | "gsub" | "sub" | "regexreplace" => "it is called `str::regex_replace(x, \"pattern\", \"text\")`",
        "split" => "it is called `str::split(x, \"/\", 0)`",
        "pad" | "lpad" | "padleft" | "padstart" | "zfill" => "it is called `str::pad(x, width)`",
        "regex" | "regexmatch" | "regexpmatch" | "regexmatches" | "rlike" | "test" | "matches" | "match" => {
            "it is called `str::regex_matches(x, \"pattern\")`"
        }
        "startswith" | "beginswith" | "hasprefix" => {
            "it is `str::regex_matches(x, \"^text\")`, or `{ prefix: text }` in `when`"
        }
        "endswith" | "hassuffix" => "it is `str::regex_matches(x, \"text$\")`, or `{ suffix: text }` in `when`",
        "avg" | "average" | "mean" => "an average is `sum(x) / len(x)`",
        "isnull" | "isset" | "isdefined" | "defined" | "has" | "haskey" | "empty" | "isempty" | "isnil"
        | "attributeexists" => {
            "whether there is a value is `exists(x)`; a null is `x == null`, an empty list `len(x) == 0`"
        }
        "attributenotexists" => "whether there is no value is `!exists(x)`",
        "includes" | "in" | "indexof" | "memberof" | "has_any" => "it is called `contains(list, x)`",
        "first" | "head" => "the first element is `$.list[0]`",
        "last" | "tail" => "the last element is `$.list[-1]`",
        "date" | "formatdate" | "dateformat" | "strftime" | "todate" | "formattime" | "formattimestamp" => {
            "a time is written out with `time::format(x, \"%Y-%m-%d\")`"
        }
        "datetrunc" | "truncdate" | "startofday" | "tumble" | "dateround" | "timefloor" | "bin" => {
            "the beginning of an hour or day is `time::bucket(x, \"1h\")`"
        }
        "epoch" | "unixtimestamp" | "timestamp" | "toepoch" | "tounixtime" | "parsedate" | "strptime" => {
            "epoch milliseconds are `time::epoch_ms(x)`"
        }
        "hash" | "md5" | "sha1" | "sha256" | "crc32" => {
            "a number below n that is the same for the same value is `hash::bucket(x, n)`"
        }
        "iff" | "iif" | "case" | "cond" | "when" | "choose" | "ternary" => "one of two values is `if(c, a, b)`",
        "not" => "a condition is turned round with `!`",
        "and" | "all" => "conditions are joined with `&&`",
        "or" | "any" => "one of several conditions is `||`",
        "pow" | "power" => "a power is `a ^ b`",
        "mod" | "modulo" => "a remainder is `a % b`",
        "ceiling" => "it is called `ceil(x)`",
        "trunc" => "it is called `truncate(x)`",
        "tofixed" | "formatnumber" | "numberformat" | "format" | "printf" | "sprintf" => {
            "a number with a fixed count of digits is `fixed(x, 2)`"
        }
        "uuid" | "newid" | "random" | "rand" | "guid" => {
            "an event that comes again has to come to the same: `$$.id` is the event's own id"
        }
        "sumif" | "countif" => "what is counted is chosen by a path: `sum($.lines[?@.price > 5].n)`",
        "distinct" | "unique" | "toset" | "stringset" => "a set is `set(x)`",
        "array" | "list" => "a list is written in parentheses: `(1, 2)`",
        "keys" | "values" | "entries" | "objectkeys" => {
            "a path goes through a map: `$.map[*]`; `top_key(map)` is the key of the largest value"
        }
        "append" | "push" => "elements are appended to a list by the operation `append`",
        "increment" | "inc" | "add" => "numbers are added to an attribute by the operation `add`",
        "base64" | "frombase64" | "base64decode" => "bytes are `binary(x)`",
        _ => return None,
    })
}

/// What to write in place of a name that nothing has; nothing where the name says nothing.
pub(super) fn name(name: &str) -> Option<String> {
    Some(match name {
        "nil" | "None" | "undefined" | "NULL" | "Null" | "nothing" | "missing" => {
            "it is written `null`; whether there is a value at all is `exists(x)`".to_owned()
        }
        "True" | "TRUE" | "yes" => "it is written `true`".to_owned(),
        "False" | "FALSE" | "no" => "it is written `false`".to_owned(),
        "now" | "NOW" => "the time of an event is `$$.time`".to_owned(),
        "event" | "payload" | "record" | "body" | "message" | "input" => {
            "the event is `$`: a value of it is `$.name`".to_owned()
        }
        "this" | "self" | "document" | "row" | "item" | "current" | "it" => {
            "a value of the event is `$.name`, an attribute of the document `doc.name`".to_owned()
        }
        _ => return None,
    })
}

/// What to write in place of `root.rest`, where nothing is called `root`.
pub(super) fn path(root: &str, rest: &str) -> Option<String> {
    let rest = rest.trim_start_matches('.');
    Some(match root {
        "event" | "payload" | "record" | "body" | "message" | "input" | "data" | "msg" => {
            format!("the event is `$`: did you mean `$.{rest}`, or `$.{root}.{rest}`?")
        }
        "this" | "self" | "document" | "row" | "current" | "state" | "view" => format!("did you mean `doc.{rest}`?"),
        "meta" | "metadata" | "context" | "headers" => format!("what the stream says of an event is `$$.{rest}`"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::function;

    #[test]
    fn foreign_functions_are_told_what_they_are_called() {
        let known = ["len", "floor", "abs", "str::trim", "str::to_lowercase", "default"];
        for (name, words) in [
            ("lenght", "`len(x)`"),
            ("length", "`len(x)`"),
            ("toLowerCase", "`str::to_lowercase(x)`"),
            ("math::abs", "`abs`"),
            ("trim", "`str::trim`"),
            ("trm", "`str::trim`"),
            ("flor", "`floor`"),
            ("str::lower", "`str::to_lowercase(x)`"),
            ("frobnicate", "`len`, `floor`"),
        ] {
            let help = function(name, known);
            assert!(help.contains(words), "{name}: {help}");
        }
    }
}
