//! Recurrence phrases ("every other Tuesday until June") and the rules they mean.
//!
//! A rule is written in the subset of RFC 5545 that the tasks understand. What has no place in a rule (the hour, the
//! first day) becomes part of the due date.

mod reader;
mod rule;

pub(crate) use reader::repeat;
pub(crate) use rule::Repeat;
