//! One socket, from the first message to the goodbye. Everything that can happen to it stands in one `select!`.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use chat::with_sources;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use todo_identity::Tenant;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::hub::Seat;
use crate::message::Frame;
use crate::opening::opening;
use crate::{Limits, Live};

/// How long the other end may take over the goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Who connected, and what they asked for.
pub(crate) struct Visit {
    pub tenant: Tenant,
    pub since: Option<i64>,
    pub token_ends_in: Duration,
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goodbye {
    /// The other end went; nobody is left to be told.
    Gone,
    Stopping,
    SignedOut,
    TooLong,
    TooSlow,
    Silent,
    Unavailable,
    TooMany,
}

/// Serves a socket until it ends.
pub(crate) async fn serve(live: Live, socket: WebSocket, visit: Visit) {
    let (mut sending, mut hearing) = socket.split();
    let goodbye = match live.0.hub.join(&visit.tenant) {
        None => Goodbye::TooMany,
        Some(seat) => {
            let talk = Talk {
                sent: visit.since.unwrap_or_default(),
                heard_at: Instant::now(),
                limits: &live.0.limits,
                stop: &live.0.stop,
                sending: &mut sending,
                hearing: &mut hearing,
                seat,
            };
            match talk.until_the_end(visit.since, visit.token_ends_in).await {
                Err(goodbye) => goodbye,
            }
        }
    };
    tracing::debug!(?goodbye, "a socket ended");
    if let Some(frame) = goodbye.frame() {
        // A client that hears the end answers it, and only then is the connection closed: what was sent before has arrived.
        let ending = async {
            sending.send(Message::Close(Some(frame))).await.ok()?;
            while let Some(Ok(_)) = hearing.next().await {}
            Some(())
        };
        let _ = timeout(GOODBYE, ending).await;
    }
}

struct Talk<'a> {
    seat: Seat,
    sending: &'a mut SplitSink<WebSocket, Message>,
    hearing: &'a mut SplitStream<WebSocket>,
    limits: &'a Limits,
    stop: &'a CancellationToken,
    /// The offset up to which the other end has everything.
    sent: i64,
    heard_at: Instant,
}

impl Talk<'_> {
    async fn until_the_end(
        mut self,
        since: Option<i64>,
        token_ends_in: Duration,
    ) -> Result<Infallible, Goodbye> {
        let token_ends = sleep(token_ends_in);
        tokio::pin!(token_ends);
        self.open(since).await?;
        let mut heartbeat = interval(self.limits.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Err(Goodbye::Stopping),
                () = self.seat.too_slow.cancelled() => return Err(Goodbye::TooSlow),
                () = &mut token_ends => return Err(Goodbye::SignedOut),
                said = self.hearing.next() => self.hear(said)?,
                frame = self.seat.queue.recv() => self.forward(frame.ok_or(Goodbye::TooSlow)?).await?,
                _ = heartbeat.tick() => self.beat().await?,
            }
        }
    }

    async fn open(&mut self, since: Option<i64>) -> Result<(), Goodbye> {
        let seat = &self.seat;
        let first = async {
            seat.taken().await?;
            opening(seat, since).await
        };
        let (frames, offset) = first.await.map_err(|error| {
            tracing::warn!(error = with_sources(&error), "a socket could not be opened");
            Goodbye::Unavailable
        })?;
        for frame in frames {
            self.send(Message::Text(frame.text)).await?;
        }
        self.sent = offset;
        Ok(())
    }

    /// Sends what the other end does not have yet.
    async fn forward(&mut self, frame: Frame) -> Result<(), Goodbye> {
        if frame.offset <= self.sent {
            return Ok(());
        }
        self.send(Message::Text(frame.text)).await?;
        self.sent = frame.offset;
        Ok(())
    }

    /// Text, because a page does not see pings; a ping, because only that is answered by itself.
    async fn beat(&mut self) -> Result<(), Goodbye> {
        if self.heard_at.elapsed() > self.limits.silence {
            return Err(Goodbye::Silent);
        }
        self.send(Message::Text(Frame::heartbeat(self.sent).text)).await?;
        self.send(Message::Ping(axum::body::Bytes::new())).await
    }

    fn hear(&mut self, said: Option<Result<Message, axum::Error>>) -> Result<(), Goodbye> {
        match said {
            Some(Ok(Message::Close(_))) | None => Err(Goodbye::Gone),
            Some(Ok(_)) => {
                self.heard_at = Instant::now();
                Ok(())
            }
            Some(Err(error)) => Err(Goodbye::of(&error)),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Goodbye> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Goodbye::Stopping),
            () = self.seat.too_slow.cancelled() => Err(Goodbye::TooSlow),
            sent = timeout(self.limits.silence, self.sending.send(message)) => match sent {
                Ok(sent) => sent.map_err(|_| Goodbye::Gone),
                Err(_) => Err(Goodbye::Silent),
            },
        }
    }
}

impl Goodbye {
    /// A message beyond the limit is the one thing that is wrong while the connection is not.
    fn of(error: &axum::Error) -> Self {
        match error.to_string().contains("too long") {
            true => Self::TooLong,
            false => Self::Gone,
        }
    }

    /// The close code of RFC 6455 (4000 is ours), and a reason that says what to do.
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::Stopping => (1001, "the server stops; come back with since"),
            Self::SignedOut => (1008, "the token has ended; sign in again"),
            Self::TooLong => (1009, "nothing of more than 1 KiB is heard here"),
            Self::TooSlow => (1013, "too slow: too many messages waited; come back with since"),
            Self::Silent => (1013, "nothing was acknowledged for too long; come back with since"),
            Self::Unavailable => (1013, "the database is not answering; come back with since"),
            Self::TooMany => (4000, "too many sockets of this person; close a page"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}
