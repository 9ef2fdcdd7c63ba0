//! The engine that all components of a process share.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine, Result};

/// How long a component computes before it lets others run, and so how late a time limit may strike.
const TICK: Duration = Duration::from_millis(10);

/// An engine.
pub fn engine() -> Result<Engine> {
    let engine = Engine::new(&config())?;
    keep_ticking(&engine)?;
    Ok(engine)
}

/// The configuration. Memories and stacks are mapped when an instance starts and not kept in a pool: an instance serves many requests, so
/// that it costs next to nothing there, and a pool costs each start of a process a system call for each of its stacks.
pub fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .memory_init_cow(true)
        .epoch_interruption(true)
        // Nobody reads the functions' symbols, which wasmtime adds even where a component has no names.
        .debug_symbols(false);
    #[cfg(feature = "compiler")]
    config.cranelift_opt_level(wasmtime::OptLevel::Speed);
    config
}

/// Moves the engine's clock on, from a thread of its own so that busy components cannot stop it, until the engine is gone.
fn keep_ticking(engine: &Engine) -> Result<()> {
    let engine = engine.weak();
    thread::Builder::new().name("epoch".into()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    })?;
    Ok(())
}
