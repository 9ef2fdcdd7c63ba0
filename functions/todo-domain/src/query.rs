//! What a list of tasks may be asked for.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PAGE_DEFAULT, Priority, Tag};

/// Which tasks by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Done or not.
    #[default]
    All,
    /// Not done yet.
    Pending,
    /// Done.
    Completed,
}

/// What a list is sorted by; ties are broken by the task's number, so that every order is total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// When it was added, which is the order of the numbers.
    #[default]
    Created,
    /// When it is due; tasks without a due date come last in either order.
    Due,
    /// How urgent it is; tasks without a priority come last in either order.
    Priority,
    /// When it was completed; pending tasks come last in either order.
    Completed,
}

impl Sort {
    /// The order when the caller does not say: the one a person expects.
    pub fn usual_order(self) -> Order {
        match self {
            Self::Created | Self::Due => Order::Asc,
            Self::Priority | Self::Completed => Order::Desc,
        }
    }
}

/// Upwards or downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Smallest, earliest, least urgent first.
    Asc,
    /// Largest, latest, most urgent first.
    Desc,
}

/// A valid question for a page of tasks. All given conditions hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// By state.
    pub status: Status,
    /// Exactly this priority.
    pub priority: Option<Priority>,
    /// Every one of these tags.
    pub tags: Vec<Tag>,
    /// Due before this instant, exclusive.
    pub due_before: Option<Timestamp>,
    /// Due at this instant or after it.
    pub due_after: Option<Timestamp>,
    /// Words that title and description contain, each as the beginning of a word. Not empty.
    pub search: Option<String>,
    /// What to sort by.
    pub sort: Sort,
    /// In which direction.
    pub order: Order,
    /// Tasks per page, 1–200.
    pub limit: u32,
    /// Where the page before ended, as the store wrote it.
    pub cursor: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            status: Status::All,
            priority: None,
            tags: Vec::new(),
            due_before: None,
            due_after: None,
            search: None,
            sort: Sort::Created,
            order: Order::Asc,
            limit: PAGE_DEFAULT,
            cursor: None,
        }
    }
}
