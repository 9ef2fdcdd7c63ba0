use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Where ranges of ports are looked for: below those that the system hands out by itself.
const FIRST_PORT: u16 = 12_000;
const LAST_PORT: u16 = 31_000;

/// Ports of one platform, as ci/platform counts them, and which of them it uses.
const RANGE: u16 = 100;
const USED: [u16; 13] = [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 15, 90];

/// Ranges tried before giving up.
const ATTEMPTS: usize = 50;

/// Postgres, Kafka, Dapr Scheduler and a daprd of this process's own, as plain processes on free ports.
///
/// `ci/platform hold` starts them and keeps them for as long as its standard input is open: however this process ends, they are
/// stopped and their data is removed.
pub struct Platform {
    base: u16,
    holder: Child,
    resources: TempDir,
    state: TempDir,
    _range: File,
}

impl Platform {
    /// Starts one, which takes about 20 seconds. `None`, with the reason on stderr, when its parts are not built; fails then when
    /// `TODO_TEST_REQUIRE` contains `platform`.
    pub async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    /// Starts one whose daprd has further resources, each a YAML document.
    pub async fn start_with(resources: &[&str]) -> Option<Self> {
        let resources: Vec<_> = resources.iter().map(|&yaml| yaml.to_owned()).collect();
        tokio::task::spawn_blocking(move || Self::start_here(&resources)).await.unwrap()
    }

    fn start_here(resources: &[String]) -> Option<Self> {
        if !Command::new(script()).arg("built").status().unwrap().success() {
            let required = std::env::var("TODO_TEST_REQUIRE").is_ok_and(|it| it.contains("platform"));
            assert!(!required, "the platform is required, and not built: run `ci/platform build`");
            eprintln!("skipped on the real platform: it is not built; `ci/platform build` does that once");
            return None;
        }
        let (base, range) = free_range();
        let folder = resources_folder(resources);
        // Postgres, which refuses to run as root, must be able to reach its data as another user.
        let state = tempfile::Builder::new()
            .prefix("todo-platform.")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let mut command = Command::new(script());
        command.arg("hold").process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let holder = environment(&mut command, base, &state, &folder).spawn().unwrap();
        let mut platform = Self { base, holder, resources: folder, state, _range: range };
        let output = BufReader::new(platform.holder.stdout.take().unwrap());
        let last = output.lines().map_while(Result::ok).find(|line| line.starts_with("DAPR_HTTP_ENDPOINT="));
        assert!(last.is_some(), "the platform did not start; see above");
        Some(platform)
    }

    /// Its Postgres: the database `todo`, whose owner connects.
    pub fn database_url(&self) -> String {
        format!("postgres://todo@{}/todo", self.at(0))
    }

    /// Its Kafka, as `host:port`.
    pub fn kafka_brokers(&self) -> String {
        self.at(1).to_string()
    }

    /// Where its daprd answers.
    pub fn dapr_http_endpoint(&self) -> String {
        format!("http://{}", self.at(10))
    }

    /// Where its daprd expects the app (`TODO_DAPR_APP_LISTEN`).
    pub fn dapr_app_listen(&self) -> SocketAddr {
        self.at(90)
    }

    /// The log of a service.
    pub fn log(&self, service: &str) -> PathBuf {
        self.state.path().join(service).join("log")
    }

    /// Kills a service (`postgres`, `kafka`, `scheduler`, `daprd-todo`) with SIGKILL, and waits until it is gone.
    pub async fn kill(&self, service: &str) {
        self.run("kill", service).await;
    }

    /// Stops a service as an administrator does, and waits until it is gone.
    pub async fn stop(&self, service: &str) {
        self.run("stop", service).await;
    }

    /// Starts a service that was stopped or killed, and waits until it answers.
    pub async fn start_again(&self, service: &str) {
        self.run("start", service).await;
    }

    async fn run(&self, action: &str, service: &str) {
        let mut command = Command::new(script());
        command.args([action, service]).process_group(0).stdin(Stdio::null()).stdout(Stdio::null());
        environment(&mut command, self.base, &self.state, &self.resources);
        let status = tokio::task::spawn_blocking(move || command.status()).await.unwrap().unwrap();
        assert!(status.success(), "ci/platform {action} {service}: {status}");
    }

    fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.base + port))
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // Its folder goes only after those who write there.
        let _ = self.holder.wait();
    }
}

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ci/platform")
}

fn environment<'a>(
    command: &'a mut Command,
    base: u16,
    state: &TempDir,
    resources: &TempDir,
) -> &'a mut Command {
    command
        .env("PLATFORM_PORT", base.to_string())
        .env("PLATFORM_STATE", state.path())
        .env("PLATFORM_RESOURCES", resources.path())
        .env_remove("PLATFORM_ADDRESS")
}

/// A range whose ports are free, and the lock that keeps other test processes from taking it too.
fn free_range() -> (u16, File) {
    for _ in 0..ATTEMPTS {
        let ranges = u128::from((LAST_PORT - FIRST_PORT) / RANGE);
        let drawn = u16::try_from(uuid::Uuid::new_v4().as_u128() % ranges).unwrap();
        let base = FIRST_PORT + drawn * RANGE;
        let lock = File::create(std::env::temp_dir().join(format!("todo-platform-{base}.lock"))).unwrap();
        let free = |port: &u16| TcpListener::bind(("127.0.0.1", base + port)).is_ok();
        if lock.try_lock().is_ok() && USED.iter().all(free) {
            return (base, lock);
        }
    }
    panic!("no {RANGE} free ports after {ATTEMPTS} attempts");
}

/// One file per resource, and one that is nothing, because `cp` wants something to copy.
fn resources_folder(resources: &[String]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tests.yaml"), "# Resources of the tests.\n").unwrap();
    for (number, yaml) in resources.iter().enumerate() {
        std::fs::write(folder.path().join(format!("tests-{number}.yaml")), yaml).unwrap();
    }
    folder
}
