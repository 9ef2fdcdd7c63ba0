//! Tool calls that were answered: the same call again gets the same answer and changes nothing.
//!
//! A caller that saw no answer repeats the call under the same id. The id, the answer and the change are one transaction, so
//! either all of them happened or none.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::statements::statements;
use crate::{Error, Transaction};

statements! {
    FIRST_ANSWER = "SELECT tool, arguments_sha256, answer FROM calls WHERE user_id = $1 AND call_id = $2";
    REMEMBER = "INSERT INTO calls (user_id, call_id, tool, arguments_sha256, answer, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, call_id) DO NOTHING RETURNING call_id";
}

/// One call of one tool, as its id names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    id: String,
    tool: String,
    arguments_sha256: String,
}

/// The client chooses its ids; one that an index could not hold is known by its digest.
const ID_LIMIT: usize = 128;

impl Call {
    /// A call by its id, the tool and the arguments (of which only a digest is kept).
    pub fn new(id: impl Into<String>, tool: impl Into<String>, arguments: &Value) -> Self {
        let id = id.into();
        let storable = id.len() <= ID_LIMIT && !id.contains('\0');
        let mut arguments = arguments.clone();
        arguments.sort_all_objects();
        Self {
            id: if storable { id } else { sha256(&id) },
            tool: tool.into(),
            arguments_sha256: sha256(&arguments.to_string()),
        }
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The answer that this call got before. The same id with another tool or other arguments is a conflict.
pub async fn first_answer(tx: &mut Transaction, call: &Call) -> Result<Option<Value>, Error> {
    let parameters = vec![tx.user(), call.id.as_str().into()];
    let Some(mut row) = tx.row(FIRST_ANSWER, parameters).await? else {
        return Ok(None);
    };
    if row.text()? != call.tool || row.text()? != call.arguments_sha256 {
        let problem = "this call id was used for another call: give every call an id of its own";
        return Err(Error::Conflict(problem.to_owned()));
    }
    row.json().map(Some)
}

/// Keeps the answer with the change it tells of. When the same call is being answered at this moment, only one of the two may
/// commit: the other gets a transient error and finds the answer when it repeats its transaction.
pub async fn remember(tx: &mut Transaction, call: &Call, answer: &Value) -> Result<(), Error> {
    let parameters = vec![
        tx.user(),
        call.id.as_str().into(),
        call.tool.as_str().into(),
        call.arguments_sha256.as_str().into(),
        answer.to_string().into(),
        tx.now().into(),
    ];
    match tx.row(REMEMBER, parameters).await? {
        Some(_) => Ok(()),
        None => Err(Error::Busy("the same call is being answered".into())),
    }
}
