use std::fmt;

use serde_json::Value;

use crate::jws;

/// The longest `sub` a token may carry, in characters: identity providers stay far below it, and it bounds every key
/// in the database.
const MAX_USER_ID: usize = 255;

/// A person who has been authenticated. Everything that touches data takes one; only a verified token makes one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tenant {
    user_id: String,
}

impl Tenant {
    /// Not public: the way in is [`crate::Verifier::verify`], or [`crate::EventVerifier::verify`].
    pub(crate) fn authenticated(user_id: &str) -> Option<Self> {
        let usable = !user_id.trim().is_empty()
            && user_id.chars().count() <= MAX_USER_ID
            && !user_id.chars().any(char::is_control);
        usable.then(|| Self { user_id: user_id.to_owned() })
    }

    /// The token's `sub`: 1–255 characters, no control characters.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({})", self.user_id)
    }
}

/// The `sub` of a token, read without checking anything: for a client that must put its own user into a URL. A server
/// never asks this.
pub fn unverified_subject(token: &str) -> Option<String> {
    let claims = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&jws::decode(claims).ok()?).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}
