//! Conversations in the database: each function here is one transaction.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use todo_agent::{Item, ToolCall};
use todo_identity::Tenant;
use todo_store::conversations::{self, Conversation, Message, NewMessage, Role};
use todo_store::{Database, Error, Transaction};
use tokio::time::sleep;

/// More than the agent ever shows a model ([`todo_agent::Settings::max_history_items`]), so that it can cut where it
/// makes sense.
const HISTORY: u32 = 240;

/// What a finished turn has done must be written down, so a busy database is asked again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(2),
];

pub(crate) struct Sessions {
    database: Database,
}

/// An item with a name of its own, by which clients know it: the same while it streams and when it is read again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Keyed {
    pub key: String,
    #[serde(flatten)]
    pub item: Item,
}

/// An item as it stands in a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// 1, 2, 3 … in the conversation.
    pub message_id: i64,
    pub key: String,
    pub item: Item,
    pub created_at: Timestamp,
}

/// What is kept with a conversation beside its messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// What the last turn asked the person, for the agent to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Value>,
    /// A turn that has begun and not ended: under way, or cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<OpenTurn>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenTurn {
    pub id: String,
    /// The approval it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Value>,
    /// The changes it was about to make.
    pub calls: Vec<ToolCall>,
}

/// A conversation's end, oldest first, and what is kept with it.
pub(super) struct Loaded {
    pub entries: Vec<Entry>,
    pub state: State,
}

/// The keys of entries.
pub(crate) mod keys {
    use super::{Item, Keyed};

    /// The key of a turn's message.
    pub fn message(turn_id: &str) -> String {
        format!("{turn_id}-message")
    }

    /// The key of a turn's `nth` answer, from 0: words on the way are answers too.
    pub fn answer(turn_id: &str, nth: usize) -> String {
        format!("{turn_id}-answer-{nth}")
    }

    /// The turn that an entry of this key belongs to.
    pub fn turn_of(key: &str) -> &str {
        key.split('-').next().unwrap_or_default()
    }

    /// A turn's items with their keys, its answers counted from `first_answer`.
    pub fn of_turn(turn_id: &str, items: &[Item], first_answer: usize) -> Vec<Keyed> {
        let mut answers = first_answer..;
        let keyed = items.iter().map(|item| {
            let key = match item {
                Item::User { .. } => message(turn_id),
                Item::Assistant { .. } => answer(turn_id, answers.next().unwrap_or_default()),
                Item::ToolCall(call) => call.id.clone(),
                Item::ToolResult { id, .. } => format!("{id}-result"),
            };
            Keyed { key, item: item.clone() }
        });
        keyed.collect()
    }
}

impl Sessions {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    pub async fn create(&self, tenant: &Tenant, title: &str) -> Result<Conversation, Error> {
        let mut tx = self.database.begin(tenant).await?;
        let conversation = conversations::create(&mut tx, title).await?;
        tx.commit().await?;
        Ok(conversation)
    }

    pub async fn get(&self, tenant: &Tenant, id: i64) -> Result<Conversation, Error> {
        let mut tx = self.database.begin_read(tenant).await?;
        conversations::get(&mut tx, id).await
    }

    /// Whether the last answer asked for a yes, and nothing has been said since.
    pub async fn waits_for_consent(&self, tenant: &Tenant, id: i64) -> Result<bool, Error> {
        let mut tx = self.database.begin_read(tenant).await?;
        Ok(state(&mut tx, id).await?.approval.is_some())
    }

    /// The newest first, those before `after`.
    pub async fn list(
        &self,
        tenant: &Tenant,
        limit: u32,
        after: Option<i64>,
    ) -> Result<Vec<Conversation>, Error> {
        let mut tx = self.database.begin_read(tenant).await?;
        conversations::list(&mut tx, limit, after).await
    }

    pub async fn rename(&self, tenant: &Tenant, id: i64, title: &str) -> Result<Conversation, Error> {
        let mut tx = self.database.begin(tenant).await?;
        conversations::rename(&mut tx, id, title).await?;
        let conversation = conversations::get(&mut tx, id).await?;
        tx.commit().await?;
        Ok(conversation)
    }

    pub async fn delete(&self, tenant: &Tenant, id: i64) -> Result<(), Error> {
        let mut tx = self.database.begin(tenant).await?;
        conversations::delete(&mut tx, id).await?;
        tx.commit().await
    }

    /// The entries numbered `from` to `to`, both included, oldest first.
    pub async fn entries(&self, tenant: &Tenant, id: i64, from: i64, to: i64) -> Result<Vec<Entry>, Error> {
        let mut tx = self.database.begin_read(tenant).await?;
        let count = u32::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or_default();
        let messages = conversations::messages(&mut tx, id, count, Some(to.saturating_add(1))).await?;
        let entries = messages.into_iter().filter(|message| message.message_id >= from);
        entries.map(entry).collect()
    }

