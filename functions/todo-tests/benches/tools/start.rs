//! How fast a function starts, precompiled, and how much memory it holds when nobody calls it.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use todo_identity::FunctionKey;
use todo_store::testing::TestDatabase;
use tokio::process::Child;

use crate::load::call;
use crate::servers::tenant;

const STARTS: usize = 15;
const TOOL: &str = "tool-list-tasks";
/// Started with this argument, this program is `todo`, in the profile of benchmarks; it has the compiler, as on one machine.
const TODO: &str = "todo";

/// What [`TODO`] asks for, if it is asked.
pub fn asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().filter(|first| first == TODO)?;
    Some(todo::command::run(std::iter::once(program).chain(arguments)))
}

/// Precompiles the components, and starts one of them again and again.
pub async fn measure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let todo = std::env::current_exe().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut precompile = Command::new(&todo);
    precompile
        .args([TODO, "precompile", "--output"])
        .arg(folder.path())
        .current_dir(&root)
        .stdout(Stdio::null());
    assert!(precompile.status().unwrap().success(), "{precompile:?}");
    let database = TestDatabase::sqlite().await.unwrap();
    let key = FunctionKey::generate().unwrap();
    let token = key.mint(&tenant(), TOOL).unwrap();
    let (mut times, mut memory) = (Vec::new(), 0);
    for _ in 0..STARTS {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let start = Instant::now();
        let mut child =
            serve(&todo, &root, &folder.path().join(format!("{TOOL}.cwasm")), port, &database.url, &key);
        first_answer(port, &token).await;
        times.push(start.elapsed());
        memory = resident(child.id().unwrap());
        child.kill().await.unwrap();
    }
    times.sort();
    println!(
        "\n{TOOL}, precompiled: exec to first answer with a database query {:.1?} (median of {STARTS})",
        times[STARTS / 2]
    );
    println!("resident after it: {:.1} MiB", memory as f64 / 1024.0);
}

fn serve(todo: &Path, root: &Path, file: &Path, port: u16, database_url: &str, key: &FunctionKey) -> Child {
    tokio::process::Command::new(todo)
        .args([TODO, "serve", TOOL, "--log", "error", "--file"])
        .arg(file)
        .current_dir(root)
        .env("PORT", port.to_string())
        // As in the image.
        .envs([("MIMALLOC_ALLOW_THP", "0"), ("MIMALLOC_ARENA_RESERVE", "131072")])
        .env("DATABASE_URL", database_url)
        .env("TODO_FUNCTION_PUBLIC_KEYS", key.public_jwks())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Tries to connect until somebody listens, then calls.
async fn first_answer(port: u16, token: &str) {
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    call(&reqwest::Client::new(), &format!("http://127.0.0.1:{port}/mcp"), token, TOOL).await;
}

/// Resident memory, in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
