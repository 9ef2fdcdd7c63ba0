//! The interface itself: handles to connections, in its synchronous and asynchronous forms.

use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::super::{Capabilities, Spin, View};
use super::connection::{Connection, ConnectionBuilder, Lease};
use super::tls::certificates;
use crate::bindings::postgres::{
    Column, Error, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore,
    HostConnectionWithStore, ParameterValue, Row, RowSet,
};

/// What `query-async` answers: columns, rows, and how it ended.
type Streamed = (Vec<Column>, StreamReader<Row>, FutureReader<Result<(), Error>>);

impl Capabilities {
    async fn connect(&self, address: &str, authority: Option<&str>) -> Result<Connection, Error> {
        let connected = self.postgres.connect(address, authority, &self.outbound).await;
        connected.map(Connection::new).inspect_err(|error| {
            tracing::warn!(component = %self.component, "no connection to Postgres: {error:?}");
        })
    }
}

impl View<'_> {
    fn postgres_connection(&self, connection: &Resource<Connection>) -> Result<Arc<Lease>> {
        Ok(self.table.get(connection)?.lease())
    }

    async fn connect(
        &mut self,
        address: &str,
        authority: Option<&str>,
    ) -> Result<Result<Resource<Connection>, Error>> {
        match self.capabilities.connect(address, authority).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }
}

async fn connect<T: 'static>(
    accessor: &Accessor<T, Spin>,
    address: &str,
    authority: Option<&str>,
) -> Result<Result<Resource<Connection>, Error>> {
    let capabilities = accessor.with(|mut store| store.get().capabilities.clone());
    match capabilities.connect(address, authority).await {
        Ok(connection) => Ok(Ok(accessor.with(|mut store| store.get().table.push(connection))?)),
        Err(error) => Ok(Err(error)),
    }
}

impl Host for View<'_> {}

impl HostConnection for View<'_> {
    async fn open(&mut self, address: String) -> Result<Result<Resource<Connection>, Error>> {
        self.connect(&address, None).await
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<RowSet, Error>> {
        let found = self.postgres_connection(&connection)?.query(&sql, parameters).await;
        Ok(found.map(|(columns, rows)| RowSet { columns, rows }))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<u64, Error>> {
        Ok(self.postgres_connection(&connection)?.execute(&sql, parameters).await)
    }

    fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for Spin {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Result<Resource<Connection>, Error>> {
        connect(accessor, &address, None).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<Streamed, Error>> {
        let connection = accessor.with(|mut store| store.get().postgres_connection(&connection))?;
        let (columns, rows) = match connection.query(&sql, parameters).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut store| {
            let rows = StreamReader::new(&mut store, rows)?;
            let ended = FutureReader::new(&mut store, std::future::ready(Ok::<_, wasmtime::Error>(Ok(()))))?;
            Ok(Ok((columns, rows, ended)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Result<u64, Error>> {
        let connection = accessor.with(|mut store| store.get().postgres_connection(&connection))?;
        Ok(connection.execute(&sql, parameters).await)
    }
}

impl HostConnectionBuilder for View<'_> {
    fn new(&mut self, address: String) -> Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder { address, authority: None })?)
    }

    fn set_ca_root(
        &mut self,
        builder: Resource<ConnectionBuilder>,
        certificate: String,
    ) -> Result<Result<(), Error>> {
        let builder = self.table.get_mut(&builder)?;
        Ok(certificates(&certificate).map(|_| builder.authority = Some(certificate)))
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let ConnectionBuilder { address, authority } = self.table.get(&builder)?.clone();
        self.connect(&address, authority.as_deref()).await
    }

    fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionBuilderWithStore<T> for Spin {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let ConnectionBuilder { address, authority } =
            accessor.with(|mut store| store.get().table.get(&builder).cloned())?;
        connect(accessor, &address, authority.as_deref()).await
    }
}
