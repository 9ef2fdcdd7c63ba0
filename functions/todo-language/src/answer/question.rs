//! Questions we asked, and how the next message answers them.

use jiff::Zoned;

use crate::add;
use crate::answer::history::History;
use crate::answer::resolve::choice;
use crate::clause::Clause;
use crate::command::{Tool, command, is_question, polite};
use crate::consent::{Consent, consent};
use crate::reading::{Action, Aside, Fields, Reading, Target};
use crate::target::targets;
use crate::task::Task;
use crate::text::tokens;

/// What we wait to hear.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Question {
    /// Which of these the action is for.
    Which { action: Box<Action>, candidates: Vec<Task> },
    /// Which task the action is for.
    Target(Box<Action>),
    /// What the new task is called.
    Title(Box<Fields>),
    /// Whether to add it.
    Offer(Box<Fields>),
    /// What to change about it.
    Change(Task),
}

impl Question {
    /// The reading of a message as the answer. `None`: it is a request of its own.
    pub fn answered(self, message: &str, history: &mut History, now: &Zoned) -> Option<Reading> {
        let tokens = tokens(message);
        let clause = Clause { text: message, tokens: &tokens, now };
        if !matches!(self, Question::Change(_)) && is_question(clause.from(polite(clause))) {
            return None;
        }
        let command = command(clause).filter(|command| command.sure);
        let decision = consent(message);
        if decision == Some(Consent::No) && command.is_none() {
            return Some(aside(Aside::No));
        }
        match self {
            Question::Which { action, candidates } => {
                which(&action, &candidates, message, decision, command.is_some(), history, now)
            }
            Question::Target(action) if command.is_none() => {
                let actions = targets(clause).into_iter().map(|target| aimed(&action, target)).collect();
                Some(Reading { actions, aside: None })
            }
            Question::Title(fields)
                if command.is_none_or(|command| !matches!(command.tool, Tool::List | Tool::Add)) =>
            {
                Some(Reading { actions: titled(clause, &fields), aside: None })
            }
            Question::Offer(fields) if decision == Some(Consent::Yes) => Some(add_all(vec![*fields])),
            Question::Change(task) => {
                history.context.last = Some(task.id);
                history.known.entry(task.id).or_insert(task);
                None
            }
            _ => None,
        }
    }
}

fn which(
    action: &Action,
    candidates: &[Task],
    message: &str,
    decision: Option<Consent>,
    is_command: bool,
    history: &mut History,
    now: &Zoned,
) -> Option<Reading> {
    let agreed = decision == Some(Consent::Yes) && candidates.len() == 1;
    let chosen = if agreed { Some(candidates.to_vec()) } else { choice(message, candidates, now) };
    let chosen = chosen.filter(|_| agreed || !is_command)?;
    history.known.extend(candidates.iter().map(|task| (task.id, task.clone())));
    let actions = chosen.iter().map(|task| aimed(action, Target::Number(task.id))).collect();
    Some(Reading { actions, aside: None })
}

fn aimed(action: &Action, at: Target) -> Action {
    match action {
        Action::Complete { .. } => Action::Complete { target: at },
        Action::Update { changes, .. } => Action::Update { target: at, changes: changes.clone() },
        _ => Action::Delete { target: at },
    }
}

/// The named task with what was said of it before its name.
fn titled(clause: Clause<'_>, said: &Fields) -> Vec<Action> {
    let complete = |mut fields: Fields| {
        fields.due = fields.due.or(said.due);
        fields.repeat = fields.repeat.or_else(|| said.repeat.clone());
        fields.priority = fields.priority.or(said.priority);
        fields.description = fields.description.or_else(|| said.description.clone());
        fields.remind.extend(&said.remind);
        fields.tags.extend(said.tags.iter().cloned());
        fields.repeat_from_completion |= said.repeat_from_completion;
        fields
    };
    add::tasks(clause, false).into_iter().map(|fields| Action::Add { fields: complete(fields) }).collect()
}

fn add_all(tasks: Vec<Fields>) -> Reading {
    Reading { actions: tasks.into_iter().map(|fields| Action::Add { fields }).collect(), aside: None }
}

fn aside(aside: Aside) -> Reading {
    Reading { actions: Vec::new(), aside: Some(aside) }
}
