//! The interface itself: names and handles to databases and connections.

use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::super::{Spin, View};
use super::database::{Connection, Database, Lease};
use crate::bindings::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};

/// What `execute-async` answers: columns, rows, and how it ended.
type Streamed = (Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>);

impl View<'_> {
    fn sqlite_database(&self, name: &str) -> Result<Arc<Database>, Error> {
        self.capabilities.sqlite.get(name).cloned().ok_or(Error::AccessDenied)
    }

    fn sqlite_connection(&self, connection: &Resource<Connection>) -> Result<Arc<Lease>> {
        Ok(self.table.get(connection)?.lease())
    }
}

impl Host for View<'_> {}

impl HostConnection for View<'_> {
    async fn open(&mut self, name: String) -> Result<Result<Resource<Connection>, Error>> {
        let connection = match self.sqlite_database(&name) {
            Ok(database) => database.connect().await,
            Err(error) => Err(error),
        };
        match connection {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<Value>,
    ) -> Result<Result<QueryResult, Error>> {
        let result = self.sqlite_connection(&connection)?.execute(sql, parameters).await;
        Ok(result.map(|(columns, rows)| QueryResult { columns, rows }))
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> Result<i64> {
        trapping(self.sqlite_connection(&connection)?.last_insert_rowid().await)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> Result<u64> {
        trapping(self.sqlite_connection(&connection)?.changes().await)
    }

    fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for Spin {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let database = match accessor.with(|mut store| store.get().sqlite_database(&name)) {
            Ok(database) => database,
            Err(error) => return Ok(Err(error)),
        };
        match database.connect().await {
            Ok(connection) => Ok(Ok(accessor.with(|mut store| store.get().table.push(connection))?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<Value>,
    ) -> Result<Result<Streamed, Error>> {
        let connection = accessor.with(|mut store| store.get().sqlite_connection(&connection))?;
        let (columns, rows) = match connection.execute(sql, parameters).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut store| {
            let rows = StreamReader::new(&mut store, rows)?;
            let ended = FutureReader::new(&mut store, std::future::ready(Ok::<_, wasmtime::Error>(Ok(()))))?;
            Ok(Ok((columns, rows, ended)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> Result<i64> {
        let connection = accessor.with(|mut store| store.get().sqlite_connection(&connection))?;
        trapping(connection.last_insert_rowid().await)
    }

    async fn changes_async(accessor: &Accessor<T, Self>, connection: Resource<Connection>) -> Result<u64> {
        let connection = accessor.with(|mut store| store.get().sqlite_connection(&connection))?;
        trapping(connection.changes().await)
    }
}

/// For the functions whose interface has no error to answer with.
fn trapping<R>(result: Result<R, Error>) -> Result<R> {
    result.map_err(|error| wasmtime::format_err!("{error:?}"))
}
