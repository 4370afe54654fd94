//! Fewer patterns that let through no less.

use super::Pattern;

/// At most so many patterns: those that say the same are one, those that differ in one value are one that takes either, and where
/// there are still too many, all become one of what they have in common. Nothing where they have nothing in common.
pub(super) fn at_most(mut patterns: Vec<Pattern>, most: usize) -> Option<Vec<Pattern>> {
    // The order of rules and files makes no difference.
    patterns.sort();
    patterns.dedup();
    while let Some((first, second, both)) = mergeable(&patterns) {
        patterns.remove(second);
        patterns[first] = both;
    }
    let covered = |number: usize| {
        let covers = |(other, wide): (usize, &Pattern)| {
            let narrow = &patterns[number];
            other != number
                && wide.iter().all(|(path, wanted)| narrow.get(path).is_some_and(|own| wanted.covers(own)))
                // Of two that cover each other the first one stays.
                && (wide != narrow || other < number)
        };
        patterns.iter().enumerate().any(covers)
    };
    let kept: Vec<Pattern> =
        (0..patterns.len()).filter(|number| !covered(*number)).map(|number| patterns[number].clone()).collect();
    if kept.len() <= most {
        return Some(kept);
    }
    let mut kept = kept.into_iter();
    let first = kept.next()?;
    let common = kept.fold(first, |common, pattern| shared(&common, &pattern));
    (!common.is_empty()).then(|| vec![common])
}

/// The first two patterns with the same paths that differ at one of them, and the pattern that takes what either does.
fn mergeable(patterns: &[Pattern]) -> Option<(usize, usize, Pattern)> {
    for (first, a) in patterns.iter().enumerate() {
        for (second, b) in patterns.iter().enumerate().skip(first + 1) {
            let same_paths = a.len() == b.len() && a.keys().all(|path| b.contains_key(path));
            let different = a.iter().filter(|(path, wanted)| b.get(*path) != Some(*wanted)).count();
            if same_paths && different <= 1 {
                let both = shared(a, b);
                if both.len() == a.len() {
                    return Some((first, second, both));
                }
            }
        }
    }
    None
}

/// What two patterns have in common: at each path that both have, what either takes.
fn shared(a: &Pattern, b: &Pattern) -> Pattern {
    let both = a.iter().filter_map(|(path, wanted)| Some((path.clone(), wanted.or(b.get(path)?)?)));
    both.collect()
}
