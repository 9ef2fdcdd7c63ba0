//! What distinguishes one consumer from another.

use todo_events::{Event, EventType, Incoming};
use todo_store::Transaction;

use crate::{Error, Received, Sidecar};

/// A function that acts on events. It implements [`Consumer::handle`], or [`Consumer::act`] when its effect lies outside the database.
pub trait Consumer: Sized {
    /// The function's name: also its consumer group, and its name in the inbox.
    const NAME: &'static str;
    /// The types it acts on.
    const TYPES: Types;
    /// The variables that it alone is told, see [`Received::variable`].
    const VARIABLES: &'static [&'static str] = &[];

    /// Whether it takes several events in one request, each person's in one transaction: only where [`Consumer::handle`] does all,
    /// because all of them are delivered again, one by one, when one fails.
    const TOGETHER: bool = false;

    /// Does all that an event asks for: [`Consumer::handle`], once, in one transaction. Who has to wait for others does it in steps
    /// of its own, so that no transaction is held meanwhile; nothing then keeps it from the same event again but what it writes down
    /// itself. May be called again after [`todo_store::Error::Busy`].
    fn act(received: &Received<'_>) -> impl Future<Output = Result<(), Error>> {
        received.once::<Self>()
    }

    /// Acts. What it writes in the transaction is committed with the event's row in the inbox when it succeeds, and rolled back when it
    /// fails, so a redelivery has no second effect. An effect outside the database is repeated by a redelivery: give it a name by
    /// which it has none either. May be called again after [`todo_store::Error::Busy`].
    fn handle(_delivery: &mut Delivery<'_>) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }
}

/// Which events a consumer acts on. The others are done at once.
#[derive(Clone, Copy, Debug)]
pub enum Types {
    /// These, and nothing of what may be invented later.
    Only(&'static [EventType]),
    /// Every type of the catalogue. One that is not in it is refused, not forgotten.
    All,
}

impl Types {
    /// Whether an event is of no concern, by its `type`.
    pub(crate) fn exclude(self, event_type: &str) -> bool {
        match self {
            Self::Only(types) => !types.iter().any(|wanted| wanted.as_str() == event_type),
            Self::All => false,
        }
    }
}

/// An event that is verified and was not dealt with before.
pub struct Delivery<'a> {
    /// Of the person the event was signed for. Events written in it come from this consumer, in the event's trace.
    pub tx: &'a mut Transaction,
    /// The event.
    pub event: &'a Event,
    /// The event as it came.
    pub incoming: &'a Incoming,
    pub(crate) sidecar: Option<&'a Sidecar>,
}

impl Delivery<'_> {
    /// The sidecar, for effects outside the database.
    pub fn sidecar(&self) -> Result<&Sidecar, Error> {
        self.sidecar.ok_or(Error::Unset("dapr_url"))
    }
}
