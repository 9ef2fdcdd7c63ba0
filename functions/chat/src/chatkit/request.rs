//! The requests as clients send them. Fields that mean nothing here are read and left alone, as the protocol's own server
//! does.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::unsupported;
use crate::endpoint;
use crate::error::Problem;

/// The largest page, and that of a client that does not say.
const LARGEST_PAGE: u32 = 100;
const DEFAULT_PAGE: u32 = 20;

#[derive(Deserialize)]
#[serde(tag = "type", content = "params")]
pub(super) enum Request {
    #[serde(rename = "threads.create")]
    ThreadsCreate(Create),
    #[serde(rename = "threads.add_user_message")]
    ThreadsAddUserMessage(AddUserMessage),
    #[serde(rename = "threads.add_client_tool_output")]
    ThreadsAddClientToolOutput(Thread),
    #[serde(rename = "threads.add_structured_input")]
    ThreadsAddStructuredInput(Thread),
    #[serde(rename = "threads.custom_action")]
    ThreadsCustomAction(Thread),
    #[serde(rename = "threads.retry_after_item")]
    ThreadsRetryAfterItem(RetryAfterItem),
    #[serde(rename = "threads.get_by_id")]
    ThreadsGetById(Thread),
    #[serde(rename = "threads.list")]
    ThreadsList(Paging),
    #[serde(rename = "threads.update")]
    ThreadsUpdate(Update),
    #[serde(rename = "threads.delete")]
    ThreadsDelete(Thread),
    #[serde(rename = "threads.sync_custom_action")]
    ThreadsSyncCustomAction {},
    #[serde(rename = "items.list")]
    ItemsList(ItemsList),
    #[serde(rename = "items.feedback")]
    ItemsFeedback(Feedback),
    #[serde(rename = "attachments.create")]
    AttachmentsCreate {},
    #[serde(rename = "attachments.delete")]
    AttachmentsDelete {},
    #[serde(rename = "input.transcribe")]
    InputTranscribe {},
    /// Ours: the arguments of the tool `list_tasks`.
    #[serde(rename = "tasks.list")]
    TasksList(Map<String, Value>),
}

#[derive(Deserialize)]
pub(super) struct Create {
    pub input: UserMessageInput,
}

#[derive(Deserialize)]
pub(super) struct AddUserMessage {
    pub thread_id: String,
    pub input: UserMessageInput,
}

#[derive(Deserialize)]
pub(super) struct Thread {
    pub thread_id: String,
}

#[derive(Deserialize)]
pub(super) struct RetryAfterItem {
    pub thread_id: String,
    pub item_id: String,
}

#[derive(Deserialize)]
pub(super) struct Update {
    pub thread_id: String,
    pub title: String,
}

#[derive(Deserialize)]
pub(super) struct Feedback {
    pub thread_id: String,
    pub item_ids: Vec<String>,
    pub kind: FeedbackKind,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FeedbackKind {
    Positive,
    Negative,
}

#[derive(Deserialize)]
pub(super) struct ItemsList {
    pub thread_id: String,
    #[serde(flatten)]
    pub paging: Paging,
}

#[derive(Deserialize)]
pub(super) struct Paging {
    limit: Option<i64>,
    #[serde(default)]
    pub order: Order,
    after: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    Asc,
    #[default]
    Desc,
}

#[derive(Deserialize)]
pub(super) struct UserMessageInput {
    content: Vec<UserContent>,
    #[serde(default)]
    attachments: Vec<String>,
    #[serde(default)]
    quoted_text: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum UserContent {
    #[serde(rename = "input_text")]
    Text { text: String },
    #[serde(rename = "input_tag")]
    Tag { text: String },
}

impl Request {
    pub fn read(body: Value) -> Result<Self, Problem> {
        serde_json::from_value(body)
            .map_err(|error| Problem::invalid(format!("Not a ChatKit request: {error}.")))
    }
}

impl UserMessageInput {
    /// The message in one text. A quotation stands before it, as in mail.
    pub fn message(&self) -> Result<String, Problem> {
        if !self.attachments.is_empty() {
            return Err(unsupported("Attachments are not supported; describe what is in them."));
        }
        let words = self.content.iter().map(|part| match part {
            UserContent::Text { text } | UserContent::Tag { text } => text.as_str(),
        });
        let words: Vec<&str> = words.collect();
        let text = endpoint::message(&words.join(" "))?;
        match self.quoted_text.as_deref().map(str::trim).filter(|quoted| !quoted.is_empty()) {
            Some(quoted) => endpoint::message(&format!("> {}\n\n{text}", quoted.replace('\n', "\n> "))),
            None => Ok(text),
        }
    }
}

impl Paging {
    pub fn new(limit: u32, order: Order) -> Self {
        Self { limit: Some(limit.into()), order, after: None }
    }

    pub fn limit(&self) -> u32 {
        let limit = self.limit.unwrap_or(DEFAULT_PAGE.into()).clamp(1, LARGEST_PAGE.into());
        u32::try_from(limit).unwrap_or(DEFAULT_PAGE)
    }

    /// Where the page before ended.
    pub fn after(&self) -> Result<Option<i64>, Problem> {
        let read = |after: &String| {
            after.parse().map_err(|_| Problem::invalid("after must be the `after` of the page before."))
        };
        self.after.as_ref().map(read).transpose()
    }
}

impl FeedbackKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }
}

/// A thread's id is its conversation's number; another text names no thread.
pub(super) fn thread_number(thread_id: &str) -> Result<i64, Problem> {
    thread_id.parse().map_err(|_| Problem::not_found("There is no such conversation."))
}
