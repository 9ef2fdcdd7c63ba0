//! Requests for a new task.

use super::{Command, Tool, maybe, refers, sure};
use crate::clause::Clause;
use crate::slots::Slot;
use crate::target::{NOUNS, PLURALS};

/// "add …", "remind me to …", "new task: …", "I need to …"
pub(super) fn adding(clause: Clause<'_>) -> Option<Command> {
    let reminding =
        clause.phrase(0, "remind|alert|notify|ping|nudge|warn|reminder|reming|remid|remimd|remined|prompt");
    if reminding > 0 && clause.has("instead") {
        return sure(Tool::Update, 0);
    }
    if reminding > 0 {
        let whom = clause.phrase(1, "me|us|myself|everyone|him|her|them");
        let certain = whom > 0 || clause.is(0, "remind|reminder|reming|remid|remined");
        return Some(Command { tool: Tool::Add, at: reminding + whom, sure: certain });
    }
    let labelled = clause.phrase(
        0,
        "todo|to do|to-do|task|new task|new todo|new to-do|new reminder|new item|note to self|\
            new one|another task|another reminder|add task",
    );
    if labelled > 0 && (clause.is(0, "new|note|another|add") || clause.is(labelled, ":|-|–")) {
        return sure(Tool::Add, labelled);
    }
    if clause.is(0, "add|ad|append|insert|jot|include") {
        return sure(Tool::Add, 1 + usize::from(clause.is(1, "in|down|on")));
    }
    let memo = clause.phrase(0, MEMO);
    if memo > 0 {
        return sure(Tool::Add, memo);
    }
    onto_list(clause).or_else(|| making(clause))
}

/// What asks not to forget something.
const MEMO: &str = "don't forget to|dont forget to|do not forget to|don't let me forget to|\
            don't let me forget|dont let me forget|do not let me forget to|do not let me forget|\
            make sure i|make sure that i|make sure to remind me|make sure you remind me|\
            remember to remind me|remember that i|remember to|remember that|remember i|note that i|\
            mark my calendar for|note down|write down|note|jot down|make a note to|make a note that|make a note of|\
            make a note|keep in mind|let me know to|let me know of|let me know about|tell me to|tell me not to|i want to be reminded|\
            i need to be reminded|i'd like to be reminded|i need reminding|be reminded|take a note|\
            take note|i need to remember to|i need to remember|i have to remember to|\
            i must remember to|help me remember to|help me remember|remember|i can't forget to|\
            i don't want to forget to|make sure i'm reminded|don't forget|dont forget";

/// "stick milk on the shopping list", "pop eggs onto my list"
fn onto_list(clause: Clause<'_>) -> Option<Command> {
    if !clause.is(0, "stick|pop|throw|chuck|toss|slap|squeeze|fit") || clause.is(1, "away|out") {
        return None;
    }
    let onto = (2..clause.len()).rfind(|at| clause.is(*at, "on|onto|in|into|to"))?;
    clause.from(onto).has("list|calendar|agenda|schedule|tasks").then(|| sure(Tool::Add, 1)).flatten()
}

/// "create a task …", "set a reminder for …", "I have a flight on Friday", "put the dentist on my calendar"
fn making(clause: Clause<'_>) -> Option<Command> {
    let verb = clause.is(
        0,
        "create|make|set|setup|put|schedule|enter|record|log|plan|book|start|send|give|have|need|\
            want|get|place|save|arrange|organize|i|i'd|give|leave|i'm|pencil|register|mark|generate|\
            input|establish|issue|post|keep|store|build|block",
    );
    if !verb {
        return None;
    }
    let near = clause.until(9);
    let noun = near.tokens.iter().position(|token| {
        token.is_any(NOUNS) && !token.is_any("one|thing")
            || token.is_any(PLURALS) && !token.is_any("ones|things")
    });
    // "make task 1 urgent" is about a task that exists.
    if noun == Some(1) && clause.word(2).trim_start_matches('#').parse::<u32>().is_ok() {
        return None;
    }
    let definite = noun
        .is_some_and(|at| (1..at).any(|index| clause.is(index, "my|the|this|that|all|it|every|these|those")));
    if noun.is_some()
        && definite
        && clause.is(0, "set|make|mark|put|have|schedule|book|start|get|send|give|keep|place")
        && !(clause.is(0, "put") && clause.has("list"))
    {
        return None;
    }
    event(clause).or_else(|| made(clause, noun))
}

