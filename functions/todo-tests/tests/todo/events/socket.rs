//! An open page, as far as its socket can tell.

use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Page {
    socket: WebSocketStream<TcpStream>,
}

impl Page {
    pub async fn open(url: &str, token: &str) -> Self {
        let mut request = url.replacen("http://", "ws://", 1).into_client_request().unwrap();
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        request.headers_mut().insert("authorization", bearer);
        let address = request.uri().authority().unwrap().to_string();
        let connection = TcpStream::connect(address).await.unwrap();
        Self { socket: tokio_tungstenite::client_async(request, connection).await.unwrap().0 }
    }

    /// The next message that is no heartbeat.
    pub async fn hears(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a message in time");
            if let Message::Text(text) = message.expect("the socket ended").unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] != "heartbeat" {
                    return message;
                }
            }
        }
    }

    /// The next message of this type, whatever comes before.
    pub async fn hears_a(&mut self, kind: &str) -> Value {
        loop {
            let message = self.hears().await;
            if message["type"] == kind {
                return message;
            }
        }
    }
}
