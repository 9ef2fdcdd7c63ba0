//! What a socket is sent first: what it missed, or everything.

use todo_domain::{ListQuery, Order, Sort, Status};
use todo_store::{Error, Transaction, tasks, updates};

use crate::hub::Seat;
use crate::message::Frame;

/// As many as the list's page holds.
const PENDING: u32 = 200;
/// The newest; whoever looks further asks for more.
const COMPLETED: u32 = 50;

/// The first messages, and the offset up to which they go. The seat is taken, so what comes later is in its queue.
pub(crate) async fn opening(seat: &Seat, since: Option<i64>) -> Result<(Vec<Frame>, i64), Error> {
    let (mut tx, _permit) = seat.hub().read(&seat.person.tenant).await?;
    let resumed = match since {
        Some(since) => missed(&mut tx, since, seat.hub().limits.catch_up).await?,
        None => None,
    };
    let opening = match resumed {
        Some(opening) => opening,
        None => snapshot(&mut tx).await?,
    };
    tx.commit().await?;
    Ok(opening)
}

/// What was pushed behind `since`; `None` when that is not kept any more, is too much, or never was an offset of this person's.
async fn missed(tx: &mut Transaction, since: i64, most: usize) -> Result<Option<(Vec<Frame>, i64)>, Error> {
    let updates = updates::after(tx, since, most.saturating_add(1)).await?;
    // Asked after the updates: had some been cleared away before they were read, this knows it.
    let head = updates::head(tx).await?;
    if updates.len() > most || since < head.cut || since > head.offset {
        return Ok(None);
    }
    let offset = updates.last().map_or(since, |last| last.offset);
    Ok(Some((updates.iter().map(Frame::of_update).collect(), offset)))
}

async fn snapshot(tx: &mut Transaction) -> Result<(Vec<Frame>, i64), Error> {
    // Asked before the tasks: what happens in between is in the tasks and is told again, which pages recognise by its sequence.
    let head = updates::head(tx).await?;
    let list = |status, sort, order, limit| ListQuery { status, sort, order, limit, ..ListQuery::default() };
    let pending = tasks::list(tx, &list(Status::Pending, Sort::Due, Order::Asc, PENDING)).await?;
    let completed =
        tasks::list(tx, &list(Status::Completed, Sort::Completed, Order::Desc, COMPLETED)).await?;
    Ok((vec![Frame::snapshot(head, pending, completed)], head.offset))
}
