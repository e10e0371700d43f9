//! HTTP server of the worker, read-only: `/`, `/healthz`, `/readyz`, `/status`, `/metrics` and `/logs`.
//!
//! Promises answers from the status registry and the script log alone, so that neither a script in a busy loop nor a replay
//! delays one. Must not change anything; shows no secret, because neither of them holds one.

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

use crate::script_log::{LogRecord, ScriptLog};
use crate::status_registry::StatusRegistry;

const PAGE: &str = include_str!("../../web/index.html");

/// State that the handlers share.
#[derive(Clone, Debug)]
pub struct HttpState {
    pub status: Arc<StatusRegistry>,
    pub script_log: ScriptLog,
    /// Ends the server, and the streams of `/logs` that are open.
    pub stop: CancellationToken,
}

/// Routes of the server over `state`.
pub fn router(state: HttpState) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/status", get(status))
        .route("/metrics", get(metrics_text))
        .route("/logs", get(logs))
        .with_state(state)
}

/// Serves until [`HttpState::stop`] is cancelled and the open responses have ended.
///
/// # Errors
/// Those of [`axum::serve()`].
pub async fn serve(listener: TcpListener, state: HttpState) -> std::io::Result<()> {
    let stop = state.stop.clone();
    axum::serve(listener, router(state))
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

async fn ready(State(state): State<HttpState>) -> impl IntoResponse {
    if state.status.readiness().is_serving() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        let behind: i64 = state.status.ingest().partitions.iter().map(|p| p.lag.max(0)).sum();
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {behind} messages behind, or the broker is away\n"),
        )
    }
}

async fn status(State(state): State<HttpState>) -> Json<WorkerReport> {
    Json(state.status.report())
}

async fn metrics_text(State(state): State<HttpState>) -> impl IntoResponse {
    match metrics::encode(&state.status, state.script_log.dropped()) {
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

async fn logs(State(state): State<HttpState>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (recent, next) = state.script_log.subscribe();
    // A browser that reads too slowly receives the number of lines that it missed.
    let next = BroadcastStream::new(next).map(|record| match record {
        Ok(record) => event(&record),
        Err(missed) => Event::default().event("missed").data(missed.to_string()),
    });
    let lines = futures::stream::iter(recent.into_iter().map(|record| event(&record))).chain(next);
    let stop = state.stop.clone().cancelled_owned();
    Sse::new(lines.take_until(stop).map(Ok)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

fn event(record: &LogRecord) -> Event {
    Event::default()
        .json_data(record)
        .unwrap_or_else(|error| Event::default().data(error.to_string()))
}
