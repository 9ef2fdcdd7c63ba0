//! The answer to an approval question.

use todo_language::{Consent, consent};

#[test]
fn consent_is_read_and_doubt_is_not_consent() {
    for yes in [
        "yes",
        "Yes, please!",
        "go ahead",
        "go ahead please",
        "ok",
        "sure, delete them",
        "do it",
        "yep",
        "yes, delete them",
        "yes delete all of them",
        "yes please go ahead and delete both of them, thanks",
        "ok, do it then",
        "why not",
        "yes 🎉",
        "👍",
        "yes, delete 1 and 2",
    ] {
        assert_eq!(consent(yes), Some(Consent::Yes), "{yes}");
    }
    for no in [
        "no",
        "no, keep them",
        "don't",
        "cancel",
        "never mind",
        "please don't delete them",
        "wait",
        "keep them",
        "no, delete task 5 instead",
        "ok, but not task 3",
    ] {
        assert_eq!(consent(no), Some(Consent::No), "{no}");
    }
    for neither in [
        "",
        "add buy milk tomorrow",
        "which ones?",
        "show my tasks",
        "\"yes\"",
        "delete all completed tasks",
        "delete all tasks",
        "delete all",
        "delete everything",
        "yes, delete everything",
        "yes, delete all completed tasks",
        "ok delete task 5 instead",
        "delete task 5",
        "ok, complete task 2",
        "yes and add milk",
        "yes and add it to my list",
        "sure, show my tasks",
        "fine, but first add milk",
        "thanks",
        "are you sure?",
        "right?",
        "ok?",
        "great, what is due today?",
        "don't forget to buy milk",
        "add cancel the gym",
    ] {
        assert_eq!(consent(neither), None, "{neither}");
    }
}
