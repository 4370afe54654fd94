//! Statistics of players from the stream of a table of games: what `projections/tournament` does.
//!
//! A corrected game replaces what it contributed, a removed one takes it back. So each game has a row of its own beside the
//! documents, with its last sequence number and what it contributes, and a transaction writes both.

use std::collections::HashMap;
use std::hash::BuildHasher;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Item, Table, is_above, item, mark, number, text};

const STATS: &str = "TaTourneyStats";
const MARKS: &str = "viewfold_marks";

/// The most actions of a transaction.
const ACTIONS: usize = 100;

/// How often a transaction is tried anew because something it had read has changed.
const ATTEMPTS: usize = 20;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_name: &'a str,
    #[serde(borrow)]
    dynamodb: Change<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'a> {
    keys: Keys,
    sequence_number: &'a str,
    #[serde(borrow)]
    new_image: Option<Image<'a>>,
}

#[derive(Deserialize)]
struct Keys {
    game: Digits<String>,
    player: Words,
}

/// What of an item counts; everything else in it is skipped.
#[derive(Deserialize)]
struct Image<'a> {
    #[serde(borrow)]
    score: Option<Digits<&'a str>>,
    winner: Option<IgnoredAny>,
}

/// `{"N": "…"}`; nothing where the attribute is of another type.
#[derive(Deserialize)]
struct Digits<T> {
    #[serde(rename = "N")]
    digits: Option<T>,
}

#[derive(Deserialize)]
struct Words {
    #[serde(rename = "S")]
    text: String,
}

/// What a game adds to its player's statistics. Scores are in hundredths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sums {
    games: i64,
    wins: i64,
    score: i64,
}

/// A change of a game.
#[derive(Debug)]
pub struct Game<'a> {
    game: String,
    player: String,
    sequence: &'a str,
    is_new: bool,
    /// Nothing where the game is gone, or cannot be counted.
    sums: Option<Sums>,
}

/// The games of a batch, and the sequence numbers of records that can never be counted.
#[derive(Debug, Default)]
pub struct Games<'a> {
    games: Vec<Game<'a>>,
    /// Records that are dead letters.
    pub bad: Vec<&'a str>,
}

/// The changes of one game in a batch: only what it is at the end counts.
#[derive(Debug)]
pub struct Lane<'g> {
    game: &'g str,
    last: &'g str,
    first_is_new: bool,
    sums: Option<Sums>,
    /// Whether it counted at any time: its player has a document then.
    counted: bool,
}

/// The games of each player.
pub type Players<'g> = Vec<(&'g str, Vec<Lane<'g>>)>;

/// Reads a batch.
///
/// # Errors
///
/// When it is no event of the table's stream.
pub fn decode(payload: &[u8]) -> serde_json::Result<Games<'_>> {
    let event: Event<'_> = serde_json::from_slice(payload)?;
    let mut all = Games { games: Vec::with_capacity(event.records.len()), bad: Vec::new() };
    for Record { event_name, dynamodb: Change { keys, sequence_number: sequence, new_image } } in event.records {
        let sums = new_image.map(|image| {
            let score = image.score.and_then(|score| hundredths(score.digits?))?;
            Some(Sums { games: 1, wins: image.winner.is_some().into(), score })
        });
        if sums == Some(None) {
            all.bad.push(sequence);
        }
        let is_new = event_name == "INSERT";
        let game = keys.game.digits.unwrap_or_default();
        all.games.push(Game { game, player: keys.player.text, sequence, is_new, sums: sums.flatten() });
    }
    Ok(all)
}

