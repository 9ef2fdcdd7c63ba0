//! Requests to see tasks: questions, "show …", and bare names of lists.

use super::{Command, Tool, done_words, talks_of_tasks};
use crate::clause::Clause;
use crate::slots::Slot;
use crate::target::PLURALS;

/// Whether a clause asks something, by the words it opens with: then it never changes a task.
///
/// Its question mark does not count: "can you add milk?" has one too. "How about Friday?" suggests rather than asks, and
/// "when I get home …" begins a condition.
pub(crate) fn is_question(clause: Clause<'_>) -> bool {
    if clause.phrase(0, "what about|how about|what if|why don't you|why not") > 0 {
        return false;
    }
    let asks = clause.is(
        0,
        "what|what's|whats|what're|what'll|what'd|which|who|who's|whose|where|where's|why|how|how's|when's|whens|\
            is|are|isn't|aren't|was|were|am|does|did|doesn't|didn't|has|wat|wats|wat's|wht|whts",
    );
    let verb_first = clause.is(0, "do|don't|have|haven't|had") && clause.is(1, "i|we|you|they|he|she")
        || clause.is(0, "will|shall|should|must")
            && clause.is(1, "i|we|it|this|that|they|the|my|there|any|he|she");
    asks || verb_first
        || clause.is(0, "when") && clause.is(1, AUXILIARIES)
        || clause.is(0, "any|anything") && clause.len() > 1
}

/// What follows "when" in a question.
const AUXILIARIES: &str =
    "is|are|was|were|do|does|did|will|should|shall|must|can|am|has|have|would|could|isn't|exactly";

/// "show my tasks", "what's due today", "do I have anything left"
pub(super) fn asking(clause: Clause<'_>) -> Option<Command> {
    let verb = clause.phrase(
        0,
        "show me|show|list|list out|display|view|see|give me|tell me|read me|read|read out|\
            read off|find|find me|search|search for|look up|look for|look at|check|pull up|bring up|\
            open|let me see|let me hear|let me know|go over|go through|review|get me|get|fetch|filter|\
            sort|hear|know|run through|access|print|count|recite|name|state|remind me what|say|retrieve|tell|describe|\
            explain|more about|details of|details about|information about",
    );
    let sends =
        clause.phrase(0, "send me the|send me my|send me all|send me a list of|text me the|text me my");
    let verb =
        verb.max(if clause.has(PLURALS) || clause.has("list|lists|schedule|calendar") { sends } else { 0 });
    let question = clause.phrase(
        0,
        "what|what's|whats|what're|which|when|when's|when are|do i|do we|do you|are there|is there|\
            have i|how many|how much|any|anything|am i|did i|did you|is|are|where|who|does|has|\
            have you|why|whose|will i|should i|wat|wats|wat's|wht|whts|how|have any|where's|had i|was|were|got any|\
            got anything|what'd",
    );
    if verb == 0 && question == 0 {
        return noun_phrase(clause);
    }
    // "when I get home, remind me to …" asks nothing.
    if clause.is(0, "when") && !is_question(clause) && clause.has("remind|alert|notify") {
        return None;
    }
    if clause.is(0, "open|check|get|list|print|read|name|review|sort|view")
        && !talks_of_tasks(clause)
        && !clause.has(CALENDAR)
    {
        return None;
    }
    if clause.phrase(
        0,
        "tell me to|let me know to|tell me not|get me to|let me know of|let me know about|let me know the",
    ) > 0
        || clause.is(0, "give") && clause.is(2, "a|an") && talks_of_tasks(clause)
    {
        return None;
    }
    let doing = "i have to do|i need to do|i should do|i got to do|i do today|do i do|should i do|\
        am i supposed|i supposed to|do i need to|do i have to|do i still|left to do|\
        i am supposed to|on my plate|did i finish|did i complete|i finished|i completed|\
        i've finished|i've completed|have i finished|have i completed|have i done|did i do|\
        did i get done|i have left|should i focus|should i work on|next on|is next|i work on|\
        coming up|i missed|did i miss|is left|'s left|do i have today|do i have tomorrow|\
        do i have this|do i have next|do i have on|i have today|i have tomorrow|i have this week|\
        i have on|what's next|what's left|what's on|anything left|have left|do i have anything|have i got|am i doing|am i busy|\
        am i free|i have going on|do i have plans|is on my|i wanted to remember|\
        i want to remember|i wanted to recall|i have planned|i have scheduled|am i meeting|\
        my day|my week|planned for|scheduled for";
    let sure_words = talks_of_tasks(clause)
        || (0..clause.len()).any(|at| clause.phrase(at, doing) > 0)
        || clause.tokens.iter().any(|token| token.is_any(CALENDAR));
    let about_event = tells_of(clause) && clause.has(EVENTS);
    let looks = clause.is(0, "search|find") && clause.len() <= 4;
    let tagged =
        looks || clause.slots().iter().any(|found| matches!(found.slot, Slot::Priority(_) | Slot::Tags(_)));
    let change =
        question > 0 && clause.is(0, "is|are|was|were") && done_words(clause).is_some() && !clause.has("?");
    let at = if sends > 0 { 2 } else { 0 };
    Some(Command { tool: Tool::List, at, sure: (sure_words || tagged || about_event) && !change })
}

