//! Where the keys for people's tokens come from, and when they are fetched again.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::Url;
use todo_identity::{KeyError, Keys, Policy, Refusal, Tenant, Verifier};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{Problem, with_sources};
use crate::{Environment, KeySource, StartError};

/// Real sets have a few keys of less than a kilobyte each.
const LARGEST_SET: usize = 256 * 1024;
/// A person waits for this.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Without any keys nobody can sign in, so the issuer is asked sooner.
const RETRY_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// Turns people's tokens into tenants, with keys that are fetched again when a token names one that is not known.
pub struct People {
    source: Source,
    policy: Policy,
    production: bool,
    refetch: Duration,
    /// `None` until a set has been fetched. The last good set stays while the issuer is away.
    verifier: RwLock<Option<Arc<Verifier>>>,
    /// When the source was last asked. Held while asking, so that many tokens with a new `kid` cause one fetch.
    asked: Mutex<Option<Instant>>,
}

enum Source {
    Url {
        http: reqwest::Client,
        url: Url,
    },
    File(std::path::PathBuf),
    /// A secret, or a development key: they do not change while we run.
    Fixed,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("cannot fetch the JWK set")]
    Http(#[source] reqwest::Error),
    #[error("the JWK set's URL answered {0}")]
    Status(http::StatusCode),
    #[error("the JWK set is larger than {LARGEST_SET} bytes")]
    TooLarge,
    #[error("cannot read the JWK set's file")]
    File(#[source] std::io::Error),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("the JWK set holds a development key")]
    DevelopmentKey,
}

impl People {
    /// Checks the configuration and reads the keys. An issuer that is away is no reason not to start: it is asked again
    /// when somebody comes. `refetch` is the least time between two fetches.
    ///
    /// # Errors
    /// Mistakes of configuration only.
    pub async fn open(
        source: KeySource,
        policy: Policy,
        environment: Environment,
        refetch: Duration,
    ) -> Result<Self, StartError> {
        let production = environment == Environment::Production;
        if production && (policy.issuer.is_none() || policy.audience.is_none()) {
            return Err(StartError::OpenPolicy);
        }
        let (source, keys) = opened(source)?;
        let people = Self {
            source,
            policy,
            production,
            refetch,
            verifier: RwLock::default(),
            asked: Mutex::default(),
        };
        match keys {
            Some(keys) => people.take(keys).map_err(StartError::from)?,
            None => people.first_fetch().await?,
        }
        Ok(people)
    }

    /// The person a token names.
    ///
    /// # Errors
    /// 401 when the token is not accepted, 503 when there are no keys to check it with.
    pub async fn verify(&self, token: &str) -> Result<Tenant, Problem> {
        let known = self.current();
        match known.as_ref().map(|verifier| verifier.verify(token)) {
            Some(Ok(tenant)) => return Ok(tenant),
            Some(Err(refusal)) if refusal != Refusal::UnknownKey => {
                return Err(Problem::unauthorized(refusal));
            }
            _ => {}
        }
        self.refresh(known.as_ref()).await;
        let verifier = self.current().ok_or_else(no_keys)?;
        verifier.verify(token).map_err(Problem::unauthorized)
    }

    fn current(&self) -> Option<Arc<Verifier>> {
        self.verifier.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the source again, unless somebody has just done so or it was asked too recently.
    async fn refresh(&self, known: Option<&Arc<Verifier>>) {
        if matches!(self.source, Source::Fixed) {
            return;
        }
        let mut asked = self.asked.lock().await;
        let current = self.current();
        let changed = current.as_ref().map(Arc::as_ptr) != known.map(Arc::as_ptr);
        let pause = if current.is_some() { self.refetch } else { RETRY_WITHOUT_KEYS.min(self.refetch) };
        if changed || asked.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        *asked = Some(Instant::now());
        if let Err(error) = self.fetch_and_take().await {
            tracing::warn!(error = with_sources(&error), "the keys for people's tokens were not renewed");
        }
    }

    async fn first_fetch(&self) -> Result<(), StartError> {
        *self.asked.lock().await = Some(Instant::now());
        match self.fetch_and_take().await {
            Err(FetchError::Http(_) | FetchError::Status(_)) => {
                tracing::warn!("the issuer of people's tokens is away; asking again when somebody signs in");
                *self.asked.lock().await = None;
                Ok(())
            }
            outcome => outcome.map_err(StartError::from),
        }
    }

    async fn fetch_and_take(&self) -> Result<(), FetchError> {
        let json = match &self.source {
            Source::Url { http, url } => fetch(http, url.clone()).await?,
            Source::File(path) => tokio::fs::read_to_string(path).await.map_err(FetchError::File)?,
            Source::Fixed => return Ok(()),
        };
        self.take(Keys::jwks(&json)?)
    }

    /// A deployment refuses a development key whenever and wherever it turns up.
    fn take(&self, keys: Keys) -> Result<(), FetchError> {
        if self.production && keys.include_development_key() {
            return Err(FetchError::DevelopmentKey);
        }
        let verifier = Verifier::people(keys, self.policy.clone());
        *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(verifier));
        Ok(())
    }
}

impl From<FetchError> for StartError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::DevelopmentKey => Self::DevelopmentKey,
            FetchError::Keys(error) => Self::Keys(error),
            error => Self::KeySource(with_sources(&error)),
        }
    }
}

fn opened(source: KeySource) -> Result<(Source, Option<Keys>), StartError> {
    match source {
        KeySource::Url(url) => {
            let url = allowed(&url)?;
            let http = client(&url).map_err(|error| StartError::KeySource(with_sources(error.as_ref())))?;
            Ok((Source::Url { http, url }, None))
        }
        KeySource::File(path) => Ok((Source::File(path), None)),
        KeySource::Secret(secret) => Ok((Source::Fixed, Some(Keys::secret(&secret)?))),
        KeySource::Development(jwks) => Ok((Source::Fixed, Some(Keys::jwks(&jwks)?))),
    }
}

/// Whoever can change the set on its way can sign in as anybody, so plain HTTP is for this machine only.
fn allowed(url: &str) -> Result<Url, StartError> {
    let parsed = Url::parse(url).map_err(|_| StartError::KeyUrl(url.to_owned()))?;
    let host = parsed.host_str().unwrap_or_default();
    let loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if loopback => Ok(parsed),
        _ => Err(StartError::KeyUrl(url.to_owned())),
    }
}

fn client(url: &Url) -> Result<reqwest::Client, Box<dyn std::error::Error>> {
    Ok(todo_agent::client_builder(url.as_str())?.timeout(FETCH_TIMEOUT).build()?)
}

async fn fetch(http: &reqwest::Client, url: Url) -> Result<String, FetchError> {
    let mut response = http.get(url).send().await.map_err(FetchError::Http)?;
    if !response.status().is_success() {
        return Err(FetchError::Status(response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchError::Http)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_SET {
            return Err(FetchError::TooLarge);
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn no_keys() -> Problem {
    let message =
        "Nobody can be signed in at the moment: the identity provider is not answering. Try again shortly.";
    Problem::unavailable(message, RETRY_WITHOUT_KEYS)
}
