//! What a call comes to: an answer that a model can read, or the reason why there is none.

use http::StatusCode;
use rmcp::model::{CallToolResult, ErrorData};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use todo_identity::KeyError;

use crate::protocol::NEXT_CURSOR;

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct CallOutcome {
    /// The structured result; `null` when the call was wrong.
    pub value: Value,
    /// What a model reads: the result as JSON, or what was wrong with the call and how to mend it.
    pub text: String,
    /// The call was wrong (its arguments, an unknown task) and changed nothing.
    pub is_error: bool,
    /// `list_tasks` only: what to send as `cursor` to get the next page.
    pub next_cursor: Option<String>,
}

/// Why there is no answer. Nothing of the call's arguments is in it, so it may be logged.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No function of that name was given to [`crate::Tools::new`].
    #[error("there is no tool named {0}")]
    UnknownTool(String),
    /// The function does not answer, or says that it cannot at present, and every attempt failed. Whether the call had its
    /// effect is unknown: sending it again under the same call id tells.
    #[error("the function {function} is unavailable: {reason}")]
    Unavailable {
        /// Which function.
        function: String,
        /// What happened.
        reason: String,
    },
    /// The function refused the token or the `user_id`.
    #[error("the function {function} refused the call ({status}): {reason}")]
    Refused {
        /// Which function.
        function: String,
        /// 401: the keys do not fit. 403: the `user_id` was another person's.
        status: StatusCode,
        /// What the function said.
        reason: String,
    },
    /// The function failed in a way that another attempt will not mend, or does not speak this protocol.
    #[error("the function {function} answered with an error: {reason}")]
    Protocol {
        /// Which function.
        function: String,
        /// What the function said, or what is wrong with what it said.
        reason: String,
    },
    /// No token could be minted.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl CallError {
    pub(super) fn unavailable(function: &str, error: &reqwest::Error) -> Self {
        let reason = if error.is_timeout() { "it did not answer in time" } else { "it cannot be reached" };
        Self::Unavailable { function: function.to_owned(), reason: reason.to_owned() }
    }

    pub(super) fn protocol(function: &str, reason: impl ToString) -> Self {
        Self::Protocol { function: function.to_owned(), reason: reason.to_string() }
    }
}

impl From<CallToolResult> for CallOutcome {
    fn from(result: CallToolResult) -> Self {
        let text = result.content.first().and_then(|block| block.as_text()).map(|block| block.text.clone());
        let next_cursor = result.meta.as_ref().and_then(|meta| meta.get(NEXT_CURSOR)).and_then(Value::as_str);
        Self {
            text: text.unwrap_or_default(),
            is_error: result.is_error.unwrap_or(false),
            next_cursor: next_cursor.map(str::to_owned),
            value: result.structured_content.unwrap_or(Value::Null),
        }
    }
}

/// A JSON-RPC response, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reply<R> {
    Result(R),
    Error(ErrorData),
}

#[derive(Deserialize)]
struct Response<R> {
    #[serde(flatten)]
    reply: Reply<R>,
}

pub(super) fn read<R: DeserializeOwned>(
    function: &str,
    status: StatusCode,
    body: &[u8],
) -> Result<R, CallError> {
    let reply = serde_json::from_slice(body).map(|Response { reply }| reply);
    let reason = match reply {
        Ok(Reply::Result(result)) if status.is_success() => return Ok(result),
        Ok(Reply::Error(error)) => error.message.into_owned(),
        // A proxy in between answered, or the result is of another shape; what it says is not for us to repeat.
        Ok(Reply::Result(_)) | Err(_) => {
            format!("status {status} without the MCP message that belongs to it")
        }
    };
    let function = function.to_owned();
    Err(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CallError::Refused { function, status, reason },
        // 502 and 504 are how a proxy speaks before a function that has just died or does not wake.
        StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::BAD_GATEWAY
        | StatusCode::GATEWAY_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS => CallError::Unavailable { function, reason },
        _ => CallError::Protocol { function, reason },
    })
}
