//! What the worker shows over HTTP, read-only: `/`, `/healthz`, `/readyz`, `/status`, `/metrics` and `/logs`.
//!
//! Promises answers from the board alone, so that a script in a busy loop or a replay delays none of them. It must not
//! change anything, and shows no secret because the board holds none.

pub mod metrics;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use futures::{Stream, StreamExt};
use live_data_crd::report::WorkerReport;
use tokio::net::TcpListener;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::journal::{Entry, Journal};

const PAGE: &str = include_str!("../../web/index.html");

/// What the answers are made from.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The board.
    pub board: Arc<Board>,
    /// The scientist's log.
    pub journal: Journal,
    /// Ends the streams of `/logs` when the worker stops.
    pub stop: CancellationToken,
}

/// The routes.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/status", get(status))
        .route("/metrics", get(scrape))
        .route("/logs", get(logs))
        .with_state(pages)
}

/// Serves until `stop`.
pub async fn serve(listener: TcpListener, pages: Pages) -> std::io::Result<()> {
    let stop = pages.stop.clone();
    axum::serve(listener, router(pages))
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

async fn page() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors *"),
    );
    (headers, Html(PAGE))
}

async fn ready(State(pages): State<Pages>) -> impl IntoResponse {
    if pages.board.is_serving() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        let behind: i64 = pages.board.ingest().partitions.iter().map(|p| p.lag.max(0)).sum();
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {behind} messages behind, or the broker is away\n"),
        )
    }
}

async fn status(State(pages): State<Pages>) -> Json<WorkerReport> {
    Json(pages.board.report())
}

async fn scrape(State(pages): State<Pages>) -> impl IntoResponse {
    match metrics::encode(&pages.board, pages.journal.dropped()) {
        Ok(text) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        ),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain")],
            error.to_string(),
        ),
    }
}

async fn logs(State(pages): State<Pages>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (recent, next) = pages.journal.listen();
    // A browser that is too slow misses lines; it is told how many.
    let next = BroadcastStream::new(next).map(|entry| match entry {
        Ok(entry) => event(&entry),
        Err(missed) => Event::default().event("missed").data(missed.to_string()),
    });
    let lines = futures::stream::iter(recent.into_iter().map(|entry| event(&entry))).chain(next);
    let stop = pages.stop.clone().cancelled_owned();
    Sse::new(lines.take_until(stop).map(Ok)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

fn event(entry: &Entry) -> Event {
    Event::default()
        .json_data(entry)
        .unwrap_or_else(|error| Event::default().data(error.to_string()))
}
