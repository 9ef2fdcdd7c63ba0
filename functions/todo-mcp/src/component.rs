//! The tool as a Spin component: settings from variables, requests from `wasi:http`.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::Full;
use spin_sdk::variables;
use todo_delivery::component::variable;
use todo_delivery::log;
use todo_identity::{EventKey, KeyError, Verifier};

use crate::server::{ByEvent, Server, Settings};
use crate::{Tool, function_of, server};

/// What a component answers.
pub type Response = http::Response<Full<Bytes>>;

thread_local! {
    /// Kept for the instance's life, which serves many people: holds configuration and keys, nothing of a request.
    static SERVER: OnceCell<Rc<Server>> = const { OnceCell::new() };
}

/// Answers one request. Called by [`crate::component!`].
pub async fn handle<T: Tool>(request: spin_sdk::http::Request) -> Response {
    match server().await {
        Ok(server) => server.serve::<T, _>(request).await,
        Err(error) => {
            log::failed(&function_of(T::NAME), None, &*error);
            server::misconfigured()
        }
    }
}

async fn server() -> Result<Rc<Server>, Box<dyn std::error::Error>> {
    if let Some(server) = SERVER.with(|server| server.get().cloned()) {
        return Ok(server);
    }
    let settings = Settings {
        database_url: variables::get("database_url").await?,
        function_public_keys: variables::get("function_public_keys").await?,
        function_audience: variables::get("function_audience").await?,
    };
    let events = todo_delivery::component::settings().await?;
    let server = Server::open(&settings).await?.publishing(events.publisher()?);
    let server = Rc::new(server.answering_events(by_event(&events.event_key).await?));
    // Two requests may have come this far at once; both servers are the same.
    Ok(SERVER.with(|kept| kept.get_or_init(|| server).clone()))
}

/// Calls by event need the people's keys with their issuer and audience, and a key to sign the answers.
async fn by_event(event_key: &str) -> Result<Option<ByEvent>, KeyError> {
    let keys = variable("people_public_keys").await;
    if keys.is_empty() || event_key.is_empty() {
        return Ok(None);
    }
    let (issuer, audience) = (variable("people_issuer").await, variable("people_audience").await);
    let people = Verifier::people_ed25519(&keys, &issuer, &audience)?;
    Ok(Some(ByEvent { people, key: EventKey::from_pem(event_key)? }))
}
