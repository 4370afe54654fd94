//! Tournament statistics: what the games that are in the table say about each player.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::votes::distinct;
use crate::documents::sorted;

/// The table `TaTourneyStats` after these records of the table `TaTourney`, in the order of the stream, repeated or not.
/// Scores have at most two decimals.
pub fn stats<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut games: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    // Whoever once had a game keeps a row.
    let mut players: BTreeSet<&str> = BTreeSet::new();
    for record in distinct(records) {
        let keys = &record["dynamodb"]["Keys"];
        let (game, player) = (keys["game"]["N"].as_str(), keys["player"]["S"].as_str());
        let key = (game.expect("a game has a number"), player.expect("a game has a player"));
        let new = &record["dynamodb"]["NewImage"];
        games.remove(&key);
        if record["eventName"] != "REMOVE" && new["score"]["N"].is_string() {
            players.insert(key.1);
            games.insert(key, new);
        }
    }
    sorted(players.into_iter().map(|player| {
        let games: Vec<&Value> =
            games.iter().filter(|((_, other), _)| *other == player).map(|(_, game)| *game).collect();
        let count = games.len() as i64;
        let wins = games.iter().filter(|game| game.get("winner").is_some()).count() as i64;
        let total: i64 = games.iter().map(|game| hundredths(game["score"]["N"].as_str().unwrap_or_default())).sum();
        let average = match count {
            0 => 0,
            _ => total.signum() * ((2 * total.abs() + count) / (2 * count)),
        };
        let percent = if count == 0 { 0 } else { wins * 10_000 / count };
        json!({
            "player": player,
            "games": count,
            "wins": wins,
            "total_score": decimal(total),
            "avg_score": decimal(average),
            "win_percent": format!("{}.{:02}%", percent / 100, percent % 100),
        })
    }))
}

/// Whether the record makes a dead letter: a game without a score.
pub fn is_bad(record: &Value) -> bool {
    let new = &record["dynamodb"]["NewImage"];
    new.is_object() && !new["score"]["N"].is_string()
}

/// A number of at most two decimals in hundredths.
fn hundredths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<2}");
    digits.parse().unwrap_or_else(|error| panic!("no score of two decimals: {text}: {error}"))
}

/// Hundredths as [`crate::documents`] shows a number: JSON's if it is whole, else its digits.
fn decimal(hundredths: i64) -> Value {
    if hundredths % 100 == 0 {
        return (hundredths / 100).into();
    }
    let sign = if hundredths < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100);
    text.trim_end_matches('0').into()
}
