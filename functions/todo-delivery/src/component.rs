//! A consumer or a tick as a Spin component: settings from variables, requests from `wasi:http`.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use spin_sdk::http::Request;
use spin_sdk::variables;

use crate::server::status;
use crate::{Consumer, Job, Server, Settings, SetupError, Tick, Variables, log};

/// What a component answers.
pub type Response = http::Response<Full<Bytes>>;

thread_local! {
    /// Kept for the instance's life: holds configuration and keys, nothing of a request.
    static SERVER: OnceCell<Rc<Server>> = const { OnceCell::new() };
}

/// Answers one request to a consumer. Called by [`crate::component!`].
pub async fn consume<C: Consumer>(request: Request) -> Response {
    match server(C::VARIABLES).await {
        Ok(server) => server.serve::<C, _>(request).await,
        Err(error) => misconfigured(C::NAME, &error),
    }
}

/// Answers one request to a tick. Called by [`crate::tick!`].
pub async fn tick<T: Tick>(request: Request) -> Response {
    match server(&[]).await {
        Ok(server) => server.tick::<T, _>(request).await,
        Err(error) => misconfigured(T::NAME, &error),
    }
}

/// Answers one request to a function that does jobs. Called by [`crate::job!`].
pub async fn job<J: Job>(request: Request) -> Response {
    match server(&[Server::APP_API_TOKEN]).await {
        Ok(server) => server.job::<J, _>(request).await,
        Err(error) => misconfigured(J::NAME, &error),
    }
}

/// A variable of the component; one that the manifest does not give it is empty.
pub async fn variable(name: &str) -> String {
    variables::get(name).await.unwrap_or_default()
}

/// The settings that every function with events has.
pub async fn settings() -> Result<Settings, SetupError> {
    let database_url =
        variables::get("database_url").await.map_err(|_| SetupError::Variable("database_url"))?;
    Ok(Settings {
        database_url,
        dapr_url: variable("dapr_url").await,
        dapr_api_token: variable("dapr_api_token").await,
        event_key: variable("event_key").await,
        event_public_keys: variable("event_public_keys").await,
        variables: Variables::default(),
    })
}

async fn server(own: &'static [&'static str]) -> Result<Rc<Server>, SetupError> {
    if let Some(server) = SERVER.with(|server| server.get().cloned()) {
        return Ok(server);
    }
    let mut settings = settings().await?;
    let mut variables = Vec::with_capacity(own.len());
    for name in own {
        variables.push((*name, variable(name).await));
    }
    settings.variables = variables.into_iter().collect();
    let server = Rc::new(Server::open(&settings).await?);
    // Two requests may have come this far at once; both servers are the same.
    Ok(SERVER.with(|kept| kept.get_or_init(|| server).clone()))
}

/// It is delivered again, and again, until its operator has mended the settings or it is a dead letter.
fn misconfigured(function: &str, error: &SetupError) -> Response {
    log::failed(function, None, error);
    status(StatusCode::INTERNAL_SERVER_ERROR)
}
