//! What a fault costs: one request.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::StatusCode;
use http_body_util::BodyExt;
use todo_host::Limits;

use crate::world::{FAULTY, SOON, World, refused};

fn quick() -> Limits {
    Limits { time: SOON, ..Limits::default() }
}

async fn still_works(world: &World) {
    let (status, _) = world.get("/echo").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_trap_is_one_failed_request() {
    let world = World::new().await;
    refused(&world.get("/trap").await, StatusCode::INTERNAL_SERVER_ERROR, "failed");
    still_works(&world).await;
    let counts = world.counts();
    assert_eq!((counts.requests, counts.failures, counts.cold_starts), (2, 1, 2));
}

#[tokio::test]
async fn an_error_of_the_component_is_one_failed_request() {
    let world = World::new().await;
    refused(&world.get("/error").await, StatusCode::INTERNAL_SERVER_ERROR, "failed");
    still_works(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_stopped_at_the_limit() {
    let world = World::with(quick()).await;
    let started = Instant::now();
    refused(&world.get("/loop").await, StatusCode::GATEWAY_TIMEOUT, "timed_out");
    assert!(started.elapsed() >= SOON && started.elapsed() < SOON * 4, "{:?}", started.elapsed());
    still_works(&world).await;
    // The instance itself is gone as well, not only the wait for it.
    while world.counts().traps == 0 {
        tokio::task::yield_now().await;
        assert!(started.elapsed() < Duration::from_secs(20), "the loop still runs");
    }
}

/// One thread only: the loop must let go of it, and of the thread's sockets and timers too.
#[tokio::test]
async fn an_endless_loop_leaves_time_for_other_requests() {
    let world = World::with(Limits { time: SOON * 3, ..Limits::default() }).await;
    let (looping, others) = tokio::join!(world.get("/loop"), async {
        let mut times = Vec::new();
        for _ in 0..5 {
            let started = Instant::now();
            still_works(&world).await;
            times.push(started.elapsed());
        }
        times
    });
    refused(&looping, StatusCode::GATEWAY_TIMEOUT, "timed_out");
    assert!(others.iter().all(|time| *time < SOON), "{others:?}");
}

#[tokio::test]
async fn a_request_that_hangs_is_stopped_at_the_limit() {
    let world = World::with(quick()).await;
    refused(&world.get("/hang").await, StatusCode::GATEWAY_TIMEOUT, "timed_out");
    still_works(&world).await;
}

#[tokio::test]
async fn memory_ends_at_the_limit() {
    let world = World::with(Limits { memory: 16 << 20, ..Limits::default() }).await;
    refused(&world.get("/memory").await, StatusCode::INTERNAL_SERVER_ERROR, "failed");
    still_works(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_and_its_memory_are_counted_until_it_ends() {
    let world = World::new().await;
    still_works(&world).await;
    let counts = world.counts();
    assert_eq!(counts.instances, 1);
    assert!(counts.memory >= 64 << 10, "less than a page of memory: {counts:?}");
    refused(&world.get("/trap").await, StatusCode::INTERNAL_SERVER_ERROR, "failed");
    let began = Instant::now();
    while (world.counts().instances, world.counts().memory) != (0, 0) {
        assert!(began.elapsed() < Duration::from_secs(20), "it is still there: {:?}", world.counts());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_response_that_does_not_end_is_cut_at_the_limit() {
    let world = World::with(quick()).await;
    let request = http::Request::get("/stream-endless").body(http_body_util::Empty::new()).unwrap();
    let response = world.functions.handle(FAULTY, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_costs_no_other_request() {
    let world = World::new().await;
    let requests = (0..60).map(|number| {
        let world = &world;
        async move {
            match number % 3 {
                0 => (world.get("/trap").await.0, StatusCode::INTERNAL_SERVER_ERROR),
                1 => (world.get("/sqlite/types").await.0, StatusCode::OK),
                _ => (world.get("/echo").await.0, StatusCode::OK),
            }
        }
    });
    for (status, expected) in join_all(requests).await {
        assert_eq!(status, expected);
    }
}

#[tokio::test]
async fn an_instance_is_used_again_until_its_requests_are_counted_out() {
    let world = World::with(Limits { requests_per_instance: 2, ..Limits::default() }).await;
    let mut before = Vec::new();
    for _ in 0..4 {
        before.push(world.get("/instance").await.1["requests_before"].as_u64().unwrap());
    }
    assert_eq!(before, [0, 1, 0, 1]);
    assert_eq!(world.counts().cold_starts, 2);
}

#[tokio::test]
async fn too_many_requests_are_told_to_come_back() {
    let world = World::with(Limits { concurrency: 1, queue: 1, ..quick() }).await;
    let answers = join_all((0..3).map(|_| world.functions.handle(FAULTY, hanging()))).await;
    let mut statuses: Vec<_> = answers.iter().map(http::Response::status).collect();
    statuses.sort();
    // The second waits as long as the first hangs: it gets its place, or its patience ends at the same moment.
    assert!(statuses.contains(&StatusCode::SERVICE_UNAVAILABLE), "{statuses:?}");
    let busy = answers.iter().find(|answer| answer.status() == StatusCode::SERVICE_UNAVAILABLE).unwrap();
    assert_eq!(busy.headers()["retry-after"], "1");
    assert!(world.counts().rejections >= 1);
}

fn hanging() -> http::Request<http_body_util::Empty<bytes::Bytes>> {
    http::Request::get("/hang").body(http_body_util::Empty::new()).unwrap()
}
