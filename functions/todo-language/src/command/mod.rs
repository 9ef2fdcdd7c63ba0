//! Which tool a clause calls for, by the words it opens with.
//!
//! Rules decide where wording is plain; `sure` says so. Where they only lean to a tool, the classifier has a say
//! (`intent`).

mod adding;
mod asking;
mod changing;
mod completing;

use crate::clause::Clause;
use crate::target::{NOUNS, PLURALS};
use crate::text::Token;
use adding::{adding, ending_reminder};
pub(crate) use asking::CALENDAR;
use asking::asking;
pub(crate) use asking::is_question;
pub(crate) use changing::FIELDS;
use changing::{deleting, field_change, stopping, updating};
pub(crate) use completing::{NOT_FINISHED, done_words, reopen_words};
use completing::{completing, reopening, stating_done};

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
        // "next week's tasks" begins with a date.
        let dated = clause.is(at + 1, "week|weeks|month|months|year|weekend|few|week's|month's|monday|tuesday|wednesday|thursday|friday|saturday|sunday");
        let used = if dated && clause.says(at, "next") { 0 } else { clause.phrase(at, POLITE) };
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
    if is_question(clause) {
        return asking(clause);
    }
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

/// A task's number, "it", a word for tasks or the calendar, a quoted title.
fn refers(clause: Clause<'_>) -> bool {
    let number =
        |token: &Token| token.low.strip_prefix('#').is_some_and(|digits| digits.parse::<u32>().is_ok());
    talks_of_tasks(clause)
        || clause.has(CALENDAR)
        || clause.is(1, "it|that|this|them")
        || clause.tokens.iter().any(|token| number(token) || token.is_quoted())
}
