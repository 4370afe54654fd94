//! Files as they were before they were packed: gzip and zstd, told by their first bytes, unpacked as they are read.

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What a file is unpacked with.
pub(super) type Unpacked = Box<dyn Read + Send>;

/// A file's bytes unpacked, and what it was packed with. `read` counts the bytes as they are stored.
pub(super) fn open(path: &Path, read: Arc<AtomicU64>) -> io::Result<(Unpacked, Option<&'static str>)> {
    let mut file = Counted { inner: File::open(path)?, read };
    // Enough to tell, and put back in front.
    let mut head = Vec::new();
    (&mut file).take(ZSTD.len() as u64).read_to_end(&mut head)?;
    let (is_gzip, is_zstd) = (head.starts_with(&GZIP), head.starts_with(&ZSTD) || is_skippable(&head));
    let whole = Cursor::new(head).chain(BufReader::with_capacity(1 << 16, file));
    Ok(match (is_gzip, is_zstd) {
        (true, _) => (Box::new(MultiGzDecoder::new(whole)), Some("gzip")),
        (_, true) => (Box::new(Zstd { source: whole, decoder: FrameDecoder::new(), is_open: false }), Some("zstd")),
        _ => (Box::new(whole), None),
    })
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// A frame that carries something else than data, and that parallel packers begin with ([RFC 8878, 3.1.2]).
///
/// [RFC 8878, 3.1.2]: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The frames of a zstd file one after the other: the decoder knows a single one.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether a frame is begun and not yet handed out to its end.
    is_open: bool,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_open && !self.begin()? {
                return Ok(0);
            }
            while self.is_open && self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let blocks = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, blocks).map_err(io::Error::other)?;
            }
            let length = self.decoder.read(into)?;
            if length > 0 {
                return Ok(length);
            }
            self.is_open = false;
        }
    }
}

impl<R: BufRead> Zstd<R> {
    /// Begins the next frame with data in it; `false` where there is none.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.is_open = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let skipped = io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                    if skipped < u64::from(length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}
