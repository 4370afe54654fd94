//! Payloads that were packed by their producer: gzip ([RFC 1952]) and zstd ([RFC 8878]), told by their first bytes. No JSON
//! text begins like either.
//!
//! [RFC 1952]: https://www.rfc-editor.org/rfc/rfc1952
//! [RFC 8878]: https://www.rfc-editor.org/rfc/rfc8878

use std::borrow::Cow;
use std::io::Read;

/// The most bytes of an unpacked payload: a Kinesis record has up to 10 MiB, and what is much more than that unpacked is made
/// to harm.
const MAX_BYTES: u64 = 64 << 20;

/// The payload as its producer had it.
///
/// # Errors
///
/// When the packed data is broken, or more than 64 MiB.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let (what, result) = match bytes {
        [0x1f, 0x8b, ..] => ("gzip", read(flate2::read::MultiGzDecoder::new(bytes))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(bytes);
            ("zstd", decoder.map_err(|error| error.to_string()).and_then(read))
        }
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    result.map(Cow::Owned).map_err(|error| format!("the {what} data cannot be unpacked: {error}"))
}

fn read(reader: impl Read) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut unpacked).map_err(|error| error.to_string())?;
    match unpacked.len() as u64 > MAX_BYTES {
        true => Err(format!("it has more than {} MiB", MAX_BYTES >> 20)),
        false => Ok(unpacked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn what_was_packed_is_unpacked_and_the_rest_is_left_alone() {
        let text = br#"{"id":"a","n":12345678901234567890123456789012345678}"#;
        for packed in [text.to_vec(), gzip(text), zstd(text), [gzip(&text[..9]), gzip(&text[9..])].concat()] {
            assert_eq!(unpacked(&packed).as_deref(), Ok(&text[..]));
        }
        assert_eq!(unpacked(b""), Ok(Cow::Borrowed(&b""[..])));
    }

    #[test]
    fn broken_or_enormous_data_is_an_error() {
        for packed in [gzip(b"{\"id\":1}"), zstd(b"{\"id\":1}")] {
            assert!(unpacked(&packed[..packed.len() - 5]).is_err());
        }
        let bomb = gzip(&vec![b' '; (MAX_BYTES + 1) as usize]);
        assert!(bomb.len() < 1 << 20);
        assert!(unpacked(&bomb).is_err_and(|error| error.contains("more than 64 MiB")));
    }
}
