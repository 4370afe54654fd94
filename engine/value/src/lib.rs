//! Values as DynamoDB has them, exact to the last digit.
//!
//! [`Number`] is a decimal of 38 digits that never rounds, [`Value`] an attribute value. [`json`] reads and writes JSON
//! text, [`dynamodb_json`] reads the typed JSON of stream records, [`ion`] the text of exports. A number goes from the text of an event into a
//! `Number` and out again as text: no float is ever in between. What reads JSON step by step is [`Reader`].

pub mod dynamodb_json;
pub mod ion;
pub mod json;
mod number;
mod reader;
mod scan;
mod value;

pub use number::{MAX_DIGITS, Number, NumberError, Rounding};
pub use reader::{Reader, Start};
pub use scan::Broken;
pub use value::{Item, Kind, Value};
