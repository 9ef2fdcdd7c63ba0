//! `todo up` as a process that can be killed.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use todo::config::Config;
use todo::failure::Failure;
use todo::up::Up;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::frozen::Frozen;

/// From exec to the line that says where it listens. The first time it compiles all components, in a debug build on a busy machine.
const START: Duration = Duration::from_secs(300);
/// Started with this argument, this program is `todo up`: so what is killed is never older than what is tested, and nothing is built for it.
const TODO_UP: &str = "todo-up";
/// How the line begins that says so.
const ADDRESS: &str = "  mcp     ";

/// What [`TODO_UP`] asks for, if it is asked.
pub fn asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let program = arguments.next()?;
    (arguments.next()? == TODO_UP).then(|| up(std::iter::once(program).chain(arguments)))
}

fn up(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        up: Up,
        #[command(flatten)]
        config: Config,
    }
    let Cli { up, config } = Cli::parse_from(arguments);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(todo::up::run(up, config)),
        Err(error) => Err(Failure::unavailable(format!("cannot start threads: {error}"))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("todo: {failure}");
            failure.into()
        }
    }
}

/// How to start it.
pub struct Recipe {
    pub frozen: Frozen,
    pub folder: PathBuf,
    pub environment: Vec<(&'static str, String)>,
}

/// A running `todo up`.
pub struct Host {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Recipe {
    /// Starts it; it does not listen yet.
    pub fn spawn(&self) -> anyhow::Result<Host> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = mortal(&std::env::current_exe()?);
        command.arg(TODO_UP).env_clear();
        let kept = ["PATH", "HOME", "TMPDIR"].into_iter();
        command.envs(kept.filter_map(|name| Some((name, std::env::var_os(name)?))));
        command
            .env("TODO_LISTEN", "127.0.0.1:0")
            .env("TODO_DATA", &self.folder)
            .env("TODO_COMPILED", &self.frozen.compiled)
            .env("TODO_MANIFEST", &self.frozen.manifest)
            .env("TODO_KNATIVE", &self.frozen.knative)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start todo")?;
        let output = child.stdout.take().context("todo has no output")?;
        Ok(Host { child, output: BufReader::new(output).lines() })
    }

    /// What it said, over all its lives.
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
