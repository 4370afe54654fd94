//! `viewfold init`

use crate::arguments::{Init, StreamKind};
use crate::output::{Failure, Outcome, count, print};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file of a template.
macro_rules! template {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $path))
    };
}

/// The files of a new project, each with its text.
fn files(stream: StreamKind) -> [(&'static str, String); 9] {
    let [projection, test, events] = match stream {
        StreamKind::Kinesis => [
            template!("kinesis/customer_orders.yaml"),
            template!("kinesis/customer_orders.test.yaml"),
            template!("kinesis/orders.json"),
        ],
        StreamKind::Dynamodb => [
            template!("dynamodb/customer_orders.yaml"),
            template!("dynamodb/customer_orders.test.yaml"),
            template!("dynamodb/orders.json"),
        ],
    };
    [
        ("projections/customer_orders.yaml", projection.to_owned()),
        ("projections/customer_orders.test.yaml", test.to_owned()),
        ("events/orders.json", events.to_owned()),
        ("schemas/projection.schema.json", viewfold_spec::projection_schema()),
        ("schemas/test.schema.json", viewfold_spec::test_schema()),
        (".github/workflows/viewfold.yml", template!("common/workflow.yml").to_owned()),
        (".vscode/extensions.json", template!("common/extensions.json").to_owned()),
        (".gitignore", template!("common/gitignore").to_owned()),
        ("README.md", template!("common/README.md").to_owned()),
    ]
}

/// Makes a new project in a folder, where nothing is in its way.
pub(crate) fn run(arguments: &Init) -> Result<Outcome, Failure> {
    let folder = &arguments.folder;
    let files = files(arguments.stream);
    let in_the_way: Vec<PathBuf> = files.iter().filter_map(|(name, _)| in_the_way(folder, Path::new(name))).collect();
    if !in_the_way.is_empty() {
        let mut names: Vec<String> = in_the_way.iter().map(|path| format!("\n  {}", path.display())).collect();
        names.dedup();
        return Err(Failure::wrong_use(format!(
            "nothing was made, for {} in the way:{}\nChoose another folder: viewfold init FOLDER",
            if names.len() == 1 { "something is" } else { "some files are" },
            names.concat()
        )));
    }
    for (number, (name, text)) in files.iter().enumerate() {
        let path = folder.join(name);
        if let Err(error) = write(&path, text) {
            // Half a project would be in the way of the next try.
            for (made, _) in &files[..number] {
                let _ = fs::remove_file(folder.join(made));
            }
            return Err(Failure::new(format!("nothing was made: {} cannot be written: {error}", path.display())));
        }
    }
    print(&report(folder, &files))?;
    Ok(Outcome::Done)
}

/// What keeps a file from being made: itself, or a file where one of its folders has to be.
fn in_the_way(folder: &Path, name: &Path) -> Option<PathBuf> {
    let path = folder.join(name);
    if path.symlink_metadata().is_ok() {
        return Some(path);
    }
    let parents = path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
    let file = |parent: &&Path| parent.symlink_metadata().is_ok() && !parent.is_dir();
    parents.filter(|parent| parent.starts_with(folder)).find(file).map(Path::to_owned)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    // Not even what somebody else made in the meantime is overwritten.
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

fn report(folder: &Path, files: &[(&'static str, String)]) -> String {
    let mut text = format!("made {}:\n", count(files.len(), "file"));
    for (name, _) in files {
        text += &format!("  {}\n", folder.join(name).display());
    }
    text += "\nNext:\n";
    if folder != Path::new(".") {
        text += &format!("  cd {}\n", folder.display());
    }
    text += "  viewfold validate\n  viewfold test\n  viewfold run projections --events events/orders.json\n\
             \nThen make projections/customer_orders.yaml your own, with `viewfold test --watch` beside the editor. README.md \
             says what is where.\n";
    text
}
