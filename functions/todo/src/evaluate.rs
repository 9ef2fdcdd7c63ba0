//! `todo evaluate`: how well the offline model chooses tools, on files of utterances with the expected tool.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;
use todo_language::evaluation;

use crate::failure::{Failure, Outcome};
use crate::output;

/// What to measure.
#[derive(Args)]
pub struct Evaluate {
    /// JSONL files: {"utterance": …, "suggested_tool": "add_task" | … | null}.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print one JSON object per file instead of tables.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(evaluate: &Evaluate) -> Outcome {
    // Always the same Monday morning, so that two runs compare.
    let now =
        jiff::civil::date(2026, 11, 2).at(9, 0, 0, 0).to_zoned(TimeZone::UTC).map_err(Failure::internal)?;
    for path in &evaluate.files {
        let name = path.display();
        let file = File::open(path).map_err(|error| Failure::data(format!("cannot read {name}: {error}")))?;
        let report = evaluation::evaluate(BufReader::new(file), &now)
            .map_err(|error| Failure::data(format!("{name}: {error}")))?;
        if evaluate.json {
            output::line(json!({"file": name.to_string(), "report": report}));
        } else {
            output::line(format_args!("{name}\n{report}"));
        }
    }
    Ok(())
}
