//! The way to the tool functions.

use serde_json::Map;
use todo_store::testing::tenant;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::world::World;

/// The first byte of every TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 22;

#[tokio::test]
async fn functions_behind_https_are_spoken_to_in_tls() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/{{function}}/mcp", listener.local_addr().unwrap());
    let first_byte = tokio::spawn(async move { listener.accept().await.unwrap().0.read_u8().await.unwrap() });
    let tools = world.tools(&url);
    let error = tools.call(&tenant("ada").unwrap(), "list_tasks", Map::new(), "c1", None).await.unwrap_err();
    assert_eq!(first_byte.await.unwrap(), HANDSHAKE, "{error}");
}
