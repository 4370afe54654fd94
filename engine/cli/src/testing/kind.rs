//! The kinds of schedules: in what one differs from the plain run.

/// In what a schedule differs from the plain run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// In nothing but that the store is called once at a time.
    Calls,
    /// Everything comes again after it was done.
    Repeats,
    /// The same events come in the same order, in other batches.
    Batches,
    /// A batch is not done to its end, and comes again.
    Faults,
    /// The events come in another order.
    Orders,
}

impl Kind {
    /// The kinds that a guard may not promise anything under.
    pub(super) const PROMISED: [Kind; 4] = [Kind::Repeats, Kind::Batches, Kind::Faults, Kind::Orders];

    /// How events come, behind "not".
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Kind::Calls => "called once at a time",
            Kind::Repeats => "delivered twice",
            Kind::Batches => "in other batches",
            Kind::Faults => "given up in the middle and delivered again",
            Kind::Orders => "in other orders",
        }
    }

    /// Whether documents are written in other steps. A view of views sees each of them.
    pub(super) fn takes_other_steps(self) -> bool {
        match self {
            Kind::Calls | Kind::Repeats => false,
            Kind::Batches | Kind::Faults | Kind::Orders => true,
        }
    }

    /// Whether an event may come more than once.
    pub(super) fn repeats(self) -> bool {
        matches!(self, Kind::Repeats | Kind::Faults)
    }
}
