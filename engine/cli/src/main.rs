//! `viewfold`, the command line: projections checked, tried out and looked at on one's own machine.
//!
//! [`arguments`] says what may be typed, [`commands`] has a file for each command, [`store`] the DynamoDB that they talk
//! to, [`events`] reads recorded events, [`findings`] tells findings in several forms, and [`output`] says what goes where: results to stdout, the rest to stderr; exit
//! code 0 done, 1 findings or failures, 2 wrong use.

mod arguments;
mod backfilling;
mod benching;
mod commands;
mod diffing;
mod doctor;
mod documents;
mod events;
mod explaining;
mod findings;
mod fold;
mod graph;
mod output;
mod packaging;
mod progress;
mod store;
mod streams;
mod template;
mod testing;
mod verifying;
mod watch;

use arguments::{Arguments, Command};
use clap::Parser as _;
use output::Outcome;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Init(arguments) => commands::init::run(&arguments),
        Command::Validate(arguments) => commands::validate::run(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Test(arguments) => commands::test::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::Diff(arguments) => commands::diff::run(&arguments),
        Command::Tables(arguments) => commands::tables::run(&arguments),
        Command::Template(arguments) => commands::template::run(&arguments),
        Command::DeadLetters(arguments) => commands::dead_letters::run(&arguments.command),
        Command::Redrive(arguments) => commands::redrive::run(&arguments),
        Command::Backfill(arguments) => commands::backfill::run(&arguments),
        Command::Verify(arguments) => commands::verify::run(&arguments),
        Command::Rebuild(arguments) => commands::rebuild::run(&arguments),
        Command::Retire(arguments) => commands::retire::run(&arguments),
        Command::Package(arguments) => commands::package::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Graph(arguments) => commands::graph::run(&arguments),
        Command::Schema(arguments) => commands::schema::run(&arguments),
        Command::Completions(arguments) => commands::completions::completions(&arguments),
        Command::Man(arguments) => commands::completions::man(&arguments),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(error) => {
            output::complain(&error.message);
            ExitCode::from(error.code)
        }
    }
}
