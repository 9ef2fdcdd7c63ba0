//! `todo token`: a token for development, signed with the key in the data folder.

use clap::Args;
use serde_json::json;
use todo_identity::DevelopmentKey;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Whom the token is for.
#[derive(Args)]
pub struct Token {
    /// The user the token signs in.
    user: String,
    /// How many hours the token is good for.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8760))]
    hours: u32,
    /// Print an object with the token, its user and its lifetime.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(token: &Token, config: &Config) -> Outcome {
    let seconds = u64::from(token.hours) * 3600;
    let jwt = development_token(config, &token.user, seconds)?;
    if token.json {
        output::line(json!({"token": jwt, "user": token.user, "expires_in": seconds}));
    } else {
        output::line(jwt);
    }
    Ok(())
}

/// A token that a `todo up` with the same data folder accepts.
pub fn development_token(config: &Config, user: &str, seconds: u64) -> Outcome<String> {
    if user.trim().is_empty() {
        return Err(Failure::usage("name the user the token is for: todo token <user>"));
    }
    config.prepare_data_folder()?;
    DevelopmentKey::load_or_create(&config.development_key())
        .and_then(|key| key.token(user, seconds))
        .map_err(Failure::unavailable)
}
