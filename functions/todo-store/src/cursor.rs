//! Where a page of tasks ended: opaque to the client, and of no use with another question.
//!
//! It holds the sort key and the number of the last task shown, so the next page begins behind it however many tasks came or went
//! in between. It is not secret and not trusted: a forged one moves only through the tenant's own tasks.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use todo_domain::{Invalid, ListQuery, Order, Sort, TaskId};

#[derive(Serialize, Deserialize)]
pub(crate) struct Cursor {
    sort: Sort,
    order: Order,
    /// The sort key of the last task shown.
    pub key: i64,
    /// Its number, which breaks ties.
    pub id: TaskId,
    /// A digest of the filters.
    filters: String,
}

impl Cursor {
    pub(crate) fn after(query: &ListQuery, key: i64, id: TaskId) -> Self {
        Self { sort: query.sort, order: query.order, key, id, filters: filters(query) }
    }

    pub(crate) fn encode(&self) -> String {
        // A struct of numbers and short strings always serializes.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the cursor of a query, if it has one.
    pub(crate) fn of(query: &ListQuery) -> Result<Option<Self>, Invalid> {
        let Some(text) = &query.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok();
        let cursor: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(cursor) = cursor else {
            let hint =
                "Send the cursor exactly as the page before gave it, or leave it out for the first page.";
            return Err(Invalid::new("cursor", "it is not one of ours", hint));
        };
        let same =
            cursor.sort == query.sort && cursor.order == query.order && cursor.filters == filters(query);
        if !same {
            let hint =
                "Send the same filters, sort and order as for the page before, or leave the cursor out.";
            return Err(Invalid::new("cursor", "it belongs to another list", hint));
        }
        Ok(Some(cursor))
    }
}

fn filters(query: &ListQuery) -> String {
    let mut tags: Vec<String> = query.tags.iter().map(|tag| tag.key()).collect();
    tags.sort();
    let filters = serde_json::json!([
        query.status,
        query.priority,
        tags,
        query.due_before.map(|at| at.as_millisecond()),
        query.due_after.map(|at| at.as_millisecond()),
        query.search,
    ]);
    let digest = Sha256::digest(filters.to_string().as_bytes());
    URL_SAFE_NO_PAD.encode(digest.get(..9).unwrap_or_default())
}
