//! People at work: each makes one call after the other, and sends one that was not answered again under the same id, or gives it up.

mod intent;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::client::{Answer, Client, Way};
use crate::history::{Call, Deed, History, Outcome, Person};
use crate::latency::Sample;
use crate::stage::Stage;
use intent::Intent;
pub use intent::{description, title};

/// Between two calls of a person, in milliseconds.
const THINK_MS: std::ops::Range<u64> = 100..500;
/// Between two attempts at a call.
const AGAIN: Duration = Duration::from_millis(100);
/// From the first attempt on: everything that was killed has long been started again by then.
const PATIENCE: Duration = Duration::from_secs(180);
/// Of the calls that are not answered at first, so many per cent are given up.
const ABANDONED_PERCENT: u32 = 20;

/// People who work until they are told to stop.
pub struct Load {
    stop: watch::Sender<bool>,
    people: Vec<JoinHandle<Person>>,
    acknowledged: Arc<AtomicU64>,
}

impl Load {
    pub fn begin(stage: &Stage, people: u32, seed: u64) -> anyhow::Result<Self> {
        let stop = watch::Sender::new(false);
        let acknowledged = Arc::new(AtomicU64::new(0));
        let people = (1..=people).map(|number| {
            let name = format!("person-{number}");
            let worker = Worker {
                client: stage.person(&name)?,
                rng: Rng::with_seed(seed.wrapping_mul(1_000).wrapping_add(number.into())),
                intent: Intent::default(),
                person: Person { name, ..Person::default() },
                calls: 0,
                acknowledged: acknowledged.clone(),
            };
            Ok(tokio::spawn(worker.work(stop.subscribe())))
        });
        let people = people.collect::<anyhow::Result<_>>()?;
        Ok(Self { stop, people, acknowledged })
    }

    /// How many calls were answered so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Lets everybody finish the call they are at, and tells what they did.
    pub async fn end(self) -> anyhow::Result<History> {
        self.stop.send_replace(true);
        let people = join_all(self.people).await;
        Ok(History { people: people.into_iter().collect::<Result<_, _>>()? })
    }
}

struct Worker {
    client: Client,
    rng: Rng,
    intent: Intent,
    person: Person,
    calls: u64,
    acknowledged: Arc<AtomicU64>,
}

impl Worker {
    async fn work(mut self, stop: watch::Receiver<bool>) -> Person {
        while !*stop.borrow() {
            if self.rng.u32(..100) < 8 {
                self.look().await;
            } else {
                let token = format!("{}-{}", self.person.name, self.calls + 1);
                let deed = self.intent.next(&mut self.rng, token);
                let outcome = self.perform(&deed).await;
                let call = Call { deed, outcome };
                self.intent.learn(&call);
                self.person.calls.push(call);
            }
            sleep(Duration::from_millis(self.rng.u64(THINK_MS))).await;
        }
        self.person
    }

    async fn perform(&mut self, deed: &Deed) -> Outcome {
        let (tool, arguments) = intent::call(deed);
        self.send(tool, &arguments).await
    }

    /// Looks at the list, and so learns of the tasks that others made for this person: those that repeat.
    async fn look(&mut self) {
        let arguments = json!({"status": "pending", "limit": 200, "sort": "created", "order": "desc"});
        if let Outcome::Acknowledged(Value::Array(tasks)) = self.send("list_tasks", &arguments).await {
            self.intent.see(&tasks);
        }
    }

    async fn send(&mut self, tool: &str, arguments: &Value) -> Outcome {
        self.calls += 1;
        let call_id = format!("{}-{}", self.person.name, self.calls);
        let way = if self.rng.bool() { Way::Chat } else { Way::Function };
        let abandons = self.rng.u32(..100) < ABANDONED_PERCENT;
        let first = Instant::now();
        loop {
            let begun = Instant::now();
            let reason = match self.client.call(way, tool, arguments, &call_id).await {
                Answer::Done(value, _) => {
                    self.person.samples.push(Sample { begun, took: begun.elapsed() });
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return Outcome::Acknowledged(value);
                }
                Answer::Refused(why) => return Outcome::Refused(why),
                Answer::Nothing(reason) => reason,
            };
            if abandons {
                return Outcome::Abandoned;
            }
            if first.elapsed() > PATIENCE {
                return Outcome::Silence(reason);
            }
            self.person.repeated += 1;
            sleep(AGAIN).await;
        }
    }
}
