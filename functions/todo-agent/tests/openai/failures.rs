//! Servers that are busy, broken, slow or gone.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use todo_agent::{ModelAnswer, ModelError, OpenAi, OpenAiSettings};

use crate::answers::{says, stream_of};
use crate::server::{Play, Server, WAYS, error, error_with};
use crate::{ask, plain_request};

async fn answer(server: &Server) -> Result<ModelAnswer, ModelError> {
    ask(&server.model(), &plain_request()).await.0
}

#[tokio::test]
async fn a_429_is_tried_again_after_the_wait_it_asks_for() {
    for way in WAYS {
        let busy = error_with(429, "rate_limit_exceeded", ("retry-after-ms", "60"));
        let server = Server::playing(way, [busy, says(way, "Hi.")]).await;
        let begun = Instant::now();
        assert_eq!(answer(&server).await.unwrap().text, "Hi.");
        assert!(begun.elapsed() >= Duration::from_millis(60));
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_retry_after_in_seconds_is_read() {
    for way in WAYS {
        let server = Server::playing(
            way,
            [error_with(429, "rate_limit_exceeded", ("retry-after", "0")), says(way, "Hi.")],
        )
        .await;
        assert!(answer(&server).await.is_ok());
    }
}

#[tokio::test]
async fn a_server_that_wants_too_long_a_wait_is_not_waited_for() {
    for way in WAYS {
        let server =
            Server::playing(way, [error_with(429, "rate_limit_exceeded", ("retry-after", "3600"))]).await;
        assert!(matches!(answer(&server).await, Err(ModelError::Busy { attempts: 1, .. })));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_account_without_quota_is_asked_once() {
    for way in WAYS {
        let server = Server::playing(way, [error(429, "insufficient_quota")]).await;
        assert!(matches!(answer(&server).await, Err(ModelError::Busy { attempts: 1, .. })));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn two_server_errors_are_got_over() {
    for way in WAYS {
        let server =
            Server::playing(way, [error(500, "server_error"), error(503, "overloaded"), says(way, "Hi.")])
                .await;
        assert_eq!(answer(&server).await.unwrap().text, "Hi.");
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_server_that_stays_down_is_asked_three_times_in_all() {
    for way in WAYS {
        let down = || error(500, "server_error");
        let server = Server::playing(way, [down(), down(), down()]).await;
        let error = answer(&server).await.unwrap_err();
        assert!(matches!(error, ModelError::Unavailable { attempts: 3, .. }), "{error:?}");
        assert!(error.for_person().contains("not answering") && !error.for_person().contains("500"));
        assert!(error.to_string().contains("status 500 (server_error)"), "{error}");
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_refused_request_is_not_sent_again() {
    for way in WAYS {
        for (status, code) in
            [(400, "invalid_request"), (401, "invalid_api_key"), (404, "model_not_found"), (302, "moved")]
        {
            let server =
                Server::playing(way, [error_with(status, code, ("location", "/v1/elsewhere"))]).await;
            let error = answer(&server).await.unwrap_err();
            assert!(
                matches!(error, ModelError::Refused { .. }) && error.to_string().contains(code),
                "{error:?}"
            );
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn garbage_is_an_error_that_does_not_quote_it() {
    let bodies =
        ["<html>buy milk</html>", "{\"buy milk\": ", "\"buy milk\"", "[]", "{}", "null", "\u{0}", ""];
    for way in WAYS.into_iter().filter(|way| !way.stream) {
        for body in bodies {
            let play = Play::Body(200, vec![("content-type", "application/json".into())], body.into());
            let error = answer(&Server::playing(way, [play]).await).await.unwrap_err();
            assert!(matches!(error, ModelError::Garbled { .. }), "{way:?} {body:?}: {error:?}");
            assert!(!error.to_string().contains("milk"), "{error}");
        }
    }
}

#[tokio::test]
async fn garbage_in_a_stream_is_an_error_that_does_not_quote_it() {
    for way in WAYS.into_iter().filter(|way| way.stream) {
        for event in ["buy milk", "{\"buy milk\": ", "\"buy milk\"", "7"] {
            let play = Play::Stream(format!("data: {event}\n\n").into(), usize::MAX);
            let error = answer(&Server::playing(way, [play]).await).await.unwrap_err();
            assert!(matches!(error, ModelError::Garbled { .. }), "{way:?} {event:?}: {error:?}");
            assert!(!error.to_string().contains("milk"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_before_the_first_word_is_tried_again() {
    for way in WAYS.into_iter().filter(|way| way.stream) {
        let server = Server::playing(way, [Play::Cut(b": hello\n\n".to_vec()), says(way, "Hi.")]).await;
        assert_eq!(answer(&server).await.unwrap().text, "Hi.");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_after_the_first_word_is_an_error() {
    for way in WAYS.into_iter().filter(|way| way.stream) {
        let mut half = stream_of(way, "Hi there.");
        let end = String::from_utf8(half.clone()).unwrap().find("\"re\"").unwrap();
        half.truncate(end);
        for play in [Play::Cut(half.clone()), Play::Stream(half.clone(), usize::MAX)] {
            let server = Server::playing(way, [play]).await;
            let (answer, told) = ask(&server.model(), &plain_request()).await;
            assert!(matches!(answer, Err(ModelError::Unavailable { attempts: 1, .. })), "{answer:?}");
            assert!(told.concat().starts_with("Hi"), "{told:?}");
            assert_eq!(server.requests().len(), 1);
        }
    }
}

fn impatient(server: &Server) -> OpenAi {
    let short = Duration::from_millis(150);
    OpenAi::new(OpenAiSettings { timeout: short * 4, idle_timeout: short, ..server.settings() }).unwrap()
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    for way in WAYS {
        let server = Server::playing(way, [Play::Hang]).await;
        let error = ask(&impatient(&server), &plain_request()).await.0.unwrap_err();
        assert!(matches!(error, ModelError::TimedOut { .. }), "{way:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    for way in WAYS.into_iter().filter(|way| way.stream) {
        let server = Server::playing(way, [Play::FallSilent(b": hello\n\n".to_vec())]).await;
        let error = ask(&impatient(&server), &plain_request()).await.0.unwrap_err();
        assert!(
            matches!(&error, ModelError::TimedOut { reason } if reason.contains("next part")),
            "{way:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable() {
    for way in WAYS {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        drop(listener);
        let server = Server::playing(way, []).await;
        let model = OpenAi::new(OpenAiSettings { base_url, ..server.settings() }).unwrap();
        let error = ask(&model, &plain_request()).await.0.unwrap_err();
        assert!(matches!(error, ModelError::Unavailable { attempts: 3, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_short() {
    for way in WAYS.into_iter().filter(|way| !way.stream) {
        let play = Play::Body(200, Vec::new(), vec![b' '; 5 * 1024 * 1024]);
        let error = answer(&Server::playing(way, [play]).await).await.unwrap_err();
        assert!(matches!(error, ModelError::Garbled { .. }), "{error:?}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_people_and_servers_say_is_not_logged() {
    let log = Log::default();
    let to_log = log.clone();
    // For the whole process: a subscriber of one thread misses lines whose first use is on another. What the other tests
    // log meanwhile has to keep the same rule.
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || to_log.clone());
    subscriber.try_init().unwrap();
    for way in WAYS {
        let garbage =
            Play::Body(200, vec![("content-type", "text/event-stream".into())], "data: buy milk\n\n".into());
        let server = Server::playing(way, [error(500, "server_error"), garbage]).await;
        answer(&server).await.unwrap_err();
        let server = Server::playing(way, [error(400, "buy milk")]).await;
        answer(&server).await.unwrap_err();
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("asking the model again"), "{text}");
    assert!(!text.contains("milk") && !text.contains(crate::server::KEY), "{text}");
}
