//! The ChatKit server protocol, for clients made for it: six requests that stream and ten that do not, on the same URL.
//!
//! A thread is a conversation and its id the conversation's number; items carry the keys of the stored entries, so that
//! they are the same while they stream and when they are listed. Consecutive tool calls are one workflow item. Titles,
//! order and paging follow the protocol's reference server.
//!
//! What has no meaning here (attachments, speech, widgets and their actions, client tools) is refused in words. One
//! request is ours and no part of the protocol: `tasks.list`, read-only, for the page.

mod items;
mod request;
mod streaming;
mod tasks;
mod threads;

use axum::Json;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use todo_identity::Tenant;

use crate::error::Problem;
use crate::trace::Trace;
use crate::turn::{Asked, Words};
use crate::{Chat, endpoint, sse};
use request::{Request, thread_number};
use streaming::Translator;

/// Answers a request whose body has a `type`.
pub(crate) async fn answer(chat: &Chat, tenant: Tenant, trace: Trace, body: Value) -> Response {
    let asker = Asker { chat, tenant, trace, timezone: timezone(&body) };
    match Request::read(body) {
        Ok(request) => asker.answer(request).await.unwrap_or_else(Problem::into_response),
        Err(problem) => problem.into_response(),
    }
}

struct Asker<'a> {
    chat: &'a Chat,
    tenant: Tenant,
    trace: Trace,
    timezone: TimeZone,
}

impl Asker<'_> {
    async fn answer(self, request: Request) -> Result<Response, Problem> {
        match request {
            Request::ThreadsCreate(params) => self.turn(None, Words::New(params.input.message()?)).await,
            Request::ThreadsAddUserMessage(params) => {
                let thread = thread_number(&params.thread_id)?;
                self.turn(Some(thread), Words::New(params.input.message()?)).await
            }
            Request::ThreadsRetryAfterItem(params) => {
                let thread = thread_number(&params.thread_id)?;
                self.turn(Some(thread), Words::Again(params.item_id)).await
            }
            Request::ThreadsAddClientToolOutput(params) => {
                self.cannot(&params.thread_id, "No tool of the client is waited for in this conversation.")
                    .await
            }
            Request::ThreadsAddStructuredInput(params) => {
                self.cannot(&params.thread_id, "No form is waited for here; answer the question in words.")
                    .await
            }
            Request::ThreadsCustomAction(params) => {
                self.cannot(&params.thread_id, "There are no widgets here whose actions could be taken.")
                    .await
            }
            plain => self.plain(plain).await.map(|answer| Json(answer).into_response()),
        }
    }

    async fn plain(self, request: Request) -> Result<Value, Problem> {
        let (sessions, tenant) = (self.chat.turns.sessions(), &self.tenant);
        match request {
            Request::ThreadsGetById(params) => threads::get(sessions, tenant, &params.thread_id).await,
            Request::ThreadsList(params) => threads::list(sessions, tenant, &params).await,
            Request::ThreadsUpdate(params) => threads::rename(sessions, tenant, &params).await,
            Request::ThreadsDelete(params) => {
                sessions.delete(tenant, thread_number(&params.thread_id)?).await?;
                Ok(json!({}))
            }
            Request::ItemsList(params) => items::list(sessions, tenant, &params).await,
            Request::ItemsFeedback(params) => {
                let thread = sessions.get(tenant, thread_number(&params.thread_id)?).await?;
                // The log is where whoever runs this reads it; what was said stays in the conversation.
                let (kind, items) = (params.kind.as_str(), params.item_ids.len());
                tracing::info!(conversation_id = thread.conversation_id, kind, items, "feedback");
                Ok(json!({}))
            }
            Request::TasksList(params) => tasks::list(self.chat, tenant, &self.trace, params).await,
            Request::AttachmentsCreate {} | Request::AttachmentsDelete {} => {
                Err(unsupported("Attachments are not supported; describe what is in them."))
            }
            Request::InputTranscribe {} => Err(unsupported("Speech is not supported; send text.")),
            _ => Err(unsupported("There are no widgets here whose actions could be taken.")),
        }
    }

    async fn turn(self, thread: Option<i64>, words: Words) -> Result<Response, Problem> {
        let asked = Asked {
            tenant: self.tenant,
            conversation_id: thread,
            words,
            timezone: self.timezone,
            trace: self.trace,
        };
        let listener = self.chat.turns.begin(asked)?;
        let mut translator = Translator::default();
        let unnamed = |data| sse::Event { name: None, data };
        Ok(sse::stream(listener, move |event| translator.translate(event).into_iter().map(unnamed).collect())
            .await)
    }

    /// A request that the protocol streams, and that makes no sense here.
    async fn cannot(self, thread_id: &str, message: &str) -> Result<Response, Problem> {
        self.chat.turns.sessions().get(&self.tenant, thread_number(thread_id)?).await?;
        Ok(sse::only(vec![sse::Event { name: None, data: streaming::error(message, false) }]))
    }
}

/// The protocol has no place for the person's zone; `metadata` is for such things.
fn timezone(body: &Value) -> TimeZone {
    let name = body.pointer("/metadata/timezone").and_then(Value::as_str);
    endpoint::zone(name).unwrap_or(TimeZone::UTC)
}

fn unsupported(message: &'static str) -> Problem {
    Problem::refused(http::StatusCode::UNPROCESSABLE_ENTITY, "not_supported", message)
}
