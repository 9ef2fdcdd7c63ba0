//! How long until a change is on every one of a thousand open pages, from its commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chat::{Environment, KeySource, People};
use futures::future::join_all;
use live::{Announcer, Config, Feed, Limits, Live};
use serde_json::json;
use todo_identity::DevelopmentKey;
use todo_store::testing::TestDatabase;
use todo_store::updates;
use todo_tests::Engine;
use tokio::net::TcpListener;

use crate::Spread;
use crate::page::Page;
use crate::supply::person;

const SOCKETS: usize = 1_000;
const ROUNDS: usize = 50;

/// `live` on a database of its own.
struct Room {
    database: TestDatabase,
    announcer: Option<Announcer>,
    pages: Vec<Page>,
    people: usize,
}

/// Measures one person's thousand pages, and a thousand pages of as many people as it takes.
pub async fn measure() {
    println!("\nfan-out to {SOCKETS} sockets, {ROUNDS} rounds; ms until all have it: p50, p99, max\n");
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for people in [1, 50] {
            let Some(mut room) = Room::open(engine, people).await else { continue };
            let mut times = Vec::new();
            for round in 0..ROUNDS {
                times.push(room.round(round).await);
            }
            println!("{:<10} {people:>5} people, a change each {}", format!("{engine:?}"), Spread::of(times));
        }
    }
}

impl Room {
    async fn open(engine: Engine, people: usize) -> Option<Self> {
        let database = match engine {
            Engine::Sqlite => TestDatabase::sqlite().await.unwrap(),
            Engine::Postgres => TestDatabase::postgres().await.unwrap()?,
        };
        let (announcer, feed) = match engine {
            Engine::Postgres => (None, Feed::postgres(&database.url)),
            Engine::Sqlite => {
                let (announcer, feed) = Feed::in_process();
                (Some(announcer), feed)
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let key = DevelopmentKey::load_or_create(&folder.path().join("key.pem")).unwrap();
        let url = serve(&database, feed, &key).await;
        let mut pages = Vec::new();
        for socket in 0..SOCKETS {
            let person = person(socket % people);
            pages.push(Page::open(&url, &person, &key.token(&person, 3600).unwrap()).await);
        }
        Some(Self { database, announcer, pages, people })
    }

    /// A change for each person; until every page has its own.
    async fn round(&mut self, round: usize) -> Duration {
        let Self { database, announcer, pages, people } = self;
        let mut transactions = Vec::new();
        let mut committed = None;
        for number in 0..*people {
            let mut tx = database.begin(&person(number)).await.unwrap();
            let change = json!({"type": "change", "update_type": "created", "task_id": round, "changes": {}});
            let sequence = i64::try_from(round + 1).unwrap();
            updates::push(&mut tx, sequence, &change.to_string()).await.unwrap();
            transactions.push(person(number));
            committed.get_or_insert_with(Instant::now);
            tx.commit().await.unwrap();
            announcer.iter().for_each(|announcer| announcer.announce(person(number)));
        }
        join_all(pages.iter_mut().map(async |page| assert_eq!(page.hears().await["type"], "change"))).await;
        committed.unwrap().elapsed()
    }
}

async fn serve(database: &TestDatabase, feed: Feed, key: &DevelopmentKey) -> String {
    let source = KeySource::Development(key.public_jwks());
    let people =
        People::open(source, DevelopmentKey::policy(), Environment::Development, Duration::ZERO).await;
    let live = Live::open(Config {
        people: Arc::new(people.unwrap()),
        database: database.database().clone(),
        feed,
        allowed_origins: Vec::new(),
        limits: Limits { sockets_per_person: SOCKETS, ..Limits::default() },
    })
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(live::serve(listener, live, axum::Router::new(), std::future::pending()));
    url
}
