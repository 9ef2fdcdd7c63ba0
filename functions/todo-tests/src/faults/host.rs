//! `todo`, as processes that can be killed: `todo up`, and tools on their own.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::frozen::Frozen;

/// From exec to the line that says where it listens. The first time it compiles all components, in a debug build on a busy machine.
const START: Duration = Duration::from_secs(300);
/// Started with this argument, this program is `todo`: so what is killed is never older than what is tested, and nothing is built for it.
const TODO: &str = "todo";
/// How the line begins that says so.
const ADDRESS: &str = "  mcp     ";

/// What [`TODO`] asks for, if it is asked.
pub fn asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().filter(|first| first == TODO)?;
    Some(todo::command::run(std::iter::once(program).chain(arguments)))
}

/// How to start it.
pub struct Recipe {
    pub frozen: Frozen,
    pub folder: PathBuf,
    /// What all of them are told.
    pub environment: Vec<(&'static str, String)>,
    /// What functions on their own are told besides.
    pub of_functions: Vec<(&'static str, String)>,
}

/// A running `todo up`.
pub struct Host {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Recipe {
    /// Starts `todo up`; it does not listen yet.
    pub fn up(&self) -> anyhow::Result<Host> {
        let mut command = self.todo("up")?;
        command.env("TODO_LISTEN", "127.0.0.1:0").stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start todo")?;
        let output = child.stdout.take().context("todo has no output")?;
        Ok(Host { child, output: BufReader::new(output).lines() })
    }

    /// Starts `todo serve` for a function; it does not listen yet.
    pub fn serve(&self, function: &str, address: SocketAddr) -> anyhow::Result<Child> {
        let mut command = self.todo("serve")?;
        command.arg(function).env("TODO_LISTEN", address.to_string()).stdout(Stdio::null());
        command.envs(self.of_functions.iter().map(|(name, value)| (name, value)));
        command.spawn().with_context(|| format!("cannot start {function}"))
    }

    fn todo(&self, what: &str) -> anyhow::Result<Command> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = mortal(&std::env::current_exe()?);
        command.args([TODO, what]).env_clear();
        let kept = ["PATH", "HOME", "TMPDIR"].into_iter();
        command.envs(kept.filter_map(|name| Some((name, std::env::var_os(name)?))));
        command
            .env("TODO_DATA", &self.folder)
            .env("TODO_COMPILED", &self.frozen.compiled)
            .env("TODO_MANIFEST", &self.frozen.manifest)
            .env("TODO_KNATIVE", &self.frozen.knative)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stderr(log).kill_on_drop(true);
        Ok(command)
    }

    /// What they said, over all their lives.
    pub fn log(&self) -> PathBuf {
        self.folder.join("todo.log")
    }
}

impl Host {
    /// Waits until it says where it listens: `http://127.0.0.1:port`.
    pub async fn address(&mut self) -> anyhow::Result<String> {
        let listening = async {
            while let Some(line) = self.output.next_line().await? {
                if let Some(address) = line.strip_prefix(ADDRESS).and_then(|url| url.strip_suffix("/mcp")) {
                    return Ok(address.to_owned());
                }
            }
            bail!("todo up ended before it listened: {}", self.child.wait().await?)
        };
        tokio::time::timeout(START, listening)
            .await
            .with_context(|| format!("todo up does not listen after {START:?}"))?
    }

    /// SIGKILL, and gone when this returns.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// How it ended, if nobody killed it and it is gone all the same.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

/// A command that ends with this process, however this ends, where the system can do that.
fn mortal(program: &Path) -> Command {
    let knows = std::process::Command::new("setpriv").arg("--version").stdout(Stdio::null()).status();
    if !knows.is_ok_and(|status| status.success()) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}
