//! What the clock wakes.

use crate::{Error, Server};

/// A function that does a bounded piece of work whenever it is asked to.
pub trait Tick {
    /// The function's name.
    const NAME: &'static str;

    /// Does the work. Any number of them may run at once, and each may be repeated.
    fn run(server: &Server) -> impl Future<Output = Result<(), Error>>;
}
