//! The reader against jiter, another pull parser, on sound texts and on broken ones.

use proptest::prelude::*;
use reader::check;

#[path = "../../../fuzz/src/reader.rs"]
#[allow(dead_code, unreachable_pub, reason = "elsewhere it is a module of another crate")]
mod reader;

/// Texts with what has to be escaped and with what need not.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[ -!#-\\[\\]-~]{0,20}",
        1 => "[a-z]{60,150}",
        2 => "[éß東京🌳\u{7f}\u{80}\u{2028}]{1,4}",
        2 => Just(r"\n".to_owned()),
        1 => Just(r#"\""#.to_owned()),
        1 => Just(r"\\".to_owned()),
        1 => Just(r"\u00e9".to_owned()),
        1 => Just(r"\uD83C\uDF33".to_owned()),
        1 => prop::sample::select(vec![r"\/", r"\b", r"\f", r"\r", r"\t", r"\u0000", r"\uFFFF"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \t\r\n]{1,9}"]
}

/// JSON texts.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        string(),
        string(),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        let spaced = (space(), inner, space()).prop_map(|(before, value, behind)| before + &value + &behind).boxed();
        let member = (space(), string(), space(), spaced.clone())
            .prop_map(|(before, key, behind, value)| format!("{before}{key}{behind}:{value}"));
        prop_oneof![
            (prop::collection::vec(spaced, 0..5), space()).prop_map(|(list, space)| match list.is_empty() {
                true => format!("[{space}]"),
                false => format!("[{}]", list.join(",")),
            }),
            (prop::collection::vec(member, 0..5), space()).prop_map(|(members, space)| match members.is_empty() {
                true => format!("{{{space}}}"),
                false => format!("{{{}}}", members.join(",")),
            }),
        ]
    })
}

/// What breaks a text, or does not.
fn harm() -> impl Strategy<Value = String> {
    let pieces = vec![
        "",
        "\"",
        "\\",
        "\\u",
        "\\ud800",
        "\\ud800\\u0041",
        "\\udc00",
        "\\ud83c\\",
        "\\u12g4",
        "\\x",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "-",
        "+",
        ".",
        "e",
        "E5",
        "0",
        "01",
        "1.",
        "NaN",
        "Infinity",
        "-Infinity",
        "nul",
        "tru",
        "fals",
        "nulL",
        " ",
        "\n",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "\u{a0}",
        "/",
        "'",
        "é",
        "🌳",
        ",]",
        ",}",
        "{}",
        "[]",
        "\"\"",
        "\":",
        "I",
        "N",
    ];
    prop::sample::select(pieces).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn sound_texts_have_the_same_parts(text in json(), choices: u64) {
        check(&text, choices);
        check(&text, u64::MAX);
    }

    #[test]
    fn broken_texts_are_broken_at_the_same_byte(
        text in json(),
        harms in prop::collection::vec((any::<prop::sample::Index>(), 0usize..4, harm()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        choices: u64,
    ) {
        let mut text: Vec<char> = text.chars().collect();
        for (place, less, more) in harms {
            let from = place.index(text.len() + 1);
            let to = (from + less).min(text.len());
            text.splice(from..to, more.chars());
        }
        if let Some(cut) = cut {
            text.truncate(cut.index(text.len() + 1));
        }
        let text: String = text.into_iter().collect();
        check(&text, choices);
        check(&text, u64::MAX);
    }

    #[test]
    fn any_characters_are_told_alike(text in "[\\[\\]{}:,\"\\\\0-9eE.+ntfu \n-]{0,12}", choices: u64) {
        check(&text, choices);
        check(&text, u64::MAX);
    }
}

#[test]
fn depth_and_length_have_the_same_limits() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"a\":[", "]}"), ("[{\"a\": ", "}]")] {
        for levels in [63, 64, 65, 99, 100, 101, 127, 128, 129, 198, 199, 200, 201, 202] {
            for inner in ["1", "", "[", "[]", "{}", "[ ]", "[2]", "{\"b\" : 2}", "{\"b\""] {
                let text = format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
                check(&text, u64::MAX);
                check(&text, 0b10);
                check(&format!("[{text},{text}]"), u64::MAX);
            }
        }
    }
    for digits in [4299, 4300, 4301, 4302, 5000] {
        for (sign, behind) in [("", ""), ("-", ""), ("", ".5"), ("-", "e5"), ("", "]")] {
            let text = format!("{sign}{}{behind}", "7".repeat(digits));
            check(&text, u64::MAX);
            check(&text, 0);
        }
    }
    for length in 0..200 {
        for end in ["\"", "", "\\n\"", "\u{1}\"", "é\"", "\\", "\"\"", "\u{1f}", "\\u00"] {
            check(&format!("\"{}{end}", "x".repeat(length)), u64::MAX);
            check(&format!("\"{}{end}", "x".repeat(length)), 0);
            check(&format!("\"{}{end}", "é".repeat(length)), 0);
        }
    }
}
