//! What an operator does with dead letters: look, try again, drop.

use serde::Serialize;

use crate::{Error, OperatorTransaction, RepairTransaction, Row, Value};

/// The columns of a [`Kept`] in the order in which it is read.
macro_rules! columns {
    () => {
        "number, consumer, path, event_id, event_type, topic, user_id, status, reason, attempts, first_at, last_at"
    };
}

const ONE: &str = concat!("SELECT ", columns!(), " FROM dead_letters WHERE number = $1");
const BODY: &str = "SELECT body FROM dead_letters WHERE number = $1";
const DROP: &str = "DELETE FROM dead_letters WHERE number = $1 RETURNING number";
const FAILED: &str =
    "UPDATE dead_letters SET status = $1, attempts = attempts + 1, last_at = $2 WHERE number = $3";

/// A dead letter without its event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// 1, 2, 3 …, with gaps.
    pub number: i64,
    /// The function that did not handle it.
    pub consumer: String,
    /// At which path of it.
    pub path: String,
    /// The event's id.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// The topic that such events travel on; empty when it cannot be told.
    pub topic: String,
    /// Whose it is, if its signature says so.
    pub user_id: Option<String>,
    /// What the consumer answered last; `None` when nothing.
    pub status: Option<i64>,
    /// Why it was not handled.
    pub reason: String,
    /// How often it came here, or was retried in vain.
    pub attempts: i64,
    /// When it came first, in milliseconds since 1970.
    pub first_at: i64,
    /// When it came last or was retried, in milliseconds since 1970.
    pub last_at: i64,
}

/// Which dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this consumer.
    pub consumer: Option<String>,
    /// Those of this type.
    pub event_type: Option<String>,
}

/// Where a list begins, and in which direction it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The newest with a lower number than this, newest first.
    Before(i64),
    /// The oldest with a higher number than this, oldest first.
    After(i64),
}

impl OperatorTransaction {
    /// At most `limit` dead letters.
    pub async fn dead_letters(
        &mut self,
        filter: &Filter,
        place: Place,
        limit: usize,
    ) -> Result<Vec<Kept>, Error> {
        let number = match place {
            Place::Before(number) | Place::After(number) => number,
        };
        let mut parameters: Vec<Value> = vec![number.into()];
        parameters.extend(
            [&filter.consumer, &filter.event_type].into_iter().flatten().map(|text| text.as_str().into()),
        );
        parameters.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let rows = self.work.rows(list(filter, place), parameters).await?;
        rows.into_iter().map(kept).collect()
    }

    /// One, if it is there.
    pub async fn dead_letter(&mut self, number: i64) -> Result<Option<Kept>, Error> {
        self.work.row(ONE, vec![number.into()]).await?.map(kept).transpose()
    }

    /// What came: see [`super::DeadLetter::body`].
    pub async fn dead_letter_body(&mut self, number: i64) -> Result<Option<String>, Error> {
        self.work.row(BODY, vec![number.into()]).await?.map(|mut row| row.text()).transpose()
    }
}

impl RepairTransaction {
    /// Removes one; false when it was not there.
    pub async fn drop_dead_letter(&mut self, number: i64) -> Result<bool, Error> {
        Ok(self.work.row(DROP, vec![number.into()]).await?.is_some())
    }

    /// Notes that one was retried in vain, and what the consumer answered, if it did.
    pub async fn dead_letter_failed(&mut self, number: i64, status: Option<u16>) -> Result<(), Error> {
        let parameters = vec![status.map(i64::from).into(), self.now().into(), number.into()];
        self.work.execute(FAILED, parameters).await
    }
}

fn list(filter: &Filter, place: Place) -> String {
    let (comparison, order) = match place {
        Place::Before(_) => ("<", "DESC"),
        Place::After(_) => (">", "ASC"),
    };
    let wanted = [("consumer", &filter.consumer), ("event_type", &filter.event_type)];
    let mut parameter = 1;
    let conditions: String = wanted
        .iter()
        .filter(|(_, value)| value.is_some())
        .map(|(column, _)| {
            parameter += 1;
            format!(" AND {column} = ${parameter}")
        })
        .collect();
    let (columns, limit) = (columns!(), parameter + 1);
    format!(
        "SELECT {columns} FROM dead_letters WHERE number {comparison} $1{conditions} ORDER BY number {order} LIMIT ${limit}"
    )
}

fn kept(mut row: Row) -> Result<Kept, Error> {
    Ok(Kept {
        number: row.integer()?,
        consumer: row.text()?,
        path: row.text()?,
        event_id: row.text()?,
        event_type: row.text()?,
        topic: row.text()?,
        user_id: row.optional_text()?,
        status: row.optional_integer()?,
        reason: row.text()?,
        attempts: row.integer()?,
        first_at: row.integer()?,
        last_at: row.integer()?,
    })
}

/// Every statement that reads or changes dead letters by the operator's rights, by name.
#[cfg(feature = "testing")]
pub(crate) fn statements() -> Vec<(String, String)> {
    let given = |text: &str| Some(text.to_owned());
    let filters = [
        Filter::default(),
        Filter { consumer: given("c"), event_type: None },
        Filter { consumer: None, event_type: given("t") },
        Filter { consumer: given("c"), event_type: given("t") },
    ];
    let lists = filters
        .iter()
        .flat_map(|filter| [Place::Before(0), Place::After(0)].map(|place| list(filter, place)));
    let others = [ONE, BODY, DROP, FAILED].map(str::to_owned);
    lists.chain(others).map(|text| ("dead letters".to_owned(), text)).collect()
}
