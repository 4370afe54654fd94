use super::*;
use crate::{Item, Number, dynamodb_json, json};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

fn value(text: &str) -> Value {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_line_of_an_export_is_read() {
    let item = value(
        r#"$ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0 x 1.5",Id:103.,InPublication:false,
            PageCount:6d2,Price:2d3,'a-b':$dynamodb_NS::[1.,2.50],"b c":'$dynamodb_BS'::[{{AQ==}}],Raw:{{ AQ I= }},None:null,
            List:["x",null.string,-1.5d-3,],Map:{$a:{}}}}"#,
    );
    assert_eq!(
        item.to_string(),
        r#"{"Item":{"Authors":["Author1","Author2"],"Dimensions":"8.5 x 11.0 x 1.5","Id":103,"InPublication":false,"List":["x",null,-0.0015],"Map":{"$a":{}},"None":null,"PageCount":600,"Price":2000,"Raw":"AQI=","a-b":[1,2.5],"b c":["AQ=="]}}"#
    );
    let Value::Map(item) = item else { panic!("no struct") };
    let Value::Map(item) = &item["Item"] else { panic!("no struct") };
    let kinds: Vec<Kind> = ["Authors", "a-b", "b c", "Raw"].iter().map(|name| item[*name].kind()).collect();
    assert_eq!(kinds, [Kind::StringSet, Kind::NumberSet, Kind::BinarySet, Kind::Binary]);
}

#[test]
fn every_digit_comes_through() {
    let digits = "12345678901234567890123456789012345678";
    for (text, number) in [
        (format!("{digits}."), digits.to_owned()),
        (format!("-{digits}"), format!("-{digits}")),
        (format!("0.{digits}"), format!("0.{digits}")),
        (format!("{digits}d-130"), format!("{digits}e-130")),
        (format!("{digits}D+88"), format!("{digits}e88")),
        ("1_000.5".into(), "1000.5".into()),
        ("-0d5".into(), "0".into()),
        ("1d-130".into(), "1e-130".into()),
        ("0.d0".into(), "0".into()),
    ] {
        assert_eq!(value(&text), Value::Number(Number::parse(&number).unwrap()), "{text}");
    }
}

