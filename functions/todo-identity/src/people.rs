//! People's tokens, in whatever way their identity provider signs them. Natively only.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};

use crate::{DEVELOPMENT_KEY_ID, KeyError, LEEWAY_SECONDS, Refusal, Tenant};

/// Asymmetric algorithms that identity providers use today. `none` and the HMAC family are not among them: a public
/// key must never be taken for a shared secret.
const ASYMMETRIC: [Algorithm; 9] = [
    Algorithm::EdDSA,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// RFC 7518 §3.2: a key of at least the hash's size.
const MIN_SECRET_BYTES: usize = 32;

/// What signatures are checked with.
#[derive(Clone)]
pub enum Keys {
    /// Public keys by `kid` (RFC 7517).
    Jwks(JwkSet),
    /// One secret shared with the issuer; HS256 only.
    Secret(Vec<u8>),
}

impl Keys {
    /// Reads a JWK set. Keys of unknown kinds are kept and never match; a set in which no key can verify is an error.
    pub fn jwks(json: &str) -> Result<Self, KeyError> {
        let set: JwkSet = serde_json::from_str(json).map_err(|error| KeyError::Jwks(error.to_string()))?;
        if !set.keys.iter().any(verifies_signatures) {
            return Err(KeyError::Jwks("it holds no public key for signatures".to_owned()));
        }
        Ok(Self::Jwks(set))
    }

    /// A secret shared with the issuer, at least 32 bytes.
    pub fn secret(secret: &str) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError::ShortSecret(secret.len()));
        }
        Ok(Self::Secret(secret.as_bytes().to_vec()))
    }

    /// True when a development key is among them; a deployment must then refuse to start.
    pub fn include_development_key(&self) -> bool {
        match self {
            Self::Jwks(set) => set.find(DEVELOPMENT_KEY_ID).is_some(),
            Self::Secret(_) => false,
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Jwks(set) => write!(f, "Keys::Jwks({} keys)", set.keys.len()),
            Self::Secret(_) => f.write_str("Keys::Secret(…)"),
        }
    }
}

/// Which tokens are meant for us. `None` leaves that claim unchecked.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The accepted `iss`.
    pub issuer: Option<String>,
    /// The `aud` that must be among the token's.
    pub audience: Option<String>,
}

/// What people's tokens are checked with.
#[derive(Debug, Clone)]
pub(crate) struct PeoplesTokens {
    pub keys: Keys,
    pub policy: Policy,
}

impl PeoplesTokens {
    pub fn verify(&self, token: &str) -> Result<Tenant, Refusal> {
        let header = header_of(token)?;
        let key = self.key_for(&header)?;
        let validation = self.validation(header.alg);
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::Json(_) => Refusal::Claims,
                kind => refusal_of(kind),
            })?
            .claims;
        issued_in_the_past(&claims)?;
        claims.get("sub").and_then(Value::as_str).and_then(Tenant::authenticated).ok_or(Refusal::Subject)
    }

    fn key_for(&self, header: &Header) -> Result<DecodingKey, Refusal> {
        match &self.keys {
            Keys::Secret(secret) if header.alg == Algorithm::HS256 => Ok(DecodingKey::from_secret(secret)),
            Keys::Secret(_) => Err(Refusal::Algorithm),
            Keys::Jwks(_) if !ASYMMETRIC.contains(&header.alg) => Err(Refusal::Algorithm),
            Keys::Jwks(set) => {
                let jwk = find(set, header).ok_or(Refusal::UnknownKey)?;
                DecodingKey::from_jwk(jwk).map_err(|_| Refusal::UnknownKey)
            }
        }
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &self.policy.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &self.policy.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

/// Reads the header before anything is trusted. `crit` must be refused by whoever does not know it (RFC 7515 §4.1.11),
/// and the JWT library lets it pass.
fn header_of(token: &str) -> Result<Header, Refusal> {
    let header = jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
        // An `alg` the library has no name for (`none`, say) does not deserialize.
        ErrorKind::Json(_) if token.matches('.').count() == 2 => Refusal::Algorithm,
        kind => refusal_of(kind),
    })?;
    if header.crit.is_some() || matches!(header.extras.get::<Value>("crit"), Ok(Some(_))) {
        return Err(Refusal::Critical);
    }
    Ok(header)
}

/// The key named by `kid`; without one, the only key that fits, so that a rotation never makes it a guess.
fn find<'a>(set: &'a JwkSet, header: &Header) -> Option<&'a Jwk> {
    let mut fitting = set.keys.iter().filter(|jwk| {
        verifies_signatures(jwk)
            && jwk
                .common
                .key_algorithm
                .is_none_or(|algorithm| algorithm.to_string() == format!("{:?}", header.alg))
            && header.kid.as_ref().is_none_or(|kid| jwk.common.key_id.as_ref() == Some(kid))
    });
    let found = fitting.next()?;
    (header.kid.is_some() || fitting.next().is_none()).then_some(found)
}

fn verifies_signatures(jwk: &Jwk) -> bool {
    let public = !matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_));
    let for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let may_verify = jwk
        .common
        .key_operations
        .as_ref()
        .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    public && for_signatures && may_verify
}

/// An `iat` in the future means a clock or an issuer that cannot be trusted.
fn issued_in_the_past(claims: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(issued_at) = claims.get("iat") else { return Ok(()) };
    let issued_at = issued_at.as_f64().ok_or(Refusal::Claims)?;
    let latest = jsonwebtoken::get_current_timestamp() + LEEWAY_SECONDS;
    if issued_at > latest as f64 { Err(Refusal::NotYetValid) } else { Ok(()) }
}

fn refusal_of(kind: &ErrorKind) -> Refusal {
    match kind {
        ErrorKind::ExpiredSignature => Refusal::Expired,
        ErrorKind::ImmatureSignature => Refusal::NotYetValid,
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::InvalidAudience => Refusal::Audience,
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName | ErrorKind::UnsupportedAlgorithm => {
            Refusal::Algorithm
        }
        ErrorKind::MissingRequiredClaim(claim) => match claim.as_str() {
            "iss" => Refusal::Issuer,
            "aud" => Refusal::Audience,
            "sub" => Refusal::Subject,
            _ => Refusal::Claims,
        },
        ErrorKind::InvalidClaimFormat(claim) if claim == "sub" => Refusal::Subject,
        ErrorKind::InvalidClaimFormat(_) => Refusal::Claims,
        _ => Refusal::Malformed,
    }
}
