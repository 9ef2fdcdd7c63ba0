//! A tool call that comes as an event is answered by an event.

use serde_json::{Value, json};
use todo_delivery::testing;
use todo_events::Incoming;
use todo_identity::{
    DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, DevelopmentKey, EventKey, EventVerifier, Verifier,
};
use todo_mcp::{ByEvent, Server, Tool, function_of};
use tool_add_task::AddTask;
use tool_complete_task::CompleteTask;
use tool_list_tasks::ListTasks;

use crate::world::{Post, World};

struct Calls {
    world: World,
    sidecar: testing::World,
    people: DevelopmentKey,
    key: EventKey,
}

impl Calls {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let people = DevelopmentKey::load_or_create(&folder.path().join("key.pem")).unwrap();
        let key = EventKey::generate().unwrap();
        Self { world: World::new().await, sidecar: testing::World::new().await, people, key }
    }

    fn server<T: Tool>(&self) -> Server {
        let verifier = Verifier::function(&self.world.key.public_jwks(), &function_of(T::NAME)).unwrap();
        Server::new(self.sidecar.database.database().clone(), verifier)
            .publishing(self.sidecar.settings.publisher().unwrap())
            .answering_events(Some(ByEvent { people: self.people_verifier(), key: self.key.clone() }))
    }

    fn people_verifier(&self) -> Verifier {
        let keys = self.people.public_jwks();
        Verifier::people_ed25519(&keys, DEVELOPMENT_ISSUER, DEVELOPMENT_AUDIENCE).unwrap()
    }

    /// A correct call of ada's.
    fn call<T: Tool>(&self, call_id: &str, arguments: Value) -> Value {
        json!({
            "specversion": "1.0", "id": call_id, "type": format!("tool.{}.call", T::NAME), "source": "test",
            "subject": "user/ada", "time": "2026-11-21T09:00:00Z", "datacontenttype": "application/json",
            "partitionkey": "ada", "usertoken": self.people.token("ada", 60).unwrap(),
            "data": {
                "event_id": call_id, "event_type": format!("tool.{}.call", T::NAME), "user_id": "ada",
                "timestamp": "2026-11-21T09:00:00Z", "payload": {"call_id": call_id, "arguments": arguments},
            },
        })
    }

    async fn send<T: Tool>(&self, event: &Value) -> crate::world::Reply {
        self.world.send_to::<T>(&self.server::<T>(), Post::event(event)).await
    }

    /// The payload of the answer, once it is known to be a signed event of ada's.
    async fn answer<T: Tool>(&self, event: &Value) -> Value {
        let reply = self.send::<T>(event).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (200, "application/cloudevents+json")
        );
        let verifier = EventVerifier::new(&self.key.public_jwks()).unwrap();
        let (tenant, event) = Incoming::from_json(&reply.body).unwrap().verify(&verifier).unwrap();
        assert_eq!(tenant.user_id(), "ada");
        assert_eq!(event.event_type.as_str(), format!("tool.{}.result", T::NAME));
        event.payload
    }
}

#[tokio::test]
async fn a_call_runs_the_tool_and_is_answered_by_its_result() {
    let calls = Calls::new().await;
    let answer = calls.answer::<AddTask>(&calls.call::<AddTask>("c1", json!({"title": "Task"}))).await;
    let result = json!({"task_id": 1, "status": "created", "title": "Task"});
    assert_eq!(answer, json!({"call_id": "c1", "is_error": false, "result": result}));
    calls.sidecar.until_published().await;
    assert_eq!(calls.sidecar.numbers(), [1, 2], "and its events are published");
}

#[tokio::test]
async fn the_same_call_gets_the_same_result_and_has_one_effect() {
    let calls = Calls::new().await;
    let add = calls.call::<AddTask>("c1", json!({"title": "Task"}));
    let list = calls.call::<ListTasks>("c2", json!({}));
    let first = (calls.answer::<AddTask>(&add).await, calls.answer::<ListTasks>(&list).await);
    calls.answer::<AddTask>(&calls.call::<AddTask>("c3", json!({"title": "Another"}))).await;
    for _ in 0..5 {
        let again = (calls.answer::<AddTask>(&add).await, calls.answer::<ListTasks>(&list).await);
        assert_eq!(again, first);
    }
    let tasks = calls.sidecar.database.as_owner("SELECT title FROM tasks").await.unwrap();
    assert_eq!(tasks.len(), 2);
}

#[tokio::test]
async fn a_mistake_is_an_answer_that_says_what_to_do() {
    let calls = Calls::new().await;
    let answer = calls.answer::<CompleteTask>(&calls.call::<CompleteTask>("c1", json!({"task_id": 9}))).await;
    assert_eq!(answer["is_error"], true);
    assert!(answer["result"].as_str().unwrap().contains("there is no task 9"), "{answer}");
}

#[tokio::test]
async fn what_is_not_the_persons_is_refused_for_good_and_told() {
    let calls = Calls::new().await;
    let good = calls.call::<AddTask>("c1", json!({"title": "Task"}));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut event = good.clone();
        change(&mut event);
        event
    };
    let refused = [
        ("no token", changed(&|event| drop(event.as_object_mut().unwrap().remove("usertoken")))),
        ("not a token", changed(&|event| event["usertoken"] = json!("x.y.z"))),
        (
            "an expired token",
            changed(&|event| event["usertoken"] = json!(calls.people.token("ada", 0).unwrap() + "x")),
        ),
        (
            "another's token",
            changed(&|event| event["usertoken"] = json!(calls.people.token("bob", 60).unwrap())),
        ),
        ("another's name", changed(&|event| event["data"]["payload"]["arguments"]["user_id"] = json!("bob"))),
        ("another tool", calls.call::<ListTasks>("c1", json!({}))),
        ("no call", changed(&|event| event["type"] = json!("task.created"))),
        ("against its schema", changed(&|event| event["data"]["payload"] = json!({}))),
    ];
    for (what, event) in refused {
        let reply = calls.send::<AddTask>(&event).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (422, 0), "{what}");
    }
    let told = calls
        .sidecar
        .database
        .as_owner("SELECT user_id FROM outbox ORDER BY user_id")
        .await
        .unwrap()
        .concat();
    assert_eq!(told, ["ada", "bob"], "who asked in another's name");
    let tasks = calls.sidecar.database.as_owner("SELECT title FROM tasks").await.unwrap();
    assert!(tasks.is_empty());
}

#[tokio::test]
async fn who_was_not_given_peoples_keys_refuses_calls_by_event() {
    let calls = Calls::new().await;
    let call = calls.call::<AddTask>("c1", json!({"title": "Task"}));
    let reply = calls.world.send::<AddTask>(Post::event(&call)).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (422, 0));
}
