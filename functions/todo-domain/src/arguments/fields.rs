//! The checks of single arguments, shared by the tools that take them.

use crate::invalid::quoted;
use crate::{
    Change, DESCRIPTION_LIMIT, Invalid, PAGE_DEFAULT, PAGE_LIMIT, SEARCH_LIMIT, TITLE_LIMIT, TaskId, Zone,
};

pub(super) fn task_id(id: i64) -> Result<TaskId, Invalid> {
    if id < 1 {
        let hint = "Send the number that list_tasks shows in `id`.";
        return Err(Invalid::new("task_id", "task numbers begin at 1", hint));
    }
    Ok(TaskId(id))
}

pub(super) fn zone(name: Option<&str>) -> Result<Option<Zone>, Invalid> {
    name.map(|name| Zone::parse("timezone", name)).transpose()
}

pub(super) fn title(text: &str) -> Result<String, Invalid> {
    let hint = format!("Send 1 to {TITLE_LIMIT} characters saying what is to be done.");
    let title = text.trim();
    if title.is_empty() {
        return Err(Invalid::new("title", "it is empty", hint));
    }
    let length = title.chars().count();
    if length > TITLE_LIMIT {
        let hint = format!("{hint} Put the rest into `description`.");
        return Err(Invalid::new("title", format!("{length} characters are too many"), hint));
    }
    storable("title", title)?;
    Ok(title.to_owned())
}

pub(super) fn new_title(change: Change<String>) -> Result<Option<String>, Invalid> {
    match change {
        Change::Keep => Ok(None),
        Change::Set(text) => title(&text).map(Some),
        Change::Clear => {
            let hint = "Send the new title, or leave the argument out to keep the old one.";
            Err(Invalid::new("title", "a title cannot be removed", hint))
        }
    }
}

pub(super) fn description(text: Option<String>) -> Result<Option<String>, Invalid> {
    let text = text.unwrap_or_default();
    let text = text.trim();
    let length = text.chars().count();
    if length > DESCRIPTION_LIMIT {
        let problem = format!("{length} characters are too many");
        let hint = format!("Send at most {DESCRIPTION_LIMIT} characters.");
        return Err(Invalid::new("description", problem, hint));
    }
    storable("description", text)?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(super) fn search(text: Option<String>) -> Result<Option<String>, Invalid> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > SEARCH_LIMIT {
        let hint = format!("Send at most {SEARCH_LIMIT} characters, a few words.");
        return Err(Invalid::new("search", "it is too long", hint));
    }
    if !text.is_empty() && !text.contains(char::is_alphanumeric) {
        let hint = "Send one or more words, or leave `search` out.";
        return Err(Invalid::new("search", format!("{} has no word", quoted(text)), hint));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(super) fn limit(limit: Option<i64>) -> Result<u32, Invalid> {
    let Some(limit) = limit else {
        return Ok(PAGE_DEFAULT);
    };
    let accepted = u32::try_from(limit).ok().filter(|limit| (1..=PAGE_LIMIT).contains(limit));
    accepted.ok_or_else(|| {
        let hint = format!("Send 1 to {PAGE_LIMIT}; ask for the next page with `cursor`.");
        Invalid::new("limit", format!("{limit} is out of range"), hint)
    })
}

/// Postgres cannot keep a NUL in text, and both databases should refuse the same things.
fn storable(field: &str, text: &str) -> Result<(), Invalid> {
    if text.contains('\0') {
        return Err(Invalid::new(field, "it has a NUL character", "Leave the character out."));
    }
    Ok(())
}
