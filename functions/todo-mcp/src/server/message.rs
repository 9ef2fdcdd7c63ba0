//! Reading one JSON-RPC message and checking it against its headers, in the order of the revision: the version in the
//! header, `Mcp-Method` and `Mcp-Name`, then `_meta`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName};
use rmcp::model::{ErrorData, JsonObject, ProtocolVersion, RequestId, RequestMetaObject};
use serde_json::Value;

use super::rejection::Rejection;
use crate::protocol::{METHOD, NAME, PROTOCOL_VERSION, TRACEPARENT};

const SUPPORTED: [ProtocolVersion; 1] = [ProtocolVersion::V_2026_07_28];

/// What a POST can carry to a stateless server.
#[derive(Debug)]
pub(crate) enum Message {
    Request(Box<Request>),
    /// No notification means anything to a server without sessions; it is accepted and forgotten.
    Notification,
}

/// A request whose headers and `_meta` are as the revision wants them.
#[derive(Debug)]
pub(crate) struct Request {
    pub id: RequestId,
    pub method: String,
    pub params: JsonObject,
    pub meta: RequestMetaObject,
    /// Valid, or absent.
    pub traceparent: Option<String>,
}

impl Message {
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Rejection> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Rejection::not_json())?;
        let Value::Object(mut message) = body else {
            return Err(invalid(
                "send one JSON-RPC message, an object; batches are not part of this revision",
            ));
        };
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid("jsonrpc must be \"2.0\""));
        }
        let Some(Value::String(method)) = message.remove("method") else {
            return Err(invalid(
                "a message needs a method; responses are not accepted by a stateless server",
            ));
        };
        let Some(id) = message.remove("id") else { return Ok(Self::Notification) };
        let id: RequestId =
            serde_json::from_value(id).map_err(|_| invalid("id must be a string or an integer"))?;
        Request::read(headers, &id, method, message.remove("params"))
            .map(|request| Self::Request(Box::new(request)))
            .map_err(|rejection| rejection.answering(&id))
    }
}

impl Request {
    fn read(
        headers: &HeaderMap,
        id: &RequestId,
        method: String,
        params: Option<Value>,
    ) -> Result<Self, Rejection> {
        let mut params = match params {
            None => JsonObject::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return Err(Rejection::malformed_params("params must be an object".to_owned())),
        };
        supported_version(headers, &method, &params)?;
        named_alike(headers, &method, &params)?;
        let meta = match params.remove("_meta") {
            Some(Value::Object(meta)) => RequestMetaObject::from(meta),
            _ => RequestMetaObject::default(),
        };
        complete_meta(headers, &meta)?;
        let traceparent = traceparent(headers, &meta);
        Ok(Self { id: id.clone(), method, params, meta, traceparent })
    }
}

/// A client of another revision is told so before anything else, so that it can pick one we both speak. `initialize`
/// belongs to the revisions before this one, whatever its headers say.
fn supported_version(headers: &HeaderMap, method: &str, params: &JsonObject) -> Result<(), Rejection> {
    let requested = if method == "initialize" {
        Some(params.get("protocolVersion").and_then(Value::as_str).unwrap_or_default())
    } else {
        single(headers, &PROTOCOL_VERSION)?.filter(|version| *version != SUPPORTED[0].as_str())
    };
    requested.map_or(Ok(()), |version| Err(unsupported(Value::from(version))))
}

/// The headers that let others route a request must say what the body says, or the two could be told apart on the way.
fn named_alike(headers: &HeaderMap, method: &str, params: &JsonObject) -> Result<(), Rejection> {
    match single(headers, &METHOD)? {
        None => return Err(mismatch("the Mcp-Method header is missing")),
        Some(named) if named != method => {
            return Err(mismatch("the Mcp-Method header is not the body's method"));
        }
        Some(_) => {}
    }
    let Some(name) = params.get("name").and_then(Value::as_str).filter(|_| method == "tools/call") else {
        return Ok(());
    };
    match single(headers, &NAME)?.map(decode) {
        None => Err(mismatch("the Mcp-Name header is missing")),
        Some(Some(named)) if named == name => Ok(()),
        Some(_) => Err(mismatch("the Mcp-Name header is not the body's params.name")),
    }
}

/// Every request brings what older revisions agreed on in a handshake.
fn complete_meta(headers: &HeaderMap, meta: &RequestMetaObject) -> Result<(), Rejection> {
    let missing = meta.missing_required_keys(&SUPPORTED[0]);
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(Rejection::malformed_params(format!("params._meta lacks or has malformed: {missing}")));
    }
    let version = meta.protocol_version().unwrap_or_default();
    match single(headers, &PROTOCOL_VERSION)? {
        None => Err(mismatch("the MCP-Protocol-Version header is missing")),
        Some(named) if named != version.as_str() => {
            Err(mismatch("the MCP-Protocol-Version header is not the version in params._meta"))
        }
        Some(_) => Ok(()),
    }
}

/// The header is closer to this hop than `_meta`; what is malformed is ignored, as W3C Trace Context wants.
fn traceparent(headers: &HeaderMap, meta: &RequestMetaObject) -> Option<String> {
    let header = headers.get(&TRACEPARENT).and_then(|value| value.to_str().ok());
    let candidates = [header, meta.get_traceparent()];
    candidates.into_iter().flatten().find(|value| is_traceparent(value)).map(str::to_owned)
}

fn is_traceparent(value: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = value.split('-').collect();
    matches!(parts.as_slice(), ["00", trace, parent, flags]
        if [trace.len(), parent.len(), flags.len()] == [32, 16, 2]
            && hex(trace) && hex(parent) && hex(flags)
            && trace.contains(|c| c != '0') && parent.contains(|c| c != '0'))
}

/// The one value of a header. Two would let somebody on the way read the one that we do not.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.map(Some).ok_or_else(|| mismatch(format!("the {name} header is repeated or not plain text")))
}

/// Names that are not plain ASCII travel as `=?base64?…?=`.
fn decode(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

fn invalid(message: &'static str) -> Rejection {
    Rejection::rpc(ErrorData::invalid_request(message, None))
}

fn mismatch(message: impl Into<std::borrow::Cow<'static, str>>) -> Rejection {
    Rejection::rpc(ErrorData::header_mismatch(message, None))
}

fn unsupported(requested: Value) -> Rejection {
    let requested = serde_json::from_value(requested).unwrap_or_default();
    Rejection::rpc(ErrorData::unsupported_protocol_version(requested, &SUPPORTED))
}
