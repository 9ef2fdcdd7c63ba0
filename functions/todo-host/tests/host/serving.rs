//! Functions on a port.

use std::time::Duration;

use http::StatusCode;
use todo_host::{Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::world::{FAULTY, SOON, World};

struct Running {
    port: u16,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn start(server: Server) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(server.serve(listener, async { drop(stopped.await) }));
    Running { port, stop, ended }
}

impl Running {
    async fn send(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        receive(self.send(path).await).await
    }
}

async fn receive(mut stream: TcpStream) -> (StatusCode, String) {
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let status = response.split(' ').nth(1).unwrap().parse().unwrap();
    (status, response)
}

#[tokio::test]
async fn routes_lead_to_their_component() {
    let world = World::new().await;
    let server = start(Server::new(world.functions.clone())).await;
    assert_eq!(server.get("/faulty/instance").await.0, StatusCode::OK);
    assert_eq!(server.get("/elsewhere").await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_single_function_gets_every_path_but_the_health_checks() {
    let world = World::new().await;
    let server = start(Server::only(world.functions.clone(), FAULTY)).await;
    assert_eq!(server.get("/anything").await.0, StatusCode::OK);
    for health in ["/healthz", "/readyz"] {
        let (status, response) = server.get(health).await;
        assert!(status == StatusCode::OK && response.ends_with("{\"status\":\"ok\"}"), "{response}");
    }
    assert_eq!(world.counts().requests, 1);
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_server_stops() {
    let world = World::with(Limits { time: SOON, ..Limits::default() }).await;
    let server = start(Server::only(world.functions.clone(), FAULTY)).await;
    let under_way = server.send("/hang").await;
    while world.counts().requests == 0 {
        tokio::task::yield_now().await;
    }
    server.stop.send(()).unwrap();
    let (status, _) = receive(under_way).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    server.ended.await.unwrap();
    assert!(TcpStream::connect(("127.0.0.1", server.port)).await.is_err());
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_does_not_keep_the_server() {
    let world = World::new().await;
    let server = Server::only(world.functions.clone(), FAULTY).drain(Duration::from_millis(1));
    let server = start(server).await;
    let _under_way = server.send("/hang").await;
    while world.counts().requests == 0 {
        tokio::task::yield_now().await;
    }
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
}
