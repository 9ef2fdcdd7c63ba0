use serde_json::Value;
use todo_identity::EventKey;

use crate::{Incoming, SignError, data_sha256};

/// Turns an event as it was stored (a CloudEvent in structured JSON, see [`crate::Event::cloud_event`]) into the bytes to publish: checked
/// against its schema, with its signature.
///
/// # Errors
///
/// [`SignError::Key`] when the key does not sign. Otherwise the event is broken and stays so: whoever publishes sets it aside, so
/// that it holds up nothing behind it.
pub fn sign(body: &str, key: &EventKey) -> Result<Vec<u8>, SignError> {
    let mut event = Incoming::from_json(body.as_bytes())?;
    let data_sha256 = data_sha256(event.json_data()?);
    let user_id = event.attribute("partitionkey").unwrap_or_default();
    let signature = key.sign(event.id(), event.event_type(), user_id, &data_sha256)?;
    event.set("signature", signature);
    event.unverified()?;
    Ok(Value::Object(event.structured()).to_string().into_bytes())
}
