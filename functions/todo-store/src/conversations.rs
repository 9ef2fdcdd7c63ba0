//! A tenant's conversations with the assistant, so that any replica, or the next start, can go on with them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::statements::{rows_of_parameters, statements};
use crate::{Error, Row, Transaction, Value};

statements! {
    NEXT_ID = "INSERT INTO users (user_id, last_conversation_id, created_at) VALUES ($1, 1, $2) \
        ON CONFLICT (user_id) DO UPDATE SET last_conversation_id = users.last_conversation_id + 1 \
        RETURNING last_conversation_id";
    CREATE = "INSERT INTO conversations (user_id, conversation_id, title, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $4)";
    GET = "SELECT conversation_id, title, created_at, updated_at FROM conversations \
        WHERE user_id = $1 AND conversation_id = $2";
    LIST = "SELECT conversation_id, title, created_at, updated_at FROM conversations \
        WHERE user_id = $1 AND conversation_id < $2 ORDER BY conversation_id DESC LIMIT $3";
    RENAME = "UPDATE conversations SET title = $1 WHERE user_id = $2 AND conversation_id = $3 RETURNING conversation_id";
    DELETE = "DELETE FROM conversations WHERE user_id = $1 AND conversation_id = $2 RETURNING conversation_id";
    /// Reserves the numbers of new messages; the row stays locked, so two appends do not interleave.
    COUNT_MESSAGES = "UPDATE conversations SET last_message_id = last_message_id + $1, updated_at = $2 \
        WHERE user_id = $3 AND conversation_id = $4 RETURNING last_message_id";
    MESSAGES = "SELECT message_id, role, content, created_at FROM messages \
        WHERE user_id = $1 AND conversation_id = $2 AND message_id < $3 ORDER BY message_id DESC LIMIT $4";
    STATE = "SELECT state FROM conversations WHERE user_id = $1 AND conversation_id = $2";
    SET_STATE = "UPDATE conversations SET state = $1 WHERE user_id = $2 AND conversation_id = $3 \
        RETURNING conversation_id";
    CLAIM_TURN = "UPDATE conversations SET turn_owner = $1, turn_until = $2 \
        WHERE user_id = $3 AND conversation_id = $4 \
        AND (turn_owner IS NULL OR turn_owner = $1 OR turn_until <= $5) RETURNING conversation_id";
    RELEASE_TURN = "UPDATE conversations SET turn_owner = NULL, turn_until = NULL \
        WHERE user_id = $1 AND conversation_id = $2 AND turn_owner = $3 RETURNING conversation_id";
}

/// Messages per INSERT: seven columns each must stay far below the databases' limits of parameters.
const MESSAGES_AT_ONCE: usize = 100;
const MESSAGE_COLUMNS: usize = 6;

/// A conversation without its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conversation {
    /// 1, 2, 3 … per person.
    pub conversation_id: i64,
    /// What the list of conversations shows.
    pub title: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When something was last said in it.
    pub updated_at: Timestamp,
}

/// Who or what speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    User,
    /// The assistant.
    Assistant,
    /// The assistant, asking for a tool.
    ToolCall,
    /// The tool's answer.
    ToolResult,
}

/// A message to append.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said, in the shape that the agent gives it.
    pub content: Json,
}

/// A message as it stands in the conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// 1, 2, 3 … per conversation, in the order they were said.
    pub message_id: i64,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Json,
    /// When.
    pub created_at: Timestamp,
}

/// Begins a conversation under the tenant's next number.
pub async fn create(tx: &mut Transaction, title: &str) -> Result<Conversation, Error> {
    let now = tx.now();
    let parameters = vec![tx.user(), now.into()];
    let mut counted = tx.row(NEXT_ID, parameters).await?.ok_or(Error::Corrupt("counter"))?;
    let (conversation_id, title) = (counted.integer()?, storable(title));
    let parameters = vec![tx.user(), conversation_id.into(), title.as_str().into(), now.into()];
    tx.execute(CREATE, parameters).await?;
    Ok(Conversation { conversation_id, title, created_at: now, updated_at: now })
}

/// The conversation of that number.
pub async fn get(tx: &mut Transaction, conversation_id: i64) -> Result<Conversation, Error> {
    conversation(row(tx, GET, Vec::new(), conversation_id, None).await?)
}

/// The tenant's conversations, the newest first: at most `limit`, those older than `after` when it is given.
pub async fn list(tx: &mut Transaction, limit: u32, after: Option<i64>) -> Result<Vec<Conversation>, Error> {
    let parameters = vec![tx.user(), after.unwrap_or(i64::MAX).into(), i64::from(limit).into()];
    tx.rows(LIST, parameters).await?.into_iter().map(conversation).collect()
}

/// Gives a conversation another title.
pub async fn rename(tx: &mut Transaction, conversation_id: i64, title: &str) -> Result<(), Error> {
    row(tx, RENAME, vec![storable(title).into()], conversation_id, None).await.map(drop)
}

/// Removes a conversation and its messages.
pub async fn delete(tx: &mut Transaction, conversation_id: i64) -> Result<(), Error> {
    row(tx, DELETE, Vec::new(), conversation_id, None).await.map(drop)
}

