//! `todo dead-letters`: what could not be handled, until somebody decides.

mod retry;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use todo_store::Database;
use todo_store::dead_letters::{Filter, Kept, Place};

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::operator::{failed, open, time};
use crate::output;

/// Letters read at once; without their events they are small.
const PAGE: usize = 100;

/// What to do.
#[derive(Args)]
pub struct DeadLetters {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them, newest first, without their events.
    List {
        #[command(flatten)]
        of: Of,
        /// Print an object per dead letter.
        #[arg(long)]
        json: bool,
    },
    /// Show one with its event, which holds the person's words.
    Show {
        /// Its number.
        number: i64,
        /// Print it on one line.
        #[arg(long)]
        json: bool,
    },
    /// Deliver them to their consumers again, through the sidecar of the running system; those that are taken are removed.
    Retry(Which),
    /// Remove them for good.
    Drop {
        #[command(flatten)]
        which: Which,
        /// Do so with all of them.
        #[arg(long)]
        yes: bool,
    },
}

/// Those of a consumer, of a type, or all.
#[derive(Args)]
struct Of {
    /// Only those of this consumer.
    #[arg(long)]
    consumer: Option<String>,
    /// Only those of this type of event.
    #[arg(long = "type")]
    event_type: Option<String>,
}

/// By number, or all.
#[derive(Args)]
struct Which {
    /// Their numbers.
    #[arg(required_unless_present = "all", conflicts_with_all = ["all", "consumer", "event_type"])]
    numbers: Vec<i64>,
    /// All, or all of --consumer and --type.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    of: Of,
    /// Print an object per dead letter.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(dead_letters: &DeadLetters, config: &Config) -> Outcome {
    let database = open(config).await?;
    match &dead_letters.action {
        Action::List { of, json } => list(&database, of, *json).await,
        Action::Show { number, json } => show(&database, *number, *json).await,
        Action::Retry(which) => retry::run(&database, which, config).await,
        Action::Drop { which, yes } => drop_them(&database, which, *yes).await,
    }
}

async fn list(database: &Database, of: &Of, json: bool) -> Outcome {
    let mut place = Place::Before(i64::MAX);
    loop {
        let page = page(database, of, place).await?;
        let Some(last) = page.last() else { return Ok(()) };
        place = Place::Before(last.number);
        for letter in &page {
            match json {
                true => output::line(object(letter)),
                false => output::line(line(letter)),
            }
        }
    }
}

async fn page(database: &Database, of: &Of, place: Place) -> Outcome<Vec<Kept>> {
    let filter = Filter { consumer: of.consumer.clone(), event_type: of.event_type.clone() };
    let mut operator = database.begin_operator().await.map_err(failed)?;
    operator.dead_letters(&filter, place, PAGE).await.map_err(failed)
}

async fn one(database: &Database, number: i64) -> Outcome<Kept> {
    let mut operator = database.begin_operator().await.map_err(failed)?;
    let letter = operator.dead_letter(number).await.map_err(failed)?;
    letter.ok_or_else(|| {
        Failure::data(format!("there is no dead letter {number}; see `todo dead-letters list`"))
    })
}

/// What came, which is JSON.
async fn event(database: &Database, number: i64) -> Outcome<Value> {
    let mut operator = database.begin_operator().await.map_err(failed)?;
    let body = operator.dead_letter_body(number).await.map_err(failed)?.unwrap_or_default();
    serde_json::from_str(&body).map_err(Failure::internal)
}

async fn show(database: &Database, number: i64, json: bool) -> Outcome {
    let letter = one(database, number).await?;
    let event = event(database, number).await?;
    if json {
        let mut shown = object(&letter);
        shown["event"] = event;
        output::line(shown);
    } else {
        output::line(format_args!("{}\n\n{event:#}", line(&letter)));
    }
    Ok(())
}

fn line(letter: &Kept) -> String {
    let status = letter.status.map_or_else(|| "—".to_owned(), |status| status.to_string());
    let Kept { number, consumer, event_type, reason, attempts, .. } = letter;
    let (at, person) = (time(letter.last_at), letter.user_id.as_deref().unwrap_or("?"));
    format!(
        "{number:>6}  {at:<24}  {consumer:<24} {event_type:<18} {person:<12} {status:>3} ×{attempts:<3} {reason}"
    )
}

fn object(letter: &Kept) -> Value {
    let mut object = json!(letter);
    object["first_at"] = time(letter.first_at).into();
    object["last_at"] = time(letter.last_at).into();
    object
}

async fn drop_them(database: &Database, which: &Which, yes: bool) -> Outcome {
    if which.all && !yes {
        return Err(Failure::usage("--all drops them for good; say --yes as well"));
    }
    let mut letters = Letters::meant(which);
    let mut dropped = 0_u64;
    while let Some(letter) = letters.next(database).await? {
        let mut repair = database.begin_repair().await.map_err(failed)?;
        let there = repair.drop_dead_letter(letter.number).await.map_err(failed)?;
        repair.commit().await.map_err(failed)?;
        dropped += u64::from(there);
        if which.json {
            output::line(json!({"number": letter.number, "dropped": there}));
        }
    }
    eprintln!("{dropped} dropped");
    Ok(())
}

/// Those that are meant, oldest first.
struct Letters<'a> {
    of: &'a Of,
    numbers: Vec<i64>,
    page: Vec<Kept>,
    after: Option<i64>,
}

impl<'a> Letters<'a> {
    fn meant(which: &'a Which) -> Self {
        let mut numbers = which.numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.reverse();
        Self { of: &which.of, numbers, page: Vec::new(), after: which.all.then_some(0) }
    }

    async fn next(&mut self, database: &Database) -> Outcome<Option<Kept>> {
        if let Some(number) = self.numbers.pop() {
            return one(database, number).await.map(Some);
        }
        if self.page.is_empty()
            && let Some(after) = self.after.take()
        {
            self.page = page(database, self.of, Place::After(after)).await?;
            self.after = self.page.last().map(|letter| letter.number);
            self.page.reverse();
        }
        Ok(self.page.pop())
    }
}
