//! The database and a tenant's transaction in it.

use std::borrow::Cow;

use jiff::Timestamp;
use todo_events::Origin;
use todo_identity::Tenant;

use crate::audit::Head;
use crate::dialect::{Access, BIND_RELAY, BIND_TENANT};
use crate::driver::{Connection, Pool};
use crate::outbox::{Lease, publisher_name};
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

    /// Begins the relay's transaction, which is nobody's in particular: it can send what waits and clear away what is old, and on
    /// Postgres its role can do nothing else.
    pub async fn begin_relay(&self) -> Result<RelayTransaction, Error> {
        Ok(RelayTransaction { work: self.work(None, Access::ReadWrite).await? })
    }

    /// Begins a transaction that only reads, with the rights of whom the URL logs in as: for the operator's commands, which name a
    /// person instead of being one. No function of ours does this.
    #[cfg(not(target_family = "wasm"))]
    pub async fn begin_operator(&self) -> Result<OperatorTransaction, Error> {
        let connection = self.pool.begin(Access::ReadOnly).await?;
        Ok(OperatorTransaction { work: Work::new(connection) })
    }

    /// The same for the commands that repair something: it can write, too.
    #[cfg(not(target_family = "wasm"))]
    pub async fn begin_repair(&self) -> Result<RepairTransaction, Error> {
        let connection = self.pool.begin(Access::ReadWrite).await?;
        Ok(RepairTransaction { work: Work::new(connection) })
    }

    /// Says whether the database answers, for those who have no tenant to ask for: readiness.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut connection = self.pool.begin(Access::ReadOnly).await?;
        // A bare 1 is an INT4 on Postgres, which no column of ours is and the driver does not read.
        connection.rows(Cow::Borrowed("SELECT CAST(1 AS BIGINT)"), Vec::new()).await.map(drop)
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
        Ok(Transaction {
            work: self.work(Some(tenant), access).await?,
            tenant: tenant.clone(),
            origin: Origin::of("todo"),
            wanted_lease: None,
            lease: None,
            audit_head: None,
        })
    }

    /// A transaction bound to a tenant or, without one, to the relay.
    pub(crate) async fn work(&self, tenant: Option<&Tenant>, access: Access) -> Result<Work, Error> {
        let mut connection = self.pool.begin(access).await?;
        if connection.dialect() == Dialect::Postgres {
            let (bind, parameters) = match tenant {
                Some(tenant) => (BIND_TENANT, vec![Value::from(tenant.user_id())]),
                None => (BIND_RELAY, Vec::new()),
            };
            connection.execute(Cow::Borrowed(bind), parameters).await?;
        }
        Ok(Work::new(connection))
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
    work: Work,
    tenant: Tenant,
    origin: Origin,
    /// The name under which it wants to publish what it writes.
    wanted_lease: Option<String>,
    lease: Option<Lease>,
    /// The end of the person's audit once this transaction has locked it.
    pub(crate) audit_head: Option<Head>,
}

impl Transaction {
    /// Whose transaction it is.
    pub fn user_id(&self) -> &str {
        self.tenant.user_id()
    }

    /// When it began: the one "now" of everything that is written in it, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        self.work.now
    }

    /// Says which function makes the changes and in which trace, for their events.
    pub fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Says, before anything is written, that its events are going to be published right after the commit: see
    /// [`Self::commit_to_publish`].
    pub fn want_lease(&mut self) {
        self.wanted_lease = Some(publisher_name());
    }

    /// Makes all changes visible, or none.
    pub async fn commit(self) -> Result<(), Error> {
        self.work.commit().await
    }

    /// Makes all changes visible, or none; and hands over the right to publish this person's events if it was wanted, something was
    /// written, nobody else has it, and publishing is not known to be broken.
    pub async fn commit_to_publish(self) -> Result<Option<Lease>, Error> {
        self.work.commit().await?;
        Ok(self.lease)
    }

    pub(crate) fn work(&mut self) -> &mut Work {
        &mut self.work
    }

    pub(crate) fn wanted_lease(&self) -> Option<&str> {
        self.wanted_lease.as_deref()
    }

    /// The lease is the tenant's since the statement that counted up to `last_event`.
    pub(crate) fn took_lease(&mut self, last_event: i64) {
        let publisher = self.wanted_lease.clone();
        self.lease = publisher.map(|publisher| Lease::of_tenant(&self.tenant, publisher, last_event));
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.work.connection.dialect()
    }

    pub(crate) fn user(&self) -> Value {
        self.user_id().into()
    }

    pub(crate) async fn rows(
        &mut self,
        statement: impl Into<Cow<'static, str>>,
        parameters: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        self.work.rows(statement, parameters).await
    }

    pub(crate) async fn row(
        &mut self,
        statement: impl Into<Cow<'static, str>>,
        parameters: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        self.work.row(statement, parameters).await
    }

    pub(crate) async fn execute(
        &mut self,
        statement: impl Into<Cow<'static, str>>,
        parameters: Vec<Value>,
    ) -> Result<(), Error> {
        self.work.execute(statement, parameters).await
    }
}

/// The relay's transaction; what it can do stands in `outbox/relay.rs` and `audit/retention.rs`.
pub struct RelayTransaction {
    pub(crate) work: Work,
}

impl RelayTransaction {
    /// When it began.
    pub fn now(&self) -> Timestamp {
        self.work.now
    }

    /// Makes all changes visible, or none.
    pub async fn commit(self) -> Result<(), Error> {
        self.work.commit().await
    }
}

/// An operator's transaction, which sees everybody's and changes nothing.
#[cfg(not(target_family = "wasm"))]
pub struct OperatorTransaction {
    pub(crate) work: Work,
}

/// An operator's transaction that repairs something; what it can do stands in `dead_letters/operator.rs` and `rebuild.rs`.
#[cfg(not(target_family = "wasm"))]
pub struct RepairTransaction {
    pub(crate) work: Work,
}

#[cfg(not(target_family = "wasm"))]
impl RepairTransaction {
    /// When it began.
    pub fn now(&self) -> Timestamp {
        self.work.now
    }

    /// Makes all changes visible, or none.
    pub async fn commit(self) -> Result<(), Error> {
        self.work.commit().await
    }
}

/// A transaction that is bound to whom it is for.
pub(crate) struct Work {
    connection: Connection,
    pub(crate) now: Timestamp,
}

impl Work {
    fn new(connection: Connection) -> Self {
        Self { connection, now: whole_milliseconds(Timestamp::now()) }
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

    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.connection.commit().await
    }
}

/// What the database keeps, so that an answer and a later list show the same instant.
fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
