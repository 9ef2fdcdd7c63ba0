//! The engine that all components of a process share.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

use crate::limits::Limits;

/// How long a component computes before it lets others run, and so how late a time limit may strike.
const TICK: Duration = Duration::from_millis(10);
/// Core modules in one component: the program and the adapters around it.
const MODULES: u32 = 8;

/// An engine with room for `components` under `limits`.
pub fn engine(limits: &Limits, components: usize) -> Result<Engine> {
    let engine = Engine::new(&config(limits, components))?;
    keep_ticking(&engine)?;
    Ok(engine)
}

/// The configuration. What a precompiled component depends on does not depend on the arguments.
pub fn config(limits: &Limits, components: usize) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .memory_init_cow(true)
        .epoch_interruption(true)
        // Nobody reads the functions' symbols, which wasmtime adds even where a component has no names.
        .debug_symbols(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, components)));
    #[cfg(feature = "compiler")]
    config.cranelift_opt_level(wasmtime::OptLevel::Speed);
    config
}

/// Slots for every request under way, and as many again for instances that finish or idle meanwhile. A slot that is not
/// used takes address space only: nothing is kept resident in it, because instances serve many requests, and after a
/// burst the difference is 12 MB at rest against less than the noise of a measurement in speed.
fn pool(limits: &Limits, components: usize) -> PoolingAllocationConfig {
    let slots = limits.concurrency.saturating_mul(components).saturating_mul(2).clamp(16, 1024);
    let slots = u32::try_from(slots).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(slots)
        .total_core_instances(slots * MODULES)
        .total_memories(slots)
        .total_tables(slots * MODULES)
        .total_stacks(slots)
        .max_memories_per_component(1)
        .max_tables_per_component(MODULES)
        .max_core_instances_per_component(MODULES * 2)
        .max_memory_size(limits.memory)
        .max_unused_warm_slots(slots);
    pool
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
