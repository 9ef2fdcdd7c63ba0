use thiserror::Error;

/// Why a token was not accepted. The text is for the caller (it says what to do and repeats nothing of the token), and
/// fits `error_description` of RFC 6750: no quotes, no backslashes, ASCII only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No `Authorization` header.
    #[error("send a token: Authorization: Bearer <JWT>")]
    Missing,
    /// Not three base64url parts with a JSON header and JSON claims.
    #[error("the token is not a JWT")]
    Malformed,
    /// `alg` is `none`, unknown, or not on the list that this server accepts.
    #[error("the token is signed with an algorithm that is not accepted here")]
    Algorithm,
    /// The header demands extensions (`crit`) that nothing here understands.
    #[error("the token demands header extensions (crit) that are not supported")]
    Critical,
    /// No key of that `kid`, or the key may not be used to verify this `alg`. A fresh JWKS may help.
    #[error("the token is signed with a key that is not known here; sign in again")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature of the token does not verify")]
    Signature,
    /// `exp` has passed.
    #[error("the token has expired; sign in again")]
    Expired,
    /// `nbf` or `iat` lies in the future by more than the leeway.
    #[error("the token is not valid yet; check the clock of the issuer")]
    NotYetValid,
    /// `iss` is absent or another.
    #[error("the token was issued by somebody else than this server trusts")]
    Issuer,
    /// `aud` is absent or does not name this server.
    #[error("the token was issued for another audience")]
    Audience,
    /// `sub` is absent, empty, too long, or not a string.
    #[error("the token names no usable user: sub must be a string of 1 to 255 characters")]
    Subject,
    /// A claim is absent or has the wrong type: `exp` missing, `iat` a string.
    #[error("the token lacks a claim that is needed, or one has the wrong type (exp, sub, iat, nbf)")]
    Claims,
}

impl Refusal {
    /// The value of the `WWW-Authenticate` header that goes with a 401 (RFC 6750 §3). A request without a token gets
    /// the bare challenge: it has made no error yet.
    pub fn challenge(self) -> String {
        match self {
            Self::Missing => "Bearer realm=\"todo\"".to_owned(),
            refusal => {
                format!("Bearer realm=\"todo\", error=\"invalid_token\", error_description=\"{refusal}\"")
            }
        }
    }
}

/// A key that cannot be used: a mistake of whoever configured this process.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Not a JWK set, or one without any key that can verify.
    #[error("not a usable JWK set: {0}")]
    Jwks(String),
    /// Not an Ed25519 private key in PKCS#8 PEM.
    #[error(
        "not an Ed25519 private key in PKCS#8 PEM (-----BEGIN PRIVATE KEY-----); make one with: openssl genpkey -algorithm ed25519"
    )]
    Pem,
    /// A shared secret of fewer than 32 bytes can be guessed.
    #[error("the shared secret has {0} bytes; HS256 needs at least 32")]
    ShortSecret(usize),
    /// The key file could not be read or written.
    #[error("cannot use the key file {path}: {source}")]
    File {
        /// Where it was looked for.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gave no randomness, or signing failed.
    #[error("cannot make a key or a token: {0}")]
    Crypto(String),
}
