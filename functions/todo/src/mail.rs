//! The mail server of the embedded sidecar, from one URL.

use reqwest::Url;
use todo_sidecar::{Email, Tls};

use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Reads `TODO_SMTP_URL`.
pub(crate) fn server(config: &Config) -> Outcome<Option<Email>> {
    let Some(url) = &config.smtp_url else { return Ok(None) };
    let server = read(url).ok_or_else(|| {
        Failure::usage(
            "TODO_SMTP_URL must be smtp://user:password@host:587 (STARTTLS), smtps://user:password@host:465, or smtp://host:25?tls=none; \
             special characters in user and password are percent-encoded",
        )
    })?;
    Ok(Some(Email { name: config.reminder_email_binding.clone(), from: config.smtp_from.clone(), ..server }))
}

fn read(url: &str) -> Option<Email> {
    let url = Url::parse(url).ok()?;
    let (tls, port) = match (url.scheme(), url.query()) {
        ("smtp", None) => (Tls::StartTls, 587),
        ("smtp", Some("tls=none")) => (Tls::None, 25),
        ("smtps", None) => (Tls::Implicit, 465),
        _ => return None,
    };
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => Some((decoded(user)?, decoded(password?)?)),
    };
    let host = url.host_str().filter(|host| !host.is_empty())?.to_owned();
    if !matches!(url.path(), "" | "/") {
        return None;
    }
    Some(Email { name: String::new(), host, port: url.port().unwrap_or(port), tls, login, from: None })
}

fn decoded(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

    use super::*;

    #[test]
    fn one_url_says_how_mail_is_sent() {
        let server = read("smtp://ada:p%40ss@mail.example.org").unwrap();
        assert_eq!((server.host.as_str(), server.port, server.tls), ("mail.example.org", 587, Tls::StartTls));
        assert_eq!(server.login, Some(("ada".to_owned(), "p@ss".to_owned())));
        let server = read("smtps://mail.example.org:4650").unwrap();
        assert_eq!((server.port, server.tls, server.login), (4650, Tls::Implicit, None));
        let server = read("smtp://127.0.0.1:1025?tls=none").unwrap();
        assert_eq!((server.port, server.tls), (1025, Tls::None));
    }

    #[test]
    fn what_is_no_mail_server_is_refused() {
        for wrong in [
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtp://ada@host",
            "smtp://host/x",
            "smtp://host?tls=no",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}
