//! How many reminders a second become jobs: tasks with reminders stand in the database, their events are published, and the clock stops
//! when every job is set.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use todo_domain::{NewTask, Remind};
use todo_store::tasks;
use todo_tests::Engine;

use crate::supply::{Signed, Supply, person};

const PEOPLE: usize = 32;
const TASKS_PER_PERSON: usize = 20;
const REMINDERS_PER_TASK: usize = 2;

/// Measures on both databases.
pub async fn measure() {
    println!("\nreminders scheduled, {REMINDERS_PER_TASK} of each task, {PEOPLE} people\n");
    println!("{:<10} {:>10} {:>14} {:>10}", "database", "reminders", "reminders/s", "tasks/s");
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(supply) = Supply::on(engine, None).await else { continue };
        let events = prepare(&supply).await;
        let wanted = PEOPLE * TASKS_PER_PERSON * REMINDERS_PER_TASK;
        let started = Instant::now();
        supply.publish(&events).await;
        while supply.metric("todo_jobs_pending").await < wanted as f64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let time = started.elapsed().as_secs_f64();
        let (rate, tasks) = (wanted as f64 / time, (PEOPLE * TASKS_PER_PERSON) as f64 / time);
        println!("{:<10} {wanted:>10} {rate:>14.0} {tasks:>10.0}", format!("{engine:?}"));
    }
}

/// Adds the tasks, and takes their events out of the outbox before the relay does.
async fn prepare(supply: &Supply) -> Vec<Signed> {
    let later = Timestamp::now() + SignedDuration::from_hours(48);
    let remind = |number: usize| Remind::At(later + SignedDuration::from_mins(number as i64));
    for number in 0..PEOPLE {
        for _ in 0..TASKS_PER_PERSON {
            let new = NewTask {
                title: "Water the plants".to_owned(),
                remind: (0..REMINDERS_PER_TASK).map(remind).collect(),
                ..NewTask::default()
            };
            let mut tx = supply.database.begin(&person(number)).await.unwrap();
            tasks::add(&mut tx, new).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
    let waiting = "SELECT topic, user_id, body FROM outbox WHERE topic = 'task-events' ORDER BY event_id";
    let waiting = supply.database.as_owner(waiting).await.unwrap();
    supply.database.as_owner("DELETE FROM outbox").await.unwrap();
    waiting.iter().map(|row| supply.sign(&row[0], &row[1], &row[2])).collect()
}
