//! Random expressions over whole numbers, truth values and text: ours come to what evalexpr's own evaluation comes to.
//!
//! What is different on purpose is left out: division (decimal here), lengths of text that is not ASCII (characters here),
//! and everything that evalexpr cannot hold in 64 bits. Its powers, and what rounds, are floats there, whole ones here.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::sync::Arc;
use viewfold_core::compile::constant;
use viewfold_spec::{Literal, Source, Span, Spanned};
use viewfold_value::Value;

/// An expression whose value is a whole number. Operators of one type may stand beside each other without brackets: both
/// sides read them by the same precedence, or they do not agree.
fn whole() -> BoxedStrategy<String> {
    // Negative literals are the unary minus.
    let leaf = prop_oneof![4 => (0i64..20).prop_map(|n| n.to_string()), 1 => any::<u32>().prop_map(|n| n.to_string())];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = prop_oneof![Just("+"), Just("-"), Just("*"), Just("%")];
        let bare = |bare: bool, text: String| if bare { text } else { format!("({text})") };
        prop_oneof![
            4 => (any::<bool>(), inner.clone(), operator, inner.clone())
                .prop_map(move |(brackets, a, operator, b)| bare(brackets, format!("{a} {operator} {b}"))),
            1 => inner.clone().prop_map(|a| format!("-{a}")),
            1 => inner.clone().prop_map(|a| format!("(-{a})")),
            1 => (truth_of(inner.clone()), inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("if({c}, {a}, {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("min({a}, {b})")),
            1 => (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("max({a}, {b}, {c})")),
            1 => text().prop_map(|a| format!("len({a})")),
        ]
    })
    .boxed()
}

fn text() -> BoxedStrategy<String> {
    let leaf = "[ a-cA-C{}$.'#/]{0,4}".prop_map(|text| format!("\"{text}\""));
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            1 => inner.clone().prop_map(|a| format!("str::to_lowercase({a})")),
            1 => inner.clone().prop_map(|a| format!("str::to_uppercase({a})")),
            1 => inner.clone().prop_map(|a| format!("str::trim({a})")),
            1 => (0i64..99).prop_map(|n| format!("str::from({n})")),
            1 => (inner.clone(), 0usize..3, 0usize..3).prop_map(|(a, from, more)| {
                format!("str::substring(\"xyzu\" + {a}, {from}, {})", from + more)
            }),
        ]
    })
    .boxed()
}

fn truth_of(whole: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let order = prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("=="), Just("!=")];
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(|b| b.to_string()),
        3 => (whole.clone(), order.clone(), whole).prop_map(|(a, order, b)| format!("({a} {order} {b})")),
        1 => (text(), order, text()).prop_map(|(a, order, b)| format!("({a} {order} {b})")),
        1 => (text(), text()).prop_map(|(a, b)| format!("contains((\"x\", {a}), {b})")),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let joint = prop_oneof![Just("&&"), Just("||"), Just("=="), Just("!=")];
        prop_oneof![
            3 => (inner.clone(), joint, inner.clone()).prop_map(|(a, joint, b)| match joint {
                "&&" | "||" => format!("{a} {joint} {b}"),
                _ => format!("(({a}) {joint} ({b}))"),
            }),
            1 => inner.prop_map(|a| format!("!({a})")),
        ]
    })
    .boxed()
}

/// What the value of an expression is in a file.
fn ours(expression: &str) -> Result<Value, String> {
    let text = format!("${{ {expression} }}");
    let source = Arc::new(Source { name: "expression".into(), text: text.clone() });
    let span = Span { start: 0, end: text.len() };
    constant(&source, &Spanned { value: Literal::Text(text), span })
        .map_err(|findings| findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("; "))
}

/// What evalexpr's own evaluation comes to; nothing where it has no value.
fn theirs(expression: &str) -> Option<Value> {
    match evalexpr::eval(expression).ok()? {
        evalexpr::Value::Int(number) => Some(Value::Number(number.to_string().parse().ok()?)),
        evalexpr::Value::Boolean(value) => Some(Value::Bool(value)),
        evalexpr::Value::String(text) => Some(Value::String(text)),
        evalexpr::Value::Float(float) => Some(Value::Number(format!("{float}").parse().ok()?)),
        _ => None,
    }
}

fn agree(expressions: BoxedStrategy<String>) {
    let compared = Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 3000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&expressions, |expression| {
        let Some(theirs) = theirs(&expression) else { return Ok(()) };
        let ours = ours(&expression);
        // Ours are bounded.
        if !ours.as_ref().is_err_and(|error| error.contains("more than") || error.contains("deeper than")) {
            compared.set(compared.get() + 1);
            prop_assert_eq!(ours, Ok(theirs), "{}", expression);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(compared.get() > 2000, "only {} expressions have a value", compared.get());
}

#[test]
fn whole_numbers_agree() {
    agree(whole());
}

#[test]
fn text_agrees() {
    agree(text());
}

#[test]
fn truth_agrees() {
    agree(truth_of(whole()));
}

#[test]
fn powers_and_rounding_agree() {
    let rounding = prop_oneof![Just("round"), Just("floor"), Just("ceil")];
    let power = (0i64..9, 0i64..6).prop_map(|(a, b)| format!("{a} ^ {b}"));
    let rounded = (rounding, -5000i64..5000).prop_map(|(word, n)| format!("{word}({:.3})", n as f64 / 1000.0));
    agree(prop_oneof![power, rounded].boxed());
}

#[test]
fn what_is_different_on_purpose() {
    let number = |text: &str| Ok(Value::Number(text.parse().unwrap()));
    assert_eq!(ours("7 / 2"), number("3.5"));
    assert_eq!(ours("floor(7 / 2)"), number("3"));
    assert_eq!(ours("0.1 + 0.2"), number("0.3"));
    assert_eq!(ours("1 == 1.0"), Ok(Value::Bool(true)));
    assert_eq!(ours("9223372036854775807 + 1"), number("9223372036854775808"));
    assert_eq!(ours("99999999999999999999999999999999999998 + 1"), number("99999999999999999999999999999999999999"));
    assert!(ours("99999999999999999999999999999999999999 + 0.1").is_err(), "39 digits are no rounding");
    assert_eq!(ours("len(\"größe\")"), number("5"));
}

/// No expression, however large or deep, does worse than being refused.
#[test]
fn nothing_runs_away() {
    let deep = |count: usize| format!("{}1{}", "(".repeat(count), ")".repeat(count));
    for expression in [
        deep(100_000),
        "-".repeat(100_000) + "1",
        "!".repeat(100_000) + "true",
        format!("1{}", " + 1".repeat(100_000)),
        format!("1{}", " ^ 9".repeat(1_000)),
        "9 ^ 999999999999".to_owned(),
        format!("if(true, {}1{}", "if(true, ".repeat(10_000), ", 0)".repeat(10_001)),
        format!("str::pad(\"x\", {})", "9".repeat(12)),
        format!("str::from({})", "\"x\" + ".repeat(10_000) + "\"x\""),
        "str::regex_matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"(a*)*b\")".to_owned(),
    ] {
        let start = std::time::Instant::now();
        let _ = ours(&expression);
        assert!(start.elapsed().as_secs() < 5, "{}", &expression[..60.min(expression.len())]);
    }
}
