//! An open page, as far as the socket can tell.

use futures::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

pub struct Page(WebSocketStream<TcpStream>);

impl Page {
    /// Connects to `http://address`, and reads the snapshot.
    pub async fn open(url: &str, person: &str, token: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let mut request = format!("ws://{address}/api/{person}/live").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let connection = TcpStream::connect(address).await.unwrap();
        connection.set_nodelay(true).unwrap();
        let (socket, _) = tokio_tungstenite::client_async(request, connection).await.unwrap();
        let mut page = Self(socket);
        assert_eq!(page.hears().await["type"], "snapshot");
        page
    }

    /// The next message that is no heartbeat.
    pub async fn hears(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] != "heartbeat" {
                    return message;
                }
            }
        }
    }
}
