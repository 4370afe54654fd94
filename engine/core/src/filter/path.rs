//! Where a value of an event stands in the record that Lambda's filter looks at.

use crate::path::Step;

/// The path of a value of a JSON payload.
///
/// Elements of lists have no paths of their own: Lambda takes all of them for one. Two conditions on elements could then ask for one
/// element that fulfils both, and be too narrow; so there is none.
pub(super) fn of_payload(steps: &[Step]) -> Option<Vec<String>> {
    let names = names(steps)?;
    (!names.is_empty()).then(|| std::iter::once("data".to_owned()).chain(names).collect())
}

/// The path of a value of a changed item, where it is a text: `$.new.a.b` is `dynamodb.NewImage.a.M.b.S`.
pub(super) fn of_image(steps: &[Step], above: &[&str]) -> Option<Vec<String>> {
    let names = names(steps)?;
    let (image, rest) = names.split_first()?;
    let (attribute, below) = rest.split_first()?;
    let image = match image.as_str() {
        "new" => "NewImage",
        "old" => "OldImage",
        "keys" => "Keys",
        _ => return None,
    };
    let mut path: Vec<String> = above.iter().chain(&["dynamodb", image]).map(|key| (*key).to_owned()).collect();
    path.push(attribute.clone());
    for name in below {
        path.extend(["M".to_owned(), name.clone()]);
    }
    path.push("S".to_owned());
    Some(path)
}

/// The names on the way, where all are names, and ones that mean nothing else in a filter.
fn names(steps: &[Step]) -> Option<Vec<String>> {
    let name = |step: &Step| match step {
        Step::Name(name) if is_plain(name) => Some(name.clone()),
        Step::Name(_) | Step::Index(_) => None,
    };
    steps.iter().map(name).collect()
}

/// `$or` is an operator, and a `.` could be read as a path.
fn is_plain(name: &str) -> bool {
    let odd = |c: char| c == '.' || c == '"' || c == '\\' || c.is_control();
    !name.is_empty() && !name.starts_with('$') && !name.contains(odd)
}
