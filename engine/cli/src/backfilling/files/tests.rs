use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use viewfold_value::{Number, Value};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("viewfold-files-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn with(files: &[(&str, &[u8])]) -> Folder {
        let folder = Folder::new();
        for (name, bytes) in files {
            folder.write(name, bytes);
        }
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.0)).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn files(&self) -> Files {
        Files::find(std::slice::from_ref(&self.0)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// All entries of one file of these bytes.
fn read(bytes: &[u8]) -> Result<Vec<(u64, Entry)>, String> {
    let folder = Folder::with(&[("history", bytes)]);
    let name = format!("{}/", folder.0.display());
    let entries = folder.files().entries(Place::default());
    let read = entries.map(|read| read.map(|(place, entry)| (place.line, entry))).collect::<Result<Vec<_>, _>>();
    read.map_err(|trouble| trouble.to_string().replace(&name, ""))
}

fn item(entries: &[(&str, Value)]) -> Item {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

const LONG: &str = "-12345678901234567890123456789.012345678";

/// An item with an attribute of every type.
fn of_every_type() -> Item {
    item(&[
        ("s", "it's \"é\"\n".into()),
        ("n", number(LONG).into()),
        ("b", Value::Binary(vec![0, 255])),
        ("yes", Value::Bool(true)),
        ("none", Value::Null),
        ("m", Value::Map(item(&[("a-b", Value::Map(Item::new())), ("", number("1e100").into())]))),
        ("l", Value::List(vec!["x".into(), Value::Null, Value::List(Vec::new())])),
        ("ss", Value::StringSet(["a".into(), "b".into()].into())),
        ("ns", Value::NumberSet([number("1"), number("0.5")].into())),
        ("bs", Value::BinarySet([vec![1], vec![2, 3]].into())),
    ])
}

fn typed(item: &Item) -> String {
    let mut text = String::new();
    viewfold_value::dynamodb_json::write_item(item, &mut text);
    text
}

/// [`of_every_type`] in Ion.
const ION: &str = r#"{s:"it's \"é\"\n",n:-12345678901234567890123456789.012345678,b:{{AP8=}},yes:true,none:null,m:{'a-b':{},'':1d100},l:["x",null,[]],ss:$dynamodb_SS::["a","b"],ns:$dynamodb_NS::[1.,5d-1],bs:$dynamodb_BS::[{{AQ==}},{{AgM=}}]}"#;

const EVENT: &str = r#"{"Records":[{"eventID":"}]\"{"}]}"#;

/// Texts of every format, and what is in them.
fn formats() -> Vec<(String, Vec<(u64, Entry)>)> {
    let (whole, key) = (of_every_type(), item(&[("id", "a".into())]));
    let json = |item: &Item| format!("{{\"Item\":{}}}", typed(item));
    let change = |new: Option<&Item>, old: Option<&Item>| Entry::Change {
        keys: key.clone(),
        new: new.cloned(),
        old: old.cloned(),
        written_micros: 1_680_109_764_000_000,
    };
    let keys = typed(&key);
    let json_change = |metadata: &str, rest: &str| {
        format!("{{\"Metadata\":{{\"WriteTimestampMicros\":{metadata},\"More\":[1]}},\"Keys\":{keys}{rest}}}")
    };
    let (new, old) = (format!(",\"NewImage\":{}", typed(&whole)), format!(",\"OldImage\":{keys}"));
    let ion_change =
        |rest: &str| format!("Keys:{{id:\"a\"}},Metadata:{{WriteTimestampMicros:1680109764000000.}}{rest}");
    let lambda = || Entry::Lambda(EVENT.into());
    vec![
        (
            format!("{}\n\n{}\r\n{}", json(&whole), json(&key), json(&Item::new())),
            vec![(1, Entry::Item(whole.clone())), (3, Entry::Item(key.clone())), (4, Entry::Item(Item::new()))],
        ),
        (
            format!("$ion_1_0 {{Item:{ION}}}\n$ion_1_0 {{\"Item\":{{id:\"a\"}}}}\n"),
            vec![(1, Entry::Item(whole.clone())), (2, Entry::Item(key.clone()))],
        ),
        (
            [
                json_change(r#"{"N":"1680109764000000"}"#, &format!("{new}{old}")),
                json_change(r#""1680109764000000""#, &new),
                json_change("1680109764000000", &old),
            ]
            .join("\n"),
            vec![(1, change(Some(&whole), Some(&key))), (2, change(Some(&whole), None)), (3, change(None, Some(&key)))],
        ),
        (
            [
                format!("$ion_1_0 {{Record:{{{}}}}}", ion_change(&format!(",NewImage:{ION},OldImage:{{id:\"a\"}}"))),
                format!("$ion_1_0 {{{}}}", ion_change(&format!(",NewImage:{ION}"))),
                format!("$ion_1_0 {{Record:{{{}}}}}\n", ion_change("")),
            ]
            .join("\n"),
            vec![(1, change(Some(&whole), Some(&key))), (2, change(Some(&whole), None)), (3, change(None, None))],
        ),
        (EVENT.into(), vec![(1, lambda())]),
        (format!("{EVENT}{EVENT}\n\n{EVENT}\n"), vec![(1, lambda()), (1, lambda()), (3, lambda())]),
        (
            format!("\n [ \n{EVENT}\n,{EVENT} ]\n[]{EVENT}[{EVENT}]"),
            vec![(3, lambda()), (4, lambda()), (5, lambda()), (5, lambda())],
        ),
        (
            "{\n  \"Records\": [\n    {}\n  ]\n}\n{\n\"window\":{},\"Records\": []}".into(),
            vec![
                (1, Entry::Lambda(b"{\n  \"Records\": [\n    {}\n  ]\n}".into())),
                (6, Entry::Lambda(b"{\n\"window\":{},\"Records\": []}".into())),
            ],
        ),
        (
            format!("{{\"window\":{{}},\"Records\":[]}}\n{EVENT}"),
            vec![(1, Entry::Lambda(b"{\"window\":{},\"Records\":[]}".into())), (2, lambda())],
        ),
        (
            "\u{feff}{\"Item\":{\"id\":\"a\"},\"n\":1e400}\n  [1]\n{}\n".into(),
            vec![
                (1, Entry::Payload(b"{\"Item\":{\"id\":\"a\"},\"n\":1e400}".into())),
                (2, Entry::Payload(b"[1]".into())),
                (3, Entry::Payload(b"{}".into())),
            ],
        ),
    ]
}

#[test]
fn every_format_is_told_and_read_however_it_is_packed() {
    for (text, expected) in formats() {
        let bytes = text.as_bytes();
        let (front, back) = bytes.split_at(bytes.len() / 3);
        let skippable =
            [b"\x53\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &zstd(front), b"\x50\x2a\x4d\x18\0\0\0\0", &zstd(back)];
        for packed in [
            bytes.to_vec(),
            gzip(bytes),
            zstd(bytes),
            [gzip(front), gzip(b""), gzip(back)].concat(),
            skippable.concat(),
        ] {
            assert_eq!(read(&packed).as_ref(), Ok(&expected), "{text}");
        }
    }
}

#[test]
fn from_each_place_on_the_rest_is_the_same() {
    let folder = Folder::new();
    for (number, (text, _)) in formats().iter().enumerate() {
        let packed = if number % 2 == 0 { gzip(text.as_bytes()) } else { text.clone().into_bytes() };
        folder.write(&format!("{number:02}"), &packed);
        // A partition without items.
        folder.write(&format!("{number:02}-empty.gz"), &gzip(b""));
    }
    let files = folder.files();
    let mut whole = files.entries(Place::default());
    let all: Vec<_> = whole.by_ref().map(Result::unwrap).collect();
    assert_eq!(whole.bytes_read(), files.bytes());
    assert_eq!(all.len(), formats().iter().map(|(_, entries)| entries.len()).sum::<usize>());
    for (number, (place, _)) in all.iter().enumerate() {
        let saved: Place = serde_json::from_str(&serde_json::to_string(place).unwrap()).unwrap();
        for (from, first) in [(saved, number), (saved.next(), number + 1)] {
            let mut rest = files.entries(from);
            let read: Vec<_> = rest.by_ref().map(Result::unwrap).collect();
            assert_eq!(read, all[first..], "{from:?}");
            assert_eq!(rest.bytes_read(), files.bytes());
        }
    }
    let behind = Place { file: files.paths().len(), ..Place::default() };
    assert_eq!(files.entries(behind).count(), 0);
}

#[test]
fn what_an_export_says_about_itself_is_left_out_and_the_rest_goes_by_name() {
    let folder = Folder::with(&[
        ("b/manifest-summary.json", b"{}"),
        ("b/manifest-files.json", b"{}"),
        ("b/manifest-files.md5", b"x"),
        ("b/manifest-summary.checksum", b"x"),
        ("b/_started", b""),
        ("b/.hidden", b"x"),
        (".git/x", b"x"),
        ("b/data/2", b"{\"a\":2}"),
        ("b/data/1", b"{\"a\":1}"),
        ("a", b"{\"a\":0}"),
    ]);
    let twice = [folder.0.join("b"), folder.0.clone(), folder.0.join("b/manifest-files.json")];
    let files = Files::find(&twice).unwrap();
    let names: Vec<&Path> = files.paths().iter().map(|path| path.strip_prefix(&folder.0).unwrap()).collect();
    assert_eq!(names, [Path::new("a"), Path::new("b/data/1"), Path::new("b/data/2")]);
    assert_eq!(files.bytes(), 21);
    let (place, _) = files.entries(Place { file: 1, ..Place::default() }).next().unwrap().unwrap();
    assert_eq!(files.show(place), format!("{}:1", folder.0.join("b/data/1").display()));
    assert!(files.show(place.next()).ends_with("data/1, entry 2"));

    let empty = Folder::with(&[("_started", b"")]);
    let error = Files::find(std::slice::from_ref(&empty.0)).unwrap_err();
    assert!(error.to_string().ends_with(
        "there is no file of history; give files, or folders of them: exports, recorded events, JSON lines"
    ));
    assert!(Files::find(&[empty.0.join("gone")]).unwrap_err().to_string().contains("gone: cannot be read: "));
}

#[test]
fn what_is_wrong_says_where_and_what_to_do() {
    let good = "{\"Item\":{\"id\":{\"S\":\"a\"}}}\n";
    let text = good.repeat(20_000);
    for (packed, what) in [(gzip(text.as_bytes()), "gzip"), (zstd(text.as_bytes()), "zstd")] {
        let folder = Folder::with(&[("history", &packed[..packed.len() - 5])]);
        let mut read: Vec<_> = folder.files().entries(Place::default()).collect();
        let trouble = read.pop().unwrap().unwrap_err();
        assert_eq!(trouble.line, Some(read.len() as u64 + 1), "what was whole before it is handed out");
        let error = trouble.to_string();
        assert!(error.contains(&format!("the {what} data ends here or is broken (")), "{error}");
        assert!(error.ends_with("copy the file again from where it comes from"), "{error}");
    }
    let after_good = |line: &str| format!("{good}\n{line}\n{good}");
    let ion = |line: &str| format!("$ion_1_0 {{Item:{{}}}}\n{line}");
    for (text, expected) in [
        (
            after_good("{\"Item\":{\"id\":{\"X\":\"a\"}}}"),
            "history:3: this is no line of an export in DynamoDB JSON: `X` is no attribute type of DynamoDB; mend the line, or export the table again",
        ),
        (
            after_good("{\"Item\":{\"id\":{\"N\":\"1e200\"}}}"),
            "history:3: this is no line of an export in DynamoDB JSON: the number 1e200: larger than",
        ),
        (after_good("{\"Item\":{}"), "history:3: this is no line of an export in DynamoDB JSON: "),
        (after_good("{\"Item\":{},\"Other\":1}"), "`Other` is none of Item, Keys, Metadata, NewImage, OldImage"),
        (after_good("{\"Keys\":{}}"), "history:3: a line has an Item, as full exports do, or Keys, Metadata"),
        (
            after_good("{\"Keys\":{},\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1.5\"}}}"),
            "history:3: `Metadata` has no WriteTimestampMicros",
        ),
        (good.trim_end()[..20].into(), "history:1: this line by itself is no JSON: EOF while parsing"),
        (
            ion("$ion_1_0 {Item:{a:1e5}}"),
            "history:2: this is no line of an export in Ion: `1e5` is no decimal and no whole number; with `e` it is a float",
        ),
        (
            ion("$ion_1_0 {Item:null}"),
            "history:2: this is no line of an export in Ion: `Item` is a null instead of a struct",
        ),
        (ion("$ion_1_0 {Record:[]}"), "`Record` is a list instead of a struct"),
        (ion("[]"), "it is a list instead of a struct"),
        (
            "{\"a\":1}\n{\"a\":}\n".into(),
            "history:2: this line is no JSON: expected value at byte 6; each line has to be",
        ),
        ("{\"a\":1}\n7\n".into(), "history:2: a JSON value by itself is no payload"),
        (
            "{\n  \"a\": 1\n}\n".into(),
            "history:1: this line by itself is no JSON: EOF while parsing an object at byte 1; over several lines only recorded Lambda events",
        ),
        (format!("{EVENT}\n7"), "history:2: `7` between events; a Lambda event is {\"Records\": [...]}"),
        (format!("[{EVENT}\n{EVENT}]"), "history:2: `{` between events"),
        (format!("[{EVENT},]"), "history:1: `]` between events"),
        (format!("[{EVENT},\n"), "history:2: the list of events has no end; copy"),
        (format!("{EVENT}\n\n{{\"Records\":["), "history:3: the JSON that begins here has no end; copy"),
        (
            format!("{EVENT}\n{{\"Records\":\n\n[x]}}"),
            "history:4: this is no Lambda event, {\"Records\": [...]}: expected value at byte 2",
        ),
        (
            format!("{EVENT}\n{{\"records\":[]}}"),
            "history:2: this is no Lambda event, {\"Records\": [...]}: missing field `Records`",
        ),
        (format!("{EVENT}\n{{\"Records\":1}}"), "history:2: `Records` is no list"),
        (
            "\n\nid,name\n1,x\n".into(),
            "history:3: this is no file of history: it begins with `id,name`. What can be read: exports",
        ),
        (
            "PK\u{3}\u{4}".into(),
            "history:1: this is no file of history: it is a ZIP archive; unpack it. What can be read",
        ),
        (
            String::new(),
            "history:1: nothing is in it; check that the copy is whole, and that the table it is of has items",
        ),
        (" \n ".into(), "history:1: nothing is in it"),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{text}\n{error}\n{expected}");
    }
    assert!(read(b"\xe0\x01\x00\xea").unwrap_err().contains("binary form; exports have the text form"));
    assert!(read(b"\x1f\x8b").unwrap_err().contains("history:1: the gzip data ends here or is broken"));
    assert!(read(&gzip(b"")).unwrap_err().contains("history:1: nothing is in it"));
    assert!(read(b"{\"a\":\"\xff\"}").unwrap_err().contains("history:1: this line by itself is no JSON"));
}

#[test]
fn behind_trouble_nothing_comes_and_a_shorter_file_is_noticed() {
    let folder = Folder::with(&[("1", b"{\"a\":1}\n{\"a\":\n{\"a\":3}\n"), ("2", b"{\"a\":4}")]);
    let read: Vec<_> = folder.files().entries(Place::default()).collect();
    assert_eq!(read.len(), 2);
    assert!(read[0].is_ok() && read[1].as_ref().is_err_and(|trouble| trouble.line == Some(2)));

    let files = folder.files();
    let behind = |entry| files.entries(Place { file: 1, entry, line: 0 }).collect::<Vec<_>>();
    assert_eq!(behind(1), []);
    let error = behind(2)[0].as_ref().unwrap_err().to_string();
    assert!(
        error.contains("2: was to be read on behind 2 entries and has 1 in all: it is not the file that it was"),
        "{error}"
    );

    let empty = Folder::with(&[("1", b""), ("2", &gzip(b"\n"))]);
    let error = empty.files().entries(Place::default()).next().unwrap().unwrap_err().to_string();
    assert!(error.starts_with("nothing is in any of the 2 files of history; check"), "{error}");
}

#[test]
fn a_line_without_end_is_an_error_before_it_fills_the_memory() {
    for begin in ["{\"a\":\"", "{\"Records\":[\""] {
        let folder = Folder::new();
        let path = folder.write("long", begin.as_bytes());
        fs::File::options().write(true).open(&path).unwrap().set_len(70 << 20).unwrap();
        let error = folder.files().entries(Place::default()).next().unwrap().unwrap_err().to_string();
        assert!(error.contains("of more than 64 MiB; check that it is a file of history"), "{error}");
    }
}

#[test]
fn entries_may_go_to_another_thread() {
    let folder = Folder::with(&[("1", b"{\"a\":1}")]);
    let entries = folder.files().entries(Place::default());
    assert_eq!(std::thread::spawn(|| entries.count()).join().ok(), Some(1));
}

#[test]
fn no_file_is_too_odd_to_be_refused() {
    let folder = Folder::new();
    let path = folder.write("odd", b"");
    let files = folder.files();
    let formats: Vec<Vec<u8>> = formats().into_iter().map(|(text, _)| text.into_bytes()).collect();
    let mut random = fastrand::Rng::with_seed(8);
    for round in 0..1000 {
        let mut text = random.choice(&formats).cloned().unwrap_or_default();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..text.len().max(1)).min(text.len());
            match random.u8(0..4) {
                0 => text.truncate(at),
                1 => text.insert(at, *random.choice(b"{}[]\"\\,:\n$'x\xff\0").unwrap_or(&0)),
                2 => drop(text.drain(at..(at + random.usize(0..9)).min(text.len()))),
                _ => text.extend_from_within(at..(at + random.usize(0..99)).min(text.len())),
            }
        }
        let packed = match random.u8(0..8) {
            0 => gzip(&text),
            1 => zstd(&text),
            _ => text,
        };
        let packed = if round % 16 == 0 { packed[..packed.len() / 2].to_vec() } else { packed };
        fs::write(&path, packed).unwrap();
        // What was read before trouble is the same from its places on.
        let all: Vec<_> = files.entries(Place::default()).collect();
        if let Some(Ok((place, _))) = all.get(all.len() / 2) {
            assert_eq!(files.entries(*place).collect::<Vec<_>>(), all[all.len() / 2..]);
        }
    }
}
