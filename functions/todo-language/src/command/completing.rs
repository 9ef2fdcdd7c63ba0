//! Tasks that were done, and those that were not done after all.

use super::{Command, Tool, sure, talks_of_tasks};
use crate::clause::Clause;
use crate::target::PLURALS;

/// What people say of a task that was ticked off too early.
pub(crate) const NOT_FINISHED: &str = "i haven't finished|i haven't done|i haven't completed|i have not finished|\
    i didn't finish|i didn't do|i did not finish|i didn't complete|i have not done";

/// "reopen 3", "mark the report as not done", "uncheck milk"
pub(super) fn reopening(clause: Clause<'_>) -> Option<Command> {
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

/// "complete 3", "mark milk as done", "check off the report", "done with the dishes"
pub(super) fn completing(clause: Clause<'_>) -> Option<Command> {
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
pub(super) fn stating_done(clause: Clause<'_>) -> Option<Command> {
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
