//! The fault command itself, with few kills; `TODO_TEST_KILLS` asks for more. On the platform only where it is built.

use std::process::{Command, Output};

/// So many in an ordinary run of the tests.
const FEW: &str = "3";
const SEED: &str = "1";

fn faults(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faults"));
    command.args(["--seed", SEED]).args(arguments);
    match command.output() {
        Ok(output) => output,
        Err(error) => unreachable!("the command was built with this test: {error}"),
    }
}

fn text(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn kills() -> String {
    std::env::var("TODO_TEST_KILLS").unwrap_or_else(|_| FEW.to_owned())
}

#[test]
fn nothing_acknowledged_is_lost_when_the_embedded_system_is_killed() {
    let output = faults(&["--on", "embedded-sqlite", "--kills", &kills()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn nothing_acknowledged_is_lost_when_parts_of_the_platform_are_killed() {
    let required = std::env::var("TODO_TEST_REQUIRE").is_ok_and(|required| required.contains("platform"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ci/platform");
    if !required && !Command::new(script).arg("built").status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: the platform is not built; `ci/platform build` does that once");
        return;
    }
    let output = faults(&["--on", "platform", "--kills", &kills()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn what_was_taken_away_is_missed() {
    let output =
        faults(&["--kills", "0", "--people", "1", "--load-seconds", "5", "--sabotage", "audit-entry"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("NO  every change is in the audit exactly once"), "{said}");
    assert!(said.contains("NO  every audit chain verifies"), "{said}");
}
