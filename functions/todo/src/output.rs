//! Standard output. A reader that has seen enough (`| head`) ends the command quietly instead of with a panic.

use std::fmt::Display;
use std::io::Write as _;

/// Prints text at once.
pub fn text(text: impl Display) {
    let mut out = std::io::stdout().lock();
    if write!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Prints a line.
#[cfg(feature = "system")]
pub fn line(line: impl Display) {
    text(format_args!("{line}\n"));
}
