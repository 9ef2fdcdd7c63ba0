use thiserror::Error;
use todo_identity::{KeyError, Refusal};

/// A request that is no CloudEvent. Whoever sent it is to blame; sending it again cannot help. The text repeats nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Neither of the two modes of the HTTP binding.
    #[error(
        "send a CloudEvent: Content-Type: application/cloudevents+json, or the headers ce-specversion, ce-id, ce-type, ce-source"
    )]
    NotAnEvent,
    /// Several events where one is expected.
    #[error("send one CloudEvent, not a batch")]
    Batch,
    /// The body is not a JSON object, or `data_base64` is not base64.
    #[error("the body is not a CloudEvent in JSON")]
    Json,
    /// `data` and `data_base64` both.
    #[error("a CloudEvent has data or data_base64, not both")]
    TwiceData,
    /// A header that is there twice, or not text once it is decoded.
    #[error("a ce- header is there twice or is not percent-encoded UTF-8")]
    Header,
    /// One of the four that every event has is absent, empty or not text; or another version.
    #[error("specversion must be 1.0, and id, type and source must be there")]
    Attributes,
}

/// A CloudEvent that is not one of ours, or not what it says. Whoever sent it is to blame: a retry cannot help, so it goes to the
/// dead letters. The text repeats nothing of it but names of fields.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// No such type in the catalogue.
    #[error("the type of the event is not in the catalogue")]
    Type,
    /// It has no data, or data other than JSON.
    #[error("the event has no JSON data")]
    NoData,
    /// Against its schema.
    #[error("{part} is not as docs/schemas says, at: {path}")]
    Schema {
        /// `attributes` or `data`.
        part: &'static str,
        /// The field, as a path.
        path: String,
    },
    /// Two places say the same thing differently.
    #[error("the event contradicts itself: {0}")]
    Contradiction(&'static str),
    /// Not signed by us, or signed for another event.
    #[error("the event's signature is refused: {0}")]
    Signature(Refusal),
}

/// An event that cannot be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// It would be refused by everyone who reads it. We are to blame: a retry cannot help.
    #[error("an event that must not be published: {0}")]
    Unpublishable(#[from] Rejected),
    /// Not even a CloudEvent. We are to blame: a retry cannot help.
    #[error("an event that must not be published: {0}")]
    Malformed(#[from] Malformed),
    /// The key does not sign: a mistake in the configuration.
    #[error(transparent)]
    Key(#[from] KeyError),
}
