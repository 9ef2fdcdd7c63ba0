//! `knative/new-secrets` makes what the manifests refer to, and keys that fit each other.

use std::process::Command;

use serde_json::Value;
use todo_identity::{EventKey, EventVerifier, FunctionKey};

use crate::{documents, root, rows};

fn made(database: Option<&str>) -> Vec<Value> {
    let mut command = Command::new(root("knative/new-secrets"));
    command.env_remove("DATABASE_URL");
    if let Some(url) = database {
        command.env("DATABASE_URL", url);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    documents(&String::from_utf8(output.stdout).unwrap())
}

fn value(made: &[Value], name: &str, key: &str) -> String {
    let found = made.iter().find(|it| it["metadata"]["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let text = found["data"][key].as_str().unwrap_or_else(|| panic!("{name} has no {key}"));
    match found["kind"] == "Secret" {
        true => String::from_utf8(openssl_decode(text)).unwrap(),
        false => text.to_owned(),
    }
}

fn openssl_decode(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut command = Command::new("openssl");
    command
        .args(["base64", "-d", "-A"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn the_keys_fit_each_other_and_are_new_each_time() {
    let first = made(None);
    let event = EventKey::from_pem(&value(&first, "todo-event-key", "TODO_EVENT_KEY")).unwrap();
    let public = value(&first, "todo-public-keys", "TODO_EVENT_PUBLIC_KEYS");
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parsed(&event.public_jwks()), parsed(&public));
    assert!(EventVerifier::new(&public).is_ok());
    let function = FunctionKey::from_pem(&value(&first, "todo-function-key", "TODO_FUNCTION_KEY")).unwrap();
    let public = value(&first, "todo-public-keys", "TODO_FUNCTION_PUBLIC_KEYS");
    assert_eq!(parsed(&function.public_jwks()), parsed(&public));
    let second = made(None);
    for (name, key) in [
        ("todo-event-key", "TODO_EVENT_KEY"),
        ("todo-dapr-api-token", "token"),
        ("todo-postgres", "password"),
    ] {
        assert_ne!(value(&first, name, key), value(&second, name, key));
    }
}

#[test]
fn the_database_is_the_one_that_is_named_or_that_of_the_chart() {
    let url = "postgres://somebody:a%20b@db.example.org/todo?sslmode=require";
    let made_for = made(Some(url));
    assert_eq!(value(&made_for, "todo-database", "DATABASE_URL"), url);
    assert!(made_for.iter().all(|it| it["metadata"]["name"] != "todo-postgres"));
    let inside = made(None);
    let password = value(&inside, "todo-postgres", "password");
    assert!(value(&inside, "todo-database", "DATABASE_URL").contains(&format!(":{password}@postgres:5432/")));
}

#[test]
fn it_makes_the_secrets_that_the_specification_says_it_makes() {
    let documented = rows("Settings and Secrets").into_iter().filter(|row| row[3] == "`new-secrets`");
    let mut documented: Vec<_> = documented.map(|row| row[0].trim_matches('`').to_owned()).collect();
    let secrets = made(None).into_iter().filter(|it| it["kind"] == "Secret");
    let mut names: Vec<_> = secrets.map(|it| it["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    documented.sort();
    names.sort();
    assert_eq!(names, documented);
}