#[test]
fn what_is_escaped_is_read() {
    assert_eq!(value(r#""\0\a\b\t\n\f\r\v\"\'\?\\\/\x41é\ud83d\ude00\U0001F600""#), {
        Value::String("\0\u{7}\u{8}\t\n\u{c}\r\u{b}\"'?\\/Aé😀😀".into())
    });
    assert_eq!(value("{'it\\'s':1, \"\\\"\":2}").to_string(), r#"{"\"":2,"it's":1}"#);
}

#[test]
fn what_exports_do_not_have_is_an_error_that_names_it() {
    for (text, part) in [
        ("", "the end instead of a value"),
        ("$ion_1_1 {}", "a version of Ion that is not read"),
        ("{a:1", "neither `,` nor `}`"),
        ("{a 1}", "no `:` behind the name `a`"),
        ("{$10:1}", "no name of a field unless it is in quotes"),
        ("{1:1}", "no name of a field"),
        ("{a:1}{a:2}", "something behind the value at byte 5"),
        ("[1,,2]", "`,` instead of a value"),
        ("1e5", "with `e` it is a float"),
        ("007", "no decimal"),
        ("1__0", "no decimal"),
        ("0x1F", "no decimal"),
        ("1d", "no decimal"),
        ("-", "no decimal"),
        ("2007-02-23T", "no decimal"),
        ("'hello'", "the symbol `hello`"),
        ("hello", "the symbol `hello`"),
        ("'null'", "the symbol `null`"),
        ("null.thing", "the symbol"),
        ("(1 2)", "an S-expression"),
        ("'''long'''", "three quotes"),
        ("// words", "`/` instead of a value"),
        ("{{\"clob\"}}", "a clob"),
        ("{{AQ=}}", "no base64"),
        ("{{AQ==}", "without an end"),
        ("$dynamodb_XS::[]", "`$dynamodb_XS::` is no annotation"),
        ("$dynamodb_SS::[1]", "a number in a set of string values"),
        ("$dynamodb_SS::\"a\"", "no list behind"),
        ("\"a", "without an end"),
        ("\"a\nb\"", "a control character"),
        ("\"\\q\"", "nothing behind it"),
        ("\"\\ud800\"", "an escaped character that there is not"),
        ("\"\\x+1\"", "an escaped character that there is not"),
    ] {
        let error = parse(text.as_bytes()).expect_err(text);
        assert!(matches!(&error, ReadError::Syntax(words) if words.contains(part)), "{text}: {error}");
    }
    for text in ["nan", "{a:[1d126,2.],b:1.}", "123456789012345678901234567890123456789.", "1d-131"] {
        assert!(matches!(parse(text.as_bytes()), Err(ReadError::Unusable(_))), "{text}");
    }
    assert!(
        matches!(parse(b"{a:1d126"), Err(ReadError::Syntax(_))),
        "a broken text is broken behind such a number, too"
    );
    assert!(matches!(parse(b"\"\xff\""), Err(ReadError::Syntax(_))));
    for open in ["[", "{a:", "$dynamodb_SS::["] {
        assert!(parse(open.repeat(100_000).as_bytes()).is_err());
    }
}

/// Ion as exports have it.
fn write(value: &Value, out: &mut String) {
    let list = |words: &[String]| format!("[{}]", words.join(","));
    let ion = |value: &Value| {
        let mut text = String::new();
        write(value, &mut text);
        text
    };
    let quoted = |text: &str, quote: char| {
        let mut escaped = String::from(quote);
        for c in text.chars() {
            match c {
                '"' | '\'' | '\\' => escaped.extend(['\\', c]),
                c if c.is_control() => escaped.push_str(&format!("\\U{:08x}", u32::from(c))),
                c => escaped.push(c),
            }
        }
        escaped + &quote.to_string()
    };
    // A number as coefficient and exponent.
    let number = |number: &Number| match number.to_string() {
        text if text.contains('.') => text,
        text => match text.trim_end_matches('0') {
            digits if digits.len() + 1 < text.len() && !digits.is_empty() => {
                format!("{digits}d{}", text.len() - digits.len())
            }
            _ => text + ".",
        },
    };
    out.push_str(&match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => number(value),
        Value::String(text) => quoted(text, '"'),
        Value::Binary(bytes) => format!("{{{{{}}}}}", BASE64.encode(bytes)),
        Value::List(values) => list(&values.iter().map(ion).collect::<Vec<_>>()),
        Value::Map(map) => {
            let fields: Vec<_> = map.iter().map(|(name, value)| quoted(name, '\'') + ":" + &ion(value)).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::StringSet(set) => {
            "$dynamodb_SS::".to_owned() + &list(&set.iter().map(|text| quoted(text, '"')).collect::<Vec<_>>())
        }
        Value::NumberSet(set) => "$dynamodb_NS::".to_owned() + &list(&set.iter().map(number).collect::<Vec<_>>()),
        Value::BinarySet(set) => {
            let blobs: Vec<_> = set.iter().map(|bytes| ion(&Value::Binary(bytes.clone()))).collect();
            "$dynamodb_BS::".to_owned() + &list(&blobs)
        }
    });
}

fn numbers() -> impl Strategy<Value = Number> {
    ("-?[1-9][0-9]{0,37}", -120i32..80).prop_map(|(digits, exponent)| {
        Number::parse(&format!("{digits}e{exponent}")).expect("38 digits within the limits")
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers().prop_map(Value::Number),
        any::<String>().prop_map(Value::String),
        vec(any::<u8>(), 0..20).prop_map(Value::Binary),
        btree_set(any::<String>(), 1..4).prop_map(Value::StringSet),
        btree_set(numbers(), 1..4).prop_map(Value::NumberSet),
        btree_set(vec(any::<u8>(), 0..5), 1..4).prop_map(Value::BinarySet),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::List),
            btree_map(any::<String>(), inner, 0..5).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn an_item_is_the_same_in_ion_and_in_dynamodb_json(item in btree_map(any::<String>(), values(), 0..6)) {
        let item: Item = item;
        let mut typed = String::new();
        dynamodb_json::write_item(&item, &mut typed);
        let of_json = dynamodb_json::parse_item(typed.as_bytes());
        prop_assert_eq!(of_json.as_ref(), Ok(&item), "{}", typed);
        let mut text = format!("{VERSION} ");
        write(&Value::Map(item.clone()), &mut text);
        prop_assert_eq!(parse(text.as_bytes()), Ok(Value::Map(item)), "{}", text);
    }

    #[test]
    fn json_is_ion(value in values()) {
        // Without sets and bytes, and every number is in plain digits.
        let text = value.to_string();
        prop_assert_eq!(parse(text.as_bytes()), json::parse(text.as_bytes()), "{}", text);
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in r#"[{}\[\]":',$a0-9.d\\ \t_u-]{0,40}"#) {
        let _ = parse(text.as_bytes());
    }
}
