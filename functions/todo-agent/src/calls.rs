//! Makes calls out of what a model wrote, or answers it itself when it wrote nonsense.

use jiff::Zoned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::approval;
use crate::{Agent, RequestedCall, ToolCall, ToolDefinition, ToolOutcome};

/// A call, and its outcome as soon as there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Prepared {
    pub call: ToolCall,
    pub outcome: Option<ToolOutcome>,
    /// From the tool's definition; what is not known to change nothing may change something.
    pub read_only: bool,
}

/// The words of a declined call's result. `declined` is what the offline model looks for.
pub(crate) const DECLINED: &str = "The person declined. Nothing was changed.";

impl Prepared {
    /// A call the person has agreed to.
    pub fn ready(call: ToolCall) -> Self {
        Self { call, outcome: None, read_only: false }
    }

    /// A call the person has refused.
    pub fn declined(call: ToolCall) -> Self {
        let value = json!({ "declined": true, "message": DECLINED });
        let outcome = ToolOutcome { is_error: true, ..ToolOutcome::ok(value) };
        Self { call, outcome: Some(outcome), read_only: false }
    }
}

/// True when a call among these changed something.
pub(crate) fn any_change(calls: &[Prepared]) -> bool {
    calls.iter().any(|prepared| {
        !prepared.read_only && matches!(&prepared.outcome, Some(outcome) if !outcome.is_error)
    })
}

/// Gives each requested call an id and its arguments. A tool that does not exist, arguments that are no JSON object and
/// calls beyond the limit go back to the model as errors of that call, for it to correct itself.
///
/// Ids are ours, not the model's: tools take a repeated id for a repetition and give the first answer again, and some
/// servers number the calls of every answer from zero.
pub(crate) fn prepare(
    agent: &Agent,
    turn: &str,
    made: u32,
    now: &Zoned,
    requested: Vec<RequestedCall>,
) -> Vec<Prepared> {
    let numbers = (made as usize + 1)..;
    numbers
        .zip(requested)
        .enumerate()
        .map(|(position, (number, requested))| {
            let id = format!("{turn}-{number}");
            let read = match position < agent.settings.max_calls {
                true => read(agent, &requested, now),
                false => Err("too many calls at once; make this one again later".to_owned()),
            };
            prepared(agent, id, requested.name, read)
        })
        .collect()
}

fn prepared(agent: &Agent, id: String, name: String, read: Result<Map<String, Value>, String>) -> Prepared {
    let (arguments, outcome) = match read {
        Ok(arguments) => (arguments, None),
        // What could not be read is not kept: some servers refuse a history with malformed arguments in it.
        Err(problem) => (Map::new(), Some(ToolOutcome::error(problem))),
    };
    Prepared {
        read_only: agent.tool(&name).is_some_and(|tool| tool.read_only),
        call: ToolCall {
            id,
            // A name that is none of ours is the model's text: servers check the form of names in a history.
            name: if agent.tool(&name).is_some() { name } else { UNKNOWN.to_owned() },
            arguments: Value::Object(arguments),
        },
        outcome,
    }
}

/// Stands in a session for the name of a tool that does not exist.
const UNKNOWN: &str = "unknown_tool";

fn read(agent: &Agent, requested: &RequestedCall, now: &Zoned) -> Result<Map<String, Value>, String> {
    let Some(tool) = agent.tool(&requested.name) else {
        let names: Vec<&str> = agent.tools().iter().map(|tool| tool.name.as_str()).collect();
        return Err(format!("there is no such tool; the tools are {}", names.join(", ")));
    };
    let mut arguments = read_object(&requested.arguments)?;
    arguments.remove("user_id");
    approval::check(&requested.name, &arguments)?;
    fill_in_timezone(&mut arguments, tool, now);
    Ok(arguments)
}

fn read_object(text: &str) -> Result<Map<String, Value>, String> {
    // A call without arguments comes as an empty text from some servers.
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err("the arguments are not a JSON object; make the call again with one".to_owned()),
        Err(error) => {
            Err(format!("the arguments are not valid JSON ({error}); make the call again with a JSON object"))
        }
    }
}

/// A local date without a zone means the person's own, which a model does not always say.
fn fill_in_timezone(arguments: &mut Map<String, Value>, tool: &ToolDefinition, now: &Zoned) {
    const DATES: [&str; 3] = ["due", "due_before", "due_after"];
    let has_date = DATES.iter().any(|name| arguments.get(*name).is_some_and(Value::is_string));
    let takes_zone = tool.parameters.pointer("/properties/timezone").is_some();
    if !has_date || !takes_zone || arguments.get("timezone").is_some_and(Value::is_string) {
        return;
    }
    if let Some(zone) = now.time_zone().iana_name() {
        arguments.insert("timezone".to_owned(), zone.into());
    }
}
