//! `viewfold package`: what Lambda gets, byte for byte.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use harness::cli::{make_tables, viewfold};
use harness::events::{TableStream, batch, failures};
use harness::function::Deployment;
use harness::scratch::Folder;
use harness::store::Store;
use harness::{binaries, workspace};
use serde_json::json;
use zip::ZipArchive;

use crate::json;

const PROJECTION: &str = "projection: amounts
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Amounts, partition_key: id }
guard: last_event_id
key: { id: $.id }
rules:
  - add: { total: $.amount }
";

/// The names in an archive, each with its permissions.
fn entries(path: &Path) -> Vec<(String, u32)> {
    let mut archive = ZipArchive::new(fs::File::open(path).expect("the archive is there")).expect("it is an archive");
    let count = archive.len();
    let entry = |number| {
        let file = archive.by_index(number).expect("an entry");
        (file.name().expect("a name in UTF-8").into_owned(), file.unix_mode().unwrap_or_default())
    };
    (0..count).map(entry).collect()
}

/// Unpacks an archive as Lambda does.
fn unpack(path: &Path, folder: &Path) {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let mut archive = ZipArchive::new(fs::File::open(path).expect("the archive is there")).expect("it is an archive");
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).expect("an entry");
        let to = folder.join(&*file.name().expect("a name in UTF-8"));
        fs::create_dir_all(to.parent().expect("a folder")).expect("it can be made");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("it can be unpacked");
        let mode = file.unix_mode().expect("permissions");
        drop(fs::OpenOptions::new().create(true).write(true).mode(mode).open(&to).expect("a file"));
        fs::write(&to, bytes).expect("it can be written");
        fs::set_permissions(&to, fs::Permissions::from_mode(mode)).expect("it is ours");
    }
}

#[tokio::test]
async fn what_is_packed_is_what_runs() {
    let out = Folder::empty();
    let packed = viewfold(["package", "projections/votes", "--format", "json", "--out"]).arg(out.path());
    let report = json(&packed.run().await.expect_status(0).stdout);
    assert_eq!(report["archives"][0]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(entries(&out.path().join("function.zip")), [("bootstrap".to_owned(), 0o100_755)]);
    let layer = entries(&out.path().join("projections.zip"));
    let names: Vec<&str> = layer.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["projections/recent_votes.yaml", "projections/total_votes.yaml"], "no tests, nothing else");
    assert!(layer.iter().all(|(_, mode)| *mode == 0o100_644), "{layer:?}");

    unpack(&out.path().join("function.zip"), &out.path().join("task"));
    unpack(&out.path().join("projections.zip"), &out.path().join("opt"));
    let store = Store::start().await;
    make_tables(&workspace().join("projections/votes"), &store).await;
    let function = Deployment::new(&out.path().join("opt/projections"), &store);
    let function = function.start_binary(&out.path().join("task/bootstrap")).await;
    let mut stream = TableStream::new(&store.table("votes"), &["id"]);
    let vote = json!({ "id": { "S": "1" }, "region": { "S": "NORTH" }, "improvement": { "S": "CAR_FREE" } });
    let answer = function.invoke(&batch([stream.insert(vote)])).await.expect("it answers");
    assert_eq!(failures(&answer), [""; 0]);
    let documents = store.documents("total_votes", harness::documents::Bookkeeping::Hidden).await;
    assert_eq!(documents[0]["total_votes"], 1, "{documents:?}");
}

#[tokio::test]
async fn the_same_input_gives_the_same_bytes() {
    let folders = [Folder::empty(), Folder::empty()];
    let mut packed = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        // Written in another order, at another time, with other permissions.
        let mut names = ["a/one.yaml", "b/one.yaml", "schemas/order.json"];
        names.rotate_left(number);
        for name in names {
            let letter = &name[..1];
            let text = match name.ends_with("json") {
                true => "{\"type\":\"object\"}".to_owned(),
                false => PROJECTION
                    .replace("amounts", &format!("amounts_{letter}"))
                    .replace("Amounts", &format!("Amounts_{letter}"))
                    .replace("lane: $.id }", "lane: $.id, schema: ../schemas/order.json }"),
            };
            let path = folder.write(&format!("p/{name}"), &text);
            use std::os::unix::fs::PermissionsExt as _;
            let mode = if number == 0 { 0o600 } else { 0o777 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000 * (number as u64 + 1));
            let file = fs::File::options().write(true).open(&path).expect("it is ours");
            file.set_modified(time).expect("its time can be set");
        }
        folder.write("p/a/one.test.yaml", "no test");
        folder.write("p/a/.hidden.yaml", "no projection");
        folder.write("p/README.md", "no projection either");
        viewfold(["package", "p/b/one.yaml", "p/a", "--out", "out"]).within(folder.path()).run().await.expect_status(0);
        let read = |name: &str| fs::read(folder.path().join("out").join(name)).expect("it was written");
        packed.push((read("function.zip"), read("projections.zip")));
        let names: Vec<String> =
            entries(&folder.path().join("out/projections.zip")).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["projections/a/one.yaml", "projections/b/one.yaml", "projections/schemas/order.json"]);
    }
    assert!(packed[0] == packed[1], "two runs differ");
}

