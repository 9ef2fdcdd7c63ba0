//! The socket of an open page.

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Contract, PATIENCE, Place};

const LIVE: &str = "get /api/{user_id}/live";

pub async fn listens(place: &Place, contract: &mut Contract) {
    let path = format!("/api/{}/live", place.person);
    let refused = [
        (400, place.get(&format!("{path}?since=yesterday")).bearer_auth(place.token())),
        (401, place.get(&path)),
        (403, place.get("/api/somebody-else/live").bearer_auth(place.token())),
        (426, place.get(&path).bearer_auth(place.token())),
    ];
    for (status, request) in refused {
        contract.holds(LIVE, status, request.send().await.unwrap()).await;
    }
    let mut socket = open(place, &path, contract).await;
    hears(&mut socket, contract, "snapshot").await;
    hears(&mut socket, contract, "heartbeat").await;
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2)).to_string();
    super::people::adds(place, json!({"title": "look up", "remind": [soon]})).await;
    for kind in ["change", "reminder"] {
        hears(&mut socket, contract, kind).await;
    }
}

/// As a browser opens it: the token among the protocols.
async fn open(place: &Place, path: &str, contract: &mut Contract) -> WebSocketStream<TcpStream> {
    let url = format!("{}{path}", place.url.replacen("http://", "ws://", 1));
    let mut request = url.into_client_request().unwrap();
    let protocols = format!("todo.live.v1, bearer.{}", place.token());
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    let connection = TcpStream::connect(request.uri().authority().unwrap().as_str()).await.unwrap();
    let (socket, response) = tokio_tungstenite::client_async(request, connection).await.unwrap();
    let told = &contract.document["paths"]["/api/{user_id}/live"]["get"]["responses"]["101"];
    let protocol = &told["headers"]["Sec-WebSocket-Protocol"]["schema"];
    contract.fits(LIVE, protocol, &json!(response.headers()["sec-websocket-protocol"].to_str().unwrap()));
    contract.seen.insert(format!("{LIVE} 101"));
    socket
}

/// The next message of this kind; those before it are held against the document too.
async fn hears(socket: &mut WebSocketStream<TcpStream>, contract: &Contract, kind: &str) {
    let told = &contract.document["paths"]["/api/{user_id}/live"]["get"]["responses"]["101"]["x-messages"];
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let message = timeout_at(patience, socket.next()).await.expect("a message in time");
        let Message::Text(text) = message.expect("the socket ended").unwrap() else { continue };
        let message: Value = serde_json::from_str(&text).unwrap();
        contract.fits(LIVE, told, &message);
        if message["type"] == kind {
            return;
        }
    }
}
