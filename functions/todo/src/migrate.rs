//! `todo migrate`: brings the database to this version's schema.

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Runs the command.
pub async fn run(config: &Config) -> Outcome {
    if config.database_url.is_none() {
        config.prepare_data_folder()?;
    }
    migrate(&config.database_url()).await?;
    output::line("the database has this version's schema");
    Ok(())
}

/// Runs what is missing of the migrations; safe to run again, and by several at once.
pub async fn migrate(database_url: &str) -> Outcome {
    todo_store::migrate(database_url).await.map_err(|error| {
        Failure::unavailable(format!(
            "cannot prepare the database: {error}; check DATABASE_URL and that the server runs"
        ))
    })
}
