//! Records of a batch look alike: they have the same members in the same order, and what nobody reads of them is mostly the
//! same, too (`"awsRegion":"eu-west-1"`). So the bytes of a member are first held against those of the record before, which is
//! far quicker than to read them: what is byte for byte the same has the same meaning.

use super::Part;
use viewfold_value::{Broken, Reader};

/// The members of an object, as those of the one before were. All of it goes for one kind of objects.
#[derive(Default)]
pub(super) struct Alike<'i> {
    /// Whether another object of the kind follows.
    learns: bool,
    members: Vec<Member<'i>>,
    next: usize,
}

/// A member of the object before.
struct Member<'i> {
    /// From behind the value before to behind the colon.
    key: &'i str,
    /// The same and the value, where that is skipped and its end is its own: behind a number more digits may follow.
    whole: Option<&'i str>,
    part: Option<Part>,
}

impl<'i> Alike<'i> {
    /// For objects of which many follow.
    pub(super) fn of_many() -> Alike<'i> {
        Alike { learns: true, ..Alike::default() }
    }

    /// Before an object.
    pub(super) fn begin(&mut self) {
        self.next = 0;
    }

    /// The next part of the object, its value not yet read; nothing where it ends. What is no part is skipped.
    pub(super) fn next_part(
        &mut self,
        reader: &mut Reader<'i>,
        part_of: fn(&str) -> Option<Part>,
    ) -> Result<Option<Part>, Broken> {
        loop {
            let number = self.next;
            self.next += 1;
            let before = self.members.get(number);
            if before.and_then(|before| before.whole).is_some_and(|whole| reader.take(whole)) {
                continue;
            }
            let from = reader.at();
            let part = match before {
                Some(before) if reader.take(before.key) => match before.part {
                    Some(part) => return Ok(Some(part)),
                    None => None,
                },
                _ => {
                    let name = if number == 0 { reader.next_object()? } else { reader.next_key()? };
                    let Some(name) = name else { return Ok(None) };
                    part_of(&name)
                }
            };
            let key = reader.since(from);
            if part.is_none() {
                reader.skip_next()?;
            }
            if self.learns {
                let whole = Some(reader.since(from)).filter(|whole| part.is_none() && whole.ends_with(['"', '}', ']']));
                let member = Member { key, whole, part };
                match self.members.get_mut(number) {
                    Some(before) => *before = member,
                    None => self.members.push(member),
                }
            }
            if part.is_some() {
                return Ok(part);
            }
        }
    }
}
