//! The tool as a Spin component: settings from variables, requests from `wasi:http`.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::Full;
use spin_sdk::variables;

use crate::server::{Server, Settings, log};
use crate::{Tool, server};

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
            log::failed(T::NAME, None, &*error);
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
    let server = Rc::new(Server::open(&settings).await?);
    // Two requests may have come this far at once; both servers are the same.
    Ok(SERVER.with(|kept| kept.get_or_init(|| server).clone()))
}
