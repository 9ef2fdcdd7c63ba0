//! E-mail as Dapr's `bindings.smtp` sends it: HTML, addresses apart by `;`.
//!
//! Unlike there, what one request says never becomes the next one's default.

use std::collections::BTreeMap;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde_json::Value;

use crate::settings::{Email, Tls};

/// How long a mail server may take to answer a command.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Option<String>,
}

impl Mailer {
    pub fn new(email: &Email) -> Result<Self, lettre::transport::smtp::Error> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match email.tls {
            Tls::None => Transport::builder_dangerous(&email.host),
            Tls::StartTls => Transport::starttls_relay(&email.host)?,
            Tls::Implicit => Transport::relay(&email.host)?,
        };
        let mut builder = builder.port(email.port).timeout(Some(TIMEOUT));
        if let Some((user, password)) = &email.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build(), from: email.from.clone() })
    }

    pub async fn send(&self, metadata: &BTreeMap<String, String>, data: &Value) -> Result<(), String> {
        let message = self.message(metadata, data)?;
        let sent = self.transport.send(message).await;
        sent.map(|_| ()).map_err(|error| format!("error from smtp binding, sending email failed: {error}"))
    }

    fn message(&self, metadata: &BTreeMap<String, String>, data: &Value) -> Result<Message, String> {
        let given = |name: &str| metadata.get(name).filter(|value| !value.is_empty());
        let missing = |name| {
            format!("smtp binding error: {name} property not supplied in configuration- or request-metadata")
        };
        let from = given("emailFrom").or(self.from.as_ref()).ok_or_else(|| missing("emailFrom"))?;
        let to = given("emailTo").ok_or_else(|| missing("emailTo"))?;
        let subject = given("subject").ok_or_else(|| missing("subject"))?;
        let mut message =
            Message::builder().from(mailbox(from)?).subject(subject).header(ContentType::TEXT_HTML);
        for address in to.split(';') {
            message = message.to(mailbox(address)?);
        }
        for address in given("emailCC").into_iter().flat_map(|list| list.split(';')) {
            message = message.cc(mailbox(address)?);
        }
        for address in given("emailBCC").into_iter().flat_map(|list| list.split(';')) {
            message = message.bcc(mailbox(address)?);
        }
        let body = match data {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        message.body(body).map_err(|error| format!("smtp binding error: {error}"))
    }
}

fn mailbox(address: &str) -> Result<Mailbox, String> {
    // The address itself is left out: errors are logged.
    address.trim().parse().map_err(|error| format!("smtp binding error: an address cannot be read: {error}"))
}