/// Appends messages in order and gives them their numbers.
pub async fn append(
    tx: &mut Transaction,
    conversation_id: i64,
    messages: &[NewMessage],
) -> Result<Vec<Message>, Error> {
    let now = tx.now();
    let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
    let counted = row(tx, COUNT_MESSAGES, vec![count.into(), now.into()], conversation_id, None).await?;
    let first = { counted }.integer()? - count + 1;
    let numbered = (first..).zip(messages).map(|(message_id, new)| Message {
        message_id,
        role: new.role,
        content: new.content.clone(),
        created_at: now,
    });
    let numbered: Vec<Message> = numbered.collect();
    for some in numbered.chunks(MESSAGES_AT_ONCE) {
        let parameters = some.iter().flat_map(|message| {
            [
                tx.user(),
                conversation_id.into(),
                message.message_id.into(),
                message.role.as_str().into(),
                message.content.to_string().into(),
                message.created_at.into(),
            ]
        });
        let parameters = parameters.collect();
        tx.execute(insert(some.len()), parameters).await?;
    }
    Ok(numbered)
}

/// The last `limit` messages, or the last before message `before`; the oldest of them first.
pub async fn messages(
    tx: &mut Transaction,
    conversation_id: i64,
    limit: u32,
    before: Option<i64>,
) -> Result<Vec<Message>, Error> {
    let parameters =
        vec![tx.user(), conversation_id.into(), before.unwrap_or(i64::MAX).into(), i64::from(limit).into()];
    let rows = tx.rows(MESSAGES, parameters).await?;
    if rows.is_empty() {
        get(tx, conversation_id).await?;
    }
    rows.into_iter().rev().map(message).collect()
}

/// What the agent left in the conversation to go on with, such as an approval it waits for.
pub async fn state(tx: &mut Transaction, conversation_id: i64) -> Result<Option<Json>, Error> {
    let text = row(tx, STATE, Vec::new(), conversation_id, None).await?.optional_text()?;
    let state = text.map(|text| serde_json::from_str(&text)).transpose();
    state.map_err(|_| Error::Corrupt("conversation state"))
}

/// Replaces or (with `None`) clears that state.
pub async fn set_state(
    tx: &mut Transaction,
    conversation_id: i64,
    state: Option<&Json>,
) -> Result<(), Error> {
    let state = Value::Text(state.map(ToString::to_string));
    row(tx, SET_STATE, vec![state], conversation_id, None).await.map(drop)
}

/// Claims the conversation for one turn until an instant, and says whether `owner` has it now. A claim of the same owner is
/// extended; one that ran out (its process died) is taken over. Commit before the turn begins.
pub async fn claim_turn(
    tx: &mut Transaction,
    conversation_id: i64,
    owner: &str,
    until: Timestamp,
) -> Result<bool, Error> {
    let claim = vec![owner.into(), until.into()];
    let now = tx.now().into();
    match row(tx, CLAIM_TURN, claim, conversation_id, Some(now)).await {
        Ok(_) => Ok(true),
        // Somebody else has it, unless there is no such conversation.
        Err(Error::NotFound { .. }) => get(tx, conversation_id).await.map(|_| false),
        Err(error) => Err(error),
    }
}

/// Gives the turn back. Says `false` when `owner` had lost it, because it ran out and another took it.
pub async fn release_turn(tx: &mut Transaction, conversation_id: i64, owner: &str) -> Result<bool, Error> {
    let parameters = vec![tx.user(), conversation_id.into(), owner.into()];
    Ok(tx.row(RELEASE_TURN, parameters).await?.is_some())
}

impl Role {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::ToolCall => "tool_call",
            Self::ToolResult => "tool_result",
        }
    }

    fn read(word: &str) -> Result<Self, Error> {
        let all = [Self::User, Self::Assistant, Self::ToolCall, Self::ToolResult];
        all.into_iter().find(|role| role.as_str() == word).ok_or(Error::Corrupt("role"))
    }
}

/// The row that a statement about one conversation gives. Its parameters are the values `before`, the tenant, the
/// conversation, and the value `last`; no row means that there is no such conversation.
async fn row(
    tx: &mut Transaction,
    statement: &'static str,
    before: Vec<Value>,
    conversation_id: i64,
    last: Option<Value>,
) -> Result<Row, Error> {
    let mut parameters = before;
    parameters.extend([tx.user(), conversation_id.into()]);
    parameters.extend(last);
    let row = tx.row(statement, parameters).await?;
    row.ok_or(Error::NotFound { what: "conversation", id: conversation_id })
}

/// Postgres keeps no NUL in text. (A message's content is JSON, which escapes it.)
fn storable(title: &str) -> String {
    title.replace('\0', "")
}

fn conversation(mut row: Row) -> Result<Conversation, Error> {
    Ok(Conversation {
        conversation_id: row.integer()?,
        title: row.text()?,
        created_at: row.instant()?,
        updated_at: row.instant()?,
    })
}

fn message(mut row: Row) -> Result<Message, Error> {
    Ok(Message {
        message_id: row.integer()?,
        role: Role::read(&row.text()?)?,
        content: row.json()?,
        created_at: row.instant()?,
    })
}

pub(crate) fn insert(messages: usize) -> String {
    let rows = rows_of_parameters(messages, MESSAGE_COLUMNS);
    format!(
        "INSERT INTO messages (user_id, conversation_id, message_id, role, content, created_at) VALUES {rows}"
    )
}
