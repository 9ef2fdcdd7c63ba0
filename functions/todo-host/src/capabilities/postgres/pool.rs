//! Connections by address, made when a component first asks for one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::OutboundHosts;
use super::tls;
use crate::bindings::postgres::Error;

/// How long a server may take to accept a connection, unless the address says otherwise.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a request waits for one of the connections before it fails.
const WAIT: Duration = Duration::from_secs(10);
/// Addresses come from configuration. A component that makes up new ones is stopped here.
const MOST_ADDRESSES: usize = 32;

/// The connections of a process.
pub struct Pools {
    connections: usize,
    servers: Mutex<HashMap<(String, Option<String>), Server>>,
}

/// The connections to one address.
#[derive(Clone)]
struct Server {
    pool: Pool,
    tls: Option<MakeRustlsConnect>,
}

/// A connection from a pool, and how its server is reached beside it.
pub struct Client {
    /// The connection.
    pub connection: Object,
    /// How to encrypt another connection to the server, when this one is.
    pub tls: Option<MakeRustlsConnect>,
}

impl Pools {
    /// At most `connections` to each address.
    pub fn new(connections: usize) -> Self {
        Self { connections, servers: Mutex::default() }
    }

    /// A connection to `address`, which `allowed` must list, trusting `authority` (PEM) beside the public ones.
    pub async fn connect(
        &self,
        address: &str,
        authority: Option<&str>,
        allowed: &OutboundHosts,
    ) -> Result<Client, Error> {
        let mut config: Config =
            address.parse().map_err(|error| Error::ConnectionFailed(super::error::text(&error)))?;
        permit(&config, allowed)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        let server = self.server(address, authority, config)?;
        let connection = server.pool.get().await;
        let connection =
            connection.map_err(|error| Error::ConnectionFailed(reason(&error, self.connections)))?;
        Ok(Client { connection, tls: server.tls })
    }

    fn server(&self, address: &str, authority: Option<&str>, config: Config) -> Result<Server, Error> {
        let key = (address.to_owned(), authority.map(str::to_owned));
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(&key) {
            return Ok(server.clone());
        }
        if servers.len() >= MOST_ADDRESSES {
            return Err(Error::ConnectionFailed(format!(
                "more than {MOST_ADDRESSES} database addresses are in use"
            )));
        }
        let server = Server::new(config, authority, self.connections)?;
        servers.insert(key, server.clone());
        Ok(server)
    }
}

impl Server {
    fn new(config: Config, authority: Option<&str>, connections: usize) -> Result<Self, Error> {
        // `Fast` asks nothing of the server before reuse: a connection that comes back is clean already.
        let recycle = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let tls = if tls::wanted(&config) { Some(tls::connector(authority)?) } else { None };
        let manager = match &tls {
            Some(tls) => Manager::from_config(config, tls.clone(), recycle),
            None => Manager::from_config(config, NoTls, recycle),
        };
        let pool = Pool::builder(manager)
            .max_size(connections)
            .wait_timeout(Some(WAIT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::ConnectionFailed(error.to_string()))?;
        Ok(Self { pool, tls })
    }
}

/// Every server that the address may lead to must be allowed.
fn permit(config: &Config, allowed: &OutboundHosts) -> Result<(), Error> {
    let hosts = config.get_hosts();
    if hosts.is_empty() && config.get_hostaddrs().is_empty() {
        return Err(Error::ConnectionFailed("the address names no host".into()));
    }
    let names = hosts.iter().map(name).collect::<Vec<_>>();
    let addresses = config.get_hostaddrs().iter().map(ToString::to_string).collect();
    for hosts in [names, addresses] {
        for (place, host) in hosts.iter().enumerate() {
            let port = port(config, place);
            if !allowed.allow("postgres", host, port) {
                return Err(Error::ConnectionFailed(format!(
                    "postgres://{host}:{port} is not in the component's `allowed_outbound_hosts`"
                )));
            }
        }
    }
    Ok(())
}

/// The name that the manifest knows a host by. A socket file is this machine.
fn name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(_) => "localhost".to_owned(),
    }
}

/// One port for all hosts, or one for each: libpq's rule.
fn port(config: &Config, place: usize) -> u16 {
    let ports = config.get_ports();
    ports.get(place).or_else(|| ports.first()).copied().unwrap_or(5432)
}

fn reason(error: &PoolError, connections: usize) -> String {
    match error {
        PoolError::Backend(error) => super::error::text(error),
        PoolError::Timeout(_) => format!("all {connections} connections to the database are in use"),
        other => other.to_string(),
    }
}
