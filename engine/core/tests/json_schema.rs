//! The JSON Schemas of `schemas/` against the engine: what one accepts the other does, as far as structure goes. The editor
//! itself is tested in `tests/editor/`.

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::program::MetadataName;
use viewfold_core::report::Reason;
use viewfold_spec::yaml::{node, read};
use viewfold_spec::{Literal, Source};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The YAML files below a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn schema(kind: &str) -> Value {
    serde_json::from_str(&text(format!("schemas/{kind}.schema.json"))).expect("a schema is JSON")
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("no schema of 2020-12: {error}"));
    jsonschema::draft202012::new(schema).unwrap_or_else(|error| panic!("a schema that cannot be used: {error}"))
}

/// A file as a schema sees it. None: it is no YAML to the engine.
fn seen(yaml: &str) -> Option<Value> {
    let source = Arc::new(Source { name: "a.yaml".into(), text: yaml.to_owned() });
    let node = node::compose(&source).ok()?;
    read::read::<Literal>(&node, &source).ok().map(|literal| value(&literal))
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => (*value).into(),
        Literal::Number(number) => serde_json::from_str(&number.to_string()).expect("a number of JSON"),
        Literal::Text(text) => text.as_str().into(),
        Literal::List(list) => list.iter().map(|element| value(&element.value)).collect(),
        Literal::Map(entries) => {
            entries.iter().map(|(name, entry)| (name.value.clone(), value(&entry.value))).collect::<Map<_, _>>().into()
        }
    }
}

/// What a schema does not take of a file: places and words.
fn refusals(validator: &Validator, yaml: &Value) -> Vec<String> {
    validator.iter_errors(yaml).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_good_file_is_accepted() {
    let (projections, tests) = (validator(&schema("projection")), validator(&schema("test")));
    let mut good: Vec<(String, String)> = ["projections", "tests/language"]
        .into_iter()
        .flat_map(files)
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("the file can be read")))
        .collect();
    for block in text("docs/language.md").split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default().to_owned();
        let kind = if block.starts_with("projections:") { ".test.yaml" } else { ".yaml" };
        good.push((format!("docs/language.md: {}{kind}", block.lines().next().unwrap_or_default()), block));
    }
    assert!(good.len() > 60, "only {} files", good.len());
    for (name, yaml) in good {
        let validator = if name.ends_with(".test.yaml") { &tests } else { &projections };
        let yaml = seen(&yaml).unwrap_or_else(|| panic!("{name} is no YAML"));
        let refusals = refusals(validator, &yaml);
        assert!(refusals.is_empty(), "{name}:\n{}", refusals.join("\n"));
    }
}

/// A line of a snapshot: `error[CODE]` and the line that the place below it names.
fn findings(snapshot: &str) -> Vec<(String, String, usize)> {
    let mut findings = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in snapshot.lines() {
        if let Some((severity, rest)) = line.split_once('[')
            && matches!(severity, "error" | "warning")
        {
            open = rest.split_once(']').map(|(code, _)| (severity.to_owned(), code.to_owned()));
        } else if let Some(place) = line.trim_start().strip_prefix("--> ")
            && let Some((severity, code)) = open.take()
        {
            let number = place.rsplit(':').nth(1).and_then(|line| line.parse().ok()).expect("a place has a line");
            findings.push((severity, code, number));
        }
    }
    findings
}

