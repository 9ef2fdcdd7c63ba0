//! Delivering dead letters once more, each as it came: what was not signed by us is not signed now.

use serde_json::{Value, json};
use todo_store::Database;
use todo_store::dead_letters::Kept;

use super::{Letters, Which, event};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::operator::failed;
use crate::output;
use crate::running::{Refusal, Running};

/// What the delivery added when it gave up.
const ADDED: [&str; 3] = ["knativeerrordest", "knativeerrorcode", "knativeerrordata"];

/// Runs the command. One that fails holds up no other, but for those when nothing answers at all.
pub(super) async fn run(database: &Database, which: &Which, config: &Config) -> Outcome {
    let running = Running::find(config)?;
    let mut letters = Letters::meant(which);
    let (mut taken, mut refused) = (0_u64, 0_u64);
    while let Some(letter) = letters.next(database).await? {
        let outcome = retry(database, &running, &letter).await?;
        let why = outcome.as_ref().err().map(|refusal| refusal.why.as_str());
        let Kept { number, consumer, .. } = &letter;
        if let Some(why) = why {
            eprintln!("{number}: {why}");
        }
        if which.json {
            output::line(
                json!({"number": number, "consumer": consumer, "taken": outcome.is_ok(), "why": why}),
            );
        }
        match outcome {
            Ok(()) => taken += 1,
            Err(Refusal { fatal: true, why, .. }) => return Err(Failure::unavailable(why)),
            Err(_) => refused += 1,
        }
    }
    eprintln!("{taken} taken, {refused} not");
    match refused {
        0 => Ok(()),
        _ => Err(Failure::found(format!("{refused} could not be delivered; they are kept"))),
    }
}

async fn retry(database: &Database, running: &Running, letter: &Kept) -> Outcome<Result<(), Refusal>> {
    let delivered = match sendable(letter, event(database, letter.number).await?) {
        Ok(event) => running.deliver(&letter.consumer, &letter.path, event.to_string().as_bytes()).await,
        Err(why) => Err(Refusal { status: None, why: why.to_owned(), fatal: false }),
    };
    let mut repair = database.begin_repair().await.map_err(failed)?;
    match &delivered {
        Ok(()) => _ = repair.drop_dead_letter(letter.number).await.map_err(failed)?,
        // Nothing was tried.
        Err(Refusal { status: None, .. }) => return Ok(delivered),
        Err(Refusal { status, .. }) => {
            repair.dead_letter_failed(letter.number, *status).await.map_err(failed)?;
        }
    }
    repair.commit().await.map_err(failed)?;
    Ok(delivered)
}

/// The event as it was before it died.
fn sendable(letter: &Kept, mut event: Value) -> Result<Value, &'static str> {
    let Some(attributes) = event.as_object_mut().filter(|event| event.contains_key("specversion")) else {
        return Err("it is no CloudEvent and cannot be delivered; look at it, and drop it");
    };
    if attributes.contains_key("usertoken") {
        return Err(
            "a call of a tool needs the person's token, which is not kept; its sender can send it again",
        );
    }
    if letter.consumer == "unknown" {
        return Err("which function it was for is not known; drop it, or let its sender send it again");
    }
    ADDED.iter().for_each(|name| _ = attributes.remove(*name));
    Ok(event)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends where it fails")]
mod tests {
    use super::*;

    fn letter(consumer: &str) -> Kept {
        Kept {
            number: 1,
            consumer: consumer.to_owned(),
            path: "/".to_owned(),
            event_id: String::new(),
            event_type: String::new(),
            topic: String::new(),
            user_id: None,
            status: None,
            reason: String::new(),
            attempts: 1,
            first_at: 0,
            last_at: 0,
        }
    }

    #[test]
    fn what_the_delivery_added_is_taken_away_and_nothing_else() {
        let event = json!({"specversion": "1.0", "id": "1", "signature": "s", "data": {"a": 1}});
        let mut dead = event.clone();
        dead["knativeerrordest"] = "x".into();
        dead["knativeerrorcode"] = "422".into();
        dead["knativeerrordata"] = "".into();
        assert_eq!(sendable(&letter("event-a"), dead).unwrap(), event);
    }

    #[test]
    fn what_cannot_be_delivered_says_why() {
        let unreadable = json!({"headers": {}, "body_base64": ""});
        assert!(sendable(&letter("event-a"), unreadable).unwrap_err().starts_with("it is no CloudEvent"));
        let call = json!({"specversion": "1.0", "usertoken": "redacted"});
        assert!(sendable(&letter("tool-add-task"), call).unwrap_err().contains("token"));
        assert!(
            sendable(&letter("unknown"), json!({"specversion": "1.0"})).unwrap_err().contains("not known")
        );
    }
}
