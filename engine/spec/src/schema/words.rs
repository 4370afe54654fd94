//! What an editor says: descriptions with examples, and messages in the language's own words.

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Makes a schema that was derived from types say what its reader does, in words for people. Closes every map with named keys,
/// as the reader does; takes `null` out of optional keys (a key that is there has a value).
pub(super) fn refine(schema: &mut Object) {
    let mut forms = Vec::new();
    refine_named(schema, None, &mut forms);
    // What a name or a map stands for is described where it is used: yaml-language-server shows the innermost words.
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        for definition in forms.iter().filter_map(|form| form.strip_prefix("#/$defs/")) {
            if let Some(Value::Object(definition)) = definitions.get_mut(definition) {
                definition.remove("description");
                definition.remove("markdownDescription");
            }
        }
    }
}

/// `name` is the key that the schema is of; `forms` collects the definitions of the maps that a short form stands for.
fn refine_named(schema: &mut Object, name: Option<&str>, forms: &mut Vec<String>) {
    without_null(schema);
    closed(schema);
    words_of_enum(schema);
    described(schema, name);
    typed(schema);
    if let Some(form) = schema.get("then").and_then(|then| then.get("$ref")).and_then(Value::as_str) {
        forms.push(form.to_owned());
    }
    for key in ["properties", "$defs", "patternProperties"] {
        if let Some(Value::Object(schemas)) = schema.get_mut(key) {
            for (name, schema) in schemas {
                if let Value::Object(schema) = schema {
                    refine_named(schema, (key == "properties").then_some(name), forms);
                }
            }
        }
    }
    for key in ["additionalProperties", "items", "then", "else"] {
        if let Some(Value::Object(schema)) = schema.get_mut(key) {
            refine_named(schema, None, forms);
        }
    }
    if let Some(Value::Array(items)) = schema.get_mut("prefixItems") {
        items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| refine_named(item, None, forms));
    }
}

fn without_null(schema: &mut Object) {
    if let Some(Value::Array(types)) = schema.get_mut("type")
        && types.len() == 2
    {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(any)) = schema.get("anyOf") {
        let others: Vec<_> = any.iter().filter(|one| **one != json!({ "type": "null" })).collect();
        if let [Value::Object(only)] = others.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
    }
}

fn closed(schema: &mut Object) {
    if schema.contains_key("properties") && !schema.contains_key("additionalProperties") {
        schema.insert("additionalProperties".into(), false.into());
    }
}

/// One list of words, each with its description, in place of one schema for each word.
fn words_of_enum(schema: &mut Object) {
    let Some(Value::Array(one_of)) = schema.get("oneOf") else { return };
    let words: Vec<(Value, String)> = one_of
        .iter()
        .filter_map(|one| Some((one.get("const")?.clone(), unwrapped(one.get("description")?.as_str()?))))
        .collect();
    if words.len() != one_of.len() {
        return;
    }
    schema.remove("oneOf");
    words_into(schema, &words);
}

/// Fixed words, what each means, and a message that names them.
pub(super) fn words_into(schema: &mut Object, words: &[(Value, String)]) {
    let values: Vec<&Value> = words.iter().map(|(word, _)| word).collect();
    let meanings: Vec<&str> = words.iter().map(|(_, meaning)| meaning.as_str()).collect();
    let plain: Vec<String> = meanings.iter().map(|meaning| meaning.replace('`', "")).collect();
    let names: Vec<String> = values.iter().filter_map(|word| Some(format!("`{}`", word.as_str()?))).collect();
    let message = match names.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("Expected {} or {last}.", others.join(", ")),
        _ => format!("Expected {}.", names.concat()),
    };
    schema.insert("type".into(), "string".into());
    schema.insert("enum".into(), json!(values));
    schema.insert("enumDescriptions".into(), json!(plain));
    schema.insert("markdownEnumDescriptions".into(), json!(meanings));
    schema.insert("errorMessage".into(), message.into());
}

