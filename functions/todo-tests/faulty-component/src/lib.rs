//! A component that misbehaves on request, for the tests of `todo-host`: it traps, loops, hangs, takes memory, leaves
//! transactions open, and passes every kind of value through each interface.
#![cfg(target_family = "wasm")]

mod postgres;
mod sqlite;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{self, BoxBody, IntoResponse, Request, Response, box_body};
use spin_sdk::{http_service, time, variables, wasip3};

/// Requests that this instance has begun.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn handle(request: Request) -> http::Result<impl IntoResponse> {
    let served = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let path =
        request.headers().get("spin-path-info").and_then(|path| path.to_str().ok()).unwrap_or_default();
    Ok(match path {
        "/trap" => unreachable!("asked to"),
        "/loop" => endless(),
        "/memory" => hoard(),
        "/error" => return Err(http::Error::other("an error of the component")),
        "/hang" => hang().await,
        "/stream" => stream(),
        "/stream-endless" => stream_endless(),
        "/instance" => answer(&json!({ "requests_before": served })),
        "/variable" => answer(&variable(request).await),
        "/fetch" => answer(&fetch(request).await),
        "/sqlite/types" => answer(&sqlite::types().await),
        "/sqlite/run" => answer(&sqlite::run(&text(request).await).await),
        "/sqlite/abandon" => sqlite::abandon(&text(request).await).await,
        "/postgres/types" => answer(&postgres::types(&text(request).await).await),
        "/postgres/run" => answer(&postgres::run(&text(request).await).await),
        "/postgres/abandon" => postgres::abandon(&text(request).await).await,
        _ => answer(&echo(request).await),
    })
}

fn answer(value: &Value) -> Response<BoxBody> {
    Response::new(box_body(http::FullBody::new(value.to_string().into_bytes().into())))
}

async fn text(request: Request) -> String {
    String::from_utf8_lossy(&request.into_body().bytes().await.unwrap_or_default()).into_owned()
}

fn endless() -> Response<BoxBody> {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn hoard() -> Response<BoxBody> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

async fn hang() -> Response<BoxBody> {
    time::sleep(Duration::from_secs(3600)).await;
    answer(&Value::Null)
}

fn stream() -> Response<BoxBody> {
    let (mut sender, body) = http::body::stream::<String>();
    wasip3::spawn(async move {
        for number in 0..3 {
            time::sleep(Duration::from_millis(1)).await;
            if sender.try_send(format!("{number}\n")).is_err() {
                break;
            }
        }
    });
    Response::new(box_body(body))
}

fn stream_endless() -> Response<BoxBody> {
    let (mut sender, body) = http::body::stream::<String>();
    wasip3::spawn(async move {
        while sender.try_send("more\n".into()).is_ok() {
            time::sleep(Duration::from_millis(10)).await;
        }
        time::sleep(Duration::from_secs(3600)).await;
    });
    Response::new(box_body(body))
}

async fn variable(request: Request) -> Value {
    match variables::get(text(request).await).await {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}

async fn fetch(request: Request) -> Value {
    match http::get(text(request).await).await {
        Ok(response) => {
            let status = response.status().as_u16();
            let body = response.into_body().bytes().await.unwrap_or_default();
            json!({ "status": status, "body": String::from_utf8_lossy(&body) })
        }
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}

async fn echo(request: Request) -> Value {
    let headers: Value = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "headers": headers,
        "body": text(request).await,
    })
}