/// Nouns of the calendar: people keep those in a list of tasks too.
pub(crate) const CALENDAR: &str = "appointment|appointments|meeting|meetings|event|events|agenda|schedule|calendar|plate|\
    plans|errands|assignments|homework|duties|priorities|backlog";

/// "when is …", "what time does … start", "give me details about …"
fn tells_of(clause: Clause<'_>) -> bool {
    let timely = clause.is(0, "when|when's|whens") || clause.is(0, "what") && clause.is(1, "time|day|date");
    let details = (0..clause.len()).any(|at| {
        clause.is(at, "details|detail|information|info|more|date|time")
            && clause.is(at + 1, "about|of|on|for|regarding")
    });
    timely || details
}

/// What people have a date for, whether they call it an event or not.
const EVENTS: &str = "match|game|tournament|race|party|wedding|concert|show|festival|ceremony|graduation|\
    holiday|holidays|vacation|trip|exam|exams|test|class|lesson|lecture|course|workshop|seminar|conference|webinar|\
    interview|birthday|birthdays|anniversary|dinner|lunch|breakfast|brunch|visit|checkup|bill|bills|rent|payment|\
    delivery|dentist|doctor|doctor's|haircut|presentation|demo|call|session|practice|rehearsal|reunion|barbecue";

/// "my tasks for today", "overdue", "all urgent tasks", "todo list"
fn noun_phrase(clause: Clause<'_>) -> Option<Command> {
    let short = clause.len() <= 9;
    let bare = clause.phrase(
        0,
        "my|all|all my|the|all the|all of my|today's|tomorrow's|this week's|next week's|only|just|\
            everything|what about|how about|and",
    );
    let status = clause.is(
        bare,
        "overdue|completed|finished|pending|open|done|upcoming|high|low|medium|urgent|important|\
            late|outstanding|remaining|next|unfinished|incomplete",
    );
    let noun =
        clause.tokens.iter().any(|token| token.is_any(PLURALS) || token.is_any("list|agenda|schedule"));
    let alone = clause.is(0, "overdue|todos|tasks|agenda|to-dos|reminders") && clause.len() <= 2;
    let everything = clause.is(0, "everything") && clause.len() <= 6;
    let noun_first = noun
        && (clause.is(bare, PLURALS) || clause.is(bare, "list|agenda|schedule|todo|to-do") || status)
        && !clause.has(":");
    let to = clause.is(bare + 1, "to|:") && !clause.says(bare, "to do");
    (short
        && (noun_first && !to && (bare > 0 || status || clause.len() <= 4)
            || alone
            || everything
            || status && clause.len() <= bare + 2 && noun))
        .then_some(Command { tool: Tool::List, at: 0, sure: true })
}
