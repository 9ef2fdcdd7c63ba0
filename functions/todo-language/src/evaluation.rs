//! Measures the choice of tool on labelled utterances.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use serde::{Deserialize, Serialize};

use crate::{Context, read};

/// The name that stands for "no tool" in the confusion table.
pub const NO_TOOL: &str = "(none)";

/// Why a file could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The file could not be read.
    #[error("cannot read the utterances: {0}")]
    Read(#[from] std::io::Error),
    /// A line is not the expected object.
    #[error("line {line}: expected {{\"utterance\": string, \"suggested_tool\": string or null}}: {source}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct Labelled {
    utterance: String,
    suggested_tool: Option<String>,
}

/// What came out for one set of utterances.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Evaluation {
    /// Utterances that count.
    pub total: usize,
    /// Of these, those with the expected tool (or rightly none).
    pub correct: usize,
    /// Utterances for which no tool is right.
    pub out_of_scope: usize,
    /// Of these, those for which a tool was chosen all the same.
    pub false_actions: usize,
    /// Labelled `(adjacent)`: neither right nor wrong.
    pub skipped: usize,
    /// expected → chosen → how often.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
    /// Every utterance with the wrong choice.
    pub misses: Vec<Miss>,
}

/// One wrong choice.
#[derive(Debug, Clone, Serialize)]
pub struct Miss {
    /// What was said.
    pub utterance: String,
    /// The labelled tool.
    pub expected: String,
    /// Ours.
    pub chosen: String,
}

impl Evaluation {
    /// The share of right choices, 0 to 1; 1 when nothing counted.
    pub fn accuracy(&self) -> f64 {
        share(self.correct, self.total).unwrap_or(1.0)
    }

    /// The share of out-of-scope utterances for which a tool was called; `None` when there are none.
    pub fn false_action_rate(&self) -> Option<f64> {
        share(self.false_actions, self.out_of_scope)
    }

    fn count(&mut self, labelled: Labelled, chosen: &str) {
        let expected = labelled.suggested_tool.unwrap_or_else(|| NO_TOOL.to_owned());
        if expected.starts_with("(adjacent)") {
            self.skipped += 1;
            return;
        }
        // Some intents of the public data cover several tools ("add_task/delete_task"): each of them is right.
        let right = expected.split('/').any(|tool| tool == chosen);
        let none = expected == NO_TOOL;
        self.total += 1;
        self.correct += usize::from(right);
        self.out_of_scope += usize::from(none);
        self.false_actions += usize::from(none && !right);
        *self.confusion.entry(expected.clone()).or_default().entry(chosen.to_owned()).or_default() += 1;
        if !right {
            self.misses.push(Miss { utterance: labelled.utterance, expected, chosen: chosen.to_owned() });
        }
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Reads JSON Lines of `{"utterance", "suggested_tool"}` and compares each with the tool of the first action we read.
///
/// # Errors
/// When the input cannot be read or a line is not such an object.
pub fn evaluate(utterances: impl BufRead, now: &jiff::Zoned) -> Result<Evaluation, EvaluationError> {
    let mut evaluation = Evaluation::default();
    for (index, line) in utterances.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let labelled: Labelled = serde_json::from_str(&line)
            .map_err(|source| EvaluationError::Line { line: index + 1, source })?;
        let reading = read(&labelled.utterance, now, &Context::default());
        let chosen = reading.actions.first().map_or(NO_TOOL, |action| action.tool());
        evaluation.count(labelled, chosen);
    }
    Ok(evaluation)
}

/// For people: the figures, the table, every miss.
impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "tool choice    {:6.2} %  ({} of {})",
            100.0 * self.accuracy(),
            self.correct,
            self.total
        )?;
        if let Some(rate) = self.false_action_rate() {
            writeln!(
                f,
                "false actions  {:6.2} %  ({} of {})",
                100.0 * rate,
                self.false_actions,
                self.out_of_scope
            )?;
        }
        writeln!(f, "\nexpected → chosen")?;
        for (expected, row) in &self.confusion {
            for (chosen, times) in row {
                writeln!(f, "{times:7}  {expected} → {chosen}")?;
            }
        }
        writeln!(f, "\nmisses: {}", self.misses.len())?;
        for miss in &self.misses {
            writeln!(f, "  {} → {}: {}", miss.expected, miss.chosen, miss.utterance)?;
        }
        Ok(())
    }
}
