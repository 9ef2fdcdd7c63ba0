//! Where a scene is played. The platform is one for the whole process, with one system on it, and everybody in a test has a name of
//! their own; whoever takes the platform away from the others asks for it alone.

use std::sync::LazyLock;

use todo::config::Config;
use todo_tests::{Engine, Platform, World};
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, RwLock};

use super::Receivers;

/// What a scene runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    Sqlite,
    Postgres,
    Kafka,
}

/// What outlives a test: a test's own runtime ends with it.
pub static BEYOND: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Held to use the platform, or alone to break it.
pub static TURN: RwLock<()> = RwLock::const_new(());

pub struct Shared {
    pub platform: Platform,
    pub world: World,
}

/// An embedded world of the test's own.
pub async fn embedded(on: On) -> Option<World> {
    let engine = if on == On::Sqlite { Engine::Sqlite } else { Engine::Postgres };
    let receivers = Receivers::get().await;
    World::with(engine, |config| {
        reminding(config, receivers);
        config.smtp_url = Some(format!("smtp://{}?tls=none", receivers.smtp));
        config.smtp_from = Some("todo@example.org".to_owned());
    })
    .await
}

/// The system on the real platform.
pub async fn shared() -> Option<&'static Shared> {
    static SHARED: OnceCell<Option<Shared>> = OnceCell::const_new();
    let begin = || async { tokio::task::spawn_blocking(|| BEYOND.block_on(start())).await.unwrap() };
    SHARED.get_or_init(begin).await.as_ref()
}

async fn start() -> Option<Shared> {
    let receivers = Receivers::get().await;
    let platform = Platform::start_with(&[&email(receivers)]).await?;
    let world = World::beside(&platform, |config| reminding(config, receivers)).await;
    Some(Shared { platform, world })
}

fn reminding(config: &mut Config, receivers: &Receivers) {
    config.reminder_webhook_url = Some(format!("http://{}/reminders", receivers.http));
    config.reminder_webhook_secret = Some(super::receivers::SECRET.to_owned());
    config.reminder_email_to = Some("{user_id}@example.org".to_owned());
}

/// With a real daprd the mail server is a component's.
fn email(receivers: &Receivers) -> String {
    let (host, port) = (receivers.smtp.ip(), receivers.smtp.port());
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: email}}\nspec:\n  type: bindings.smtp\n  version: v1\n  \
         metadata:\n    - {{name: host, value: {host}}}\n    - {{name: port, value: \"{port}\"}}\n    \
         - {{name: skipTLSVerify, value: \"true\"}}\n    - {{name: emailFrom, value: todo@example.org}}\n"
    )
}
