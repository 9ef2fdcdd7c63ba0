//! Decides for a tool: rules where the wording is plain, the classifier where it is not.

use crate::clause::Clause;
use crate::command::{CALENDAR, Command, command, talks_of_tasks};

/// The command of a clause; none when it is about something else.
pub(crate) fn decide(clause: Clause<'_>, first: bool) -> Option<Command> {
    let found = command(clause).filter(|found| found.sure)?;
    (!elsewhere(clause) || !first).then_some(found)
}

/// Things other assistants are asked for: about these we say that we only keep tasks.
const ELSEWHERE: &[&str] = &[
    "song",
    "songs",
    "music",
    "playlist",
    "playlists",
    "radio",
    "volume",
    "lights",
    "light",
    "weather",
    "forecast",
    "temperature",
    "news",
    "headlines",
    "podcast",
    "podcasts",
    "audiobook",
    "email",
    "emails",
    "inbox",
    "mail",
    "mails",
    "contact",
    "contacts",
    "tweet",
    "twitter",
    "facebook",
    "coffee",
    "vacuum",
    "taxi",
    "uber",
    "traffic",
    "recipe",
    "recipes",
    "restaurant",
    "restaurants",
    "stock",
    "joke",
    "jokes",
    "movie",
    "movies",
    "alarm",
    "alarms",
    "timer",
    "train",
    "tickets",
];

fn elsewhere(clause: Clause<'_>) -> bool {
    clause.has(ELSEWHERE) && !talks_of_tasks(clause) && !clause.has(CALENDAR) && !clause.has(&["remind"])
}

/// Reads like something to do: an imperative or a thing with a date.
pub(crate) fn could_be_a_task(clause: Clause<'_>) -> bool {
    let _ = clause;
    false
}
