//! Results of tests as JUnit XML, as CI systems read it: a suite for each file.

use super::{Ended, Tested, Totals};
use crate::output::Failure;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;
use std::time::Duration;

type Xml = Writer<Vec<u8>>;

/// The report of all files.
pub(crate) fn rendered(files: &[Tested]) -> Result<String, Failure> {
    let unwritten = |error: &dyn std::fmt::Display| Failure::new(format!("the report cannot be written: {error}"));
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut xml, files).map_err(|error| unwritten(&error))?;
    String::from_utf8(xml.into_inner()).map(|text| text + "\n").map_err(|error| unwritten(&error))
}

fn write(xml: &mut Xml, files: &[Tested]) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut attributes = vec![("name", "viewfold test".to_owned())];
    attributes.extend(totals(files));
    element(xml, "testsuites", &attributes, |xml| files.iter().try_for_each(|file| suite(xml, file)))
}

/// What a suite, and all of them together, are summed up by. A file that could not be run is a test with an error.
fn totals(files: &[Tested]) -> [(&'static str, String); 4] {
    let Totals { cases, failed, broken, .. } = Totals::of(files);
    let took = files.iter().flat_map(|file| &file.cases).map(|case| case.took).sum();
    [
        ("tests", (cases + broken).to_string()),
        ("failures", failed.to_string()),
        ("errors", broken.to_string()),
        ("time", seconds(took)),
    ]
}

fn suite(xml: &mut Xml, tested: &Tested) -> io::Result<()> {
    let mut attributes = vec![("name", tested.file.clone()), ("file", tested.file.clone())];
    attributes.extend(totals(std::slice::from_ref(tested)));
    element(xml, "testsuite", &attributes, |xml| {
        tested.cases.iter().try_for_each(|ended| case(xml, &tested.file, ended))?;
        let Some(why) = &tested.broken else { return Ok(()) };
        let attributes = [
            ("name", "the file can be run".to_owned()),
            ("classname", tested.file.clone()),
            ("file", tested.file.clone()),
            ("time", seconds(Duration::ZERO)),
        ];
        element(xml, "testcase", &attributes, |xml| told(xml, "error", why.lines().next().unwrap_or_default(), why))
    })
}

fn case(xml: &mut Xml, file: &str, ended: &Ended) -> io::Result<()> {
    let attributes = [
        ("name", ended.name.clone()),
        ("classname", file.to_owned()),
        ("file", file.to_owned()),
        ("line", ended.line.to_string()),
        ("time", seconds(ended.took)),
    ];
    let tally = &ended.verdict.schedules;
    element(xml, "testcase", &attributes, |xml| {
        if !tally.ran.is_empty() {
            element(xml, "properties", &[], |xml| {
                let property = |xml: &mut Xml, name: String, value: String| {
                    let attributes = [("name", printable(&name)), ("value", printable(&value))];
                    let attributes = attributes.iter().map(|(name, value)| (*name, value.as_str()));
                    xml.create_element("property").with_attributes(attributes).write_empty()?;
                    Ok::<(), io::Error>(())
                };
                property(xml, "schedules".to_owned(), tally.total().to_string())?;
                for (sort, number) in &tally.ran {
                    property(xml, format!("schedules.{}", sort.name()), number.to_string())?;
                }
                for (kind, why) in &tally.left_out {
                    let why: Vec<&str> = why.iter().copied().collect();
                    property(xml, format!("schedules not {}", kind.words()), why.join("; "))?;
                }
                Ok(())
            })?;
        }
        let differences = &ended.verdict.differences;
        match differences.first() {
            Some(first) => told(xml, "failure", first, &differences.join("\n")),
            None => Ok(()),
        }
    })
}

/// A failure or an error: a message in one line, and all of it.
fn told(xml: &mut Xml, name: &str, message: &str, text: &str) -> io::Result<()> {
    let attributes = [("message", printable(message)), ("type", name.to_owned())];
    let attributes = attributes.iter().map(|(name, value)| (*name, value.as_str()));
    let text = printable(text);
    xml.create_element(name).with_attributes(attributes).write_text_content(BytesText::new(&text))?;
    Ok(())
}

fn element(
    xml: &mut Xml,
    name: &str,
    attributes: &[(&str, String)],
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let attributes: Vec<(&str, String)> = attributes.iter().map(|(name, value)| (*name, printable(value))).collect();
    let attributes = attributes.iter().map(|(name, value)| (*name, value.as_str()));
    xml.create_element(name).with_attributes(attributes).write_inner_content(inner)?;
    Ok(())
}

/// A text without the characters that XML 1.0 has no way to write: they are shown by their numbers.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => printable.push(c),
            '\u{fffe}' | '\u{ffff}' => printable.extend(c.escape_default()),
            c if c.is_control() => printable.extend(c.escape_default()),
            c => printable.push(c),
        }
    }
    printable
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use quick_xml::Reader;
    use quick_xml::events::Event;

    #[test]
    fn a_report_has_a_suite_for_each_file() {
        let report = super::rendered(&samples::files()).expect("a report");
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="viewfold test" tests="3" failures="1" errors="1" time="2.500">
  <testsuite name="a &amp; b.test.yaml" file="a &amp; b.test.yaml" tests="2" failures="1" errors="0" time="2.500">
    <testcase name="holds" classname="a &amp; b.test.yaml" file="a &amp; b.test.yaml" line="3" time="1.250">
      <properties>
        <property name="schedules" value="3"/>
        <property name="schedules.delivered_twice" value="2"/>
        <property name="schedules.crash" value="1"/>
        <property name="schedules not in other orders" value="the guard is no `events_table`"/>
      </properties>
    </testcase>
"#;
        assert!(report.starts_with(expected), "{report}");
        assert!(
            report.contains(r#"<error message="no\u{1b}[31m YAML" type="error">no\u{1b}[31m YAML</error>"#),
            "{report}"
        );
    }

    /// Every text comes back as it was, control characters apart.
    #[test]
    fn what_xml_cannot_say_is_escaped() {
        let report = super::rendered(&samples::files()).expect("a report");
        let mut reader = Reader::from_str(&report);
        let (mut names, mut texts) = (Vec::new(), Vec::new());
        loop {
            match reader.read_event().expect("the report is XML") {
                Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "testcase" => {
                    let name = tag.try_get_attribute("name").expect("attributes").expect("a name");
                    names.push(quick_xml::escape::unescape(&name.value).expect("escapes").into_owned());
                }
                Event::Start(tag) if tag.name().as_ref() == "failure" => {
                    let text = reader.read_text(tag.name()).expect("a text");
                    texts.push(quick_xml::escape::unescape(&text).expect("escapes").into_owned());
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(names, ["holds", "fails <\"'\\u{1b}\\u{0}>", "the file can be run"]);
        assert_eq!(texts, ["`a` is \"x\\u{7}\", expected ]]>\nsecond\tline"]);
        assert!(!report.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{report:?}");
    }
}
