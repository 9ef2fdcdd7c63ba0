//! What goes into statements and comes out of them.
//!
//! Two types do for everything: BIGINT (numbers; instants in milliseconds since 1970) and TEXT (text; JSON). Both databases,
//! both drivers and Spin's interfaces agree on them to the letter, which they do not on booleans, dates or JSON types.

use jiff::Timestamp;

use crate::Error;

/// A parameter or a result. NULL is typed, because sqlx tells Postgres the type of every parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// BIGINT.
    Integer(Option<i64>),
    /// TEXT.
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(Some(at.as_millisecond()))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

/// A row, read from left to right in the order of the statement's columns.
pub struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// All columns that were not read yet.
    #[cfg(feature = "testing")]
    pub(crate) fn values(self) -> impl Iterator<Item = Value> {
        self.0
    }

    /// The next column, a number.
    pub fn integer(&mut self) -> Result<i64, Error> {
        self.optional_integer()?.ok_or(Error::Corrupt("number"))
    }

    /// The next column, a number or NULL.
    pub fn optional_integer(&mut self) -> Result<Option<i64>, Error> {
        match self.0.next() {
            Some(Value::Integer(number)) => Ok(number),
            Some(Value::Text(None)) => Ok(None),
            _ => Err(Error::Corrupt("number")),
        }
    }

    /// The next column, text.
    pub fn text(&mut self) -> Result<String, Error> {
        self.optional_text()?.ok_or(Error::Corrupt("text"))
    }

    /// The next column, text or NULL.
    pub fn optional_text(&mut self) -> Result<Option<String>, Error> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Integer(None)) => Ok(None),
            _ => Err(Error::Corrupt("text")),
        }
    }

    /// The next column, an instant.
    pub fn instant(&mut self) -> Result<Timestamp, Error> {
        self.optional_instant()?.ok_or(Error::Corrupt("instant"))
    }

    /// The next column, an instant or NULL.
    pub fn optional_instant(&mut self) -> Result<Option<Timestamp>, Error> {
        let millisecond = self.optional_integer()?;
        let instant = millisecond.map(Timestamp::from_millisecond).transpose();
        instant.map_err(|_| Error::Corrupt("instant"))
    }

    /// The next column, JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Error> {
        serde_json::from_str(&self.text()?).map_err(|_| Error::Corrupt("JSON"))
    }
}
