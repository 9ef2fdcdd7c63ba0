//! Which tool a clause calls for, by the words it opens with.
//!
//! Rules decide where wording is plain; `sure` says so. Where they only lean to a tool, the classifier has a say
//! (`intent.rs`).

use crate::clause::Clause;
use crate::slots::Slot;
use crate::target::{NOUNS, PLURALS};
use crate::text::Token;

/// The five tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tool {
    Add,
    List,
    Complete,
    Delete,
    Update,
}

/// A tool, where the words about its task begin, and whether the wording leaves no doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Command {
    pub tool: Tool,
    pub at: usize,
    pub sure: bool,
}

fn sure(tool: Tool, at: usize) -> Option<Command> {
    Some(Command { tool, at, sure: true })
}

fn maybe(tool: Tool, at: usize) -> Option<Command> {
    Some(Command { tool, at, sure: false })
}

/// Openings that only make a request polite or soft.
const POLITE: &str = "please|pls|plz|hey|hi|hello|ok|okay|so|well|now|also|then|and|but|just|actually|kindly|\
    next|can you|could you|would you|will you|can you please|could you please|\
    would you please|can u|can we|can i|could i|could we|i want to|i'd like to|\
    i would like to|i want you to|i need you to|i'd like you to|i would like you to|\
    would you mind|you can|you should|let's|lets|go ahead and|go and|help me to|help me|\
    be sure to|do me a favor and|do me a favour and|i'd love to|may i|quickly|oh|um|uh|hmm|\
    yes|yeah|yep|sure|great|thanks|assistant|siri|alexa|olly|google|good morning|\
    are you able to|is it possible to|i wish to|i wanna|we need to|first|second|finally|\
    lastly|after that|afterwards|from now on|please can you|you need to|\
    i'm going to need you to|no wait|wait|sorry|oops|alright|cool|in addition|additionally|\
    while you're at it|hey there|,|!|.|-|–|*|•|:|…|;";

/// How many opening tokens say nothing.
pub(crate) fn polite(clause: Clause<'_>) -> usize {
    let mut at = 0;
    loop {
        let used = clause.phrase(at, POLITE);
        let bullet = usize::from(at == 0 && is_bullet(clause));
        if used + bullet == 0 || at + used + bullet >= clause.len() {
            return at;
        }
        at += used + bullet * 2 * usize::from(used == 0);
    }
}

/// "1." or "2)" at the start of a line.
fn is_bullet(clause: Clause<'_>) -> bool {
    clause.word(0).parse::<u8>().is_ok() && clause.is(1, ".|)") && clause.len() > 2
}

/// The command a clause opens with. Its offsets count from the start of the given clause.
pub(crate) fn command(clause: Clause<'_>) -> Option<Command> {
    let skipped = polite(clause);
    let rest = clause.from(skipped);
    let found = need(rest).or_else(|| after_opening(rest)).or_else(|| plain(rest))?;
    Some(Command { at: found.at + skipped, ..found })
}

fn plain(clause: Clause<'_>) -> Option<Command> {
    reopening(clause)
        .or_else(|| stopping(clause))
        .or_else(|| field_change(clause))
        .or_else(|| completing(clause))
        .or_else(|| asking(clause))
        .or_else(|| adding(clause))
        .or_else(|| deleting(clause))
        .or_else(|| updating(clause))
        .or_else(|| stating_done(clause))
        .or_else(|| ending_reminder(clause))
}

/// "I have to be at the vet at 5, remind me an hour before", "tomorrow at 9 remind me to …"
fn ending_reminder(clause: Clause<'_>) -> Option<Command> {
    let leads = "remind me|remind us|alert me|set a reminder|set reminder|reminder to";
    let (at, used) = (1..clause.len())
        .find_map(|at| Some((at, clause.phrase(at, leads))).filter(|(_, used)| *used > 0))?;
    let to = clause.is(at + used, "to|about|of|that");
    // Words before "remind me to …" are only the reason; before "remind me" alone they are the task.
    sure(Tool::Add, if to { at + used } else { 0 })
}

