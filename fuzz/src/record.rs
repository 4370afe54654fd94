//! Payloads of Kinesis records: those of the Kinesis Producer Library and packed ones, made right around the bytes, which no
//! mutation would hit by chance: magic bytes, digests, check sums.
//!
//! The first byte says what the others are, as a digit: 0 a payload, 1 an aggregate's message, 2 the lines of an aggregate, 3
//! what stands behind a gzip header, 4 behind zstd's magic bytes, 5 a payload that is packed.

use super::{deployment, lambda};
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use std::io::Write as _;
use viewfold_core::decode::{self, Decoded};
use viewfold_core::event::{Lane, Slots};
use viewfold_core::report::Problem;

const AGGREGATE: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Decodes the record, as one of JSON and as one of changes.
pub fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    for stream in ["orders", "changes"] {
        match kind % 8 {
            0 => drop(decoded(stream, bytes)),
            1 => aggregated(stream, &aggregate(bytes)),
            2 => aggregated(stream, &aggregate(&message(bytes))),
            3 => drop(decoded(stream, &[&GZIP, bytes].concat())),
            4 => drop(decoded(stream, &[&ZSTD, bytes].concat())),
            _ => packed(stream, bytes),
        }
    }
}

/// What a record comes to.
#[derive(PartialEq, Debug)]
struct Found {
    sub: u32,
    lane: Option<Lane>,
    event: Result<Slots, Problem>,
}

fn decoded(stream: &str, data: &[u8]) -> Vec<Found> {
    of_text(&lambda::kinesis(stream, 7, "a", data))
}

fn of_text(record: &str) -> Vec<Found> {
    let found = |Decoded { sub, lane, event, .. }| Found { sub, lane, event: event.map(|event| event.slots) };
    lambda::decoded(deployment::whole(), record).into_iter().map(found).collect()
}

/// Each event of an aggregate is the same in a record that has nothing else.
fn aggregated(stream: &str, data: &[u8]) {
    let record = lambda::kinesis(stream, 7, "a", data);
    for Found { sub, lane, event } in of_text(&record) {
        let alone = decode::alone(record.as_bytes(), sub);
        // What is no aggregate, or has no key in it, is left as it is. One inside of another would be taken apart.
        let is_nested = matches!(&event, Err(problem) if problem.message.contains("not UTF-8"));
        if alone != record && !is_nested {
            assert_eq!(of_text(&alone), [Found { sub: 0, lane, event }], "{alone}");
        }
    }
}

/// A payload is the same however it is packed.
fn packed(stream: &str, bytes: &[u8]) {
    if [&AGGREGATE[..], &GZIP[..2], &ZSTD].iter().any(|magic| bytes.starts_with(magic)) {
        return;
    }
    let plain = decoded(stream, bytes);
    assert_eq!(plain, decoded(stream, &gzip(bytes)));
    assert_eq!(plain, decoded(stream, &zstd(bytes)));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writing into memory");
    encoder.finish().expect("writing into memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn aggregate(message: &[u8]) -> Vec<u8> {
    [&AGGREGATE[..], message, Md5::digest(message).as_slice()].concat()
}

/// The message of an aggregate with a record for each line: the number of its key, how it is packed (`g`, `z`), its data.
fn message(lines: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for key in ["a", "b"] {
        field(1, key.as_bytes(), &mut message);
    }
    for line in lines.split(|byte| *byte == b'\n') {
        let [key, packing, data @ ..] = line else { continue };
        let data = match packing {
            b'g' => gzip(data),
            b'z' => zstd(data),
            _ => data.to_vec(),
        };
        // Field 1 as a number of seven bits.
        let mut record = vec![1 << 3, key & 0x7f & !0x30];
        field(3, &data, &mut record);
        field(3, &record, &mut message);
    }
    message
}

/// A field of bytes: its number and type, their count, and they themselves.
fn field(number: u8, bytes: &[u8], message: &mut Vec<u8>) {
    message.push(number << 3 | 2);
    let mut count = bytes.len();
    while count > 0x7f {
        message.push((count & 0x7f) as u8 | 0x80);
        count >>= 7;
    }
    message.push(count as u8);
    message.extend_from_slice(bytes);
}
