//! The turn: from the last message to calls, and from their results to words.
//!
//! There is no state beside the entries. Each time, the turn is played again from its message: what was called and
//! answered already is taken from the entries in order, and the first step that is not there yet is the answer. An open
//! question is found in the same way, by playing the turn before.

mod failure;
mod history;
mod question;
mod resolve;
mod say;

use jiff::Zoned;
use serde_json::{Value, json};

use crate::arguments;
use crate::conversation::{Answer, Call, Conversation, Entry};
use crate::read::read;
use crate::reading::{Action, Changes, Filter, Reading, Target};
use crate::task::{Task, tasks_in};
use history::{History, PAGE, Step, steps};
use question::Question;
use resolve::{Resolved, needs_lookup, resolve};

/// The next move in a conversation. Pure: the same conversation has the same answer.
pub fn answer(conversation: &Conversation) -> Answer {
    play(&conversation.entries, &conversation.now, 0).answer
}

/// What a turn leads to, and the question it leaves open.
struct Outcome {
    answer: Answer,
    question: Option<Question>,
}

impl Outcome {
    fn say(words: impl Into<String>) -> Outcome {
        Outcome { answer: Answer::Say(words.into()), question: None }
    }

    fn ask(words: impl Into<String>, question: Question) -> Outcome {
        Outcome { answer: Answer::Say(words.into()), question: Some(question) }
    }
}

/// How many questions in a row are followed back.
const DEEPEST: usize = 4;

fn play(entries: &[Entry], now: &Zoned, depth: usize) -> Outcome {
    let Some((before, message, after)) = last_turn(entries) else {
        return Outcome::say(say::aside(&crate::reading::Aside::Help));
    };
    let mut history = History::of(before, now);
    let done = steps(after);
    let open = (depth < DEEPEST).then(|| open_question(before, now, depth)).flatten();
    let reading = match open.and_then(|question| question.answered(message, &mut history, now)) {
        Some(reading) => reading,
        None => read(message, now, &history.context),
    };
    run(reading, &done, &history, now)
}

/// The entries before the turn, its message, and what came after. A message that came between a call and its result
/// (an approval) does not begin a turn.
fn last_turn(entries: &[Entry]) -> Option<(&[Entry], &str, &[Entry])> {
    let mut end = entries.len();
    loop {
        let (before, rest) = entries
            .get(..end)?
            .iter()
            .rposition(|entry| matches!(entry, Entry::Person(_)))
            .and_then(|at| entries.split_at_checked(at))?;
        let Some((Entry::Person(message), after)) = rest.split_first() else { return None };
        let waiting = before.iter().any(|entry| matches!(entry, Entry::ToolCall { id, .. } if answered_in(after, id) && !answered_in(before, id)));
        if !waiting {
            return Some((before, message, after));
        }
        end = before.len();
    }
}

fn answered_in(entries: &[Entry], call: &str) -> bool {
    entries.iter().any(|entry| matches!(entry, Entry::ToolResult { id, .. } if id == call))
}

/// The question our last words left open; only words with a question mark can.
fn open_question(before: &[Entry], now: &Zoned, depth: usize) -> Option<Question> {
    let (Entry::Assistant(words), earlier) = before.split_last()? else { return None };
    words.contains('?').then(|| play(earlier, now, depth + 1).question).flatten()
}

