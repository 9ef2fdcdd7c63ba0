//! Changes and removals.

use super::{CALENDAR, Command, Tool, refers, sure, talks_of_tasks};
use crate::clause::Clause;

/// "stop reminding me about …", "don't remind me to …", "stop repeating …"
pub(super) fn stopping(clause: Clause<'_>) -> Option<Command> {
    if clause.phrase(0, "stop repeating|don't repeat|do not repeat|stop the repetition") > 0 {
        return sure(Tool::Update, 0);
    }
    let phrases = "stop reminding me|don't remind me|do not remind me|no need to remind me|never remind me|\
        stop alerting me|dont remind me|you don't have to remind me|you don't need to remind me|\
        i don't need to be reminded|i no longer need to be reminded|don't set|do not set";
    let used = clause.phrase(0, phrases);
    if used > 0 {
        return sure(Tool::Delete, used);
    }
    let unneeded = clause.phrase(
        0,
        "i don't need|i no longer need|i don't want|i no longer want|no longer need|i do not need|\
            i don't have to|i no longer have to|i won't need|never mind the|nevermind the|\
            forget about|forget the|get rid of|i don't need to",
    );
    let certain = talks_of_tasks(clause) || clause.has("anymore|longer") || clause.is(0, "get|forget");
    (unneeded > 0 && certain).then_some(Command { tool: Tool::Delete, at: unneeded, sure: true })
}

/// The names of a task's fields, as people call them.
pub(crate) const FIELDS: &str = "due date|due time|due|deadline|priority|prio|tag|tags|label|labels|description|note|notes|\
    title|name|details|recurrence|repetition|repeat|date|time|reminders|reminder|repeat rule|\
    schedule";

/// "remove the due date from 3", "add a tag to …", "set the priority of … to high", "clear the tags on …"
pub(super) fn field_change(clause: Clause<'_>) -> Option<Command> {
    if !clause.is(0, "remove|clear|delete|drop|erase|add|set|put|give|unset|change|update|edit|cancel|take") {
        return None;
    }
    let mut at = 1;
    while clause.is(at, "the|a|an|its|my|all|another|new|any|off|their|high|low|of|to") {
        at += 1;
    }
    let field = clause.phrase(at, FIELDS);
    let sigil =
        clause.word(at).strip_prefix(['#', '@']).is_some_and(|name| name.chars().any(char::is_alphabetic));
    if field == 0 && !sigil || clause.is(0, "give") {
        return None;
    }
    let to = clause.tokens.iter().skip(at).any(|token| token.is_any("from|of|to|on|for|off"));
    if clause.is(at, "reminder|reminders|schedule|note|notes|time|date|repeat") && !sigil {
        // "set a reminder for …" makes a task; "add a reminder to task 3" changes one.
        let to_task = (at..clause.len())
            .any(|index| clause.is(index, "to|from|on|of|for") && names_task(clause, index + 1));
        let removes =
            clause.is(0, "remove|clear|delete|drop|cancel") && clause.is(at, "time|date|notes|repeat");
        // "remove the reminders from the dentist" leaves the task; "remove the reminder for the dentist" means the task.
        let plural_from = clause.is(0, "remove|clear|delete|drop|cancel")
            && clause.is(at, "reminders")
            && clause.is(at + 1, "from|of")
            && !clause.is(at + 2, "today|tomorrow")
            && clause.slots().is_empty()
            && !clause.has("list|calendar");
        return (to_task || plural_from || removes && to).then_some(Command {
            tool: Tool::Update,
            at: 0,
            sure: true,
        });
    }
    if clause.is(0, "add|put") && !to {
        return None;
    }
    let named_tag = clause.is(at, "tag|tags|label") || sigil;
    (to || named_tag || clause.len() <= at + field || clause.is(0, "set|change|update")).then_some(Command {
        tool: Tool::Update,
        at: 0,
        sure: true,
    })
}

