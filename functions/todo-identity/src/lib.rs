//! Who is asking.
//!
//! Every request names its person in a JWT; nothing else does. This crate turns a token into a [`Tenant`], the one
//! value that opens the store, and gives no other way to make one:
//!
//! - people reach `chat` with a token of their identity provider, checked by [`Verifier::people`];
//! - `chat` calls a function with a token of its own, minted for that person and that function for a minute by
//!   [`FunctionKey::mint`] and checked there by [`Verifier::function`]. A person's token never travels further than
//!   `chat`;
//! - on a developer's machine a [`DevelopmentKey`] stands in for the identity provider. Its key id is `development`,
//!   so that a deployment can refuse it.
//!
//! Compiles to WebAssembly and natively; does no network I/O (who needs a JWKS by URL fetches it and hands it over).

mod bearer;
mod development;
mod function_key;
mod refusal;
mod tenant;
mod verifier;

pub use bearer::bearer;
pub use development::{DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_ID, DevelopmentKey};
pub use function_key::FunctionKey;
pub use refusal::{KeyError, Refusal};
pub use tenant::{Tenant, unverified_subject};
pub use verifier::{Keys, Policy, Verifier};
