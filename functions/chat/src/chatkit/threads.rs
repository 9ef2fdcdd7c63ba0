use serde_json::{Value, json};
use todo_identity::Tenant;
use todo_store::conversations::Conversation;

use super::items;
use super::request::{Order, Paging, Update, thread_number};
use crate::error::Problem;
use crate::turn::Sessions;

/// The protocol's own server shows this many items of a thread.
const ITEMS_SHOWN: u32 = 20;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// The store lists newest first; the other order is for clients that fetch everything, and has this end.
const MOST_ASCENDING: u32 = 10_000;

/// A thread with its first items; `metadata` says whether its last answer asked for a yes.
pub(super) async fn get(sessions: &Sessions, tenant: &Tenant, thread_id: &str) -> Result<Value, Problem> {
    let id = thread_number(thread_id)?;
    let conversation = sessions.get(tenant, id).await?;
    let items = items::page(sessions, tenant, id, &Paging::new(ITEMS_SHOWN, Order::Asc)).await?;
    let mut thread = thread(&conversation, items);
    thread["metadata"] = json!({ "approval": sessions.waits_for_consent(tenant, id).await? });
    Ok(thread)
}

pub(super) async fn list(sessions: &Sessions, tenant: &Tenant, paging: &Paging) -> Result<Value, Problem> {
    let limit = paging.limit() as usize;
    let after = paging.after()?;
    let mut found = match paging.order {
        Order::Desc => sessions.list(tenant, paging.limit() + 1, after).await?,
        Order::Asc => {
            let mut all = sessions.list(tenant, MOST_ASCENDING, None).await?;
            all.reverse();
            all.retain(|conversation| after.is_none_or(|after| conversation.conversation_id > after));
            all
        }
    };
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|conversation| conversation.conversation_id);
    let data = found.iter().map(|conversation| thread(conversation, items::empty_page())).collect();
    Ok(items::as_page(data, has_more, last))
}

pub(super) async fn rename(sessions: &Sessions, tenant: &Tenant, params: &Update) -> Result<Value, Problem> {
    let title = params.title.trim();
    if title.is_empty() || title.chars().count() > LONGEST_TITLE {
        return Err(Problem::invalid("A title has 1 to 200 characters."));
    }
    let conversation = sessions.rename(tenant, thread_number(&params.thread_id)?, title).await?;
    Ok(thread(&conversation, items::empty_page()))
}

/// A thread on the wire.
pub(super) fn thread(conversation: &Conversation, items: Value) -> Value {
    json!({
        "id": conversation.conversation_id.to_string(),
        "title": conversation.title,
        "created_at": conversation.created_at.to_string(),
        "status": { "type": "active" },
        "items": items,
    })
}