#[tokio::test]
async fn nothing_is_written_where_anything_is_wrong() {
    let folder = Folder::with("good/amounts.yaml", PROJECTION);
    folder.write("bad/amounts.yaml", &PROJECTION.replace("guard: last_event_id\n", ""));
    folder.write("script", "#!/bin/sh\n");
    folder.write("taken/projections.zip/file", "");
    let bootstrap = binaries::bootstrap().to_str().expect("a path");
    let other = if cfg!(target_arch = "x86_64") { "arm64" } else { "x86_64" };
    for (arguments, status, words) in [
        (&["package", "bad"][..], 1, "guard"),
        (&["package", "good", "--bootstrap", "script"], 2, "no ELF file"),
        (&["package", "good", "--bootstrap", "nowhere"], 2, "cannot be read"),
        (&["package", "good", "--bootstrap", bootstrap, "--arch", other], 2, "cargo lambda build"),
        (&["package", "good", "--arch", other], 2, "--projections-only"),
        (&["package", "good", "--bootstrap", "/bin/true"], 2, "not viewfold's function"),
        (&["package", "good", "--out", "script"], 2, "is a file"),
        (&["package", "good", "--out", "taken"], 2, "in the way"),
    ] {
        let output = viewfold(arguments).within(folder.path()).run().await.expect_status(status);
        assert!(output.stderr.contains(words), "{arguments:?}: {}", output.stderr);
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 4, "{arguments:?} left something behind");
        assert_eq!(fs::read_dir(folder.path().join("taken")).expect("a folder").count(), 1, "{arguments:?}");
    }
    viewfold(["package", "good", "--projections-only"]).within(folder.path()).run().await.expect_status(0);
    assert!(folder.path().join("projections.zip").exists() && !folder.path().join("function.zip").exists());
}

#[tokio::test]
async fn what_the_function_would_not_find_is_refused() {
    let folder = Folder::with("amounts.test.yaml", PROJECTION);
    let schema = PROJECTION.replace("lane: $.id }", "lane: $.id, schema: order.yaml }");
    folder.write("p/amounts.yaml", &schema);
    folder.write("p/order.yaml", "{}");
    // Here there is a folder above the projection's; in the layer there is none.
    folder.write("q/amounts.yaml", &schema.replace("order.yaml", "../q/order.json"));
    folder.write("q/order.json", "{}");
    for (path, words) in [
        ("amounts.test.yaml", "would not find"),
        ("p/amounts.yaml", "taken for a projection"),
        ("q/amounts.yaml", "no folder of the layer, and the function would not find it there: name it order.json"),
    ] {
        let command = viewfold(["package", path, "--projections-only"]).within(folder.path());
        let output = command.run().await.expect_status(2);
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
}

/// Another program's word on the archives.
#[tokio::test]
async fn python_reads_them_alike() {
    const LOOK: &str = "import sys, zipfile
for name in sys.argv[1:]:
    archive = zipfile.ZipFile(name)
    assert archive.testzip() is None
    for info in archive.infolist():
        print(info.filename, oct(info.external_attr >> 16), info.create_system, info.date_time[0])";
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("SKIPPED: there is no python3");
        return;
    }
    let out = Folder::empty();
    viewfold(["package", "projections/votes", "--out"]).arg(out.path()).run().await.expect_status(0);
    let look =
        Command::new("python3").args(["-c", LOOK, "function.zip", "projections.zip"]).current_dir(out.path()).output();
    let look = look.expect("python3 runs");
    assert!(look.status.success(), "{}", String::from_utf8_lossy(&look.stderr));
    assert_eq!(
        String::from_utf8_lossy(&look.stdout),
        "bootstrap 0o100755 3 1980\nprojections/recent_votes.yaml 0o100644 3 1980\nprojections/total_votes.yaml 0o100644 3 1980\n"
    );
}
