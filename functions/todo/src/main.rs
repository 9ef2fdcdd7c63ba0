//! The program `todo`.
//!
//! `todo` (or `todo up`) runs everything on one machine; `todo serve <component>` and `todo chat` run one function each,
//! as a cluster does; the other commands migrate the database, make development tokens, talk to a running chat
//! function, look into the audit and repair what events failed to do, and measure the offline model. Exit codes: 0 done, 1 found
//! wanting (a broken audit, a difference, a delivery that failed), 64 wrong usage or configuration, 65 wrong data,
//! 69 something needed is away, 70 a bug, 77 not allowed. Without the feature `system` it serves functions and becomes `todo-system` for
//! everything else.

use std::process::ExitCode;

/// Requests allocate and free all the time, on every thread; and musl's own allocator is slow where threads share it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "system")]
fn main() -> ExitCode {
    todo::command::run(std::env::args_os())
}

#[cfg(not(feature = "system"))]
fn main() -> ExitCode {
    todo::function::run(std::env::args_os())
}
