//! The tools once more, each a process of its own on the same data, as the pods of a cluster run them.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use todo_identity::FunctionKey;
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::sleep;

use crate::door::{Door, Visitor};
use crate::host::Recipe;

const NAMES: [&str; 5] =
    ["tool-add-task", "tool-complete-task", "tool-delete-task", "tool-list-tasks", "tool-update-task"];
/// From exec until it listens; as with the host, the first time compiles.
const START: Duration = Duration::from_secs(300);

/// All of them, running or not.
pub struct Functions {
    key: FunctionKey,
    running: BTreeMap<&'static str, Function>,
}

#[derive(Default)]
struct Function {
    process: Option<Child>,
    door: Door,
}

/// Where each is at this moment, and the key to call them with.
#[derive(Clone)]
pub struct Directory {
    pub key: FunctionKey,
    doors: BTreeMap<&'static str, Visitor>,
}

impl Functions {
    /// None runs yet.
    pub fn new(key: FunctionKey) -> Self {
        Self { key, running: NAMES.map(|name| (name, Function::default())).into() }
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter()
    }

    pub fn directory(&self) -> Directory {
        let doors = self.running.iter().map(|(name, function)| (*name, function.door.visitor()));
        Directory { key: self.key.clone(), doors: doors.collect() }
    }

    /// Where calls of one come in.
    pub fn visitor(&self, name: &str) -> Option<Visitor> {
        self.running.get(name).map(|function| function.door.visitor())
    }

    /// SIGKILL, and gone when this returns.
    pub async fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let Some(function) = self.running.get_mut(name) else { return Ok(()) };
        function.door.shut();
        match function.process.take() {
            Some(mut process) => Ok(process.kill().await?),
            None => Ok(()),
        }
    }

    /// Starts those that do not run, and waits until they listen.
    pub async fn keep_up(&mut self, recipe: &Recipe) -> anyhow::Result<()> {
        for (name, function) in &mut self.running {
            if function.process.is_none() {
                let address = free()?;
                let mut process = recipe.serve(name, address)?;
                listens(&mut process, address).await.with_context(|| (*name).to_owned())?;
                function.process = Some(process);
                function.door.open(format!("http://{address}"));
            }
        }
        Ok(())
    }

    /// Those that ended though nobody killed them. They do not run any more.
    pub fn ended(&mut self) -> Vec<String> {
        let mut ended = Vec::new();
        for (name, function) in &mut self.running {
            if let Some(status) =
                function.process.as_mut().and_then(|process| process.try_wait().ok().flatten())
            {
                ended.push(format!("{name} ended by itself: {status}"));
                function.process = None;
                function.door.shut();
            }
        }
        ended
    }
}

impl Directory {
    /// Where a function is; waits while it is away.
    pub async fn enter(&mut self, name: &str) -> Option<String> {
        self.doors.get_mut(name)?.enter().await
    }
}

/// An address that nobody has at this moment.
fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

async fn listens(process: &mut Child, address: SocketAddr) -> anyhow::Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if let Some(status) = process.try_wait()? {
            bail!("it ended before it listened: {status}");
        }
        if begun.elapsed() > START {
            bail!("it does not listen after {START:?}");
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
