//! A page, as far as the socket can tell.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Far beyond what anything here takes, so that only what never happens fails.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A page that does not read soon holds up its sender.
const SMALL: u32 = 4096;

pub struct Page {
    socket: WebSocketStream<TcpStream>,
}

/// How a socket ended: the close code and the reason.
pub type Ending = (u16, String);

impl Page {
    /// Connects as a program does.
    pub async fn open(address: &str, path: &str, token: &str) -> Self {
        let authorization = format!("Bearer {token}");
        Self::connect(address, path, &[("authorization", &authorization)]).await.unwrap().0
    }

    /// Connects with these headers, and shows how that was answered.
    pub async fn connect(
        address: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, Response), Error> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let connection = TcpSocket::new_v4().unwrap();
        connection.set_recv_buffer_size(SMALL).unwrap();
        let connection = connection.connect(address.parse().unwrap()).await.unwrap();
        let (socket, response) = tokio_tungstenite::client_async(request, connection).await?;
        Ok((Self { socket }, response))
    }

    /// The next message, heartbeats among them; how the socket ended when there is none.
    pub async fn hears_anything(&mut self) -> Result<Value, Ending> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a message in time");
            match message.expect("the socket ended without a word").expect("a message") {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(frame)) => return Err((frame.code.into(), frame.reason.to_string())),
                _ => {}
            }
        }
    }

    /// The next message that is no heartbeat.
    pub async fn hears(&mut self) -> Value {
        self.hears_or_ends().await.unwrap()
    }

    pub async fn hears_or_ends(&mut self) -> Result<Value, Ending> {
        loop {
            let message = self.hears_anything().await?;
            if message["type"] != "heartbeat" {
                return Ok(message);
            }
        }
    }

    /// The next message, which is a snapshot; its offset.
    pub async fn hears_snapshot(&mut self) -> i64 {
        let message = self.hears().await;
        assert_eq!(message["type"], "snapshot", "{message}");
        message["offset"].as_i64().unwrap()
    }

    /// The title of the change that comes next.
    pub async fn hears_title(&mut self) -> String {
        let message = self.hears().await;
        message["title"].as_str().unwrap_or_else(|| panic!("no change: {message}")).to_owned()
    }

    /// The next heartbeat, before anything else.
    pub async fn hears_heartbeat(&mut self) -> i64 {
        let message = self.hears_anything().await.unwrap();
        assert_eq!(message["type"], "heartbeat", "{message}");
        message["offset"].as_i64().unwrap()
    }

    /// How the socket ends, whatever comes before.
    pub async fn ends(&mut self) -> Ending {
        loop {
            if let Err(ending) = self.hears_anything().await {
                return ending;
            }
        }
    }

    pub async fn says(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }
}
