//! A conversation with a model that says what a test tells it to, over tools that keep tasks in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use jiff::Zoned;
use serde_json::{Value, json};
use todo_agent::{
    Agent, Approval, Ending, Event, Item, Model, ModelAnswer, ModelError, ModelRequest, RequestedCall, Run,
    Settings, ToolCall, ToolDefinition, ToolOutcome, Tools, Turn, Usage, drive,
};

/// Says `text`.
pub fn say(text: &str) -> Result<ModelAnswer, ModelError> {
    Ok(ModelAnswer {
        text: text.to_owned(),
        calls: Vec::new(),
        usage: Usage { input_tokens: 10, output_tokens: 2 },
    })
}

/// Makes these calls.
pub fn call<const N: usize>(calls: [(&str, Value); N]) -> Result<ModelAnswer, ModelError> {
    let calls = calls.map(|(name, arguments)| (name, arguments.to_string()));
    call_raw(calls.each_ref().map(|(name, arguments)| (*name, arguments.as_str())))
}

/// Makes these calls, with arguments exactly as written.
pub fn call_raw<const N: usize>(calls: [(&str, &str); N]) -> Result<ModelAnswer, ModelError> {
    let requested =
        |(name, arguments): (&str, &str)| RequestedCall { name: name.into(), arguments: arguments.into() };
    Ok(ModelAnswer { calls: calls.map(requested).to_vec(), ..ModelAnswer::default() })
}

/// Answers with the next of its lines, and keeps what it was asked.
#[derive(Default)]
pub struct Script {
    lines: Mutex<VecDeque<Result<ModelAnswer, ModelError>>>,
    pub seen: Mutex<Vec<ModelRequest>>,
}

impl Model for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn answer<'a>(
        &'a self,
        request: &'a ModelRequest,
        on_delta: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<ModelAnswer, ModelError>> {
        self.seen.lock().unwrap().push(request.clone());
        let line = self.lines.lock().unwrap().pop_front().expect("the script has no more lines");
        if let Ok(answer) = &line {
            on_delta(&answer.text);
        }
        async move { line }.boxed()
    }
}

/// The five tools over a map.
#[derive(Default)]
pub struct Tasks {
    pub titles: Mutex<BTreeMap<i64, String>>,
    pub made: Mutex<Vec<ToolCall>>,
    at_once: AtomicUsize,
    pub most_at_once: AtomicUsize,
}

impl Tools for Tasks {
    fn call<'a>(&'a self, call: &'a ToolCall) -> BoxFuture<'a, ToolOutcome> {
        async move {
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            self.made.lock().unwrap().push(call.clone());
            self.outcome(call)
        }
        .boxed()
    }
}

impl Tasks {
    fn outcome(&self, call: &ToolCall) -> ToolOutcome {
        let mut titles = self.titles.lock().unwrap();
        let id = call.arguments["task_id"].as_i64();
        let title = id.and_then(|id| titles.get(&id).cloned());
        match (call.name.as_str(), id, title) {
            ("list_tasks", ..) => ToolOutcome::ok(
                titles.iter().map(|(id, title)| json!({ "id": id, "title": title })).collect(),
            ),
            ("add_task", ..) => {
                let id = titles.keys().max().unwrap_or(&0) + 1;
                titles.insert(id, call.arguments["title"].as_str().unwrap_or_default().to_owned());
                ToolOutcome::ok(
                    json!({ "task_id": id, "status": "created", "title": call.arguments["title"] }),
                )
            }
            ("delete_task", Some(id), Some(title)) => {
                titles.remove(&id);
                ToolOutcome::ok(json!({ "task_id": id, "status": "deleted", "title": title }))
            }
            ("complete_task", Some(id), Some(title)) => {
                ToolOutcome::ok(json!({ "task_id": id, "status": "completed", "title": title }))
            }
            _ => ToolOutcome::error("no such task"),
        }
    }
}

/// One conversation, its database and its model.
pub struct Talk {
    pub agent: Agent,
    pub script: Arc<Script>,
    pub tasks: Tasks,
    pub session: Vec<Item>,
    pub approval: Option<Approval>,
    pub events: Vec<String>,
    pub usage: Usage,
    turns: u32,
}

