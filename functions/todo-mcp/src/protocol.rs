//! Names of revision 2026-07-28 that client and server must agree on and `rmcp` keeps to itself.

use http::HeaderName;

/// The only revision spoken here: stateless, one POST a message.
pub const REVISION: &str = "2026-07-28";

/// The revision, as in `_meta`.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The JSON-RPC method, so that whoever routes need not read the body.
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// What the method is about; for `tools/call` the tool's name.
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// W3C Trace Context; `_meta` has a key of the same name.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// `_meta` key of a call: an id of the caller's choosing, 1–200 visible characters. Sending a call again under the same id
/// returns the first answer and changes nothing.
pub const CALL_ID: &str = "todo/call-id";
/// `_meta` key of a result of `list_tasks`: send it as `cursor` to get the next page. Absent on the last page.
pub const NEXT_CURSOR: &str = "todo/next-cursor";
