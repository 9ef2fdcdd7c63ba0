//! A component's standard output and error, line by line in the log under the target `component`. A line that is JSON as ours write it
//! keeps its level and its trace.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::Deserialize;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// A line is cut here: the rest of it goes on in the next entry, so that no component can fill the host's memory.
const LONGEST_LINE: usize = 8 * 1024;

/// Which of the two streams.
#[derive(Clone, Copy)]
pub enum Stream {
    Out,
    Err,
}

/// A stream of one instance.
pub struct Lines {
    component: Arc<str>,
    stream: Stream,
    unfinished: Vec<u8>,
}

impl Lines {
    pub fn new(component: Arc<str>, stream: Stream) -> Self {
        Self { component, stream, unfinished: Vec::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                self.unfinished.push(byte);
            }
            if byte == b'\n' || self.unfinished.len() >= LONGEST_LINE {
                self.log();
            }
        }
    }

    fn log(&mut self) {
        let line = String::from_utf8_lossy(&self.unfinished);
        match self.stream {
            _ if line.is_empty() => {}
            _ if self.relay(&line) => {}
            Stream::Out => tracing::info!(target: "component", component = %self.component, "{line}"),
            Stream::Err => tracing::warn!(target: "component", component = %self.component, "{line}"),
        }
        self.unfinished.clear();
    }

    /// Logs a line of JSON with `level`, `message` and maybe `trace_id` as what it is, so that it is found by its trace.
    fn relay(&self, line: &str) -> bool {
        let Ok(Told { level, message, trace_id }) = serde_json::from_str(line) else { return false };
        let component = &*self.component;
        match level {
            Level::Error => tracing::error!(target: "component", component, trace_id, "{message}"),
            Level::Info => tracing::info!(target: "component", component, trace_id, "{message}"),
        }
        true
    }
}

/// What our own components write; other fields are ignored.
#[derive(Deserialize)]
struct Told {
    level: Level,
    message: String,
    trace_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Info,
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.log();
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Self::new(self.component.clone(), self.stream))
    }
}

impl AsyncWrite for Lines {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