impl Talk {
    /// With these tasks, numbered from 1.
    pub fn about<const N: usize>(titles: [&str; N]) -> Self {
        let tasks = Tasks::default();
        let numbered = (1..).zip(titles.map(str::to_owned));
        *tasks.titles.lock().unwrap() = numbered.collect();
        Self {
            agent: Agent::todo(definitions()),
            script: Arc::default(),
            tasks,
            session: Vec::new(),
            approval: None,
            events: Vec::new(),
            usage: Usage::default(),
            turns: 0,
        }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.agent.settings);
        self
    }

    /// The person says `message`, and the script answers with `lines`.
    pub async fn turn<const N: usize>(
        &mut self,
        message: &str,
        lines: [Result<ModelAnswer, ModelError>; N],
    ) -> String {
        self.script.lines.lock().unwrap().extend(lines);
        let script = self.script.clone();
        let said = self.turn_with(script.as_ref(), message).await;
        assert!(self.script.lines.lock().unwrap().is_empty(), "the model was not asked as often as expected");
        said
    }

    /// The person says `message`, and `model` answers; afterwards the session is stored and read back.
    pub async fn turn_with(&mut self, model: &dyn Model, message: &str) -> String {
        let mut run = self.begin(message);
        let events = &mut self.events;
        let mut watch = |event: Event<'_>| {
            events.push(match event {
                Event::Delta(words) => format!("“{words}”"),
                Event::Calling(call) => format!("calling {}", call.name),
                Event::Called(call, outcome) => format!("called {} ({})", call.name, !outcome.is_error),
            });
        };
        let ending = drive(&mut run, &self.agent, model, &self.tasks, &mut watch).await;
        self.end(&run, &ending);
        ending.text().to_owned()
    }

    pub fn begin(&mut self, message: &str) -> Run {
        self.turns += 1;
        let turn = Turn {
            id: format!("turn{}", self.turns),
            now: now(),
            history: self.session.clone(),
            approval: self.approval.take(),
            message: message.to_owned(),
        };
        Run::start(&self.agent, turn).expect("the message is taken")
    }

    fn end(&mut self, run: &Run, ending: &Ending) {
        let stored = serde_json::to_string(run.new_items()).unwrap();
        self.session.extend(serde_json::from_str::<Vec<Item>>(&stored).unwrap());
        self.usage += run.usage();
        if let Ending::Approval(approval) = ending {
            let stored = serde_json::to_value(approval).unwrap();
            self.approval = Approval::restore(stored);
            assert!(self.approval.is_some());
        }
    }

    pub fn titles(&self) -> Vec<String> {
        self.tasks.titles.lock().unwrap().values().cloned().collect()
    }

    /// Names of the calls that reached the tools.
    pub fn made(&self) -> Vec<String> {
        self.tasks.made.lock().unwrap().iter().map(|call| call.name.clone()).collect()
    }

    /// What the model was asked, the last time.
    pub fn last_request(&self) -> ModelRequest {
        self.script.seen.lock().unwrap().last().cloned().expect("the model was asked")
    }
}

pub fn now() -> Zoned {
    "2026-11-20T09:30:00+01:00[Europe/Berlin]".parse().unwrap()
}

fn definitions() -> Vec<ToolDefinition> {
    let definition = |name: &str, properties: Value, read_only| ToolDefinition {
        name: name.to_owned(),
        description: name.to_owned(),
        parameters: json!({ "type": "object", "properties": properties, "required": ["user_id"] }),
        read_only,
    };
    let task = json!({ "user_id": { "type": "string" }, "task_id": { "type": "integer" } });
    let add = json!({
        "user_id": { "type": "string" },
        "title": { "type": "string" },
        "due": { "type": "string" },
        "timezone": { "type": "string" },
    });
    vec![
        definition("add_task", add, false),
        definition("list_tasks", json!({ "user_id": { "type": "string" } }), true),
        definition("complete_task", task.clone(), false),
        definition("delete_task", task, false),
    ]
}
