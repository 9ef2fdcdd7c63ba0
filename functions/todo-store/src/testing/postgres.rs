//! A Postgres server for the tests: the one of `DATABASE_URL`, or one of our own.
//!
//! Our own has its data in a temporary folder, listens on a free port of this machine only, writes nothing durably, and belongs to a
//! shell that holds its end of a pipe: however the test process ends, the pipe closes, and the shell stops the server and
//! removes the folder.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::Failure;

/// Where Debian keeps the server's programs, one folder per version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// `$1` is the folder of the programs, `$2` the port. Prints `ready`, or the server's log when it does not start.
const SCRIPT: &str = r#"
set -eu
folder=$(mktemp -d "${TMPDIR:-/tmp}/todo-postgres.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$1/initdb" --pgdata data --username postgres --auth trust --encoding UTF8 --locale C --no-sync >log 2>&1 || { cat log; exit 1; }
options="-c listen_addresses=127.0.0.1 -p $2 -k $folder -c fsync=off -c full_page_writes=off -c max_connections=300"
"$1/pg_ctl" --pgdata data --wait --log log --options "$options" start >/dev/null || { cat log; exit 1; }
echo ready
cat >/dev/null
"$1/pg_ctl" --pgdata data --wait --mode immediate stop >/dev/null
"#;

/// The URL of the server of this process, to be completed by [`with_database`]; `None` when there is none.
pub(super) fn server() -> Result<Option<String>, Failure> {
    if let Some(url) = std::env::var("DATABASE_URL").ok().filter(|url| url.starts_with("postgres")) {
        return Ok(Some(url));
    }
    static OURS: OnceLock<Result<Server, String>> = OnceLock::new();
    match OURS.get_or_init(Server::start) {
        Ok(server) => Ok(Some(format!("postgres://postgres@127.0.0.1:{}/postgres", server.port))),
        Err(reason) if required() => Err(format!("Postgres is required: {reason}").into()),
        Err(reason) => {
            eprintln!("skipped on Postgres: {reason}");
            Ok(None)
        }
    }
}

/// The same server, another database.
pub(super) fn with_database(server_url: &str, name: &str) -> String {
    let (address, parameters) = match server_url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server_url, String::new()),
    };
    let authority = address.find("://").map_or(0, |at| at + 3);
    let path = address.get(authority..).and_then(|rest| rest.find('/'));
    let end = path.map_or(address.len(), |at| authority + at);
    format!("{}/{name}{parameters}", address.get(..end).unwrap_or(address))
}

fn required() -> bool {
    std::env::var("TODO_TEST_REQUIRE").is_ok_and(|required| required.contains("postgres"))
}

struct Server {
    port: u16,
    #[expect(dead_code, reason = "its end of the pipe is what keeps the server running")]
    shell: Child,
}

impl Server {
    fn start() -> Result<Self, String> {
        let programs = programs().ok_or(
            "set DATABASE_URL to a server where databases may be created, or install the Debian package postgresql",
        )?;
        let mut failure = String::new();
        // The port is free now and taken a moment later; should somebody be faster, another one is tried.
        for _ in 0..3 {
            match Self::start_on(&programs, free_port()?) {
                Ok(server) => return Ok(server),
                Err(reason) => failure = reason,
            }
        }
        Err(failure)
    }

    fn start_on(programs: &Path, port: u16) -> Result<Self, String> {
        let mut shell = as_nobody_special();
        shell.args(["sh", "-c", SCRIPT, "sh"]).arg(programs).arg(port.to_string());
        // A Ctrl-C is for the tests; the shell hears of it by the pipe.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().map_err(|error| error.to_string())?;
        let output = shell.stdout.take().ok_or("no output")?;
        let mut said = String::new();
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|error| error.to_string())?;
            if line == "ready" {
                return Ok(Self { port, shell });
            }
            said.push_str(&line);
            said.push('\n');
        }
        Err(format!("the server did not start:\n{said}"))
    }
}

/// Postgres refuses to run as root: then it runs as the user that its package made, else as the one made for nothing.
fn as_nobody_special() -> Command {
    let root = is_root();
    let mut command = Command::new("env");
    if root {
        let known = |user: &str| Command::new("id").arg(user).output().is_ok_and(|id| id.status.success());
        let user = if known("postgres") { "postgres" } else { "nobody" };
        command = Command::new("runuser");
        command.args(["-u", user, "--", "env"]);
    }
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

fn programs() -> Option<PathBuf> {
    let complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(complete) {
        return Some(folder);
    }
    let versions = std::fs::read_dir(DEBIAN).ok()?.flatten().map(|version| version.path().join("bin"));
    versions.filter(complete).max_by_key(|folder| version_of(folder))
}

fn version_of(folder: &Path) -> u32 {
    let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
