//! E-mail, through an output binding of Dapr's (`bindings.smtp`), which takes HTML.

use std::time::Duration;

use serde_json::json;
use todo_delivery::Received;
use todo_events::DueReminder;

use crate::channel::Problem;

/// The name of the binding.
pub(crate) const BINDING: &str = "reminder_email_binding";
/// The address; `{user_id}` in it is replaced.
pub(crate) const TO: &str = "reminder_email_to";

/// A mail server greets, asks and thinks before it takes a message.
const DEADLINE: Duration = Duration::from_secs(10);

/// Sends the reminder of a `reminder.due`. Done when the binding answers 2xx.
pub(crate) async fn send(received: &Received<'_>, due: &DueReminder) -> Result<(), Problem> {
    let binding = received.variable(BINDING).ok_or(Problem::Variable(BINDING))?;
    let to = address(received.variable(TO).ok_or(Problem::Variable(TO))?, &received.event.user_id)?;
    let metadata = json!({ "emailTo": to, "subject": format!("Reminder: {}", line(&due.task.title)) });
    let sidecar = received.sidecar().map_err(|_| Problem::Variable("dapr_url"))?;
    Ok(sidecar.create(binding, &html(due), &metadata, DEADLINE).await?)
}

/// Another character could end the address and begin a second one: the binding parts them by `;`.
fn address(template: &str, user_id: &str) -> Result<String, Problem> {
    let plain = |character: char| character.is_ascii_alphanumeric() || ".-_+@".contains(character);
    if template.contains("{user_id}") && !user_id.chars().all(plain) {
        return Err(Problem::Address);
    }
    Ok(template.replace("{user_id}", user_id))
}

fn html(due: &DueReminder) -> String {
    let mut html = format!("<p><strong>{}</strong></p>", escaped(&due.task.title));
    if let Some(at) = &due.task.due {
        let zone = due.task.timezone.as_deref().map(|zone| format!(" ({zone})")).unwrap_or_default();
        html.push_str(&format!("<p>Due: {}</p>", escaped(&format!("{at}{zone}"))));
    }
    if let Some(description) = &due.task.description {
        html.push_str(&format!("<p>{}</p>", escaped(description).replace('\n', "<br>")));
    }
    html
}

/// One line, so that nothing in it is another header.
fn line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{address, line};

    #[test]
    fn an_id_that_would_be_another_address_is_not_written_to() {
        assert_eq!(address("{user_id}@example.org", "ada").ok().as_deref(), Some("ada@example.org"));
        assert_eq!(address("all@example.org", "a b").ok().as_deref(), Some("all@example.org"));
        for user_id in ["x@evil.example;ada", "ada\r\nBcc: x@evil.example", "<x@evil.example>", "a,b", "ä"] {
            assert!(address("{user_id}@example.org", user_id).is_err(), "{user_id}");
        }
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(line("Milk\r\nBcc: all"), "Milk  Bcc: all");
    }
}
