//! Responses: the request as `async-openai` types it, and the answers read leniently.

use async_openai::types::responses::{
    CreateResponse, EasyInputContent, EasyInputMessage, FunctionCallOutput, FunctionCallOutputItemParam,
    FunctionTool, FunctionToolCall, InputItem, InputParam, Item as ApiItem, Role, Tool, ToolChoiceOptions,
    ToolChoiceParam,
};
use serde::Deserialize;
use serde_json::Value;

use super::answer::Read;
use super::rendering::tool_result;
use super::retry::Failure;
use super::transport::{error_code, unreadable};
use crate::{Item, ModelAnswer, ModelRequest, RequestedCall, ToolCall, ToolDefinition, Usage};

/// The session is ours to keep, so the server is told to store nothing and gets all of it each time.
pub(super) fn request(model: &str, stream: bool, request: &ModelRequest) -> CreateResponse {
    let tools: Vec<Tool> = request.tools.iter().map(tool).collect();
    let choice = match request.may_call_tools {
        true => ToolChoiceOptions::Auto,
        false => ToolChoiceOptions::None,
    };
    CreateResponse {
        model: Some(model.to_owned()),
        instructions: Some(request.instructions.clone()),
        input: InputParam::Items(request.items.iter().map(input).collect()),
        tool_choice: (!tools.is_empty()).then_some(ToolChoiceParam::Option(choice)),
        tools: (!tools.is_empty()).then_some(tools),
        store: Some(false),
        stream: Some(stream),
        ..CreateResponse::default()
    }
}

/// `strict` is on unless told otherwise, and does not allow optional parameters.
fn tool(definition: &ToolDefinition) -> Tool {
    Tool::Function(FunctionTool {
        name: definition.name.clone(),
        description: Some(definition.description.clone()),
        parameters: Some(definition.parameters.clone()),
        strict: Some(false),
        ..FunctionTool::default()
    })
}

fn input(item: &Item) -> InputItem {
    match item {
        Item::User { text } => message(Role::User, text),
        Item::Assistant { text } => message(Role::Assistant, text),
        Item::ToolCall(call) => InputItem::Item(ApiItem::FunctionCall(function_call(call))),
        Item::ToolResult { id, value, is_error, next_cursor } => {
            let output = FunctionCallOutput::Text(tool_result(value, *is_error, next_cursor.as_deref()));
            InputItem::Item(ApiItem::FunctionCallOutput(FunctionCallOutputItemParam {
                call_id: Some(id.clone()),
                output,
                id: None,
                status: None,
                name: None,
                namespace: None,
                caller: None,
            }))
        }
    }
}

fn message(role: Role, text: &str) -> InputItem {
    InputItem::EasyMessage(EasyInputMessage {
        role,
        content: EasyInputContent::Text(text.to_owned()),
        ..EasyInputMessage::default()
    })
}

fn function_call(call: &ToolCall) -> FunctionToolCall {
    FunctionToolCall {
        call_id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.to_string(),
        namespace: None,
        id: None,
        status: None,
        caller: None,
        r#async: None,
    }
}

/// A response: whole, or as the last event of a stream holds it.
#[derive(Default, Deserialize)]
struct Response {
    status: Option<String>,
    #[serde(default)]
    output: Vec<Output>,
    error: Option<Value>,
    usage: Option<Tokens>,
}

#[derive(Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Output {
    Message {
        #[serde(default)]
        content: Vec<Content>,
    },
    FunctionCall {
        name: String,
        #[serde(default)]
        arguments: String,
    },
    /// Reasoning and whatever else: nothing for us in it.
    #[serde(other)]
    Other,
}

#[derive(Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Content {
    OutputText {
        text: String,
    },
    /// A refusal is an answer: its words are the person's to read.
    Refusal {
        refusal: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.output_text.delta", alias = "response.refusal.delta")]
    Delta { delta: String },
    #[serde(rename = "response.output_item.done")]
    ItemDone { item: Output },
    #[serde(rename = "response.completed", alias = "response.incomplete", alias = "response.failed")]
    Ended { response: Response },
    #[serde(rename = "error")]
    Error { code: Option<String> },
    /// There are some fifty kinds of events; these are the ones that matter here.
    #[serde(other)]
    Other,
}

/// Collects the items of a stream as they are finished.
#[derive(Default)]
pub(super) struct Reader {
    items: Vec<Output>,
    ended: Option<Response>,
}

impl Read for Reader {
    fn whole(self, body: Value) -> Result<ModelAnswer, Failure> {
        let response: Response = serde_json::from_value(body).map_err(unreadable)?;
        if response.status.is_none() {
            return Err(Failure::Garbled("no status".to_owned()));
        }
        answer(response, Vec::new())
    }

    fn event(&mut self, event: Value, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<bool, Failure> {
        match serde_json::from_value(event).map_err(unreadable)? {
            Event::Delta { delta } => on_delta(&delta),
            Event::ItemDone { item } => self.items.push(item),
            Event::Ended { response } => {
                self.ended = Some(response);
                return Ok(true);
            }
            Event::Error { code } => return Err(Failure::told(code)),
            Event::Other => {}
        }
        Ok(false)
    }

    fn end(self) -> Result<ModelAnswer, Failure> {
        answer(self.ended.ok_or(Failure::Cut)?, self.items)
    }
}

/// The answer in a response; `streamed` are its items as they came, for servers whose last event leaves them out.
fn answer(response: Response, streamed: Vec<Output>) -> Result<ModelAnswer, Failure> {
    if response.status.as_deref() == Some("failed") {
        return Err(Failure::told(response.error.as_ref().and_then(error_code)));
    }
    let mut answer = ModelAnswer::default();
    if let Some(tokens) = response.usage {
        answer.usage = Usage { input_tokens: tokens.input_tokens, output_tokens: tokens.output_tokens };
    }
    let items = if response.output.is_empty() { streamed } else { response.output };
    for item in items {
        match item {
            Output::Message { content } => content.into_iter().for_each(|part| add_words(&mut answer, part)),
            Output::FunctionCall { name, arguments } => answer.calls.push(RequestedCall { name, arguments }),
            Output::Other => {}
        }
    }
    Ok(answer)
}

fn add_words(answer: &mut ModelAnswer, part: Content) {
    match part {
        Content::OutputText { text: words } | Content::Refusal { refusal: words } => {
            answer.text.push_str(&words)
        }
        Content::Other => {}
    }
}
