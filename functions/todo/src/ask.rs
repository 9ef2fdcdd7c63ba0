//! `todo ask`: says something to a running chat function and prints what it answers.

mod client;

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use serde_json::Value;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use client::{Client, Event};

/// What to say, and where.
#[derive(Args)]
pub struct Ask {
    /// What to say. Without it, lines are read from the terminal or from standard input, one message each.
    text: Option<String>,
    /// Go on with this conversation.
    #[arg(long)]
    conversation: Option<i64>,
    /// Who is asking, when the development key makes the token.
    #[arg(long, default_value = crate::up::DEVELOPER)]
    user: String,
    /// Print the whole answer as JSON, one object per message.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(ask: Ask, config: &Config) -> Outcome {
    let token = match &config.token {
        Some(token) => token.clone(),
        None => crate::token::development_token(config, &ask.user, 3600)?,
    };
    let mut client = Client::new(&config.chat_url(), token, ask.conversation)?;
    match &ask.text {
        Some(text) => say(&mut client, text, ask.json).await,
        None => converse(&mut client, ask.json).await,
    }
}

/// One message per line until the input ends. On a terminal a mistake is told and the conversation goes on.
async fn converse(client: &mut Client, json: bool) -> Outcome {
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        eprintln!("Say what to do, for example: add buy milk tomorrow at 9. End with Ctrl-D.");
    }
    while let Some(line) = next_line(interactive).await? {
        if line.trim().is_empty() {
            continue;
        }
        match say(client, line.trim(), json).await {
            Err(failure) if interactive => eprintln!("todo: {failure}"),
            outcome => outcome?,
        }
    }
    Ok(())
}

async fn next_line(interactive: bool) -> Outcome<Option<String>> {
    let read = move || {
        if interactive {
            eprint!("› ");
        }
        std::io::stdin().lock().lines().next().transpose()
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(Failure::internal)?
        .map_err(|error| Failure::data(format!("cannot read the next message: {error}")))
}

async fn say(client: &mut Client, text: &str, json: bool) -> Outcome {
    if json {
        output::line(client.ask(text).await?);
        return Ok(());
    }
    let mut spoken = false;
    let mut failed = None;
    client
        .stream(text, |event| match event {
            Event::Delta(text) => {
                spoken = true;
                output::text(text);
            }
            Event::ToolCall(name) => eprintln!("  · {name}"),
            Event::Done(answer) if !spoken => output::text(answer["response"].as_str().unwrap_or_default()),
            Event::Done(_) => {}
            Event::Error(message) => failed = Some(message),
        })
        .await?;
    output::line("");
    failed.map_or(Ok(()), |message| Err(Failure::unavailable(message)))
}

/// The sentence in an error body of the chat function.
fn message_of(body: &Value) -> Option<&str> {
    body["error"]["message"].as_str()
}
