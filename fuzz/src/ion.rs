//! Ion text, as lines of exports have it.

use super::values;
use viewfold_value::{ion, json};

/// Reads the text; where it is JSON too, it has to say the same in both.
pub fn run(bytes: &[u8]) {
    let Ok(value) = ion::parse(bytes) else { return };
    values::check(&value);
    if let Ok(plain) = json::parse(bytes) {
        assert_eq!(value, plain);
    }
}
