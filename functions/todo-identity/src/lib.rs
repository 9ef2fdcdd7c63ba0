//! Who is asking.
//!
//! Every request names its person in a JWT, every event in its signature; nothing else does. This crate turns these into a
//! [`Tenant`], the one value that opens the store, and gives no other way to make one:
//!
//! - people reach `chat` with a token of their identity provider, checked by `Verifier::people`;
//! - `chat` calls a function with a token of its own, minted for that person and that function for a minute by
//!   [`FunctionKey::mint`] and checked there by [`Verifier::function`]. A person's token never travels further than
//!   `chat`;
//! - a function signs the events it publishes with an [`EventKey`], and whoever consumes one asks an [`EventVerifier`] whose
//!   it is;
//! - on a developer's machine a `DevelopmentKey` stands in for the identity provider. Its key id is `development`,
//!   so that a deployment can refuse it.
//!
//! Compiles to WebAssembly and natively; does no network I/O (who needs a JWKS by URL fetches it and hands it over). In
//! WebAssembly there are neither people's tokens nor key files, and so nothing but Ed25519 is linked.

mod bearer;
#[cfg(not(target_family = "wasm"))]
mod development;
mod event;
mod function;
mod jws;
#[cfg(not(target_family = "wasm"))]
mod key_file;
#[cfg(not(target_family = "wasm"))]
mod people;
mod recent;
mod refusal;
mod tenant;
mod verifier;

pub use bearer::bearer;
#[cfg(not(target_family = "wasm"))]
pub use development::{DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, DevelopmentKey};
pub use event::{EventKey, EventVerifier};
pub use function::FunctionKey;
#[cfg(not(target_family = "wasm"))]
pub use people::{Keys, Policy};
pub use refusal::{KeyError, Refusal};
pub use tenant::{Tenant, unverified_subject};
pub use verifier::Verifier;

/// Clocks of well-kept machines differ by less; more would keep stolen tokens alive.
const LEEWAY_SECONDS: u64 = 5;
