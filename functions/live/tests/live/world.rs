//! A database and any number of `live` processes on it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat::{Environment, KeySource, People};
use live::{Announcer, Config, Feed, Limits, Live};
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_identity::DevelopmentKey;
use todo_store::testing::TestDatabase;
use todo_store::{Dialect, updates};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::page::Page;

const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub struct World {
    pub database: TestDatabase,
    key: DevelopmentKey,
    people: Arc<People>,
    announcers: Mutex<Vec<Announcer>>,
    sequence: AtomicI64,
    _folder: TempDir,
}

/// A `live` process.
pub struct Replica {
    pub live: Live,
    pub address: String,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<std::io::Result<()>>>,
}

impl World {
    pub async fn new(database: TestDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = DevelopmentKey::load_or_create(&folder.path().join("key.pem")).unwrap();
        let source = KeySource::Development(key.public_jwks());
        let policy = DevelopmentKey::policy();
        let people = People::open(source, policy, Environment::Development, Duration::ZERO).await.unwrap();
        Self {
            database,
            key,
            people: Arc::new(people),
            announcers: Mutex::default(),
            sequence: AtomicI64::new(0),
            _folder: folder,
        }
    }

    /// A process with the usual limits.
    pub async fn serve(&self) -> Replica {
        self.serve_with(Limits::default()).await
    }

    pub async fn serve_with(&self, limits: Limits) -> Replica {
        let live = Live::open(Config {
            people: Arc::clone(&self.people),
            database: self.database.database().clone(),
            feed: self.feed(),
            allowed_origins: vec!["https://app.example.com".to_owned()],
            limits,
        })
        .unwrap();
        Replica::start(live).await
    }

    /// What announces here: the database, or this very process.
    fn feed(&self) -> Feed {
        match self.database.dialect() {
            Dialect::Postgres => Feed::postgres(&self.database.url),
            Dialect::Sqlite => {
                let (announcer, feed) = Feed::in_process();
                self.announcers.lock().unwrap().push(announcer);
                feed
            }
        }
    }

    pub fn token(&self, user_id: &str) -> String {
        self.token_for(user_id, 300)
    }

    pub fn token_for(&self, user_id: &str, seconds: u64) -> String {
        self.key.token(user_id, seconds).unwrap()
    }

    /// A connected page of this person's.
    pub async fn page(&self, replica: &Replica, user_id: &str) -> Page {
        Page::open(&replica.address, &format!("/api/{user_id}/live"), &self.token(user_id)).await
    }

    /// A page that comes back and has everything up to `since`.
    pub async fn page_since(&self, replica: &Replica, user_id: &str, since: i64) -> Page {
        Page::open(&replica.address, &format!("/api/{user_id}/live?since={since}"), &self.token(user_id))
            .await
    }

    /// The number of an event that has not happened yet.
    pub fn next_sequence(&self) -> i64 {
        self.sequence.fetch_add(2, Ordering::SeqCst) + 2
    }

    /// Pushes what an event has to tell, as `event-push-update` does, and gives its offset.
    pub async fn push(&self, user_id: &str, title: &str) -> i64 {
        self.push_event(
            user_id,
            self.next_sequence(),
            &json!({ "type": "change", "task_id": 1, "title": title }),
        )
        .await
    }

    pub async fn push_event(&self, user_id: &str, sequence: i64, body: &Value) -> i64 {
        let mut tx = self.database.begin(user_id).await.unwrap();
        let offset = updates::push(&mut tx, sequence, &body.to_string()).await.unwrap();
        tx.commit().await.unwrap();
        for announcer in self.announcers.lock().unwrap().iter() {
            announcer.announce(user_id);
        }
        offset
    }
}

impl Replica {
    pub async fn start(live: Live) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let server = tokio::spawn(live::serve(listener, live.clone(), axum::Router::new(), shutdown));
        Self { live, address, stop: Some(stop), server: Some(server) }
    }

    /// Tells the process to stop.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// When the process has ended.
    pub async fn ended(&mut self) {
        self.server.take().unwrap().await.unwrap().unwrap();
    }

    /// Waits until so many sockets are open.
    pub async fn has_sockets(&self, number: usize) {
        let look = async {
            while self.live.sockets() != number {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(crate::page::PATIENCE, look).await.expect("that many sockets");
    }
}
