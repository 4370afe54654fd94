//! `viewfold package`

use super::load_one;
use crate::arguments::{Format, Package};
use crate::output::{Failure, Outcome, count, note, print, warn};
use crate::packaging::archive::{Archive, Entry};
use crate::packaging::binary::{self, Architecture, Binary};
use crate::packaging::layer;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// The most bytes of a function's archive that Lambda takes without a bucket ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const DIRECT_UPLOAD: u64 = 50 << 20;

/// The most bytes of a function and its layers together, unpacked.
const UNPACKED: u64 = 250 << 20;

/// How to make the function, for people who have none.
const BUILD: &str = "build it with `cargo build --release --workspace` or, for another machine than this one, `cargo lambda build --release \
                     --arm64 --package viewfold-lambda` in viewfold's repository";

/// Packs the function and its projections.
pub(crate) fn run(arguments: &Package) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, "")?;
    warn(&compiled.warnings);
    let mut archives = Vec::new();
    let mut function = None;
    if !arguments.projections_only {
        let (path, bytes, binary) = bootstrap(arguments)?;
        check_version(&path, &binary)?;
        let entry = Entry { path: "bootstrap".to_owned(), bytes, executable: true };
        archives.push(Archive::of("function.zip", vec![entry])?);
        function = Some((path, binary));
    }
    let entries = layer::entries(&arguments.paths)?;
    let files: Vec<String> = entries.iter().map(|entry| entry.path.clone()).collect();
    archives.push(Archive::of("projections.zip", entries)?);
    let unpacked: u64 = archives.iter().map(|archive| archive.unzipped).sum();
    if unpacked > UNPACKED {
        return Err(Failure::new(format!(
            "nothing was written: unpacked it is {}, and Lambda takes {} of a function and its layers together",
            size(unpacked),
            size(UNPACKED)
        )));
    }
    // All is known to be good by now: neither is written where the other one could not be made, or has no room.
    for archive in &archives {
        archive.check_place(&arguments.out)?;
    }
    for archive in &archives {
        archive.write(&arguments.out)?;
        if archive.bytes.len() as u64 > DIRECT_UPLOAD {
            note(&format!(
                "warning: {} has {}: Lambda takes {} directly, so it has to go through a bucket, as `sam deploy` does it",
                archive.name,
                size(archive.bytes.len() as u64),
                size(DIRECT_UPLOAD)
            ));
        }
    }
    let projections = compiled.program.projections.len();
    match arguments.format {
        Format::Json => print(&format!("{:#}\n", report(arguments, &archives, function.as_ref(), &files)))?,
        Format::Text => print(&told(arguments, &archives, function.as_ref(), projections))?,
    }
    Ok(Outcome::Done)
}

/// The function's binary, where it was found, and what it is.
fn bootstrap(arguments: &Package) -> Result<(PathBuf, Vec<u8>, Binary), Failure> {
    let wrong =
        |path: &Path, why: String| Failure::wrong_use(format!("{} cannot be the function: {why}", path.display()));
    if let Some(path) = &arguments.bootstrap {
        let bytes = read(path)?;
        let binary = binary::look_at(&bytes).map_err(|why| wrong(path, why))?;
        return match arguments.arch {
            Some(wanted) if wanted != binary.architecture => Err(wrong(
                path,
                format!("it is for {}, not for {}; {BUILD}", binary.architecture.name(), wanted.name()),
            )),
            _ => Ok((path.clone(), bytes, binary)),
        };
    }
    let candidates = candidates();
    let mut passed_over: Vec<String> = Vec::new();
    for path in &candidates {
        if !path.is_file() {
            passed_over.push(format!("{}: not there", path.display()));
            continue;
        }
        let bytes = read(path)?;
        match binary::look_at(&bytes) {
            Ok(binary) if arguments.arch.is_none_or(|wanted| wanted == binary.architecture) => {
                return Ok((path.clone(), bytes, binary));
            }
            Ok(binary) => passed_over.push(format!("{}: for {}", path.display(), binary.architecture.name())),
            Err(why) => passed_over.push(format!("{}: {why}", path.display())),
        }
    }
    let what = arguments.arch.map_or_else(String::new, |wanted: Architecture| format!(" for {}", wanted.name()));
    Err(Failure::wrong_use(format!(
        "there is no function{what} that could be packed:\n  {}\n{BUILD}, or name it with --bootstrap; with \
         --projections-only none is needed",
        passed_over.join("\n  ")
    )))
}

