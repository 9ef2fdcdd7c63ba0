//! Reads the answer to an approval question.

use jiff::Zoned;

use crate::clause::Clause;
use crate::command::{Tool, command};
use crate::text::{Token, tokens};

/// What the person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Go ahead.
    Yes,
    /// Leave it.
    No,
}

/// `None` when the text is neither: then it is a new request.
///
/// A yes says nothing but yes, and perhaps names what was asked about ("yes, delete them", "yes, delete 1 and 2"): whether
/// those numbers were asked about is for the caller to see. A "no" wins over a "yes": what is not deleted can still be
/// deleted later.
pub fn consent(text: &str) -> Option<Consent> {
    let tokens: Vec<Token> = tokens(text).into_iter().filter(says_something).collect();
    let now = Zoned::default();
    let clause = Clause { text, tokens: &tokens, now: &now };
    // A longer sentence is a request of its own, which must not pass for an approval.
    if tokens.is_empty() || tokens.len() > 10 || tokens.iter().any(Token::is_quoted) {
        return None;
    }
    if refuses(clause) {
        return (!asks_for_more(clause)).then_some(Consent::No);
    }
    agrees(clause).then_some(Consent::Yes)
}

/// Marks and pictures say nothing, but for a few.
fn says_something(token: &Token) -> bool {
    token.is_quoted()
        || token.is_any("?|👍|👌|✅|👎|❌")
        || token.is_word() && token.low.contains(char::is_alphanumeric)
}

fn refuses(clause: Clause<'_>) -> bool {
    (0..clause.len()).any(|at| {
        let negated = clause.phrase(at, NO) > 0;
        let after_why = at > 0 && clause.says(at - 1, "why not") || clause.says(at, "no problem");
        negated && !after_why
    })
}

/// "don't forget to buy milk", "add cancel the gym": a "no" within a new task is none.
fn asks_for_more(clause: Clause<'_>) -> bool {
    let plainly = clause.is(0, "no|nope|nah|cancel|stop|wait");
    !plainly
        && command(clause).is_some_and(|found| found.sure && matches!(found.tool, Tool::Add | Tool::List))
}

/// Whether assent, courtesy and the names of what was asked about are all there is.
fn agrees(clause: Clause<'_>) -> bool {
    let mut assented = false;
    let mut at = 0;
    while at < clause.len() {
        let said = clause.phrase(at, YES).max(naming(clause, at, assented));
        let used = said.max(clause.phrase(at, COURTESY));
        if used == 0 {
            return false;
        }
        assented |= said > 0;
        at += used;
    }
    assented
}

/// How many words name what was asked about: "delete them", "both of them"; numbers only after a yes, since alone they
/// are a request.
fn naming(clause: Clause<'_>, at: usize, assented: bool) -> usize {
    let verb = clause.phrase(at, "delete|remove|erase|get rid of|do|add");
    let named = clause.phrase(at + verb, NAMES);
    // "delete all" by itself asks for all tasks there are.
    let sweeping = verb > 0 && named == 1 && clause.is(at + verb, "all|everything");
    if named > 0 && !(sweeping && (!assented || clause.is(at + verb, "everything"))) {
        return verb + named;
    }
    if !assented {
        return 0;
    }
    if verb > 0 && clause.len() == at + verb {
        return verb;
    }
    let start = at + verb;
    let noun = clause.phrase(start, "task|tasks|number|numbers");
    let is_number = |index: usize| clause.word(index).trim_start_matches('#').parse::<u32>().is_ok();
    let listed = (start + noun..clause.len())
        .take_while(|index| is_number(*index) || clause.is(*index, "and|task") && is_number(*index + 1))
        .count();
    if listed > 0 { verb + noun + listed } else { 0 }
}

const YES: &str = "👍|👌|✅|yes|y|yep|yeah|yup|ya|yea|aye|sure|ok|okay|okey|k|fine|confirm|confirmed|i confirm|approve|approved|\
    i approve|absolutely|definitely|certainly|correct|right|proceed|affirmative|agreed|i agree|exactly|indeed|please|\
    perfect|great|go ahead|go for it|go on|do it|do that|do so|of course|sounds good|sounds right|looks good|\
    that's right|that is right|that's correct|that's fine|that's ok|that's okay|that works|it's fine|it's ok|\
    by all means|i'm sure|i am sure|why not|make it so|please do|no problem|good idea|all good|all right|alright|sure thing|\
    i do|you can|you may|that's it|that would be great|that would be good|that's the one|that one|this one";

const NAMES: &str = "it|that|this|these|those|them|all|both|everything|them all|all of it|all of them|all of these|\
    all of those|both of them|both of these|both of those|them both|the task|the tasks|this task|these tasks|\
    that task|those tasks|both tasks|the two|the two tasks|all three|all three of them";

/// Words that change nothing about an answer.
const COURTESY: &str = "please|thanks|thank you|thx|now|then|and|well|just|oh|hmm|um|really|very much|a lot|for me|\
    already|so|too|right away|immediately|hey|hi|hello";

const NO: &str = "👎|❌|no|n|nope|nah|never|cancel|stop|don't|dont|abort|negative|keep|wait|nevermind|not|hold|leave|refuse|\
    decline|reject|neither|none|forget it|do not";
