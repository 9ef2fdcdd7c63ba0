//! Chat Completions: the request as `async-openai` types it, and the answers read leniently.

use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessage,
    ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage, ChatCompletionRequestToolMessage,
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, ChatCompletionTool,
    ChatCompletionToolChoiceOption, ChatCompletionTools, CreateChatCompletionRequest, FunctionCall,
    FunctionObject, ToolChoiceOptions,
};
use serde::Deserialize;
use serde_json::Value;

use super::answer::Read;
use super::rendering::tool_result;
use super::retry::Failure;
use super::transport::unreadable;
use crate::{Item, ModelAnswer, ModelRequest, RequestedCall, ToolCall, ToolDefinition, Usage};

/// Only fields that every compatible server knows; temperature and lengths are left to the server's defaults, which
/// reasoning models insist on.
pub(super) fn request(model: &str, stream: bool, request: &ModelRequest) -> CreateChatCompletionRequest {
    let tools: Vec<ChatCompletionTools> = request.tools.iter().map(tool).collect();
    let choice = match request.may_call_tools {
        true => ToolChoiceOptions::Auto,
        false => ToolChoiceOptions::None,
    };
    CreateChatCompletionRequest {
        model: model.to_owned(),
        messages: messages(request),
        tool_choice: (!tools.is_empty()).then_some(ChatCompletionToolChoiceOption::Mode(choice)),
        tools: (!tools.is_empty()).then_some(tools),
        stream: Some(stream),
        stream_options: stream
            .then_some(ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None }),
        ..CreateChatCompletionRequest::default()
    }
}

fn tool(definition: &ToolDefinition) -> ChatCompletionTools {
    ChatCompletionTools::Function(ChatCompletionTool {
        function: FunctionObject {
            name: definition.name.clone(),
            description: Some(definition.description.clone()),
            parameters: Some(definition.parameters.clone()),
            strict: None,
        },
    })
}

fn messages(request: &ModelRequest) -> Vec<ChatCompletionRequestMessage> {
    let system =
        ChatCompletionRequestSystemMessage { content: request.instructions.as_str().into(), name: None };
    let mut messages = vec![ChatCompletionRequestMessage::System(system)];
    for item in &request.items {
        match item {
            Item::User { text } => messages.push(user(text)),
            Item::Assistant { text } => messages.push(assistant(text)),
            Item::ToolCall(call) => add_call(&mut messages, call),
            Item::ToolResult { id, value, is_error, next_cursor } => {
                messages.push(result(id, tool_result(value, *is_error, next_cursor.as_deref())));
            }
        }
    }
    messages
}

fn user(text: &str) -> ChatCompletionRequestMessage {
    ChatCompletionRequestMessage::User(ChatCompletionRequestUserMessage { content: text.into(), name: None })
}

fn assistant(text: &str) -> ChatCompletionRequestMessage {
    ChatCompletionRequestMessage::Assistant(ChatCompletionRequestAssistantMessage {
        content: Some(text.into()),
        ..ChatCompletionRequestAssistantMessage::default()
    })
}

fn result(id: &str, text: String) -> ChatCompletionRequestMessage {
    ChatCompletionRequestMessage::Tool(ChatCompletionRequestToolMessage {
        content: text.into(),
        tool_call_id: id.to_owned(),
    })
}

/// Calls made together, and the words before them, are one message in this API.
fn add_call(messages: &mut Vec<ChatCompletionRequestMessage>, call: &ToolCall) {
    let call = ChatCompletionMessageToolCalls::Function(ChatCompletionMessageToolCall {
        id: call.id.clone(),
        function: FunctionCall { name: call.name.clone(), arguments: call.arguments.to_string() },
    });
    match messages.last_mut() {
        Some(ChatCompletionRequestMessage::Assistant(message)) => {
            message.tool_calls.get_or_insert_default().push(call);
        }
        _ => messages.push(ChatCompletionRequestMessage::Assistant(ChatCompletionRequestAssistantMessage {
            tool_calls: Some(vec![call]),
            ..ChatCompletionRequestAssistantMessage::default()
        })),
    }
}

/// A whole answer or one chunk of a stream: they differ only in `message` and `delta`.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "delta")]
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallPart>>,
}

/// A call, or a piece of one: the pieces of a call share its `index`, and only the first has `id` and `name`.
#[derive(Deserialize)]
struct CallPart {
    index: Option<u64>,
    id: Option<String>,
    function: FunctionPart,
}

#[derive(Deserialize)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// Puts the pieces together.
#[derive(Default)]
pub(super) struct Reader {
    text: String,
    calls: Vec<Assembled>,
    usage: Usage,
    finished: bool,
}

struct Assembled {
    index: Option<u64>,
    id: Option<String>,
    name: String,
    arguments: String,
}

impl Read for Reader {
    fn whole(mut self, body: Value) -> Result<ModelAnswer, Failure> {
        if !self.take(body, &mut |_| {})? {
            return Err(Failure::Garbled("no choices".to_owned()));
        }
        Ok(self.answer())
    }

    fn event(&mut self, event: Value, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<bool, Failure> {
        self.take(event, on_delta)?;
        // The usage comes after the last choice, so only `[DONE]` or the end of the stream is the end.
        Ok(false)
    }

    fn end(self) -> Result<ModelAnswer, Failure> {
        match self.finished {
            true => Ok(self.answer()),
            false => Err(Failure::Cut),
        }
    }
}

impl Reader {
    /// Takes in a completion; true when there was a choice in it.
    fn take(&mut self, completion: Value, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<bool, Failure> {
        let completion: Completion = serde_json::from_value(completion).map_err(unreadable)?;
        if let Some(tokens) = completion.usage {
            self.usage =
                Usage { input_tokens: tokens.prompt_tokens, output_tokens: tokens.completion_tokens };
        }
        let Some(choice) = completion.choices.into_iter().next() else {
            return Ok(false);
        };
        self.finished |= choice.finish_reason.is_some();
        if let Some(message) = choice.message {
            self.take_message(message, on_delta);
        }
        Ok(true)
    }

    fn take_message(&mut self, message: Message, on_delta: &mut (dyn FnMut(&str) + Send)) {
        // A refusal is an answer: its words are the person's to read.
        for words in [message.content, message.refusal].into_iter().flatten() {
            if !words.is_empty() {
                on_delta(&words);
                self.text.push_str(&words);
            }
        }
        for part in message.tool_calls.into_iter().flatten() {
            self.take_call(part);
        }
    }

    fn take_call(&mut self, part: CallPart) {
        let arguments = part.function.arguments.unwrap_or_default();
        let id = part.id.filter(|id| !id.is_empty());
        // Some servers number every call of an answer 0: another id is another call.
        let same = |call: &&mut Assembled| {
            call.index == part.index && part.index.is_some() && (id.is_none() || call.id == id)
        };
        match self.calls.iter_mut().rev().find(same) {
            Some(call) => call.arguments.push_str(&arguments),
            None => self.calls.push(Assembled {
                index: part.index,
                id,
                name: part.function.name.unwrap_or_default(),
                arguments,
            }),
        }
    }

    fn answer(self) -> ModelAnswer {
        let requested = |call: Assembled| RequestedCall { name: call.name, arguments: call.arguments };
        ModelAnswer {
            text: self.text,
            calls: self.calls.into_iter().map(requested).collect(),
            usage: self.usage,
        }
    }
}
