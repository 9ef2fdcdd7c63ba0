//! One name in two spellings: MCP tools are written with underscores, functions with hyphens.

/// What every function that is an MCP tool begins with.
const PREFIX: &str = "tool-";

/// `add_task` → `tool-add-task`.
pub fn function_of(tool: &str) -> String {
    format!("{PREFIX}{}", tool.replace('_', "-"))
}

/// `tool-add-task` → `add_task`; other functions are not tools.
pub fn tool_of(function: &str) -> Option<String> {
    let name = function.strip_prefix(PREFIX).filter(|name| !name.is_empty())?;
    Some(name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_and_its_function_name_each_other() {
        assert_eq!(function_of("add_task"), "tool-add-task");
        assert_eq!(tool_of("tool-add-task").as_deref(), Some("add_task"));
    }

    #[test]
    fn a_function_of_another_kind_is_no_tool() {
        assert_eq!(tool_of("tick-relay-outbox"), None);
        assert_eq!(tool_of("tool-"), None);
    }
}