/// Something with a date that is new, though nobody calls it a task.
fn event(clause: Clause<'_>) -> Option<Command> {
    let named = clause.until(5).has(
        "appointment|meeting|event|birthday|notification|anniversary|flight|remainder|interview|calendar",
    );
    let new = clause.is(1, "a|an|up|and|meeting|event|appointment|notification|new|calendar");
    if clause.is(0, "set|setup|have|put|make") && named && new {
        return sure(Tool::Add, 1);
    }
    // "set Bob's birthday for every June third": nothing there yet that is set to something else.
    let repeats = || clause.slots().iter().any(|found| matches!(found.slot, Slot::Repeat(_)));
    if clause.is(0, "set") && !clause.has("to|it|that|this") && !refers(clause) && repeats() {
        return sure(Tool::Add, 1);
    }
    let having = clause.phrase(0, "i have a|i have an|i've got a|i've got an|i got a|i got an") > 0;
    if having && !clause.slots().is_empty() && !clause.has("?") {
        let dated =
            clause.slots().iter().any(|found| matches!(&found.slot, Slot::When(when) if when.has_days()));
        return Some(Command { tool: Tool::Add, at: 0, sure: dated });
    }
    // "set a party for next week": what has an indefinite article is new.
    let new = clause.is(0, "set")
        && clause.is(1, "a|an")
        && !clause.has("to")
        && !refers(clause)
        && !clause.slots().is_empty();
    new.then(|| maybe(Tool::Add, 1)).flatten()
}

/// By the verb, and whether a noun of tasks stands near it.
fn made(clause: Clause<'_>, noun: Option<usize>) -> Option<Command> {
    match clause.word(0) {
        "create" | "schedule" | "put" | "enter" | "pencil" | "book" | "arrange" | "log" | "record"
        | "plan" => {
            let off = clause.is(1, "off|back") || clause.is(1, "it|that|this");
            let list = clause.has("list|calendar|tasks");
            (!off).then_some(Command {
                tool: Tool::Add,
                at: 1,
                sure: noun.is_some() || list || matches!(clause.word(0), "create" | "schedule" | "pencil"),
            })
        }
        "i" | "i'd" | "i'm" => (noun.is_some()
            && clause.phrase(
                0,
                "i need|i want|i'd like|i would like|i'm going to need|i am going to need|i will need|\
                    i have",
            ) > 0)
            .then(|| noun.and_then(|at| sure(Tool::Add, at)))
            .flatten(),
        "set" | "make" | "setup" | "have" | "need" | "want" | "send" | "give" | "get" | "place" | "save"
        | "start" | "keep" | "generate" | "post" | "issue" | "leave" | "input" | "build" | "store"
        | "register" | "establish" => noun.and_then(|_| sure(Tool::Add, 1)),
        _ => None,
    }
}

/// "I have to be at the vet at 5, remind me an hour before", "tomorrow at 9 remind me to …"
pub(super) fn ending_reminder(clause: Clause<'_>) -> Option<Command> {
    let leads = "remind me|remind us|alert me|set a reminder|set reminder|reminder to";
    let (at, used) = (1..clause.len())
        .find_map(|at| Some((at, clause.phrase(at, leads))).filter(|(_, used)| *used > 0))?;
    let to = clause.is(at + used, "to|about|of|that");
    // Words before "remind me to …" are only the reason; before "remind me" alone they are the task.
    sure(Tool::Add, if to { at + used } else { 0 })
}