/// "open my list and remove milk": only the second part asks for something.
pub(crate) fn after_opening(clause: Clause<'_>) -> Option<Command> {
    let opened = clause.phrase(
        0,
        "open lists|open list|open my list|open the list|open calendar|open my calendar|find list|\
            find my list|go to my list|look at my list|open my tasks",
    );
    let next = opened + usize::from(clause.is(opened, "and|,"));
    let acts = opened > 0 && clause.is(next, "remove|delete|add|erase|put|mark|clear");
    acts.then(|| plain(clause.from(next))).flatten().map(|found| Command { at: found.at + next, ..found })
}

/// "I need to delete …" is a command; "I need to buy milk" is a new task.
fn need(clause: Clause<'_>) -> Option<Command> {
    let needs = "i need to|i have to|i must|i should|i gotta|i've got to|i got to|i ought to|we have to|\
        we should|we must|i really need to|i also need to|i also have to|i still need to|\
        i still have to";
    let used = clause.phrase(0, needs);
    if used == 0 {
        return None;
    }
    let inner = clause.from(used);
    match plain(inner).filter(|inner_command| inner_command.sure || inner_command.tool != Tool::Complete) {
        Some(found) if talks_of_tasks(inner) || found.tool == Tool::List => {
            Some(Command { at: used + found.at, ..found })
        }
        _ => maybe(Tool::Add, used),
    }
}

/// A noun of the to-do world stands in the clause.
pub(crate) fn talks_of_tasks(clause: Clause<'_>) -> bool {
    clause.tokens.iter().any(|token| {
        token.is_any(NOUNS) && !token.is_any("one|thing|note")
            || token.is_any(PLURALS) && !token.is_any("ones|things|notes")
    }) || clause.has("list|lists|due|overdue|deadline|deadlines|reminding|to-do's")
        || clause.tokens.windows(2).any(|pair| matches!(pair, [to, act] if to.is("to") && act.is("do")))
}

/// What people say of a task that was ticked off too early.
pub(crate) const NOT_FINISHED: &str = "i haven't finished|i haven't done|i haven't completed|i have not finished|\
    i didn't finish|i didn't do|i did not finish|i didn't complete|i have not done";

/// "reopen 3", "mark the report as not done", "uncheck milk"
fn reopening(clause: Clause<'_>) -> Option<Command> {
    let verb = clause
        .phrase(0, "reopen|re-open|uncomplete|uncheck|unmark|untick|undo completing|uncross|reactivate");
    if verb > 0 || clause.phrase(0, NOT_FINISHED) > 0 {
        return sure(Tool::Update, 0);
    }
    let not_done = reopen_words(clause).is_some();
    let verb = clause.is(0, "mark|set|change|make|put|move|flag");
    let states = clause.has("isn't|not|unfinished") && !clause.is(0, "don't|what|which|show|list");
    (not_done && (verb || states)).then_some(Command { tool: Tool::Update, at: 0, sure: true })
}

/// Where a clause says "not done", and how many words that takes.
pub(crate) fn reopen_words(clause: Clause<'_>) -> Option<(usize, usize)> {
    let phrases = "not done|not complete|not completed|not finished|undone|incomplete|uncompleted|unfinished|\
        not done yet|isn't done|isn't finished|is not done|is not finished|isn't complete|\
        back to pending|as pending|as open|to pending|as to do|as todo|back to open|as active|\
        isn't done yet|is not done yet";
    (1..clause.len()).find_map(|at| Some((at, clause.phrase(at, phrases))).filter(|(_, used)| *used > 0))
}

