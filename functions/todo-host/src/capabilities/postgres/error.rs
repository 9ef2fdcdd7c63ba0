//! What a component is told when Postgres, or the way to it, fails.

use std::error::Error as _;

use crate::bindings::postgres::{DbError, Error, QueryError};

/// The error of a statement.
pub fn failed(failure: &tokio_postgres::Error) -> Error {
    let Some(error) = failure.as_db_error() else {
        return Error::QueryFailed(QueryError::Text(text(failure)));
    };
    let extras = [
        ("hint", error.hint()),
        ("schema", error.schema()),
        ("table", error.table()),
        ("column", error.column()),
        ("datatype", error.datatype()),
        ("constraint", error.constraint()),
    ];
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text: text(failure),
        severity: error.severity().to_owned(),
        code: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        extras: extras
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect(),
    }))
}

/// The error and what it came from: the driver says only "db error" or "error connecting to server" by itself.
pub fn text(failure: &tokio_postgres::Error) -> String {
    match failure.source() {
        Some(source) => format!("{failure}: {source}"),
        None => failure.to_string(),
    }
}