/// "task 3", "#3", "it", "the report task"
fn names_task(clause: Clause<'_>, at: usize) -> bool {
    let article = usize::from(clause.is(at, "the|my|that|this"));
    let number = clause.word(at).strip_prefix('#').is_some_and(|digits| digits.parse::<u32>().is_ok());
    number
        || clause.is(at, "it|them")
        || clause.is(at + article, "task|tasks|todo|to-do|item|number|one")
        || clause.tokens.last().is_some_and(|last| last.is_any("task|todo|to-do"))
}

/// "delete …", "remove …", "cancel …", "take … off my list"
pub(super) fn deleting(clause: Clause<'_>) -> Option<Command> {
    if clause.len() == 1 {
        return None;
    }
    if clause.is(
        0,
        "delete|deleted|remove|erase|discard|trash|scrap|purge|del|rm|dismiss|scratch|cancel|wipe|\
            eliminate",
    ) {
        return sure(Tool::Delete, 1 + usize::from(clause.is(1, "out|away")));
    }
    if clause.phrase(0, "turn off|throw away|throw out|shut off|take off|cross") > 0 && talks_of_tasks(clause)
    {
        return sure(Tool::Delete, 2);
    }
    if clause.is(0, "take") && clause.has("off|out|from") && (talks_of_tasks(clause)) {
        return sure(Tool::Delete, 1);
    }
    let tasks = talks_of_tasks(clause) || clause.is(1, "it|that|all|everything|them") || clause.has(CALENDAR);
    (clause.is(0, "clear|drop|empty|skip|disable|ditch|forget|kill|nix|undo|end|silence") && tasks)
        .then_some(Command { tool: Tool::Delete, at: 1, sure: true })
}

/// "change …", "move …", "rename …", "make it Friday", "postpone …"
pub(super) fn updating(clause: Clause<'_>) -> Option<Command> {
    let strong = "rename|reschedule|re-schedule|postpone|snooze|prioritize|prioritise|deprioritize|tag|\
        label|untag|update|edit|modify|change|delay|rename|retitle|adjust|extend|defer|amend|\
        alter|reword|unlabel|revise|rearrange";
    if clause.is(0, strong) && clause.len() > 1 {
        let vague = clause.is(0, "change|update|edit|modify|adjust|extend|alter|revise|label|tag|rearrange");
        let certain = !vague || !clause.slots().is_empty() || refers(clause) || clause.has("called");
        return Some(Command { tool: Tool::Update, at: 0, sure: certain });
    }
    let phrases = "push back|push|put off|bring forward|move up|bump up|bump|move|shift|switch|pull forward|\
        mark|flag|swap|replace|correct|convert|increase|raise|lower|decrease|advance|add to|\
        repeat|fix|let's do|set|make|give|call|have|assign|turn|put|instead of|bring|keep";
    if clause.phrase(0, phrases) == 0 || clause.len() < 2 {
        return None;
    }
    if clause.is(0, "set") && clause.is(1, "a|an") && !refers(clause) {
        return None;
    }
    let slots = clause.slots();
    let pronoun = (0..clause.len()).any(|at| clause.is(at, "it|that|this|them"));
    let named = talks_of_tasks(clause)
        || clause.tokens.iter().any(|token| {
            token.low.starts_with('#')
                && token.low.chars().skip(1).all(|c| c.is_ascii_digit())
                && token.low.len() > 1
        });
    let shifted = clause.has("later|earlier|forward|back");
    let instead = clause.has("instead|to");
    let forward = clause.has("forward");
    let evidence = match clause.word(0) {
        "bring" if forward => true,
        "call" => clause.says(1, "it") && clause.len() > 2,
        "have" | "keep" | "turn" | "bring" | "let's" => pronoun && !slots.is_empty(),
        "move" | "push" | "shift" | "bump" | "switch" | "put" | "swap" | "replace" | "raise" | "lower"
        | "increase" | "advance" | "pull" => !slots.is_empty() || named || shifted || instead,
        "set" | "make" | "mark" | "change" if pronoun && clause.has("high|low|medium|urgent") => true,
        _ => !slots.is_empty() || named && instead,
    };
    evidence.then_some(Command {
        tool: Tool::Update,
        at: 0,
        sure: !slots.is_empty() || named || pronoun || forward,
    })
}