/// A description for plain text and one for Markdown, both with the examples. Scalar examples stay `examples`, which are
/// offered as values; of others yaml-language-server would offer `[object Object]`.
fn described(schema: &mut Object, name: Option<&str>) {
    let Some(description) = schema.get("description").and_then(Value::as_str).map(unwrapped) else { return };
    let examples = match schema.remove("examples") {
        Some(Value::Array(examples)) => examples,
        _ => Vec::new(),
    };
    let (mut plain, mut markdown) = (description.clone(), description);
    if let Some(name) = name {
        let written: Vec<String> = examples.iter().map(|example| format!("{name}: {}", flow(example))).collect();
        if !written.is_empty() {
            let quoted: Vec<String> = written.iter().map(|example| format!("`{example}`")).collect();
            plain += &format!("\n\nFor example {}", quoted.join(" or "));
        }
        for (example, written) in examples.iter().zip(&written) {
            if example.is_object() || example.is_array() {
                markdown += &format!("\n\n```yaml\n{written}\n```");
            }
        }
    }
    schema.insert("description".into(), plain.into());
    schema.insert("markdownDescription".into(), markdown.into());
    let scalars: Vec<Value> = examples.into_iter().filter(|one| !one.is_object() && !one.is_array()).collect();
    if !scalars.is_empty() {
        schema.insert("examples".into(), scalars.into());
    }
}

/// A message for values of another type, and for texts of another form. A message of a map with named keys would be shown for
/// unknown keys too, so there the type has a schema of its own.
fn typed(schema: &mut Object) {
    if let Some(message) = schema.get("pattern").and_then(Value::as_str).and_then(super::forms::message_of_pattern) {
        schema.insert("patternErrorMessage".into(), message.into());
    }
    let Some(Value::String(kind)) = schema.get("type") else { return };
    let message = match kind.as_str() {
        "string" => "Expected a text. What YAML takes for something else goes into quotes: \"5\", \"true\".",
        "boolean" => "Expected `true` or `false`.",
        "integer" => "Expected a whole number.",
        "number" => "Expected a number, without quotes.",
        "array" => "Expected a list: `[a, b]`, or lines that start with `- `.",
        "object" => "Expected a map: `{ name: value }`, or lines of `name: value`.",
        _ => return,
    };
    if schema.contains_key("properties") {
        let kind = schema.remove("type").unwrap_or_default();
        also(schema, json!({ "type": kind, "errorMessage": message }));
    } else {
        schema.entry("errorMessage").or_insert_with(|| message.into());
    }
}

/// Adds what has to hold besides.
pub(super) fn also(schema: &mut Object, condition: Value) {
    match schema.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(condition),
        _ => drop(schema.insert("allOf".into(), json!([condition]))),
    }
}

/// A doc comment's paragraphs without the line breaks that it was wrapped with.
fn unwrapped(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

/// A value as YAML on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text as YAML, in quotes where it needs them.
fn scalar(text: &str) -> String {
    let first = text.chars().next().unwrap_or(' ');
    let is_number = text.parse::<f64>().is_ok();
    let plain = (first.is_alphanumeric() || matches!(first, '$' | '_' | '/' | '.'))
        && !is_number
        && !text.contains(['{', '}', '[', ']', ',', '#', '\n'])
        && !text.contains(": ")
        && !text.ends_with(':')
        && !matches!(text, "true" | "false" | "null");
    match plain {
        true => text.to_owned(),
        false if text.is_empty() || text.contains('\'') || text.chars().all(|c| c.is_ascii_digit()) => {
            format!("{text:?}")
        }
        false => format!("'{text}'"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn examples_are_yaml_on_one_line() {
        for (value, yaml) in [
            (json!({ "$.a": [">", 0], "b": "${ $.x }" }), "{ $.a: ['>', 0], b: '${ $.x }' }"),
            (json!(["17", true, "true", "it's", ""]), "[\"17\", true, 'true', it's, \"\"]"),
        ] {
            assert_eq!(super::flow(&value), yaml);
        }
    }
}