/// Where the function may be: beside this program, or where cargo-lambda puts it.
fn candidates() -> Vec<PathBuf> {
    const OF_CARGO_LAMBDA: &str = "lambda/bootstrap/bootstrap";
    let mut places = Vec::new();
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        places.push(folder.join("bootstrap"));
        places.extend(folder.parent().map(|target| target.join(OF_CARGO_LAMBDA)));
    }
    let here = Path::new("target").join(OF_CARGO_LAMBDA);
    if !std::path::absolute(&here).is_ok_and(|here| places.contains(&here)) {
        places.push(here);
    }
    places
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::wrong_use(format!("{} cannot be read: {error}", path.display())))
}

/// Says where it is not the function that these projections were checked for.
///
/// # Errors
///
/// Wrong use, where it is no function of viewfold's at all.
fn check_version(path: &Path, binary: &Binary) -> Result<(), Failure> {
    let path = path.display();
    let own = env!("CARGO_PKG_VERSION");
    match &binary.version {
        Some(version) if version == own => Ok(()),
        Some(version) => {
            note(&format!(
                "warning: {path} is the function of viewfold {version}; the projections were checked by {own}: build both from \
                 the same version"
            ));
            Ok(())
        }
        None => Err(Failure::wrong_use(format!("{path} is not viewfold's function: {BUILD}"))),
    }
}

fn told(arguments: &Package, archives: &[Archive], function: Option<&(PathBuf, Binary)>, projections: usize) -> String {
    let mut text = String::new();
    for archive in archives {
        let what = match (archive.name, function) {
            ("function.zip", Some((path, binary))) => {
                let glibc = match binary.glibc {
                    Some((major, minor)) => format!("glibc {major}.{minor}"),
                    None => "no glibc".to_owned(),
                };
                format!("{} for {}, needs {glibc}", path.display(), binary.architecture.name())
            }
            _ => count(projections, "projection"),
        };
        text += &format!(
            "{}\n  {what}\n  {} zipped, {} unzipped\n  sha256 {}\n",
            arguments.out.join(archive.name).display(),
            size(archive.bytes.len() as u64),
            size(archive.unzipped),
            archive.sha256()
        );
    }
    let unpacked: u64 = archives.iter().map(|archive| archive.unzipped).sum();
    text + &format!(
        "Lambda takes {} zipped without a bucket, and {} unzipped of a function with its layers: these have {}\n",
        size(DIRECT_UPLOAD),
        size(UNPACKED),
        size(unpacked)
    )
}

fn report(arguments: &Package, archives: &[Archive], function: Option<&(PathBuf, Binary)>, files: &[String]) -> Json {
    let archives: Vec<Json> = archives
        .iter()
        .map(|archive| {
            let mut told = json!({
                "file": arguments.out.join(archive.name).display().to_string(),
                "zipped": archive.bytes.len(),
                "unzipped": archive.unzipped,
                "sha256": archive.sha256(),
            });
            match function.filter(|_| archive.name == "function.zip") {
                Some((path, binary)) => {
                    told["bootstrap"] = json!(path.display().to_string());
                    told["architecture"] = json!(binary.architecture.name());
                    told["glibc"] = json!(binary.glibc.map(|(major, minor)| format!("{major}.{minor}")));
                    told["version"] = json!(binary.version);
                }
                None => told["files"] = json!(files),
            }
            told
        })
        .collect();
    json!({ "archives": archives, "limits": { "zipped": DIRECT_UPLOAD, "unzipped": UNPACKED } })
}

/// A size for people; exact where it is small.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => count(bytes as usize, "byte"),
        1024..1_048_576 => format!("{:.1} KB", bytes as f64 / 1024.0),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MB", bytes >> 20),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}
