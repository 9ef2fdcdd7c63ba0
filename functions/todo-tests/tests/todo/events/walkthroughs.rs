//! The walkthroughs of functions/README.md.

use jiff::Timestamp;
use serde_json::{Value, json};
use todo::{dead_letters, replay};

use super::scene::in_seconds;
use super::{eventually, everywhere};

everywhere! {
    async fn a_change_is_in_the_audit_once_and_its_chain_verifies(scene: Scene) {
        let ada = scene.somebody("ada");
        let task = ada.adds("Water the plants", json!({})).await;
        ada.updates(task, json!({"priority": "high"})).await;
        ada.completes(task).await;
        ada.updates(task, json!({"completed": false})).await;
        ada.deletes(task).await;
        ada.is_accounted_for().await;
        let types = ["task.created", "task.updated", "task.completed", "task.reopened", "task.deleted"];
        assert_eq!(ada.recorded("task-events").await, types);
        assert_eq!(ada.recorded("task-updates").await, types);
    }

    async fn completing_a_repeating_task_makes_one_next_task_with_its_reminders(scene: Scene) {
        let ada = scene.somebody("ada");
        let task = ada
            .adds("Rent", json!({"due": in_seconds(86_400), "repeat": "FREQ=WEEKLY", "remind": ["-PT1H", "-PT30M"]}))
            .await;
        let first = ada.waiting_jobs(task, 2).await;
        let answer = ada.completes(task).await;
        assert!(answer["next"]["due"].is_string(), "the first answer says what is next: {answer}");
        let next = ada.next_of("Rent").await;
        let jobs = ada.waiting_jobs(next, 2).await;
        let week = 7 * 86_400_000;
        assert_eq!(jobs.iter().map(|job| job.at).collect::<Vec<_>>(), [first[0].at + week, first[1].at + week]);
        for job in &jobs {
            assert!(scene.has_job(&job.name).await, "{job:?}");
        }
        ada.is_accounted_for().await;
        assert_eq!((ada.pending("Rent").await, ada.tasks().await.len()), (vec![next], 2));
        eventually("the completed task's jobs are gone", async || {
            let gone = !scene.has_job(&first[0].name).await && !scene.has_job(&first[1].name).await;
            gone.then_some(())
        })
        .await;
    }

    async fn a_due_reminder_reaches_the_person_over_every_channel(scene: Scene) {
        let ada = scene.somebody("ada");
        let mut page = ada.opens_a_page(None).await;
        page.hears_a("snapshot").await;
        let at = in_seconds(3);
        let task = ada.adds("Call Grace", json!({"due": in_seconds(3_600), "remind": [at]})).await;
        let shown = page.hears_a("reminder").await;
        assert_eq!((&shown["title"], &shown["task_id"]), (&json!("Call Grace"), &json!(task)));
        late("page", &at, Timestamp::now());
        let hook = eventually("the webhook", async || scene.receivers.hooks_of(&ada.id).pop()).await;
        assert_eq!((hook.title(), &hook.body["type"]), ("Call Grace", &json!("reminder.due")));
        late("webhook", &at, hook.at);
        let mail = eventually("the e-mail", async || scene.receivers.mails_of(&ada.id).pop()).await;
        assert!(mail.contains("Reminder: Call Grace"), "{mail}");
        eventually("what was sent over which channel is recorded", async || {
            let recorded = ada.recorded("reminders").await;
            (recorded == ["reminder.due", "reminder.sent", "reminder.sent", "reminder.sent"]).then_some(())
        })
        .await;
        ada.is_accounted_for().await;
        assert_eq!((scene.receivers.hooks_of(&ada.id).len(), scene.receivers.mails_of(&ada.id).len()), (1, 1));
    }

    async fn deleting_a_task_takes_its_reminders_with_it(scene: Scene) {
        let ada = scene.somebody("ada");
        let at_last = in_seconds(17);
        let far = ada.adds("Far", json!({"due": in_seconds(86_400), "remind": ["-PT1H"]})).await;
        let near = ada.adds("Near", json!({"due": in_seconds(3_600), "remind": [in_seconds(15)]})).await;
        let jobs = [ada.waiting_jobs(far, 1).await, ada.waiting_jobs(near, 1).await].concat();
        ada.deletes(far).await;
        ada.deletes(near).await;
        for job in &jobs {
            eventually("the job is gone", async || (!scene.has_job(&job.name).await).then_some(())).await;
        }
        // Whatever fires after this one would have fired before it.
        ada.adds("Later", json!({"due": in_seconds(3_600), "remind": [at_last]})).await;
        let hook = eventually("the webhook", async || scene.receivers.hooks_of(&ada.id).pop()).await;
        assert_eq!(hook.title(), "Later");
        assert_eq!(scene.receivers.hooks_of(&ada.id).len(), 1);
        ada.is_accounted_for().await;
    }

    async fn moving_a_due_date_moves_its_reminder(scene: Scene) {
        let ada = scene.somebody("ada");
        let task = ada.adds("Dentist", json!({"due": in_seconds(86_400), "remind": ["-PT1H"]})).await;
        let before = ada.waiting_jobs(task, 1).await.remove(0);
        // An hour and three seconds from now: the reminder is due in three seconds.
        ada.updates(task, json!({"due": in_seconds(3_603)})).await;
        let hook = eventually("the webhook", async || scene.receivers.hooks_of(&ada.id).pop()).await;
        assert_eq!(hook.title(), "Dentist");
        assert!(!scene.has_job(&before.name).await, "the old job is gone");
        ada.is_accounted_for().await;
        assert_eq!(scene.receivers.hooks_of(&ada.id).len(), 1);
    }

    async fn an_open_page_hears_each_change_in_order_and_resumes_where_it_was(scene: Scene) {
        let ada = scene.somebody("ada");
        let mut page = ada.opens_a_page(None).await;
        page.hears_a("snapshot").await;
        let task = ada.adds("One", json!({})).await;
        ada.updates(task, json!({"title": "Two"})).await;
        let first = [page.hears().await, page.hears().await];
        assert_eq!(kinds(&first), ["created", "updated"]);
        drop(page);
        ada.completes(task).await;
        ada.deletes(task).await;
        ada.is_accounted_for().await;
        let mut page = ada.opens_a_page(first[0]["offset"].as_i64()).await;
        let rest = [page.hears().await, page.hears().await, page.hears().await];
        assert_eq!(kinds(&rest), ["updated", "completed", "deleted"]);
        assert_eq!(rest[0], first[1], "what was heard before is told in the same words");
    }

    async fn a_dead_letter_is_healed_by_a_retry(scene: Scene) {
        let ada = scene.somebody("ada");
        scene.receivers.refuse(&ada.id);
        ada.adds("Passport", json!({"due": in_seconds(3_600), "remind": [in_seconds(1)]})).await;
        let letter = eventually("the reminder is a dead letter", async || {
            let letters = scene.dead_letters().await;
            letters.into_iter().find(|letter| letter.user_id.as_deref() == Some(&ada.id))
        })
        .await;
        assert_eq!((&*letter.consumer, &*letter.event_type), ("event-send-reminder", "reminder.due"));
        assert!(scene.receivers.hooks_of(&ada.id).is_empty());
        scene.receivers.take(&ada.id);
        let command = parsed::<dead_letters::DeadLetters>(&["retry", &letter.number.to_string()]);
        dead_letters::run(&command, scene.world().config()).await.unwrap();
        let hooks = scene.receivers.hooks_of(&ada.id);
        assert_eq!(hooks.iter().map(|hook| hook.title()).collect::<Vec<_>>(), ["Passport"]);
        assert_eq!(hooks[0].id, letter.event_id);
        assert!(scene.dead_letters().await.iter().all(|kept| kept.number != letter.number));
        ada.is_accounted_for().await;
        assert_eq!(scene.receivers.mails_of(&ada.id).len(), 1, "what had worked is not repeated");
    }

    async fn a_replay_of_everything_changes_nothing_and_a_rebuild_shows_no_difference(scene: Scene) {
        let ada = scene.somebody("ada");
        let rent = ada.adds("Rent", json!({"due": in_seconds(86_400), "repeat": "FREQ=DAILY", "remind": ["-PT1H"]})).await;
        ada.completes(rent).await;
        let next = ada.next_of("Rent").await;
        let jobs = ada.waiting_jobs(next, 1).await;
        ada.is_accounted_for().await;
        let (tasks, audit) = (ada.tasks().await, ada.audit().await);
        let config = scene.world().config();
        let everything = ["--to", "all", "--user", ada.id.as_str()];
        replay::run(&parsed::<replay::Replay>(&everything), config).await.unwrap();
        let again = [&everything[..], &["--again"]].concat();
        replay::run(&parsed::<replay::Replay>(&again), config).await.unwrap();
        replay::run(&parsed::<replay::Replay>(&["--rebuild", "--user", ada.id.as_str()]), config).await.unwrap();
        ada.is_accounted_for().await;
        assert_eq!((ada.tasks().await, ada.audit().await), (tasks, audit));
        assert_eq!(ada.waiting_jobs(next, 1).await, jobs);
    }
}

fn kinds(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["update_type"].as_str().unwrap()).collect()
}

/// Told, not judged: a busy machine may be slow.
fn late(channel: &str, at: &str, arrived: Timestamp) {
    let late = arrived.duration_since(at.parse().unwrap());
    eprintln!("{channel}: {} ms after it was due", late.as_millis());
    assert!(!late.is_negative(), "{channel} reminds too early: {late:?}");
}

/// The arguments of a command, as its own parser reads them.
fn parsed<T: clap::Args>(arguments: &[&str]) -> T {
    let command = T::augment_args(clap::Command::new("todo"));
    let all = ["todo"].iter().chain(arguments).copied();
    T::from_arg_matches(&command.try_get_matches_from(all).unwrap()).unwrap()
}
