//! Databases for tests: each test has its own, on SQLite always and on Postgres where one is to be had.

mod postgres;

use std::borrow::Cow;
use std::error::Error as StdError;

use tempfile::TempDir;
use todo_identity::{DevelopmentKey, Keys, Tenant, Verifier};
use uuid::Uuid;

use crate::dialect::{Access, BIND_TENANT};
use crate::driver::Pool;
use crate::{
    Database, Dialect, Error, RelayTransaction, Row, Transaction, Value, audit, calls, conversations,
    dead_letters, inbox, outbox, rebuild, reminders, tasks, updates,
};

/// What a helper fails with: a test reports it and ends.
pub type Failure = Box<dyn StdError + Send + Sync>;

/// A migrated database that goes when it is dropped.
pub struct TestDatabase {
    /// To open it by.
    pub url: String,
    database: Database,
    place: Place,
}

enum Place {
    Folder(#[expect(dead_code, reason = "held until the test ends")] TempDir),
    Server { server_url: String, name: String },
}

impl TestDatabase {
    /// A new SQLite file.
    pub async fn sqlite() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("todo.db").display());
        Self::migrated(url, Place::Folder(folder)).await
    }

    /// A new database on the Postgres server of this test run: the one of `DATABASE_URL`, else one that is started from the
    /// installed server binaries. `None`, with the reason on stderr, when there is neither; a failure then if
    /// `TODO_TEST_REQUIRE` contains `postgres`.
    pub async fn postgres() -> Result<Option<Self>, Failure> {
        let Some(server_url) = postgres::server()? else {
            return Ok(None);
        };
        let name = format!("todo_test_{}", Uuid::now_v7().simple());
        on_server(&server_url, &format!("CREATE DATABASE {name}")).await?;
        let url = postgres::with_database(&server_url, &name);
        Self::migrated(url, Place::Server { server_url, name }).await.map(Some)
    }

    async fn migrated(url: String, place: Place) -> Result<Self, Failure> {
        crate::migrate(&url).await?;
        let database = Database::open(&url).await?;
        Ok(Self { url, database, place })
    }

    /// The database, as the functions use it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// A transaction of the person with this id.
    pub async fn begin(&self, user_id: &str) -> Result<Transaction, Failure> {
        Ok(self.database.begin(&tenant(user_id)?).await?)
    }

    /// Runs a statement as the owner of the database, beyond all tenants, and gives its rows as text.
    pub async fn as_owner(&self, statement: &str) -> Result<Vec<Vec<String>>, Failure> {
        self.as_owner_in_turn(&[statement]).await
    }

    /// Runs statements in one transaction of the owner, and gives the rows of the last one.
    pub async fn as_owner_in_turn(&self, statements: &[&str]) -> Result<Vec<Vec<String>>, Failure> {
        in_turn_as_owner(&self.database, statements).await
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match self.database.pool() {
            Pool::Postgres(_) => Dialect::Postgres,
            Pool::Sqlite(_) => Dialect::Sqlite,
        }
    }
}

impl Drop for TestDatabase {
    /// A server that outlives the test run should not keep its databases.
    fn drop(&mut self) {
        let Place::Server { server_url, name } = &self.place else { return };
        let (server_url, drop_it) = (server_url.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(on_server(&server_url, &drop_it))
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("the database {name} could not be dropped");
        }
    }
}

/// The person with this id, by the only way there is: a signed and verified token.
pub fn tenant(user_id: &str) -> Result<Tenant, Failure> {
    let folder = tempfile::tempdir()?;
    let key = DevelopmentKey::load_or_create(&folder.path().join("key.pem"))?;
    let people = Verifier::people(Keys::jwks(&key.public_jwks())?, DevelopmentKey::policy());
    Ok(people.verify(&key.token(user_id, 60)?)?)
}

/// Runs a statement as the user of the database's URL, beyond all tenants, and gives its rows as text: for what looks at a system that
/// others run.
pub async fn rows_as_owner(database: &Database, statement: &str) -> Result<Vec<Vec<String>>, Failure> {
    in_turn_as_owner(database, &[statement]).await
}

/// A connection of the owner's for what looks again and again while others work: a look is one statement and no transaction.
pub enum Watch {
    /// On Postgres.
    Postgres(sqlx::pool::PoolConnection<sqlx::Postgres>),
    /// On SQLite.
    Sqlite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
}

impl Watch {
    /// Takes a connection out of this database's pool.
    pub async fn open(database: &Database) -> Result<Self, Failure> {
        Ok(match database.pool() {
            Pool::Postgres(pool) => Self::Postgres(pool.acquire().await?),
            Pool::Sqlite(pool) => Self::Sqlite(pool.acquire().await?),
        })
    }

