//! What the functions are told, beside where the database is: a variable of spin.toml each.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use todo_host::Variables;
use todo_identity::EventKey;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::people_keys::PeopleKeys;

/// What functions are told so that they can publish events, check those that come, and act on them. A variable that is absent keeps the
/// default that spin.toml gives it.
#[derive(Clone, Default)]
pub struct EventVariables {
    /// Where a Dapr sidecar answers, such as `http://127.0.0.1:3500`.
    pub dapr_url: Option<String>,
    /// What it wants as `dapr-api-token`.
    pub dapr_api_token: Option<String>,
    /// What it sends as `dapr-api-token`.
    pub app_api_token: Option<String>,
    /// The private key that events are signed with, in PKCS#8 PEM.
    pub event_key: Option<String>,
    /// The JWK set that they are verified with.
    pub event_public_keys: Option<String>,
    /// What verifies people's own tokens, for tool calls that come as events.
    pub people: Option<PeopleKeys>,
    /// Where reminders go by webhook.
    pub reminder_webhook: Option<Webhook>,
    /// Where reminders go by e-mail: the address, in which `{user_id}` is replaced, and the binding that sends them.
    pub reminder_email_to: Option<(String, String)>,
    /// How many days the audit is kept; for ever without it.
    pub audit_retention_days: Option<u32>,
}

/// A receiver of reminders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    url: String,
    secret: String,
    /// `scheme://host[:port]`: all that the function may reach.
    host: String,
}

impl EventVariables {
    /// As the environment has them: for one function on its own.
    pub async fn of(config: &Config) -> Outcome<Self> {
        let key = config.event_key.as_deref().map(event_key).transpose()?;
        let public = config.event_public_keys.clone();
        Ok(Self {
            dapr_url: config.dapr_http_endpoint.clone(),
            dapr_api_token: config.dapr_api_token.clone(),
            app_api_token: config.app_api_token.clone(),
            event_public_keys: public.or_else(|| key.as_ref().map(EventKey::public_jwks)),
            event_key: key.map(|key| key.private_pem().to_owned()),
            people: PeopleKeys::of(config).await?,
            reminder_webhook: Webhook::of(config)?,
            reminder_email_to: email_to(config)?,
            audit_retention_days: config.audit_retention_days,
        })
    }

    /// Adds those that are set.
    pub fn add_to(self, variables: &mut Variables) {
        let (people, webhook) = (self.people, self.reminder_webhook);
        let (email_to, email_binding) = self.reminder_email_to.unzip();
        let named = [
            ("dapr_url", self.dapr_url),
            ("dapr_api_token", self.dapr_api_token),
            ("app_api_token", self.app_api_token),
            ("event_key", self.event_key),
            ("event_public_keys", self.event_public_keys),
            ("people_public_keys", people.as_ref().map(|people| people.public_keys.clone())),
            ("people_issuer", people.as_ref().map(|people| people.issuer.clone())),
            ("people_audience", people.map(|people| people.audience)),
            ("reminder_webhook_url", webhook.as_ref().map(|webhook| webhook.url.clone())),
            ("reminder_webhook_secret", webhook.as_ref().map(|webhook| webhook.secret.clone())),
            ("reminder_webhook_host", webhook.map(|webhook| webhook.host)),
            ("reminder_email_binding", email_binding),
            ("reminder_email_to", email_to),
            ("audit_retention_days", self.audit_retention_days.map(|days| days.to_string())),
        ];
        variables.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
}

/// Reads `TODO_EVENT_KEY`.
pub(crate) fn event_key(pem: &str) -> Outcome<EventKey> {
    EventKey::from_pem(pem).map_err(|error| Failure::usage(format!("TODO_EVENT_KEY: {error}")))
}

impl Webhook {
    fn of(config: &Config) -> Outcome<Option<Self>> {
        let (Some(url), Some(secret)) = (&config.reminder_webhook_url, &config.reminder_webhook_secret)
        else {
            return Ok(None);
        };
        let host = origin(url).ok_or_else(|| {
            Failure::usage("TODO_REMINDER_WEBHOOK_URL must be a URL such as https://example.org/reminders, without user and password")
        })?;
        if !signs(secret) {
            return Err(Failure::usage(
                "TODO_REMINDER_WEBHOOK_SECRET must be whsec_ and the base64 of 24 to 64 bytes; make one with: echo whsec_$(openssl rand -base64 32)",
            ));
        }
        Ok(Some(Self { url: url.clone(), secret: secret.clone(), host }))
    }
}

/// `scheme://host[:port]` of what can be called.
fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    plain.then(|| url.origin().ascii_serialization())
}

fn signs(secret: &str) -> bool {
    let key = secret.strip_prefix("whsec_").and_then(|key| BASE64_STANDARD.decode(key).ok());
    key.is_some_and(|key| (24..=64).contains(&key.len()))
}

fn email_to(config: &Config) -> Outcome<Option<(String, String)>> {
    let Some(to) = &config.reminder_email_to else { return Ok(None) };
    match to.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !to.contains([';', ',', ' ']) => {
            Ok(Some((to.clone(), config.reminder_email_binding.clone())))
        }
        _ => Err(Failure::usage("TODO_REMINDER_EMAIL_TO must be one address, such as {user_id}@example.org")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    async fn with(arguments: &[&str]) -> Outcome<EventVariables> {
        let folder = std::env::temp_dir().join("no-such-data-folder");
        let data = format!("--data={}", folder.display());
        let command = Config::augment_args(clap::Command::new("todo"));
        let all = ["todo", &data].into_iter().chain(arguments.iter().copied());
        let mut config = Config::from_arg_matches(&command.get_matches_from(all)).unwrap();
        (config.dapr_http_endpoint, config.event_key) = (None, None);
        EventVariables::of(&config).await
    }

    const SECRET: &str = "--reminder-webhook-secret=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

    #[tokio::test]
    async fn a_webhooks_host_is_all_that_the_function_may_reach() {
        for (url, host) in [
            ("https://example.org/reminders?to=me", "https://example.org"),
            ("https://example.org:8443/", "https://example.org:8443"),
            ("http://127.0.0.1:9999/hook", "http://127.0.0.1:9999"),
        ] {
            let told = with(&[&format!("--reminder-webhook-url={url}"), SECRET]).await.unwrap();
            let mut variables = Variables::new();
            told.add_to(&mut variables);
            assert_eq!(variables["reminder_webhook_host"], host);
            assert_eq!(variables["reminder_webhook_url"], url);
        }
    }

    #[tokio::test]
    async fn a_setting_that_cannot_work_is_refused_with_a_sentence() {
        let url = "--reminder-webhook-url=https://example.org/";
        for wrong in [
            &["--reminder-webhook-url=ftp://example.org/", SECRET][..],
            &["--reminder-webhook-url=example.org", SECRET],
            &["--reminder-webhook-url=https://user:password@example.org/", SECRET],
            &[url, "--reminder-webhook-secret=secret"],
            &[url, "--reminder-webhook-secret=whsec_c2hvcnQ="],
            &["--reminder-email-to=everybody"],
            &["--reminder-email-to={user_id}@example.org;mallory@example.org"],
            &["--jwks-file=/no/such/file", "--jwt-issuer=i", "--jwt-audience=a"],
        ] {
            assert!(with(wrong).await.is_err(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_set_keeps_its_default() {
        let mut variables = Variables::new();
        with(&[]).await.unwrap().add_to(&mut variables);
        assert_eq!(variables, Variables::new());
    }
}
