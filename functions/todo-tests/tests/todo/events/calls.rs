//! Tools that are called by events.

use serde_json::{Value, json};
use todo_events::Incoming;
use todo_identity::{DevelopmentKey, EventVerifier, Keys, Verifier};
use uuid::Uuid;

use super::{Scene, Somebody, eventually, everywhere};

everywhere! {
    async fn a_call_by_event_runs_the_tool_for_the_tokens_person(scene: Scene) {
        let ada = scene.somebody("ada");
        let call = call(&ada, &scene.world().token(&ada.id), "Called");
        scene.publish("tool-calls", &ada.id, call.to_string().into_bytes()).await;
        ada.next_of("Called").await;
        ada.is_accounted_for().await;
        assert_eq!(ada.recorded("task-events").await, ["task.created"]);
    }

    async fn the_same_call_by_event_has_one_effect_and_one_result(scene: Scene) {
        let ada = scene.somebody("ada");
        let call = call(&ada, &scene.world().token(&ada.id), "Once");
        let (status, first) = scene.hands("tool-add-task", &call).await;
        assert_eq!(status, 200, "{first}");
        let keys = scene.world().event_variables().event_public_keys.clone().unwrap();
        let verifier = EventVerifier::new(&keys).unwrap();
        let (tenant, event) =
            Incoming::from_json(first.to_string().as_bytes()).unwrap().verify(&verifier).unwrap();
        assert_eq!((tenant.user_id(), event.event_type.as_str()), (&*ada.id, "tool.add_task.result"));
        assert_eq!(event.payload["result"], json!({"task_id": 1, "status": "created", "title": "Once"}));
        assert_eq!(event.payload["call_id"], call["id"]);
        for _ in 0..3 {
            scene.publish("tool-calls", &ada.id, call.to_string().into_bytes()).await;
        }
        let (_, again) = scene.hands("tool-add-task", &call).await;
        assert_eq!(again["data"]["payload"], first["data"]["payload"]);
        let another = self::call(&ada, &scene.world().token(&ada.id), "Another");
        scene.publish("tool-calls", &ada.id, another.to_string().into_bytes()).await;
        ada.next_of("Another").await;
        ada.is_accounted_for().await;
        assert_eq!(ada.tasks().await.len(), 2);
    }

    async fn a_call_by_event_without_the_persons_token_is_a_dead_letter_that_keeps_no_token(scene: Scene) {
        let (ada, mallory) = (scene.somebody("ada"), scene.somebody("mallory"));
        let expired = expired(scene, &ada.id).await;
        for (what, token) in [
            ("expired", expired),
            ("another's", scene.world().token(&mallory.id)),
            ("forged", forged(&ada.id)),
        ] {
            let call = call(&ada, &token, "Not hers");
            scene.publish("tool-calls", &ada.id, call.to_string().into_bytes()).await;
            let letter = scene.dead_letter(call["id"].as_str().unwrap()).await;
            assert_eq!((&*letter.consumer, letter.status), ("tool-add-task", Some(422)), "{what}");
            let kept = scene.body_of(&letter).await;
            assert!(!kept.contains(&token) && kept.contains("Not hers"), "{what}: {kept}");
        }
        assert_eq!((ada.tasks().await.len(), mallory.tasks().await.len()), (0, 0));
        let told = eventually("who asked in another's name is told", async || {
            Some(mallory.recorded("task-events").await).filter(|events| !events.is_empty())
        })
        .await;
        assert_eq!(told, ["access.refused"]);
    }
}

/// A call of `add_task` for this person.
pub fn call(person: &Somebody<'_>, token: &str, title: &str) -> Value {
    let id = Uuid::now_v7().to_string();
    let now = jiff::Timestamp::now().to_string();
    json!({
        "specversion": "1.0", "id": id, "type": "tool.add_task.call", "source": "test", "subject": format!("user/{}", person.id),
        "time": now, "datacontenttype": "application/json", "partitionkey": person.id, "usertoken": token,
        "data": {
            "event_id": id, "event_type": "tool.add_task.call", "user_id": person.id, "timestamp": now,
            "payload": {"call_id": id, "arguments": {"title": title}},
        },
    })
}

/// Signed by a key of the same name that nobody trusts.
fn forged(person: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    DevelopmentKey::load_or_create(&folder.path().join("key.pem")).unwrap().token(person, 600).unwrap()
}

/// A token whose time is over, leeway and all.
async fn expired(scene: &Scene, person: &str) -> String {
    let key = DevelopmentKey::load_or_create(&scene.world().config().development_key()).unwrap();
    let token = key.token(person, 0).unwrap();
    let people = Verifier::people(Keys::jwks(&key.public_jwks()).unwrap(), DevelopmentKey::policy());
    eventually("the token ends", async || people.verify(&token).is_err().then_some(())).await;
    token
}
