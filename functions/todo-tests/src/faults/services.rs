//! The services of the real platform.

use std::path::Path;

use anyhow::Context as _;
use todo_tests::Platform;

/// In the order in which they need each other.
const NAMES: [&str; 4] = ["postgres", "kafka", "scheduler", "daprd-todo"];

/// Postgres, Kafka, Dapr's scheduler and daprd.
pub struct Services(Platform);

impl Services {
    pub async fn start() -> anyhow::Result<Self> {
        Platform::start().await.map(Self).context("there is no platform")
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter()
    }

    /// What `todo up` is told of them.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("DATABASE_URL", self.0.database_url()),
            ("DAPR_HTTP_ENDPOINT", self.0.dapr_http_endpoint()),
            ("TODO_DAPR_APP_LISTEN", self.0.dapr_app_listen().to_string()),
        ]
    }

    pub async fn kill(&self, name: &str) {
        self.0.kill(name).await;
    }

    /// Starts those that do not run. daprd ends by itself when Kafka is away at its start: whoever runs it starts it again.
    pub async fn keep_up(&self) {
        for name in NAMES {
            if !runs(&self.0.log(name).with_file_name("pid")) {
                self.0.start_again(name).await;
            }
        }
    }
}

/// A process that is gone may still have an entry, as a zombie.
fn runs(pid: &Path) -> bool {
    let stat = std::fs::read_to_string(pid)
        .ok()
        .and_then(|pid| std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).ok());
    stat.is_some_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}
