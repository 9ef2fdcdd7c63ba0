//! The one form in which data is hashed. Brokers and bridges re-encode JSON: they order keys, space and spell numbers as they like.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The SHA-256 of JSON in the canonical form of RFC 8785: what a signature binds. Integers beyond 2⁵³ are rounded there, as
/// JSON's numbers are doubles; no field of an event takes one.
pub fn data_sha256(data: &Value) -> [u8; 32] {
    Sha256::digest(canonical(data)).into()
}

/// Everything that JSON can say can be written so: the only failures are of writers and of numbers that JSON has not.
fn canonical(data: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(data).unwrap_or_default()
}

/// The same data as another parser would see it: `7.0` is `7`.
pub(crate) fn normal(data: &Value) -> Value {
    serde_json::from_slice(&canonical(data)).unwrap_or_default()
}
