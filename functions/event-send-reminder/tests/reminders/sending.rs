use serde_json::json;
use todo_store::reminders;

use crate::doubles::Mood;
use crate::world::World;

async fn notifications(world: &World) -> usize {
    let mut tx = world.database.begin("ada").await.unwrap();
    reminders::notifications(&mut tx, 10).await.unwrap().len()
}

fn sent(channels: &[(&str, u64)]) -> Vec<(String, u64)> {
    channels.iter().map(|(channel, attempts)| ((*channel).to_owned(), *attempts)).collect()
}

#[tokio::test]
async fn a_reminder_is_shown_in_the_app_once() {
    for world in World::each().await {
        let due = world.due_task().await;
        for _ in 0..10 {
            assert_eq!(world.send(&due).await, 204);
        }
        assert_eq!(notifications(&world).await, 1);
        assert_eq!(world.channels("reminder.sent").await, sent(&[("in-app", 1)]));
        let shown = world.published("reminder.shown").await;
        assert_eq!(shown.payload["reminder_id"], due["data"]["reminder_id"]);
        assert_eq!(world.refusals(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_reminder_goes_over_every_channel_once() {
    for world in World::each_with_all_channels().await {
        let due = world.due_task().await;
        for _ in 0..10 {
            assert_eq!(world.send(&due).await, 204);
        }
        assert_eq!(world.refusals(), Vec::<String>::new());
        let all = [("in-app", 1), ("webhook", 1), ("email", 1)];
        assert_eq!(world.channels("reminder.sent").await, sent(&all));
        let hooks = world.doubles.hooks.lock().unwrap().clone();
        assert_eq!(hooks.len(), 1);
        let mut data = due["data"]["payload"].clone();
        for name in ["user_id", "task_id", "reminder_id", "due_date"] {
            data[name] = due["data"][name].clone();
        }
        assert_eq!(json!(hooks[0].0), due["id"], "by which the receiver knows a repetition");
        assert_eq!(hooks[0].1, json!({"type": "reminder.due", "timestamp": due["time"], "data": data}));
        let mails = world.doubles.mails.lock().unwrap().clone();
        let metadata = json!({"emailTo": "ada@example.org", "subject": "Reminder: Dentist <3"});
        assert_eq!((mails.len(), &mails[0]["metadata"]), (1, &metadata));
        let html = mails[0]["data"].as_str().unwrap();
        assert!(html.contains("Dentist &lt;3") && html.contains("2099-11-27T09:00:00+00:00 (UTC)"), "{html}");
    }
}

#[tokio::test]
async fn a_channel_that_fails_is_tried_again_and_the_others_are_not() {
    for world in World::each_with_all_channels().await {
        let due = world.due_task().await;
        for mood in [Mood::Answers(500), Mood::Answers(404), Mood::Redirects] {
            *world.doubles.hook_mood.lock().unwrap() = mood;
            assert_eq!(world.send(&due).await, 503);
        }
        assert_eq!(*world.doubles.redirected.lock().unwrap(), 0, "redirects are not followed");
        assert_eq!(world.channels("reminder.sent").await, sent(&[("in-app", 1), ("email", 1)]));
        *world.doubles.hook_mood.lock().unwrap() = Mood::Takes;
        assert_eq!(world.send(&due).await, 204);
        let all = [("in-app", 1), ("email", 1), ("webhook", 4)];
        assert_eq!(world.channels("reminder.sent").await, sent(&all));
        assert_eq!(world.doubles.mails.lock().unwrap().len(), 1);
        assert_eq!(notifications(&world).await, 1);
    }
}

#[tokio::test]
async fn what_fails_too_often_is_told_and_becomes_a_dead_letter() {
    for world in World::each_with_all_channels().await {
        let due = world.due_task().await;
        *world.doubles.mail_mood.lock().unwrap() = Mood::Answers(500);
        for _ in 1..8 {
            assert_eq!(world.send(&due).await, 503);
        }
        assert!(world.events("reminder.failed").await.is_empty());
        assert_eq!(world.send(&due).await, 422);
        assert_eq!(world.send(&due).await, 422, "sent again by hand, it is tried again");
        assert_eq!(world.channels("reminder.failed").await, sent(&[("email", 8)]));
        *world.doubles.mail_mood.lock().unwrap() = Mood::Takes;
        assert_eq!(world.send(&due).await, 204);
        assert_eq!(world.channels("reminder.sent").await.last(), Some(&("email".to_owned(), 10)));
        assert_eq!(world.doubles.hooks.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_talks_without_end_is_not_listened_to() {
    for world in World::each_with_all_channels().await {
        let due = world.due_task().await;
        *world.doubles.hook_mood.lock().unwrap() = Mood::Floods;
        assert_eq!(world.send(&due).await, 204);
    }
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_done_moved_or_gone_meanwhile() {
    for world in World::each_with_all_channels().await {
        let due = world.due_task().await;
        world.update(json!({"completed": true}), "task.completed").await;
        assert_eq!(world.send(&due).await, 204);
        world.update(json!({"completed": false, "remind": ["-P1D"]}), "task.updated").await;
        assert_eq!(world.send(&due).await, 204);
        world.delete().await;
        assert_eq!(world.send(&due).await, 204);
        assert_eq!(notifications(&world).await, 0);
        assert!(
            world.doubles.hooks.lock().unwrap().is_empty() && world.doubles.mails.lock().unwrap().is_empty()
        );
    }
}

#[tokio::test]
async fn a_mistake_in_the_settings_keeps_no_other_channel_from_working() {
    for world in World::each().await {
        let due = world.due_task().await;
        let url = format!("{}/hook", world.doubles.url);
        for (name, value) in [
            ("reminder_webhook_secret", ""),
            ("reminder_webhook_secret", "whsec_tooshort"),
            ("reminder_webhook_secret", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
            ("reminder_email_to", ""),
        ] {
            let mut variables = vec![(name, value.to_owned())];
            match name {
                "reminder_email_to" => variables.push(("reminder_email_binding", "mail".to_owned())),
                _ => variables.push(("reminder_webhook_url", url.clone())),
            }
            assert_eq!(world.send_with(&due, variables).await, 503, "{name}={value}");
        }
        assert_eq!(notifications(&world).await, 1);
        assert!(world.doubles.hooks.lock().unwrap().is_empty());
    }
}
