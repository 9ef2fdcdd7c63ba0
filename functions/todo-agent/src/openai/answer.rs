//! What the readers of both APIs have in common.

use serde_json::Value;

use super::retry::Failure;
use crate::ModelAnswer;

/// Reads the answers of one API. Readers are lenient: compatible servers leave fields out and add their own.
pub(super) trait Read: Send + Sized {
    /// An answer that came whole.
    fn whole(self, body: Value) -> Result<ModelAnswer, Failure>;

    /// One event of a stream; true when it was the last.
    fn event(&mut self, event: Value, on_delta: &mut (dyn FnMut(&str) + Send)) -> Result<bool, Failure>;

    /// The stream is over: the answer, or [`Failure::Cut`] when its end never came.
    fn end(self) -> Result<ModelAnswer, Failure>;
}
