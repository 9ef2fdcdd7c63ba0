//! What verifies people's own tokens in the functions, for tool calls that come as events. They verify Ed25519 and nothing else, and know
//! the keys that were there when they were started: an issuer that rotates its keys has its functions restarted.

use std::time::Duration;

use todo_identity::{DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, DevelopmentKey, Keys, Verifier};

use crate::config::{Config, Environment};
use crate::failure::{Failure, Outcome};

/// Nobody waits for these keys but the start.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// What a tool call that comes as an event is checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleKeys {
    /// A JWK set.
    pub public_keys: String,
    /// The `iss` that tokens must carry.
    pub issuer: String,
    /// The `aud` that tokens must carry.
    pub audience: String,
}

impl PeopleKeys {
    /// The identity provider's, or this machine's development key. `None` when tool calls by event cannot be taken, and the reason is logged:
    /// chat works all the same.
    pub(crate) async fn of(config: &Config) -> Outcome<Option<Self>> {
        if !config.trusts_an_identity_provider() {
            return development(config);
        }
        let Some(public_keys) = public_keys(config).await? else { return Ok(None) };
        let (Some(issuer), Some(audience)) = (config.jwt_issuer.clone(), config.jwt_audience.clone()) else {
            return refused("TODO_JWT_ISSUER and TODO_JWT_AUDIENCE are not both set");
        };
        let development = Keys::jwks(&public_keys).is_ok_and(|keys| keys.include_development_key());
        if development && config.environment == Environment::Production {
            return Err(Failure::usage("the JWK set holds a development key, which production refuses"));
        }
        if Verifier::people_ed25519(&public_keys, &issuer, &audience).is_err() {
            return refused("the JWK set holds no Ed25519 key, and functions verify no other");
        }
        Ok(Some(Self { public_keys, issuer, audience }))
    }
}

/// The key that `todo token` signs with, if there is one.
fn development(config: &Config) -> Outcome<Option<PeopleKeys>> {
    if config.environment == Environment::Production || !config.development_key().exists() {
        return Ok(None);
    }
    let key = DevelopmentKey::load_or_create(&config.development_key()).map_err(Failure::unavailable)?;
    Ok(Some(PeopleKeys {
        public_keys: key.public_jwks(),
        issuer: DEVELOPMENT_ISSUER.to_owned(),
        audience: DEVELOPMENT_AUDIENCE.to_owned(),
    }))
}

async fn public_keys(config: &Config) -> Outcome<Option<String>> {
    match (&config.jwks_file, &config.jwks_url) {
        (Some(file), _) => std::fs::read_to_string(file).map(Some).map_err(|error| {
            Failure::usage(format!("cannot read TODO_JWKS_FILE {}: {error}", file.display()))
        }),
        (_, Some(url)) => match fetch(url).await {
            Ok(keys) => Ok(Some(keys)),
            Err(error) => refused(&format!("the JWK set of TODO_JWKS_URL could not be fetched: {error}")),
        },
        // A component that knew the secret could make tokens.
        _ => refused("TODO_JWT_SECRET is not given to functions; use TODO_JWKS_URL or TODO_JWKS_FILE"),
    }
}

async fn fetch(url: &str) -> Result<String, Box<dyn std::error::Error>> {
    let http = todo_agent::client_builder(url)?.timeout(FETCH_TIMEOUT).build()?;
    Ok(http.get(url).send().await?.error_for_status()?.text().await?)
}

fn refused<T>(why: &str) -> Outcome<Option<T>> {
    tracing::warn!("tool calls that come as events are refused: {why}");
    Ok(None)
}
