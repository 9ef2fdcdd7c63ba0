//! Decides for a tool: rules where the wording is plain, the classifier where it is not.

pub mod classifier;

use crate::clause::Clause;
use crate::command::{CALENDAR, Command, Tool, command, is_question, polite, talks_of_tasks};
use crate::slots::Slot;
use classifier::{CLASSES, probabilities};

/// Above this the classifier may decide alone.
const CERTAIN: f32 = 0.55;

/// The command of a clause; none when it is about something else.
///
/// `first`: nothing was asked before it in the same message. A later clause needs a plain command.
pub(crate) fn decide(clause: Clause<'_>, first: bool) -> Option<Command> {
    let found = command(clause);
    if !first {
        return found.filter(|found| found.sure);
    }
    let judged = Judgement::of(clause);
    match found {
        Some(found) if found.sure => {
            (!elsewhere(clause) && !judged.denies(found.tool, clause)).then_some(found)
        }
        Some(found) if judged.likes(found.tool, clause) && !elsewhere(clause) => Some(found),
        _ => judged.alone(clause),
    }
}

/// Reads like something to do, though nobody said that it should be noted.
pub(crate) fn could_be_a_task(clause: Clause<'_>) -> bool {
    let judged = Judgement::of(clause);
    let question = clause.has("?") || clause.is(0, "what|who|why|how|where|when|is|are|do|does|can");
    clause.len() >= 2
        && clause.len() <= 20
        && !question
        && judged.best().0 == Some(Tool::Add)
        && judged.none() < 0.45
}

/// Things other assistants are asked for: about these we say that we only keep tasks.
const ELSEWHERE: &str = "song|songs|music|playlist|playlists|radio|volume|lights|light|weather|forecast|\
    temperature|news|headlines|podcast|podcasts|audiobook|email|emails|inbox|mail|mails|\
    contact|contacts|tweet|twitter|facebook|coffee|vacuum|taxi|uber|traffic|recipe|recipes|\
    restaurant|restaurants|stock|joke|jokes|movie|movies|alarm|alarms|timer|train|trains|\
    tickets|nearby|near|local|concerts|photos";

/// A new task may well be about music or mail; what is to be shown or changed about them is not ours.
fn elsewhere(clause: Clause<'_>) -> bool {
    let asks = !command(clause).is_some_and(|found| found.tool == Tool::Add && found.sure)
        || clause.has("contacts|contact|playlist");
    let strong = clause.has("contacts|contact|emails|inbox|nearby|near|local|playlist|trains|alarm|alarms")
        && !clause.has("remind|task|tasks|reminder|reminders|todo|to-do");
    let named = clause.has(ELSEWHERE) && !talks_of_tasks(clause) && !clause.has(CALENDAR);
    asks && (named || strong)
}

struct Judgement {
    chances: [f32; CLASSES.len()],
}

impl Judgement {
    fn of(clause: Clause<'_>) -> Judgement {
        Judgement { chances: probabilities(&clause.written()) }
    }

    fn chance(&self, tool: Tool) -> f32 {
        let at = match tool {
            Tool::Add => 0,
            Tool::List => 1,
            Tool::Complete => 2,
            Tool::Delete => 3,
            Tool::Update => 4,
        };
        self.chances.get(at).copied().unwrap_or(0.0)
    }

    fn none(&self) -> f32 {
        self.chances.last().copied().unwrap_or(1.0)
    }

    fn best(&self) -> (Option<Tool>, f32) {
        let tools = [Tool::Add, Tool::List, Tool::Complete, Tool::Delete, Tool::Update];
        let best = tools.into_iter().max_by(|one, other| self.chance(*one).total_cmp(&self.chance(*other)));
        (best.filter(|tool| self.chance(*tool) > self.none()), best.map_or(0.0, |tool| self.chance(tool)))
    }

    /// Speaks against a rule that is sure, where only the form and no word of tasks supports it.
    fn denies(&self, tool: Tool, clause: Clause<'_>) -> bool {
        let formal = matches!(tool, Tool::List | Tool::Complete | Tool::Update);
        // "move it to Monday" speaks of a task, whatever else it is like.
        let pointed = tool == Tool::Update
            && clause.has("it")
            && (clause.has("high|low|medium|urgent") || !clause.slots().is_empty());
        formal && self.none() > 0.9 && !talks_of_tasks(clause) && !pointed
    }

    fn likes(&self, tool: Tool, clause: Clause<'_>) -> bool {
        // People ask when something of theirs is more than when something of the world is.
        let timely = tool == Tool::List && clause.phrase(polite(clause), "when|when's|what time") > 0;
        self.chance(tool) > if timely { 0.2 } else { 0.36 }
    }

    /// Without any rule: what the classifier is certain of, and things to do that have a date.
    fn alone(&self, clause: Clause<'_>) -> Option<Command> {
        let at = polite(clause);
        let rest = clause.from(at);
        let (best, chance) = self.best();
        let tool = best?;
        let changes = tool != Tool::List && is_question(rest);
        if elsewhere(clause) || rest.is_empty() || changes {
            return None;
        }
        let dated = rest.slots().iter().any(|found| matches!(found.slot, Slot::When(_) | Slot::Repeat(_)));
        let enough = match tool {
            Tool::Add if dated && !clause.has("?") => CERTAIN - 0.2,
            Tool::Add => 0.85,
            Tool::List => CERTAIN,
            Tool::Complete | Tool::Delete | Tool::Update => CERTAIN + 0.1,
        };
        (chance >= enough).then_some(Command { tool, at, sure: false })
    }
}