/// "stop reminding me about …", "don't remind me to …", "stop repeating …"
fn stopping(clause: Clause<'_>) -> Option<Command> {
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
fn field_change(clause: Clause<'_>) -> Option<Command> {
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

/// "complete 3", "mark milk as done", "check off the report", "done with the dishes"
fn completing(clause: Clause<'_>) -> Option<Command> {
    let marks = clause.is(0, "mark|check|tick|cross|strike");
    let sets = clause.is(0, "set|put|move|flag|call|consider|count");
    let said = done_words(clause)
        .filter(|(at, _)| !clause.is(*at, "off") && (marks || clause.is(*at, "as|to|done")));
    if (marks || sets) && said.is_some() && !clause.has("reminder|alert") {
        return sure(Tool::Complete, 1);
    }
    let crossing = clause.phrase(
        0,
        "check off|tick off|cross off|cross out|strike off|strike out|mark off|tick|checkoff|\
            close out|finish off",
    );
    if crossing > 0 {
        return sure(Tool::Complete, crossing);
    }
    let apart = clause.is(0, "check|tick|cross|strike|mark") && clause.has("off|out") && !clause.has("?");
    if apart {
        return sure(Tool::Complete, 1);
    }
    let finished = clause.phrase(
        0,
        "i have finished|i've finished|i finished|i just finished|i'm done with|i am done with|\
            i'm finished with|i am finished with|done with|finished with|i've completed|\
            i have completed|i completed|i just completed|i did|i've done|i have done|i already did|\
            i already finished|i've already done|i've already finished|i have already done|\
            just finished|just completed|i'm through with|i managed to finish|\
            i finally finished|i'm done|i am done|we finished|i've just finished|i just did",
    );
    if finished > 0 && !clause.has("?|not") && clause.len() > finished {
        return sure(Tool::Complete, finished);
    }
    if clause.is(0, "complete|completed|finish|finished|done|accomplish")
        && clause.len() > 1
        && !listed_status(clause)
    {
        let colon = usize::from(clause.is(1, ":|,|-"));
        return Some(Command { tool: Tool::Complete, at: 1 + colon, sure: true });
    }
    if clause.is(0, "close") && (talks_of_tasks(clause) || clause.word(1).starts_with('#')) {
        return sure(Tool::Complete, 1);
    }
    None
}

/// "completed tasks", "finished items": those ask to see them.
fn listed_status(clause: Clause<'_>) -> bool {
    clause.is(0, "completed|finished|done")
        && (clause.len() <= 3 && clause.tokens.last().is_some_and(|last| last.is_any(PLURALS))
            || clause.is(1, PLURALS))
}

/// Where a clause says "as done", and how many words that takes.
pub(crate) fn done_words(clause: Clause<'_>) -> Option<(usize, usize)> {
    let phrases = "as done|as complete|as completed|as finished|done|complete|completed|finished|to done|\
        to completed|to complete|as being done|as accomplished|as closed|as checked|off as done|\
        off as complete|as being completed|off";
    (1..clause.len()).find_map(|at| Some((at, clause.phrase(at, phrases))).filter(|(_, used)| *used > 0))
}

/// "the laundry is done", "I paid the rent", "task 3 is finished"
fn stating_done(clause: Clause<'_>) -> Option<Command> {
    let last = clause.len().checked_sub(1)?;
    let end = (0..=last).rev().find(|at| clause.tokens.get(*at).is_some_and(|token| token.is_word()))?;
    let asks = clause.has("?|what|which|if|when|how|who|isn't|not|didn't|haven't")
        || clause.is(0, "is|are|what's|which|show|am");
    let closes = clause.is(end, "done|finished|completed|complete");
    let linked = end > 0 && clause.is(end - 1, "is|are|has|been|all|now|was|were|it's|already|that's|'s");
    if closes && !asks && (linked || talks_of_tasks(clause) || end == 1) {
        return sure(Tool::Complete, 0);
    }
    let subject = clause.phrase(
        0,
        "i|i've|i have|i just|i already|i've already|i've just|i have already|i finally|we|i also|\
            just|already|i have just",
    );
    let past = clause.is(subject, PAST)
        && (subject > 0 || !clause.is(0, "read|updated|scheduled|cancelled|canceled") && clause.len() > 1);
    (past && !asks).then(|| sure(Tool::Complete, subject)).flatten()
}

/// Past forms of what people do with tasks.
const PAST: &str = "bought|paid|called|sent|cleaned|washed|booked|submitted|mailed|emailed|watered|fixed|wrote|\
    written|returned|renewed|ordered|picked|visited|cooked|read|filed|signed|scheduled|took|\
    vacuumed|ironed|mowed|replied|fed|packed|shipped|walked|texted|phoned|prepared|reviewed|\
    repaired|delivered|posted|handed|printed|uploaded|updated|cancelled|canceled";

/// "show my tasks", "what's due today", "do I have anything left"
fn asking(clause: Clause<'_>) -> Option<Command> {
    let verb = clause.phrase(
        0,
        "show me|show|list|list out|display|view|see|give me|tell me|read me|read|read out|\
            read off|find|find me|search|search for|look up|look for|look at|check|pull up|bring up|\
            open|let me see|let me hear|let me know|go over|go through|review|get me|get|fetch|filter|\
            sort|hear|know|run through|access|print|count|recite|name|state|remind me what|say|retrieve|tell|describe|\
            explain",
    );
    let question = clause.phrase(
        0,
        "what|what's|whats|what're|which|when|when's|when are|do i|do we|do you|are there|is there|\
            have i|how many|how much|any|anything|am i|did i|did you|is|are|where|who|does|has|\
            have you|why|whose|will i|should i|wat|how|have any|where's|had i|was|were|got any|\
            got anything|what'd",
    );
    if verb == 0 && question == 0 {
        return noun_phrase(clause);
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
    let looks = clause.is(0, "search|find") && clause.len() <= 4;
    let tagged =
        looks || clause.slots().iter().any(|found| matches!(found.slot, Slot::Priority(_) | Slot::Tags(_)));
    let change =
        question > 0 && clause.is(0, "is|are|was|were") && done_words(clause).is_some() && !clause.has("?");
    Some(Command { tool: Tool::List, at: 0, sure: (sure_words || tagged) && !change })
}

/// Nouns of the calendar: people keep those in a list of tasks too.
pub(crate) const CALENDAR: &str = "appointment|appointments|meeting|meetings|event|events|agenda|schedule|calendar|plate|\
    plans|errands|assignments|homework|duties|priorities|backlog";

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

/// "add …", "remind me to …", "new task: …", "I need to …"
fn adding(clause: Clause<'_>) -> Option<Command> {
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
    let memo = clause.phrase(
        0,
        "don't forget to|dont forget to|do not forget to|don't let me forget to|\
            don't let me forget|dont let me forget|do not let me forget to|do not let me forget|\
            make sure i|make sure that i|make sure to remind me|make sure you remind me|\
            remember to remind me|remember that i|remember to|remember that|remember i|note that i|\
            mark my calendar for|note down|write down|note|jot down|make a note to|make a note that|make a note of|\
            make a note|keep in mind|let me know to|let me know of|let me know about|tell me to|tell me not to|i want to be reminded|\
            i need to be reminded|i'd like to be reminded|i need reminding|be reminded|take a note|\
            take note|i need to remember to|i need to remember|i have to remember to|\
            i must remember to|help me remember to|help me remember|remember|i can't forget to|\
            i don't want to forget to|make sure i'm reminded|don't forget|dont forget",
    );
    if memo > 0 {
        return sure(Tool::Add, memo);
    }
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
    let event = clause.until(5).has(
        "appointment|meeting|event|birthday|notification|anniversary|flight|remainder|interview|calendar",
    );
    let new = clause.is(1, "a|an|up|and|meeting|event|appointment|notification|new|calendar");
    if clause.is(0, "set|setup|have|put|make") && event && new {
        return sure(Tool::Add, 1);
    }
    // "set Bob's birthday for every June third": nothing there yet that is set to something else.
    let repeats = || clause.slots().iter().any(|found| matches!(found.slot, Slot::Repeat(_)));
    if clause.is(0, "set") && !clause.has("to|it|that|this") && !refers(clause) && repeats() {
        return sure(Tool::Add, 1);
    }
    let having = clause.phrase(0, "i have a|i have an|i've got a|i've got an|i got a|i got an") > 0;
    if having && !clause.slots().is_empty() && !clause.has("?") {
        return maybe(Tool::Add, 0);
    }
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

/// A task's number, "it", a word for tasks or the calendar, a quoted title.
fn refers(clause: Clause<'_>) -> bool {
    let number =
        |token: &Token| token.low.strip_prefix('#').is_some_and(|digits| digits.parse::<u32>().is_ok());
    talks_of_tasks(clause)
        || clause.has(CALENDAR)
        || clause.is(1, "it|that|this|them")
        || clause.tokens.iter().any(|token| number(token) || token.is_quoted())
}

/// "delete …", "remove …", "cancel …", "take … off my list"
fn deleting(clause: Clause<'_>) -> Option<Command> {
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
fn updating(clause: Clause<'_>) -> Option<Command> {
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
        _ => !slots.is_empty() || named && instead,
    };
    evidence.then_some(Command {
        tool: Tool::Update,
        at: 0,
        sure: !slots.is_empty() || named || pronoun || forward,
    })
}