/// What the changes of each game come to, player by player.
pub fn fold<'g>(games: &'g Games<'_>) -> Players<'g> {
    let mut players: Players<'g> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut lanes: HashMap<(&str, &str), (usize, usize)> = HashMap::with_capacity(games.games.len());
    for Game { game, player, sequence, is_new, sums } in &games.games {
        let (player_at, lane_at) = *lanes.entry((game, player)).or_insert_with(|| {
            let at = *places.entry(player).or_insert_with(|| {
                players.push((player, Vec::new()));
                players.len() - 1
            });
            let lane = Lane { game, last: "", first_is_new: *is_new, sums: None, counted: false };
            players[at].1.push(lane);
            (at, players[at].1.len() - 1)
        });
        let lane = &mut players[player_at].1[lane_at];
        if is_above(sequence, lane.last) {
            lane.last = sequence;
            lane.sums = *sums;
            lane.counted |= sums.is_some();
        }
    }
    players
}

/// Writes statistics and games, in as few transactions as hold them.
pub async fn write(players: &Players<'_>, table: &impl Table) {
    let mut group: Vec<(&str, &[Lane<'_>])> = Vec::new();
    let mut actions = 0;
    for (player, lanes) in players {
        // One action is the document's.
        for part in lanes.chunks(ACTIONS - 1) {
            if actions + part.len() + 1 > ACTIONS {
                transact(&std::mem::take(&mut group), table).await;
                actions = 0;
            }
            group.push((player, part));
            actions += part.len() + 1;
        }
    }
    if !group.is_empty() {
        transact(&group, table).await;
    }
}

async fn transact(group: &[(&str, &[Lane<'_>])], table: &impl Table) {
    for attempt in 0..ATTEMPTS {
        let mut keys = Vec::with_capacity(ACTIONS);
        for (player, lanes) in group {
            keys.push((STATS, item([("player", text(*player))])));
            // A new game has no row, unless its event came before: the transaction fails then.
            let known = lanes.iter().filter(|lane| attempt > 0 || !lane.first_is_new);
            keys.extend(known.map(|lane| (MARKS, item([("pk", text(row(lane.game, player))), ("sk", text("-"))]))));
        }
        let read = table.read(keys).await;
        let mut documents: HashMap<&str, &Item> = HashMap::new();
        let mut rows: HashMap<&str, &Item> = HashMap::new();
        for found in &read {
            match (found.get("player"), found.get("pk")) {
                (Some(AttributeValue::S(player)), _) => drop(documents.insert(player, found)),
                (_, Some(AttributeValue::S(row))) => drop(rows.insert(row, found)),
                _ => {}
            }
        }
        let mut actions = Vec::with_capacity(ACTIONS);
        for (player, lanes) in group {
            add_player(&mut actions, player, lanes, documents.get(player).copied(), &rows);
        }
        if actions.is_empty() || table.transact(actions).await {
            return;
        }
    }
    panic!("the games of {group:?} keep changing while they are written");
}

/// The actions for games of one player.
fn add_player<S: BuildHasher>(
    actions: &mut Vec<TransactWriteItem>,
    player: &str,
    lanes: &[Lane<'_>],
    document: Option<&Item>,
    rows: &HashMap<&str, &Item, S>,
) {
    let before = document.map(Sums::of).unwrap_or_default();
    let mut after = before;
    let mut counted = false;
    for lane in lanes {
        let pk = row(lane.game, player);
        let known = rows.get(pk.as_str());
        let known_mark = known.and_then(|row| row.get("mark"));
        let mark = mark(lane.last);
        if known_mark.is_some_and(|known| matches!(known, AttributeValue::S(known) if *known >= mark)) {
            continue;
        }
        let contributed = known.map(|row| Sums::of(row)).unwrap_or_default();
        let contributes = lane.sums.unwrap_or_default();
        after = after.plus(contributes).minus(contributed);
        counted |= lane.counted || contributed != contributes;
        let row = item([
            ("pk", text(pk)),
            ("sk", text("-")),
            ("mark", text(mark)),
            ("games", number(contributes.games)),
            ("wins", number(contributes.wins)),
            ("total_score", number(decimal(contributes.score))),
        ]);
        let put = Put::builder().table_name(MARKS).set_item(Some(row));
        let put = match known_mark {
            Some(known) => {
                put.condition_expression("mark = :known").expression_attribute_values(":known", known.clone())
            }
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        actions.push(TransactWriteItem::builder().put(put.build().expect("it has a table and an item")).build());
    }
    if counted {
        actions.push(TransactWriteItem::builder().update(statistics(player, document.map(|_| before), after)).build());
    }
}

/// The write of a player's statistics, if they are still what they were.
fn statistics(player: &str, before: Option<Sums>, after: Sums) -> Update {
    let Sums { games, wins, score } = after;
    let (average, percent) = match games {
        0 => (0, 0),
        _ => (rounded(score, games), wins * 10_000 / games),
    };
    let update = Update::builder()
        .table_name(STATS)
        .key("player", text(player))
        .update_expression(
            "SET games = :games, wins = :wins, total_score = :score, avg_score = :average, win_percent = :percent",
        )
        .expression_attribute_values(":games", number(games))
        .expression_attribute_values(":wins", number(wins))
        .expression_attribute_values(":score", number(decimal(score)))
        .expression_attribute_values(":average", number(decimal(average)))
        .expression_attribute_values(":percent", text(format!("{}.{:02}%", percent / 100, percent % 100)));
    let update = match before {
        None => update.condition_expression("attribute_not_exists(player)"),
        Some(before) => update
            .condition_expression("games = :old_games AND wins = :old_wins AND total_score = :old_score")
            .expression_attribute_values(":old_games", number(before.games))
            .expression_attribute_values(":old_wins", number(before.wins))
            .expression_attribute_values(":old_score", number(decimal(before.score))),
    };
    update.build().expect("it has a table, a key and an expression")
}

impl Sums {
    /// What an item has of them.
    fn of(item: &Item) -> Sums {
        let digits = |name: &str| match item.get(name) {
            Some(AttributeValue::N(digits)) => digits.as_str(),
            _ => "0",
        };
        let whole = |name: &str| digits(name).parse().unwrap_or_default();
        Sums {
            games: whole("games"),
            wins: whole("wins"),
            score: hundredths(digits("total_score")).unwrap_or_default(),
        }
    }

    fn plus(self, other: Sums) -> Sums {
        Sums { games: self.games + other.games, wins: self.wins + other.wins, score: self.score + other.score }
    }

    fn minus(self, other: Sums) -> Sums {
        Sums { games: self.games - other.games, wins: self.wins - other.wins, score: self.score - other.score }
    }
}

/// The key of a game's row.
fn row(game: &str, player: &str) -> String {
    format!("tournament_stats/{game}/{player}")
}

/// A number of at most two decimals in hundredths; nothing where it is none.
fn hundredths(digits: &str) -> Option<i64> {
    let (sign, digits) = digits.strip_prefix('-').map_or((1, digits), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = match fraction.len() {
        0 => 0,
        1 => fraction.parse::<i64>().ok()? * 10,
        2 => fraction.parse().ok()?,
        _ => return None,
    };
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction).map(|hundredths| sign * hundredths)
}

/// Hundredths as a number's digits.
fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
    match rest {
        0 => format!("{sign}{whole}"),
        _ if rest % 10 == 0 => format!("{sign}{whole}.{}", rest / 10),
        _ => format!("{sign}{whole}.{rest:02}"),
    }
}

/// A quotient, half away from zero.
fn rounded(sum: i64, count: i64) -> i64 {
    sum.signum() * ((2 * sum.abs() + count) / (2 * count))
}

/// The whole handler: the sequence numbers of records that are dead letters.
///
/// # Errors
///
/// As [`decode`].
pub async fn handle<'p>(payload: &'p [u8], table: &impl Table) -> serde_json::Result<Vec<&'p str>> {
    let games = decode(payload)?;
    write(&fold(&games), table).await;
    Ok(games.bad)
}
