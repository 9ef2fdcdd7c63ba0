//! What no message to the model and no answer to the person gets past.

use crate::{Agent, Item, Outcome, Settings, report};

/// Said to the model when its calls are used up.
pub(crate) const LAST_WORD: &str = "\n\nYou have used all the tool calls of this turn. Answer the person now: say what \
    has been done, and what is still open.";

/// An answer shorter than this cannot be told from a chance likeness.
const SHORTEST_LEAK: usize = 50;

const NO_ANSWER: &str = "I have no answer to that. Could you say it in other words?";
const NOT_TOLD: &str =
    "I cannot share how I am set up. I can add, list, finish, change and delete your tasks.";

/// Why a message was not taken. `Display` is for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputRefused {
    /// Nothing but white space.
    #[error("The message is empty. Write what you want done.")]
    Empty,
    /// Longer than [`Settings::max_message_chars`].
    #[error("The message has {length} characters; at most {limit} are allowed. Send it in parts.")]
    TooLong {
        /// Its length in characters.
        length: usize,
        /// The limit.
        limit: usize,
    },
}

/// The message to work with: without control characters, which databases and models choke on.
pub(crate) fn input(message: &str, settings: &Settings) -> Result<String, InputRefused> {
    let length = message.chars().count();
    let limit = settings.max_message_chars;
    if length > limit {
        return Err(InputRefused::TooLong { length, limit });
    }
    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text: String = message.chars().filter(kept).collect();
    let text = text.trim();
    match text.is_empty() {
        true => Err(InputRefused::Empty),
        false => Ok(text.to_owned()),
    }
}

/// The words the person gets. Nothing said becomes a report of what was done, a recital of the instructions becomes a
/// refusal, and an endless answer is cut.
pub(crate) fn output(text: &str, agent: &Agent, done: &[Item], outcome: Outcome) -> String {
    let text = text.trim();
    if text.is_empty() {
        return match outcome {
            Outcome::TurnLimit => report::after_limit(done),
            _ => report::changes(done).unwrap_or_else(|| NO_ANSWER.to_owned()),
        };
    }
    if leaks(text, &agent.instructions) {
        return NOT_TOLD.to_owned();
    }
    match text.char_indices().nth(agent.settings.max_answer_chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Does a whole line of the instructions stand in the answer?
fn leaks(answer: &str, instructions: &str) -> bool {
    let answer = squeezed(answer);
    instructions
        .lines()
        .map(squeezed)
        .filter(|line| line.chars().count() >= SHORTEST_LEAK)
        .any(|line| answer.contains(&line))
}

/// Letters and digits only, in lower case: a recital with other bullets or line breaks is still one.
fn squeezed(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