fn run(reading: Reading, done: &[Step<'_>], history: &History, now: &Zoned) -> Outcome {
    if reading.actions.is_empty() {
        let aside = reading.aside.unwrap_or(crate::reading::Aside::Unclear);
        let words = say::aside(&aside);
        return match aside {
            crate::reading::Aside::Offer(fields) => Outcome::ask(words, Question::Offer(fields)),
            _ => Outcome::say(words),
        };
    }
    let (tasks, looked) = match look_up(&reading.actions, done, history, now) {
        Ok(found) => found,
        Err(outcome) => return *outcome,
    };
    let plan = Plan::of(&reading.actions, &tasks, history, now);
    plan.carry_out(done.get(looked..).unwrap_or_default(), now)
}

/// The tasks looked up so far and the number of steps that took; or the next page to ask for.
fn look_up(
    actions: &[Action],
    done: &[Step<'_>],
    history: &History,
    now: &Zoned,
) -> Result<(Vec<Task>, usize), Box<Outcome>> {
    let mut tasks = Vec::new();
    if !actions.iter().any(|action| lookup_needed(action, history)) {
        return Ok((tasks, 0));
    }
    let mut arguments = json!({"status": lookup_status(actions), "limit": PAGE});
    for page in 0..MOST_PAGES {
        let Some(step) = done.get(page) else {
            let call = Call { name: "list_tasks", arguments };
            return Err(Box::new(Outcome { answer: Answer::Call(vec![call]), question: None }));
        };
        if step.is_error {
            return Err(Box::new(Outcome::say(say::result(step, None, now))));
        }
        tasks.extend(tasks_in(step.value, now));
        match step.value.get("next_cursor").filter(|cursor| !cursor.is_null()) {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return Ok((tasks, page + 1)),
        }
    }
    Ok((tasks, MOST_PAGES))
}

/// A thousand tasks are looked through for a title; who has more can give the number.
const MOST_PAGES: usize = 5;

fn lookup_needed(action: &Action, history: &History) -> bool {
    match action {
        Action::Complete { target } | Action::Delete { target } => needs_lookup(target),
        Action::Update { target, changes } => {
            needs_lookup(target) || arguments::needs_task(changes) && unknown(target, history)
        }
        Action::Add { .. } | Action::List { .. } => false,
    }
}

/// Whether nothing in the conversation tells what the task has.
fn unknown(target: &Target, history: &History) -> bool {
    match resolve(target, &[], history, &Zoned::default()) {
        Resolved::Tasks(tasks) => tasks.iter().any(|task| !history.known.contains_key(&task.id)),
        _ => false,
    }
}

/// Open tasks can be completed and changed, finished ones reopened, any deleted.
fn lookup_status(actions: &[Action]) -> &'static str {
    let statuses = actions.iter().filter_map(|action| match action {
        Action::Complete { .. } => Some("pending"),
        Action::Update { changes, .. } if changes.reopen => Some("completed"),
        Action::Update { target: Target::Number(_), .. } => Some("all"),
        Action::Update { target: Target::All(filter), .. } => Some(filter.status.unwrap_or("pending")),
        Action::Update { .. } => Some("pending"),
        Action::Delete { target: Target::All(filter) } => Some(filter.status.unwrap_or("all")),
        Action::Delete { target } if needs_lookup(target) => Some("all"),
        _ => None,
    });
    statuses.reduce(|one, other| if one == other { one } else { "all" }).unwrap_or("all")
}

/// The calls of a turn, and what there is to say or ask beside them.
#[derive(Default)]
struct Plan {
    /// Changes first: a list asked for in the same breath shows their effect.
    changes: Vec<Call>,
    lists: Vec<(Call, Filter)>,
    remarks: Vec<String>,
    question: Option<(String, Question)>,
}

impl Plan {
    fn of(actions: &[Action], tasks: &[Task], history: &History, now: &Zoned) -> Plan {
        let mut plan = Plan::default();
        for action in actions {
            plan.include(action, tasks, history, now);
        }
        plan
    }

    fn include(&mut self, action: &Action, tasks: &[Task], history: &History, now: &Zoned) {
        match action {
            Action::Add { fields } if fields.title.is_empty() => {
                self.ask("What should the task be called?".into(), Question::Title(Box::new(fields.clone())));
            }
            Action::Add { fields } => {
                self.changes.push(Call { name: "add_task", arguments: arguments::add(fields, now) })
            }
            Action::List { filter } => self
                .lists
                .push((Call { name: "list_tasks", arguments: arguments::list(filter) }, filter.clone())),
            Action::Complete { target } | Action::Delete { target } | Action::Update { target, .. } => {
                self.targeted(action, resolve(target, tasks, history, now), now);
            }
        }
    }

    fn targeted(&mut self, action: &Action, resolved: Resolved, now: &Zoned) {
        let verb = verb(action);
        match resolved {
            Resolved::Tasks(tasks) => {
                let without_change =
                    matches!(action, Action::Update { changes, .. } if *changes == Changes::default());
                match tasks.first() {
                    Some(first) if without_change => {
                        let words = format!("What should I change about {}?", say_task(first));
                        self.ask(words, Question::Change(first.clone()));
                    }
                    _ => self.changes.extend(tasks.iter().map(|task| call(action, task, now))),
                }
            }
            Resolved::Several(candidates) => {
                let words = say::which(verb, &candidates, now);
                self.ask(words, Question::Which { action: Box::new(action.clone()), candidates });
            }
            Resolved::Perhaps(task) => {
                let words = format!("Do you mean {}?", say_task(&task));
                self.ask(words, Question::Which { action: Box::new(action.clone()), candidates: vec![task] });
            }
            Resolved::NotFound(words) => self.remarks.push(format!(
                "I found no {}task like “{words}”.",
                if verb == "complete" { "open " } else { "" }
            )),
            Resolved::NoneFits => self.remarks.push(format!("I found no tasks to {verb}.")),
            Resolved::Unnamed => {
                self.ask(format!("Which task should I {verb}?"), Question::Target(Box::new(action.clone())))
            }
        }
    }

    /// One question at a time: the first.
    fn ask(&mut self, words: String, question: Question) {
        if self.question.is_none() {
            self.question = Some((words, question));
        }
    }

    fn carry_out(self, done: &[Step<'_>], now: &Zoned) -> Outcome {
        let changes = self.changes.len();
        if done.len() < changes {
            return Outcome { answer: Answer::Call(self.changes), question: None };
        }
        let (changed, listed) = done.split_at(changes);
        if listed.len() < self.lists.len() {
            return Outcome {
                answer: Answer::Call(self.lists.into_iter().map(|(call, _)| call).collect()),
                question: None,
            };
        }
        let mut said: Vec<String> = changed.iter().map(|step| say::result(step, None, now)).collect();
        said.extend(self.remarks);
        said.extend(
            listed.iter().zip(&self.lists).map(|(step, (_, filter))| say::result(step, Some(filter), now)),
        );
        let (words, question) =
            self.question.map_or((None, None), |(words, question)| (Some(words), Some(question)));
        said.extend(words);
        Outcome { answer: Answer::Say(said.join("\n")), question }
    }
}

fn say_task(task: &Task) -> String {
    if task.title.is_empty() {
        format!("task #{}", task.id)
    } else {
        format!("“{}” (#{})", crate::describe::one_line(&task.title), task.id)
    }
}

fn verb(action: &Action) -> &'static str {
    match action {
        Action::Complete { .. } => "complete",
        Action::Delete { .. } => "delete",
        _ => "change",
    }
}

fn call(action: &Action, task: &Task, now: &Zoned) -> Call {
    let id: Value = json!({"task_id": task.id});
    match action {
        Action::Complete { .. } => Call { name: "complete_task", arguments: id },
        Action::Update { changes, .. } => {
            Call { name: "update_task", arguments: arguments::update(task.id, changes, Some(task), now) }
        }
        _ => Call { name: "delete_task", arguments: id },
    }
}
