//! `viewfold explain … --event`

use crate::arguments::{Explain, Format};
use crate::commands::{load_one, options};
use crate::events;
use crate::explaining::guards::{Compared, compare};
use crate::explaining::tell::{Told, tell};
use crate::explaining::{Desk, json, show};
use crate::fold::{MAX_ROUNDS, Place, in_a_circle};
use crate::output::{Failure, Outcome, print, warn};
use crate::progress::Progress;
use crate::store;
use crate::streams::Streams;
use std::path::PathBuf;
use std::sync::Arc;
use viewfold_core::compile::{File, Options};
use viewfold_core::program::Program;
use viewfold_dynamodb::deployment;

/// Tells what becomes of recorded events, and why, and what each guard would cost.
pub(crate) fn run(arguments: &Explain) -> Result<Outcome, Failure> {
    let paths: Vec<PathBuf> = arguments.what.iter().map(PathBuf::from).collect();
    let compiled = load_one(&paths, &arguments.prefix.table_prefix)?;
    // What was read is read again, to be compiled with other guards.
    let options = options(&arguments.prefix.table_prefix);
    let (files, _) = deployment::read(&paths, &options);
    warn(&compiled.warnings);
    let mut invocations = Vec::new();
    for path in &arguments.event {
        invocations.extend(events::read(path)?);
    }
    let now: Arc<str> = Arc::from(arguments.now.clone().unwrap_or_else(|| jiff::Timestamp::now().to_string()));
    store::runtime()?.block_on(async {
        let mut all = Vec::new();
        let payloads = explain(arguments, &compiled.program, &invocations, &now, &mut all).await?;
        let compared = match arguments.no_guards {
            true => Vec::new(),
            false => compare_all(&files, &options, &compiled.program, &all, &payloads, &now).await?,
        };
        if arguments.format == Format::Json {
            print(&json::everything(&all, &compared, &compiled.program)?)?;
        } else {
            for compared in &compared {
                print(&(show::compared(&compiled.program.projections[compared.projection], compared) + "\n"))?;
            }
            if !compared.is_empty() {
                print(&show::footnote(compared.iter().any(|compared| compared.is_cut)))?;
            }
        }
        Ok(Outcome::Done)
    })
}

/// Tells of every record, and of those that come of it in the streams of views; the payloads of them all.
async fn explain(
    arguments: &Explain,
    program: &Program,
    invocations: &[events::Invocation],
    now: &Arc<str>,
    all: &mut Vec<Told>,
) -> Result<Vec<String>, Failure> {
    let desk = Desk::new(program, store::connect_copy(arguments.db.as_deref()).await?, now).await?;
    let mut streams = Streams::follow(&desk.connection, program).await?;
    let mut payloads = Vec::new();
    let progress = Progress::new(invocations.len(), "Lambda events");
    for invocation in invocations {
        let place = Place { file: invocation.file.clone(), event: Some(invocation.number) };
        let mut waiting = vec![(place, invocation.payload.get().to_owned())];
        let mut rounds = 0;
        while !waiting.is_empty() {
            for (place, payload) in waiting {
                let before = all.len();
                tell(&desk, &place, &payload, all).await?;
                if arguments.format == Format::Text {
                    for told in &all[before..] {
                        print(&show::told(told, program, arguments.brief))?;
                    }
                }
                payloads.push(payload);
            }
            rounds += 1;
            if rounds > MAX_ROUNDS {
                return Err(in_a_circle());
            }
            let place = Place { file: "the stream of a view".to_owned(), event: None };
            waiting = streams.next().await?.into_iter().map(|payload| (place.clone(), payload)).collect();
        }
        progress.advance(1);
    }
    Ok(payloads)
}

/// Compares the guards of every projection that any of the events matched.
async fn compare_all(
    files: &[File],
    options: &Options,
    program: &Program,
    all: &[Told],
    payloads: &[String],
    now: &Arc<str>,
) -> Result<Vec<Compared>, Failure> {
    let mut compared = Vec::new();
    for number in 0..program.projections.len() {
        let parts = all.iter().flat_map(Told::projections);
        if parts.filter(|part| part.projection == number).any(|part| part.counts.matched > 0) {
            compared.push(compare(files, options, program, number, payloads, now).await?);
        }
    }
    Ok(compared)
}
