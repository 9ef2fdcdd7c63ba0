//! What one instance takes, from its start to its end: a place among the function's instances, and linear memory.

use std::sync::Arc;

use wasmtime::{Result, StoreLimits, StoreLimitsBuilder};

use crate::counters::Counters;

/// Core modules of one component: the program and the adapters around it. They share the program's one memory.
const INSTANCES: usize = 16;
/// Their tables.
const TABLES: usize = 8;
/// Functions in each, 8 bytes of the host's memory apiece.
const TABLE_ELEMENTS: usize = 20_000;

/// The limit on an instance's memory, and what it has taken of it. Dropped with the instance, which gives all of it back.
pub struct Footprint {
    limits: StoreLimits,
    /// Bytes of linear memory, which never shrinks.
    memory: usize,
    counters: Arc<Counters>,
}

impl Footprint {
    /// An instance that may take `memory` bytes.
    pub fn new(memory: usize, counters: Arc<Counters>) -> Self {
        counters.instance_began();
        // A refused growth traps, so that the log says "memory" and not whatever the guest makes of it.
        let limits = StoreLimitsBuilder::new()
            .instances(INSTANCES)
            .memories(1)
            .memory_size(memory)
            .tables(TABLES)
            .table_elements(TABLE_ELEMENTS)
            .trap_on_grow_failure(true)
            .build();
        Self { limits, memory: 0, counters }
    }
}

impl Drop for Footprint {
    fn drop(&mut self) {
        self.counters.instance_ended(self.memory);
    }
}

impl wasmtime::ResourceLimiter for Footprint {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let granted = self.limits.memory_growing(current, desired, maximum)?;
        if granted {
            let more = desired.saturating_sub(current);
            self.memory = self.memory.saturating_add(more);
            self.counters.memory_grew(more);
        }
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.limits.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.limits.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}