    /// The newest entries before the one numbered `before`, oldest first.
    pub async fn entries_before(
        &self,
        tenant: &Tenant,
        id: i64,
        count: u32,
        before: Option<i64>,
    ) -> Result<Vec<Entry>, Error> {
        let mut tx = self.database.begin_read(tenant).await?;
        let messages = conversations::messages(&mut tx, id, count, before).await?;
        messages.into_iter().map(entry).collect()
    }

    pub(super) async fn load(&self, tenant: &Tenant, id: i64) -> Result<Loaded, Error> {
        let mut tx = self.database.begin_read(tenant).await?;
        let messages = conversations::messages(&mut tx, id, HISTORY, None).await?;
        let state = state(&mut tx, id).await?;
        let entries = messages.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Loaded { entries, state })
    }

    pub(super) async fn write(
        &self,
        tenant: &Tenant,
        id: i64,
        items: &[Keyed],
        state: &State,
    ) -> Result<Vec<Entry>, Error> {
        let mut tx = self.database.begin(tenant).await?;
        let written = conversations::append(&mut tx, id, &new_messages(items)?).await?;
        conversations::set_state(&mut tx, id, Some(&json(state)?)).await?;
        tx.commit().await?;
        written.into_iter().map(entry).collect()
    }

    pub(super) async fn note(&self, tenant: &Tenant, id: i64, state: &State) -> Result<(), Error> {
        let mut tx = self.database.begin(tenant).await?;
        conversations::set_state(&mut tx, id, Some(&json(state)?)).await?;
        tx.commit().await
    }

    /// Writes the rest of a turn and gives the conversation free.
    pub(super) async fn finish(
        &self,
        tenant: &Tenant,
        id: i64,
        owner: &str,
        items: &[Keyed],
        state: &State,
    ) -> Result<Vec<Entry>, Error> {
        for pause in PAUSES {
            match self.finish_once(tenant, id, owner, items, state).await {
                Err(error) if error.is_transient() => sleep(pause).await,
                outcome => return outcome,
            }
        }
        self.finish_once(tenant, id, owner, items, state).await
    }

    async fn finish_once(
        &self,
        tenant: &Tenant,
        id: i64,
        owner: &str,
        items: &[Keyed],
        state: &State,
    ) -> Result<Vec<Entry>, Error> {
        let mut tx = self.database.begin(tenant).await?;
        if !conversations::release_turn(&mut tx, id, owner).await? {
            return Err(Error::Conflict("the turn was taken over by another".to_owned()));
        }
        let written = conversations::append(&mut tx, id, &new_messages(items)?).await?;
        let state = (*state != State::default()).then(|| json(state)).transpose()?;
        conversations::set_state(&mut tx, id, state.as_ref()).await?;
        tx.commit().await?;
        written.into_iter().map(entry).collect()
    }

    pub(super) async fn claim(
        &self,
        tenant: &Tenant,
        id: i64,
        owner: &str,
        until: Timestamp,
    ) -> Result<bool, Error> {
        let mut tx = self.database.begin(tenant).await?;
        let claimed = conversations::claim_turn(&mut tx, id, owner, until).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    pub(super) async fn release(&self, tenant: &Tenant, id: i64, owner: &str) -> Result<(), Error> {
        let mut tx = self.database.begin(tenant).await?;
        conversations::release_turn(&mut tx, id, owner).await?;
        tx.commit().await
    }
}

/// A state of an older shape is worth less than an answer: nothing is pending then.
async fn state(tx: &mut Transaction, id: i64) -> Result<State, Error> {
    let kept = conversations::state(tx, id).await?.unwrap_or_default();
    Ok(serde_json::from_value(kept).unwrap_or_default())
}

fn new_messages(items: &[Keyed]) -> Result<Vec<NewMessage>, Error> {
    let message = |keyed: &Keyed| Ok(NewMessage { role: role(&keyed.item), content: json(keyed)? });
    items.iter().map(message).collect()
}

fn role(item: &Item) -> Role {
    match item {
        Item::User { .. } => Role::User,
        Item::Assistant { .. } => Role::Assistant,
        Item::ToolCall(_) => Role::ToolCall,
        Item::ToolResult { .. } => Role::ToolResult,
    }
}

fn entry(message: Message) -> Result<Entry, Error> {
    let keyed: Keyed = serde_json::from_value(message.content).map_err(|_| Error::Corrupt("message"))?;
    Ok(Entry {
        message_id: message.message_id,
        key: keyed.key,
        item: keyed.item,
        created_at: message.created_at,
    })
}

fn json(value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|_| Error::Corrupt("message"))
}