    /// Whether a query finds anything with this number as `$1`.
    pub async fn finds(&mut self, query: &'static str, number: i64) -> Result<bool, Failure> {
        Ok(match self {
            Self::Postgres(connection) => {
                sqlx::query(query).bind(number).fetch_optional(&mut **connection).await?.is_some()
            }
            Self::Sqlite(connection) => {
                sqlx::query(query).bind(number).fetch_optional(&mut **connection).await?.is_some()
            }
        })
    }
}

async fn in_turn_as_owner(database: &Database, statements: &[&str]) -> Result<Vec<Vec<String>>, Failure> {
    let mut connection = database.pool().begin(Access::ReadWrite).await?;
    let mut rows = Vec::new();
    for statement in statements {
        rows = connection.rows(Cow::Owned((*statement).to_owned()), Vec::new()).await?;
    }
    connection.commit().await?;
    Ok(rows.into_iter().map(texts).collect())
}

/// Runs any statement in a tenant's transaction, bound as every other, and gives its rows as text.
pub async fn in_transaction(tx: &mut Transaction, statement: &str) -> Result<Vec<Vec<String>>, Error> {
    let rows = tx.rows(statement.to_owned(), Vec::new()).await?;
    Ok(rows.into_iter().map(texts).collect())
}

/// Every statement that the store can run on a database, by name.
pub fn statements(dialect: Dialect) -> Vec<(String, String)> {
    let modules = [
        ("tasks", tasks::ALL),
        ("outbox", outbox::ALL),
        ("lease", outbox::LEASE_STATEMENTS),
        ("audit", audit::ALL),
        ("calls", calls::ALL),
        ("conversations", conversations::ALL),
        ("updates", updates::ALL),
        ("reminders", reminders::ALL),
        ("deliveries", reminders::DELIVERY_STATEMENTS),
    ];
    let mut statements = tasks::variants(dialect);
    for (module, all) in modules {
        statements.extend(all.iter().map(|(name, text)| (format!("{module} {name}"), (*text).to_owned())));
    }
    let composed = [
        ("outbox INSERT of 2", outbox::insert(2)),
        ("outbox INSERT of 4", outbox::insert(4)),
        ("inbox INSERT of 1", inbox::insert(1)),
        ("inbox INSERT of 3", inbox::insert(3)),
        ("lease MARK of 4", outbox::mark(4)),
        ("conversations INSERT of 3", conversations::insert(3)),
        ("tasks GET, locked", tasks::locked(dialect)),
        ("reminders PERSON, locked", reminders::person(dialect)),
    ];
    statements.extend(composed.map(|(name, text)| (name.to_owned(), text)));
    if dialect == Dialect::Postgres {
        statements.push(("BIND_TENANT".to_owned(), BIND_TENANT.to_owned()));
    }
    statements
}

/// Every statement of the relay and of what is nobody's, by name.
pub fn relay_statements() -> Vec<(String, String)> {
    let modules = [
        ("relay", outbox::RELAY_STATEMENTS),
        ("retention", audit::RETENTION_STATEMENTS),
        ("updates", updates::CLEARING_STATEMENTS),
        ("reminders", reminders::CLEARING_STATEMENTS),
        ("dead letters", dead_letters::ALL),
    ];
    let listed = modules.into_iter().flat_map(|(module, all)| {
        all.iter().map(move |(name, text)| (format!("{module} {name}"), (*text).to_owned()))
    });
    listed.chain([("lease FAILED".to_owned(), outbox::FAILED.to_owned())]).collect()
}

/// Every statement that only an operator's commands run, by name.
pub fn operator_statements() -> Vec<(String, String)> {
    let mut statements = dead_letters::operator_statements();
    statements.extend(rebuild::all());
    statements.push(("inbox FORGET".to_owned(), inbox::FORGET.to_owned()));
    statements
}

/// Runs any statement in a transaction of the relay's, and gives its rows as text.
pub async fn in_relay(tx: &mut RelayTransaction, statement: &str) -> Result<Vec<Vec<String>>, Error> {
    let rows = tx.work.rows(statement.to_owned(), Vec::new()).await?;
    Ok(rows.into_iter().map(texts).collect())
}

async fn on_server(server_url: &str, statement: &str) -> Result<(), Failure> {
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(server_url).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(sqlx::Connection::close(connection).await?)
}

fn texts(row: Row) -> Vec<String> {
    let text = |value| match value {
        Value::Integer(number) => number.map(|number| number.to_string()).unwrap_or_default(),
        Value::Text(text) => text.unwrap_or_default(),
    };
    row.values().map(text).collect()
}