#[test]
fn every_bad_structure_is_refused_and_nothing_else() {
    let validator = validator(&schema("projection"));
    let structure = text("tests/editor/structure.txt");
    let mut lines = structure.lines().filter(|line| !line.starts_with('#'));
    let codes: Vec<&str> = lines.next().expect("the codes").split(' ').collect();
    // Broken YAML is none to a schema.
    lines.next();
    let unseen: Vec<&str> = lines.map(|line| line.split(' ').next().unwrap_or_default()).collect();
    let mut wrong = Vec::new();
    for path in files("engine/core/tests/diagnostics") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let findings = findings(&fs::read_to_string(path.with_extension("txt")).unwrap_or_default());
        let structural = findings.iter().any(|(severity, code, line)| {
            severity == "error"
                && codes.contains(&code.as_str())
                && !unseen.contains(&format!("{name}:{line}").as_str())
        });
        let Some(yaml) = seen(&fs::read_to_string(&path).expect("the file can be read")) else { continue };
        let refusals = refusals(&validator, &yaml);
        if structural && refusals.is_empty() {
            wrong.push(format!("{name} has a finding that structure alone can catch, and the schema takes it"));
        }
        if !refusals.is_empty() && !findings.iter().any(|(severity, ..)| severity == "error") {
            wrong.push(format!("the engine takes {name}, and the schema does not:\n{}", refusals.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every map of keys in a schema, with its place.
fn maps_of_keys<'s>(schema: &'s Value, place: &str, found: &mut Vec<(String, &'s Map<String, Value>)>) {
    let Value::Object(schema) = schema else { return };
    if let Some(Value::Object(keys)) = schema.get("properties") {
        found.push((place.to_owned(), keys));
        keys.iter().for_each(|(key, schema)| maps_of_keys(schema, &format!("{place}/{key}"), found));
    }
    if let Some(Value::Object(definitions)) = schema.get("$defs") {
        definitions.iter().for_each(|(name, schema)| maps_of_keys(schema, name, found));
    }
}

#[test]
fn every_key_is_described_with_an_example_that_holds() {
    for kind in ["projection", "test"] {
        let schema = schema(kind);
        let mut maps = Vec::new();
        maps_of_keys(&schema, kind, &mut maps);
        let mut examples = 0;
        for (place, keys) in maps {
            // The same keys, none of them required.
            let of_keys = json!({ "$defs": schema["$defs"], "type": "object", "properties": keys });
            let validator = validator(&of_keys);
            for (key, described) in keys {
                let description = described["description"].as_str().unwrap_or_default();
                let (words, written) = description.split_once("\n\nFor example ").unwrap_or((description, ""));
                assert!(words.len() > 8, "{place}: `{key}` has no description");
                assert!(!written.is_empty(), "{place}: `{key}` has no example");
                let examples_of_key: Vec<&str> = written.trim_matches('`').split("` or `").collect();
                for example in examples_of_key {
                    let yaml = seen(example).unwrap_or_else(|| panic!("{place}: {example} is no YAML"));
                    assert!(yaml.get(key).is_some(), "{place}: {example} is no example of `{key}`");
                    let refusals = refusals(&validator, &yaml);
                    assert!(refusals.is_empty(), "{place}: {example}: {}", refusals.join("\n"));
                    examples += 1;
                }
                let markdown = described["markdownDescription"].as_str().unwrap_or_default();
                let shown = ["examples", "const"].iter().any(|keyword| described.get(keyword).is_some());
                assert!(shown || markdown.contains("```yaml\n"), "{place}: an editor shows no example of `{key}`");
            }
        }
        assert!(examples > 10, "only {examples} examples");
    }
}

#[test]
fn words_of_dead_letters_are_those_of_the_engine() {
    let schema = schema("test");
    let words = schema["$defs"]["DeadLetter"]["properties"]["reason"]["enum"].as_array().expect("a list of words");
    let words: BTreeSet<&str> = words.iter().filter_map(Value::as_str).collect();
    assert_eq!(words, Reason::ALL.iter().map(|reason| reason.code()).collect());
}

/// Whether the engine takes a projection, and whether the schema does.
fn taken(validator: &Validator, yaml: &str) -> (bool, bool) {
    let source = Arc::new(Source { name: "p.yaml".into(), text: yaml.to_owned() });
    let compiled = viewfold_spec::parse(&source).is_ok_and(|projection| {
        let file = File { source, projection, schemas: BTreeMap::default() };
        compile(&[file], &Options::default()).is_ok()
    });
    let seen = seen(yaml).unwrap_or_else(|| panic!("no YAML:\n{yaml}"));
    (compiled, validator.is_valid(&seen))
}

/// The forms that names and paths have are told by regular expressions in the schema, and by parsers in the engine.
#[test]
fn names_and_paths_have_one_form() {
    let validator = validator(&schema("projection"));
    let projection = |lane: &str, rule: &str| {
        format!(
            "projection: p\nsource: {{ kinesis: {{ stream: orders, lane: {lane} }} }}\ndocument: {{ table: Docs, partition_key: id }}\n\
             guard: {{ last_event_id: lane }}\nkey: {{ id: $.id }}\nrules:\n  - {{ name: r, {rule} }}\n"
        )
    };
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let attribute = |path: &str| projection("$.id", &format!("any_order: true, set: {{ {}: 1 }}", quoted(path)));
    let when = |path: &str| projection("$.id", &format!("when: {{ {}: 1 }}, add: {{ n: 1 }}", quoted(path)));
    let name = |name: &str| projection("$.id", &format!("let: {{ {}: 1 }}, add: {{ n: 1 }}", quoted(name)));
    let lane = |path: &str| projection(&quoted(path), "add: { n: 1 }");
    let pattern = |text: &str| projection("$.id", &format!("when: {{ $.a: {} }}, add: {{ n: 1 }}", quoted(text)));
    let mut wrong = Vec::new();
    let mut check = |yaml: String, expected: bool| {
        let (engine, schema) = taken(&validator, &yaml);
        if engine != expected || schema != expected {
            wrong.push(format!("engine: {engine}, schema: {schema}, expected: {expected}\n{yaml}"));
        }
    };
    for path in [
        "a",
        "größe 1",
        "a.b['c.d'][\"e\"].f",
        r"a['it\'s']",
        "['a.b']",
        "a.x-${ \"}.\" }-y",
        "a['$']",
        "a.${ $.x['.'] }.b",
    ] {
        check(attribute(path), true);
    }
    for path in [
        "", "a.", ".a", "a..b", "a[", "a['b'", "a['b']c", "a[0]", "a['']", "${ $.x }", "$.a", "$['a']", "$$.id",
        "_vf_a", "$x", "a$b", "a.$.b", "a.{$.b}", "a.$($.b)", "a.b}",
    ] {
        check(attribute(path), false);
    }
    let metadata = ["$$.id", "$$.sequence", "$$.lane", "$$.stream", "$$.time", "$$.now", "$$.shard"];
    let paths =
        ["$.a", "$.größe", "$['a b'].c", "$.a['b-c']", "$..a", "$.a[*].b", "$.a[?@.b == 'x y'].c", "$.a[0]", "$[0]"];
    for path in paths.into_iter().chain(metadata) {
        check(when(path), true);
    }
    for path in ["a", "a.b", "$a", "$.order-id", "$.a b", "$.a?", "$$.ids", "$$", ""] {
        check(when(path), false);
    }
    for path in ["$.id", "$.data['order-id']", "$.lines[0].id", "$"] {
        check(lane(path), true);
    }
    for path in ["id", "$.id?", "$.order-id", "$$.id", "${ $.id }", ""] {
        check(lane(path), false);
    }
    for good in ["total", "_x1", "größe"] {
        check(name(good), true);
    }
    for bad in ["1a", "a b", "a-b", "", "doc", "true", "if", "default"] {
        check(name(bad), false);
    }
    for good in ["", "placed", "$5", "a $.b", "100 $"] {
        check(pattern(good), true);
    }
    for bad in ["$", "$.a", "$[0]", "$$.id", "x ${ y }"] {
        check(pattern(bad), false);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(metadata.len() + 1, MetadataName::ALL.len(), "`$$.change` is for DynamoDB");
}
