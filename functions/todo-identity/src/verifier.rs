use crate::function::FunctionTokens;
#[cfg(not(target_family = "wasm"))]
use crate::people::{Keys, PeoplesTokens, Policy};
use crate::{KeyError, Refusal, Tenant};

/// Turns tokens into tenants.
#[derive(Debug, Clone)]
pub struct Verifier(Tokens);

#[derive(Debug, Clone)]
enum Tokens {
    Function(FunctionTokens),
    #[cfg(not(target_family = "wasm"))]
    People(PeoplesTokens),
}

impl Verifier {
    /// For people's tokens, as their identity provider signs them. Natively only: no component accepts one.
    #[cfg(not(target_family = "wasm"))]
    pub fn people(keys: Keys, policy: Policy) -> Self {
        Self(Tokens::People(PeoplesTokens { keys, policy }))
    }

    /// For people's tokens where a component must accept one itself (a tool call that comes as an event): signed with Ed25519, by this
    /// issuer, for this audience. Other algorithms are left out, because every component would carry them.
    pub fn people_ed25519(public_keys: &str, issuer: &str, audience: &str) -> Result<Self, KeyError> {
        Ok(Self(Tokens::Function(FunctionTokens::issued_by(issuer, public_keys, audience)?)))
    }

    /// For the tokens that `chat` mints: `public_keys` is the JWK set of [`crate::FunctionKey::public_jwks`] (or several
    /// such keys, in a rotation), `audience` the function's own name.
    pub fn function(public_keys: &str, audience: &str) -> Result<Self, KeyError> {
        Ok(Self(Tokens::Function(FunctionTokens::new(public_keys, audience)?)))
    }

    /// Checks the token and names its person. Checks, in this order: shape, `crit`, `alg`, key, signature, `exp`,
    /// `nbf`, `iss`, `aud`, `iat`, `sub`; times with a leeway of five seconds.
    pub fn verify(&self, token: &str) -> Result<Tenant, Refusal> {
        match &self.0 {
            Tokens::Function(tokens) => tokens.verify(token),
            #[cfg(not(target_family = "wasm"))]
            Tokens::People(tokens) => tokens.verify(token),
        }
    }
}
