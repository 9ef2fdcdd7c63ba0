//! The interfaces of Spin that this host offers, as Rust traits (`wit/README.md` says where they come from).
//!
//! The asynchronous functions see the store only for moments, so that a waiting request holds up nobody else in its
//! instance. The synchronous ones of the same interfaces block their instance while they wait, as their callers expect.
#![allow(
    missing_docs,
    clippy::large_enum_variant,
    clippy::result_large_err,
    reason = "generated from the interfaces"
)]

wasmtime::component::bindgen!({
    inline: "
        package todo:host;
        world imports {
            import spin:postgres/postgres@4.2.0;
            import spin:sqlite/sqlite@3.1.0;
            import spin:variables/variables@3.0.0;
        }
    ",
    path: ["wit/spin-postgres@4.2.0", "wit/spin-sqlite@3.1.0", "wit/spin-variables@3.0.0"],
    world: "todo:host/imports",
    imports: {
        "spin:postgres/postgres.[static]connection.open": async | trappable,
        "spin:postgres/postgres.[static]connection.open-async": async | store | trappable,
        "spin:postgres/postgres.[method]connection.query": async | trappable,
        "spin:postgres/postgres.[method]connection.query-async": async | store | trappable,
        "spin:postgres/postgres.[method]connection.execute": async | trappable,
        "spin:postgres/postgres.[method]connection.execute-async": async | store | trappable,
        "spin:postgres/postgres.[method]connection-builder.build": async | trappable,
        "spin:postgres/postgres.[method]connection-builder.build-async": async | store | trappable,
        "spin:sqlite/sqlite.[static]connection.open": async | trappable,
        "spin:sqlite/sqlite.[static]connection.open-async": async | store | trappable,
        "spin:sqlite/sqlite.[method]connection.execute": async | trappable,
        "spin:sqlite/sqlite.[method]connection.execute-async": async | store | trappable,
        "spin:sqlite/sqlite.[method]connection.last-insert-rowid": async | trappable,
        "spin:sqlite/sqlite.[method]connection.last-insert-rowid-async": async | store | trappable,
        "spin:sqlite/sqlite.[method]connection.changes": async | trappable,
        "spin:sqlite/sqlite.[method]connection.changes-async": async | store | trappable,
        "spin:variables/variables.get": async | store | trappable,
        default: trappable,
    },
    with: {
        "spin:postgres/postgres.connection": crate::capabilities::postgres::Connection,
        "spin:postgres/postgres.connection-builder": crate::capabilities::postgres::ConnectionBuilder,
        "spin:sqlite/sqlite.connection": crate::capabilities::sqlite::Connection,
    },
});

pub use spin::postgres::postgres;
pub use spin::sqlite::sqlite;
pub use spin::variables::variables;
