//! What comes back from the tools: failures, and lists with and without further pages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may end where its own script is wrong")]

use serde_json::{Value, json};
use todo_language::{Answer, Conversation, Entry, answer};

/// What the person reads when the only call of a message fails with this value.
fn told(message: &str, value: Value) -> String {
    told_of(message, value, true)
}

fn told_of(message: &str, value: Value, is_error: bool) -> String {
    let now: jiff::Zoned = "2026-11-21T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let mut entries = vec![Entry::Person(message.into())];
    let Answer::Call(calls) = answer(&Conversation { now: now.clone(), entries: entries.clone() }) else {
        panic!("no call")
    };
    entries.push(Entry::ToolCall {
        id: "a".into(),
        name: calls[0].name.into(),
        arguments: calls[0].arguments.clone(),
    });
    entries.push(Entry::ToolResult { id: "a".into(), value, is_error });
    let Answer::Say(words) = answer(&Conversation { now, entries }) else { panic!("another call") };
    words
}

#[test]
fn completing_a_repeating_task_says_when_the_next_one_is_due() {
    let next = [
        (json!(null), "Done: “Rent” (#3)."),
        (
            json!({"due": "2026-11-27", "timezone": "Europe/Berlin", "repeat_text": "every Friday", "skipped": 0}),
            "Done: “Rent” (#3). Next one is due Friday, 27 November.",
        ),
        (
            json!({"due": "2026-11-22T09:00:00+01:00", "timezone": "Europe/Berlin", "skipped": 1}),
            "Done: “Rent” (#3). Next one is due tomorrow at 09:00, one in between was missed.",
        ),
        (
            json!({"due": "2027-01-31", "timezone": "Europe/Berlin", "skipped": 4}),
            "Done: “Rent” (#3). Next one is due Sunday, 31 January 2027, 4 in between were missed.",
        ),
    ];
    for (next, words) in next {
        let result = json!({"task_id": 3, "status": "completed", "title": "Rent", "next": next});
        assert_eq!(told_of("complete task 3", result, false), words);
    }
}

#[test]
fn a_failure_is_told_in_words_for_a_person() {
    let failures = [
        (
            "complete task 99",
            "task_id: there is no task 99. Call list_tasks to see the tasks and their numbers.",
            "There is no task 99.",
        ),
        (
            "add buy milk",
            "title: it is empty. Send 1 to 500 characters saying what is to be done.",
            "I could not add the task: the title is empty.",
        ),
        (
            "make task 3 urgent",
            "repeat: a repeating task needs a due date. Send `due` with the first date, or \"repeat\": null.",
            "I could not change the task: a repeating task needs a due date.",
        ),
        (
            "make task 3 high priority",
            "tags[2]: the tag \"A. Big_one\" is too long. A tag has at most 50 characters.",
            "I could not change the task: the tag \"A. Big_one\" is too long. A tag has at most 50 characters.",
        ),
        (
            "add milk every week",
            "repeat: FREQ=\"X\" is not supported. Use DAILY, WEEKLY, MONTHLY or YEARLY, with INTERVAL=n for every n-th.",
            "I could not add the task: it cannot repeat like that, only by days, weeks, months or years.",
        ),
        (
            "add milk every week",
            "arguments: unknown field `foo`, expected one of `title`, `due`. Send a JSON object.",
            "I could not add the task: I got its details wrong. Please say it in another way.",
        ),
        (
            "delete task 3",
            "The tasks cannot be reached right now. Please try again in a minute.",
            "I could not delete the task: The tasks cannot be reached right now. Please try again in a minute.",
        ),
        (
            "add buy milk",
            "the tool is not answering. It is not known whether anything was changed. Call list_tasks before doing it again.",
            "I could not add the task: the tool is not answering. It is not known whether anything was changed.",
        ),
        (
            "add buy milk",
            "the result was lost. It is not known whether anything was changed. Call list_tasks before doing it again.",
            "I could not add the task: the result was lost. It is not known whether anything was changed.",
        ),
        (
            "what is due today?",
            "the tool has failed, and not because of what was asked. Call it again only when the person asks for it again.",
            "I could not look at your tasks: the tool has failed, and not because of what was asked.",
        ),
        ("complete task 42", "There is no such task.", "There is no such task."),
        ("what is due today?", "", "I could not look at your tasks. Please try again."),
    ];
    for (message, error, words) in failures {
        assert_eq!(told(message, json!(error)), words);
        assert_eq!(told(message, json!({"error": error})), words);
    }
    assert_eq!(told("delete task 3", json!({"declined": true, "message": "x"})), "I left task #3 as it is.");
}

#[test]
fn a_list_is_read_with_and_without_a_cursor() {
    let now: jiff::Zoned = "2026-11-21T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let page = |from: u32| -> Vec<Value> {
        (from..from + 200)
            .map(|id| json!({"id": id, "title": format!("Task {id}"), "completed": false}))
            .collect()
    };
    let ask = |message: &str, pages: &[Value]| {
        let mut entries = vec![Entry::Person(message.into())];
        for (at, value) in pages.iter().enumerate() {
            let Answer::Call(calls) = answer(&Conversation { now: now.clone(), entries: entries.clone() })
            else {
                panic!("no call for page {at}")
            };
            let (name, arguments) = (calls[0].name.into(), calls[0].arguments.clone());
            entries.push(Entry::ToolCall { id: format!("{at}"), name, arguments });
            entries.push(Entry::ToolResult { id: format!("{at}"), value: value.clone(), is_error: false });
        }
        answer(&Conversation { now: now.clone(), entries })
    };
    let deleted = |id: u32| {
        Answer::Call(vec![todo_language::Call { name: "delete_task", arguments: json!({"task_id": id}) }])
    };
    // A full page in a bare array is all there is.
    assert_eq!(ask("delete \"Task 7\"", &[json!(page(1))]), deleted(7));
    assert_eq!(ask("delete \"Task 7\"", &[json!({"tasks": page(1)})]), deleted(7));
    assert_eq!(ask("delete \"Task 7\"", &[json!({"tasks": page(1), "next_cursor": null})]), deleted(7));
    let first = json!({"tasks": page(1), "next_cursor": "c"});
    let Answer::Call(calls) = ask("delete \"Task 207\"", std::slice::from_ref(&first)) else {
        panic!("no call")
    };
    assert_eq!((calls[0].name, &calls[0].arguments["cursor"]), ("list_tasks", &json!("c")));
    assert_eq!(ask("delete \"Task 207\"", &[first.clone(), json!(page(201))]), deleted(207));
    let Answer::Say(words) = ask("show my tasks", &[json!(page(1))]) else { panic!("no words") };
    assert!(words.starts_with("Here are 200 open tasks:\n#1 Task 1\n") && !words.contains("more"), "{words}");
    let Answer::Say(words) = ask("how many tasks do I have?", &[first]) else { panic!("no words") };
    assert_eq!(words, "You have at least 200 open tasks.");
    assert_eq!(ask("show my tasks", &[json!([])]), Answer::Say("You have no open tasks.".into()));
}
