//! Tasks that repeat. All tasks of a series carry its tag, so the series can be counted even where tasks of it were deleted.

use std::collections::BTreeSet;

use super::expected::{Expected, Sure, Task, Times};
use super::{Claim, Verdict};
use crate::evidence::Theirs;
use crate::history::{Deed, Person};

pub fn check(verdict: &mut Verdict, person: &Person, expected: &Expected, theirs: &Theirs) {
    let series = person.calls.iter().filter_map(|call| match &call.deed {
        Deed::Add(added) => added.series.as_ref(),
        _ => None,
    });
    for series in series {
        let made: BTreeSet<i64> = theirs
            .of_tasks("task.created")
            .filter(|entry| entry.has_tag(series))
            .filter_map(|entry| entry.task_id)
            .collect();
        if made.is_empty() {
            // The first one was never added; whether it should have been is asked elsewhere.
            continue;
        }
        let owed = made.iter().filter_map(|id| expected.tasks.get(id)).map(successors);
        let owed = owed.fold(Times { least: 1, most: 1 }, |sum, task| Times {
            least: sum.least + task.least,
            most: sum.most + task.most,
        });
        verdict.expect(Claim::Successors, &person.name, owed.allow(made.len()), || {
            format!("{series} has the tasks {made:?}, and should have {owed:?}")
        });
    }
}

/// How many tasks follow this one.
fn successors(task: &Task) -> Times {
    // Nobody touched its successor meanwhile, unless it was not known whether it is completed.
    let most = if task.doubtful { task.completions.most } else { task.completions.most.min(1) };
    let least = usize::from(task.completed == Sure::Yes && task.completions.most > 0);
    Times { least, most }
}
