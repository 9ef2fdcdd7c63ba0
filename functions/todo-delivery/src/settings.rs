//! What a function must be told: variables of these names in a component.

use std::collections::BTreeMap;
use std::fmt;

use todo_identity::{EventKey, EventVerifier, KeyError};

use crate::{Publisher, Sidecar};

/// Where a function finds what it works with. An empty text is as good as none.
#[derive(Clone, Default)]
pub struct Settings {
    /// `postgres://…`, or `sqlite:` with a path natively.
    pub database_url: String,
    /// The Dapr sidecar, `http://host:port`.
    pub dapr_url: String,
    /// What the sidecar demands in the header `dapr-api-token`. A secret.
    pub dapr_api_token: String,
    /// The key that signs events (PKCS#8 PEM). A secret. Without it, nothing is published and events wait for the relay.
    pub event_key: String,
    /// The JWK set that verifies events. Who consumes none needs none.
    pub event_public_keys: String,
    /// What one function alone is told.
    pub variables: Variables,
}

/// Variables by their names; an empty one is as good as none.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<&'static str, String>);

impl Variables {
    /// What is set under this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).and_then(given)
    }
}

impl FromIterator<(&'static str, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (&'static str, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// Names only: some values are secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a function cannot start: a mistake of whoever configured it, or a database that is away.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The database URL is unusable, or natively the database cannot be reached.
    #[error("database_url: {0}")]
    Database(#[from] todo_store::Error),
    /// The sidecar's address is unusable.
    #[error("dapr_url: write it as http://host:port")]
    Url,
    /// The sidecar's token cannot stand in a header.
    #[error("dapr_api_token: it has characters that no header can carry")]
    ApiToken,
    /// The key that signs events is unusable.
    #[error("event_key: {0}")]
    EventKey(#[source] KeyError),
    /// The keys that verify events are unusable.
    #[error("event_public_keys: {0}")]
    EventPublicKeys(#[source] KeyError),
    /// A variable of the component cannot be read.
    #[error("the variable {0} cannot be read")]
    Variable(&'static str),
}

impl Settings {
    /// The sidecar, if there is one.
    pub fn sidecar(&self) -> Result<Option<Sidecar>, SetupError> {
        let token = Some(self.dapr_api_token.as_str()).filter(|token| !token.is_empty());
        given(&self.dapr_url).map(|url| Sidecar::new(url, token)).transpose()
    }

    /// A publisher, if there is a sidecar and a key.
    pub fn publisher(&self) -> Result<Option<Publisher>, SetupError> {
        let key = given(&self.event_key).map(EventKey::from_pem).transpose().map_err(SetupError::EventKey)?;
        Ok(self.sidecar()?.zip(key).map(|(sidecar, key)| Publisher::new(sidecar, key)))
    }

    /// A verifier, if there are keys.
    pub fn verifier(&self) -> Result<Option<EventVerifier>, SetupError> {
        let keys = given(&self.event_public_keys);
        keys.map(EventVerifier::new).transpose().map_err(SetupError::EventPublicKeys)
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
