//! Who is connected, and one reader for each person: it reads what was pushed once and hands it to all of that person's sockets.
//!
//! Why nothing is missed: a socket takes its seat before it reads, and the reader begins at a place it has read after the first
//! seat was taken. What was committed before a socket's own read is in that read; what was committed later lies behind the reader's
//! place (offsets ascend in the order of the commits), so it will be put into the queue of every seat that was taken by then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chat::with_sources;
use todo_identity::Tenant;
use todo_store::updates::{self, Announcement};
use todo_store::{Database, Error};
use tokio::sync::{Notify, OnceCell, Semaphore, SemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use crate::Limits;
use crate::message::Frame;

/// Updates read at once.
const BATCH: usize = 100;
/// Reads at once in this process. After an outage all readers are woken together; the pool's other users come through.
const READS: usize = 8;
/// Until a reader whose read failed tries again.
const RETRY: Duration = Duration::from_millis(500);

/// Everybody who is connected to this process.
pub(crate) struct Hub {
    database: Database,
    pub limits: Limits,
    people: Mutex<HashMap<String, Arc<Person>>>,
    reads: Semaphore,
    listening: AtomicBool,
}

/// One person, as long as a page of theirs is connected.
pub(crate) struct Person {
    pub tenant: Tenant,
    seats: Mutex<Vec<Listener>>,
    started: OnceCell<()>,
    /// The offset up to which the reader has read.
    position: AtomicI64,
    wake: Notify,
    gone: CancellationToken,
}

/// The reader's end of a seat.
struct Listener {
    queue: mpsc::Sender<Frame>,
    too_slow: CancellationToken,
}

/// A socket's place among its person's; given back when dropped.
pub(crate) struct Seat {
    hub: Arc<Hub>,
    pub person: Arc<Person>,
    /// What was pushed since the seat was taken.
    pub queue: mpsc::Receiver<Frame>,
    /// The queue was full once; something was left out.
    pub too_slow: CancellationToken,
}

impl Hub {
    pub fn new(database: Database, limits: Limits) -> Self {
        Self {
            database,
            limits,
            people: Mutex::default(),
            reads: Semaphore::new(READS),
            listening: AtomicBool::new(false),
        }
    }

    /// Takes a seat, if this person has one left.
    pub fn join(self: &Arc<Self>, tenant: &Tenant) -> Option<Seat> {
        let mut people = self.people();
        let person = people
            .entry(tenant.user_id().to_owned())
            .or_insert_with(|| Arc::new(Person::new(tenant.clone())));
        let mut seats = person.seats();
        if seats.len() >= self.limits.sockets_per_person {
            return None;
        }
        let (sender, queue) = mpsc::channel(self.limits.queue);
        let too_slow = CancellationToken::new();
        seats.push(Listener { queue: sender, too_slow: too_slow.clone() });
        Some(Seat { hub: Arc::clone(self), person: Arc::clone(person), queue, too_slow })
    }

    /// Something was pushed for this person.
    pub fn announce(&self, announcement: &Announcement) {
        let person = self.people().get(&announcement.user_id).cloned();
        if let Some(person) = person
            && announcement.offset.is_none_or(|offset| offset > person.position.load(Ordering::Acquire))
        {
            person.wake.notify_one();
        }
    }

    /// Something may have been pushed for anybody.
    pub fn announce_to_all(&self) {
        for person in self.people().values() {
            person.wake.notify_one();
        }
    }

    /// Whether announcements are heard.
    pub fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Ordering::Release);
    }

    /// Whether sockets can be served.
    pub async fn ready(&self) -> Result<(), Error> {
        self.database.ping().await?;
        match self.listening.load(Ordering::Acquire) {
            true => Ok(()),
            false => Err(Error::Unavailable("not listening for updates".into())),
        }
    }

    /// A transaction that reads, and the right to do it now.
    pub async fn read(
        &self,
        tenant: &Tenant,
    ) -> Result<(todo_store::Transaction, SemaphorePermit<'_>), Error> {
        let permit = self.reads.acquire().await.map_err(|error| Error::Unavailable(error.into()))?;
        Ok((self.database.begin_read(tenant).await?, permit))
    }

    fn people(&self) -> MutexGuard<'_, HashMap<String, Arc<Person>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Waits until the person's reader has begun. Whatever is committed from here on comes by the queue.
    pub async fn taken(&self) -> Result<(), Error> {
        let begin = async || {
            let (mut tx, _permit) = self.hub.read(&self.person.tenant).await?;
            let offset = updates::head(&mut tx).await?.offset;
            tx.commit().await?;
            self.person.position.store(offset, Ordering::Release);
            tokio::spawn(follow(Arc::clone(&self.hub), Arc::clone(&self.person)));
            Ok::<_, Error>(())
        };
        self.person.started.get_or_try_init(begin).await.copied()
    }

    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // First the map, then the seats, as in `join`: nobody takes a seat with a person who is being forgotten.
        let mut people = self.hub.people();
        let mut seats = self.person.seats();
        self.queue.close();
        seats.retain(|listener| !listener.queue.is_closed());
        if seats.is_empty() {
            people.remove(self.person.tenant.user_id());
            self.person.gone.cancel();
        }
    }
}

impl Person {
    fn new(tenant: Tenant) -> Self {
        Self {
            tenant,
            seats: Mutex::default(),
            started: OnceCell::new(),
            position: AtomicI64::new(0),
            wake: Notify::new(),
            gone: CancellationToken::new(),
        }
    }

    /// Puts a frame into every queue. Whose is full is told so, and hears nothing more.
    fn tell(&self, frame: &Frame) {
        for listener in self.seats().iter().filter(|listener| !listener.too_slow.is_cancelled()) {
            if let Err(mpsc::error::TrySendError::Full(_)) = listener.queue.try_send(frame.clone()) {
                listener.too_slow.cancel();
            }
        }
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The person's reader: reads on whenever it is woken, until the last socket has gone.
async fn follow(hub: Arc<Hub>, person: Arc<Person>) {
    let reading = async {
        loop {
            person.wake.notified().await;
            while let Err(error) = catch_up(&hub, &person).await {
                tracing::warn!(error = with_sources(&error), "updates could not be read; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    person.gone.run_until_cancelled(reading).await.unwrap_or(())
}

async fn catch_up(hub: &Hub, person: &Person) -> Result<(), Error> {
    loop {
        let (mut tx, permit) = hub.read(&person.tenant).await?;
        let read = updates::after(&mut tx, person.position.load(Ordering::Acquire), BATCH).await?;
        tx.commit().await?;
        drop(permit);
        for update in &read {
            person.tell(&Frame::of_update(update));
            person.position.store(update.offset, Ordering::Release);
        }
        if read.len() < BATCH {
            return Ok(());
        }
    }
}
