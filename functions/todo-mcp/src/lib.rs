//! Both ends of a tool call.
//!
//! **The tool's end.** A tool function is a [`Tool`] (its name, description, arguments, result and the few lines that do
//! the work) and everything else is here: [`Server`] makes of it a complete, stateless MCP server of revision 2026-07-28
//! over Streamable HTTP. It compiles to WebAssembly ([`component!`] exports it to Spin) and natively, where tests and
//! benchmarks call the same [`Server::serve`].
//!
//! A request goes through these, and stops at the first that objects:
//!
//! 1. `server/transport`: path, method, `Origin`, `Content-Type`, `Accept` → 404, 405, 403, 415, 406;
//! 2. the token, before the body is read → 401 with `WWW-Authenticate`;
//! 3. `server/message`: JSON, JSON-RPC, revision, headers that agree with the body, `_meta` → 400, 413;
//! 4. `server`: the method → 404;
//! 5. `server/call`: the tool's name, `user_id` (→ 403 and an audit event), the call id, the arguments, the tool.
//!
//! A mistake in the arguments is a *result* with `isError`, written for the model that made it. All other failures are
//! JSON-RPC errors, written for programs. `docs/specs/mcp-tools.md` has every status and code.
//!
//! A call may also come as a CloudEvent, posted to the function itself (`server/event`): its person is the one of the token it carries,
//! and the answer is an event. Whatever way it came, the events of its changes are published after the answer, in the same instance
//! ([`Server::publishing`]).
//!
//! **The caller's end** (native only) is [`Tools`]: mints tokens, fills in `user_id`, retries what is safe to
//! retry. There is no list of tools here: the functions named `tool-*` are the tools.

#[cfg(not(target_family = "wasm"))]
mod client;
#[cfg(target_family = "wasm")]
pub mod component;
mod names;
pub mod protocol;
mod server;
mod tool;

#[cfg(not(target_family = "wasm"))]
pub use client::{CallError, CallOutcome, TemplateError, Tools};
pub use names::{function_of, tool_of};
pub use server::{BODY_LIMIT, ByEvent, Server, Settings, SetupError};
pub use tool::{Answer, Hints, Tool, definition};

/// Exports a [`Tool`] as this crate's Spin component. Nothing on other targets, where the tool is a library.
#[macro_export]
macro_rules! component {
    ($tool:ty) => {
        #[cfg(target_family = "wasm")]
        #[::spin_sdk::http_service]
        async fn handle(request: ::spin_sdk::http::Request) -> $crate::component::Response {
            $crate::component::handle::<$tool>(request).await
        }
    };
}
