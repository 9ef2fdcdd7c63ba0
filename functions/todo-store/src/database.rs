//! The database and a tenant's transaction in it.

use std::borrow::Cow;

use jiff::Timestamp;
use todo_events::Origin;
use todo_identity::Tenant;

use crate::dialect::{Access, BIND_TENANT};
use crate::driver::{Connection, Pool};
use crate::{Dialect, Error, Row, Value};

/// A pool of connections to one database. Cloning it is cheap and shares the pool.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
}

impl Database {
    /// Opens `postgres://…` or `sqlite:<path>`. In a component `sqlite:` is Spin's database `default`, and connections are the
    /// host's. Natively the SQLite file must exist: [`crate::migrate`] makes it.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let pool = Pool::open(url, dialect_of(url)?).await?;
        Ok(Self { pool })
    }

    /// Begins a transaction in which only this tenant's rows exist. Dropping it rolls back.
    pub async fn begin(&self, tenant: &Tenant) -> Result<Transaction, Error> {
        self.begin_as(tenant, Access::ReadWrite).await
    }

    /// Begins a transaction that only reads. On SQLite it waits for no writer.
    pub async fn begin_read(&self, tenant: &Tenant) -> Result<Transaction, Error> {
        self.begin_as(tenant, Access::ReadOnly).await
    }

    /// Says whether the database answers, for those who have no tenant to ask for: readiness.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut connection = self.pool.begin(Access::ReadOnly).await?;
        connection.rows(Cow::Borrowed("SELECT 1"), Vec::new()).await.map(drop)
    }

    /// Closes all connections, after the transactions that use them.
    #[cfg(not(target_family = "wasm"))]
    pub async fn close(&self) {
        self.pool.close().await;
    }

    #[cfg(feature = "testing")]
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn begin_as(&self, tenant: &Tenant, access: Access) -> Result<Transaction, Error> {
        let mut connection = self.pool.begin(access).await?;
        if connection.dialect() == Dialect::Postgres {
            let user_id = Value::from(tenant.user_id());
            connection.rows(Cow::Borrowed(BIND_TENANT), vec![user_id]).await?;
        }
        Ok(Transaction {
            connection,
            tenant: tenant.clone(),
            now: whole_milliseconds(Timestamp::now()),
            origin: Origin::of("todo"),
        })
    }
}

/// Creates or updates the schema. Any number of processes may do it at once; migrating twice does nothing.
#[cfg(not(target_family = "wasm"))]
pub async fn migrate(url: &str) -> Result<(), Error> {
    crate::driver::migrate(url, dialect_of(url)?).await
}

fn dialect_of(url: &str) -> Result<Dialect, Error> {
    match url.split(':').next() {
        Some("postgres" | "postgresql") => Ok(Dialect::Postgres),
        Some("sqlite") => Ok(Dialect::Sqlite),
        _ => Err(Error::Invalid(todo_domain::Invalid::new(
            "DATABASE_URL",
            "it names no database this program knows",
            "Use postgres://user:password@host/database or sqlite:path/to/file.db.",
        ))),
    }
}

/// A transaction bound to one tenant: every function of the store takes one, and none takes a user's id.
pub struct Transaction {
    connection: Connection,
    tenant: Tenant,
    now: Timestamp,
    origin: Origin,
}

impl Transaction {
    /// Whose transaction it is.
    pub fn user_id(&self) -> &str {
        self.tenant.user_id()
    }

    /// When it began: the one "now" of everything that is written in it, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Says which function makes the changes and in which trace, for their events.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Makes all changes visible, or none.
    pub async fn commit(self) -> Result<(), Error> {
        self.connection.commit().await
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.connection.dialect()
    }

    pub(crate) fn user(&self) -> Value {
        self.user_id().into()
    }

    pub(crate) async fn rows(
        &mut self,
        statement: impl Into<Cow<'static, str>>,
        parameters: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        self.connection.rows(statement.into(), parameters).await
    }

    pub(crate) async fn row(
        &mut self,
        statement: impl Into<Cow<'static, str>>,
        parameters: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        Ok(self.rows(statement, parameters).await?.into_iter().next())
    }

    pub(crate) async fn execute(
        &mut self,
        statement: impl Into<Cow<'static, str>>,
        parameters: Vec<Value>,
    ) -> Result<(), Error> {
        self.connection.execute(statement.into(), parameters).await
    }
}

/// What the database keeps, so that an answer and a later list show the same instant.
fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
