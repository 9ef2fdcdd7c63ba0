//! A model that does what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::Value;
use todo_agent::{Item, Model, ModelAnswer, ModelError, ModelRequest, RequestedCall};
use tokio::sync::{Notify, Semaphore};

/// One answer of the model.
pub enum Move {
    /// Words, in these pieces.
    Say(Vec<&'static str>),
    /// Calls, with words before them perhaps.
    Call(&'static str, Vec<(&'static str, Value)>),
    /// Waits until the test lets it go, then says this.
    SayWhenLet(&'static str),
    /// Does not come back.
    Fail,
}

pub fn say(words: &'static str) -> Move {
    Move::Say(vec![words])
}

pub fn call(name: &'static str, arguments: Value) -> Move {
    Move::Call("", vec![(name, arguments)])
}

/// Plays moves in order, whoever asks; says "done" when there are none left.
#[derive(Clone)]
pub struct Script {
    inner: Arc<Inner>,
}

struct Inner {
    moves: Mutex<VecDeque<Move>>,
    requests: Mutex<Vec<ModelRequest>>,
    gate: Semaphore,
    waits: Notify,
}

impl Script {
    pub fn new(moves: impl IntoIterator<Item = Move>) -> Self {
        let moves = Mutex::new(moves.into_iter().collect());
        Self {
            inner: Arc::new(Inner {
                moves,
                requests: Mutex::default(),
                gate: Semaphore::new(0),
                waits: Notify::new(),
            }),
        }
    }

    /// When the model has come to a move that waits.
    pub async fn waits(&self) {
        self.inner.waits.notified().await;
    }

    /// Lets one waiting move go.
    pub fn go(&self) {
        self.inner.gate.add_permits(1);
    }

    /// What the model was shown each time.
    pub fn shown(&self) -> Vec<Vec<Item>> {
        self.inner.requests.lock().unwrap().iter().map(|request| request.items.clone()).collect()
    }

    pub fn requests(&self) -> Vec<ModelRequest> {
        self.inner.requests.lock().unwrap().clone()
    }
}

impl Model for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn answer<'a>(
        &'a self,
        request: &'a ModelRequest,
        on_delta: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<ModelAnswer, ModelError>> {
        Box::pin(async move {
            self.inner.requests.lock().unwrap().push(request.clone());
            let next = self.inner.moves.lock().unwrap().pop_front();
            match next.unwrap_or_else(|| say("done")) {
                Move::Say(pieces) => {
                    pieces.iter().for_each(|piece| on_delta(piece));
                    Ok(ModelAnswer { text: pieces.concat(), ..ModelAnswer::default() })
                }
                Move::Call(words, calls) => {
                    if !words.is_empty() {
                        on_delta(words);
                    }
                    let calls = calls.into_iter().map(|(name, arguments)| RequestedCall {
                        name: name.to_owned(),
                        arguments: arguments.to_string(),
                    });
                    Ok(ModelAnswer {
                        text: words.to_owned(),
                        calls: calls.collect(),
                        ..ModelAnswer::default()
                    })
                }
                Move::SayWhenLet(words) => {
                    self.inner.waits.notify_one();
                    self.inner.gate.acquire().await.unwrap().forget();
                    on_delta(words);
                    Ok(ModelAnswer { text: words.to_owned(), ..ModelAnswer::default() })
                }
                Move::Fail => Err(ModelError::Unavailable { attempts: 3, reason: "status 500".to_owned() }),
            }
        })
    }
}
