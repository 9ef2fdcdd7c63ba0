//! What is done to one key.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use serde_json::Value;

use crate::store::StoreError;

/// Why a key was not changed. The texts are Dapr's.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    #[error("possible etag mismatch. error from state store")]
    Mismatch,
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for StateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A value to be set.
#[derive(Debug, Deserialize)]
pub(super) struct Set {
    #[serde(default)]
    pub key: String,
    #[serde(default)]
    pub value: Value,
    pub etag: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub options: Options,
}

/// A key to be deleted.
#[derive(Debug, Deserialize)]
pub(super) struct Delete {
    #[serde(default)]
    pub key: String,
    pub etag: Option<String>,
    #[serde(default)]
    pub options: Options,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Options {
    #[serde(default)]
    pub concurrency: String,
    #[serde(default)]
    pub consistency: String,
}

/// What stands under a key.
#[derive(Debug)]
pub(super) struct Entry {
    pub value: String,
    pub etag: String,
    /// Milliseconds since 1970.
    pub expires_at: Option<i64>,
}

impl Options {
    fn check(&self) -> Result<bool, StateError> {
        match self.consistency.as_str() {
            "" | "strong" | "eventual" => {}
            other => return Err(StateError::Invalid(format!("unrecognized consistency model '{other}'"))),
        }
        match self.concurrency.as_str() {
            "" | "last-write" => Ok(false),
            "first-write" => Ok(true),
            other => Err(StateError::Invalid(format!("unrecognized concurrency model '{other}'"))),
        }
    }
}

impl Entry {
    pub fn read(sql: &Connection, key: &str, now: i64) -> rusqlite::Result<Option<Self>> {
        sql.prepare_cached(
            "SELECT value, etag, expires_at FROM state WHERE key = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
        )?
        .query_row((key, now), |row| Ok(Self { value: row.get(0)?, etag: row.get(1)?, expires_at: row.get(2)? }))
        .optional()
    }
}

impl Set {
    pub fn apply(&self, sql: &Connection, now: i64) -> Result<(), StateError> {
        let first_write = self.options.check()?;
        let expires_at = self.ttl()?.map(|seconds| now + seconds * 1_000);
        let before = Entry::read(sql, &self.key, now)?;
        match (wanted(self.etag.as_ref()), before) {
            (Some(etag), before) if before.as_ref().is_none_or(|before| before.etag != etag) => {
                return Err(StateError::Mismatch);
            }
            (None, Some(_)) if first_write => return Err(StateError::Mismatch),
            _ => {}
        }
        let etag = uuid::Uuid::new_v4().to_string();
        sql.prepare_cached(
            "INSERT OR REPLACE INTO state (key, value, etag, expires_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((&self.key, self.value.to_string(), etag, expires_at))?;
        Ok(())
    }

    /// Seconds to live: none for -1 and 0, which end an earlier limit.
    fn ttl(&self) -> Result<Option<i64>, StateError> {
        let Some(text) = self.metadata.get("ttlInSeconds").filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let problem = |problem: &str| {
            StateError::Invalid(format!(
                "error parsing TTL: incorrect value for metadata 'ttlInSeconds': {problem}"
            ))
        };
        let seconds: i64 = text
            .parse()
            .map_err(|_| problem(&format!("strconv.ParseInt: parsing \"{text}\": invalid syntax")))?;
        if seconds < -1 || seconds > i64::from(i32::MAX) {
            return Err(problem("must be -1 or greater"));
        }
        Ok((seconds > 0).then_some(seconds))
    }
}

impl Delete {
    pub fn apply(&self, sql: &Connection, now: i64) -> Result<(), StateError> {
        self.options.check()?;
        let deleted = match wanted(self.etag.as_ref()) {
            None => return Ok(sql.execute("DELETE FROM state WHERE key = ?1", [&self.key]).map(|_| ())?),
            Some(etag) => sql.execute(
                "DELETE FROM state WHERE key = ?1 AND etag = ?2 AND (expires_at IS NULL OR expires_at > ?3)",
                (&self.key, etag, now),
            )?,
        };
        if deleted == 1 { Ok(()) } else { Err(StateError::Mismatch) }
    }
}

fn wanted(etag: Option<&String>) -> Option<&str> {
    etag.map(String::as_str).filter(|etag| !etag.is_empty())
}
