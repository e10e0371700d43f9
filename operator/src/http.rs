//! `/healthz`, `/readyz` and `/metrics`.
//!
//! Promises: healthy while the program answers; ready when it leads and its watches have brought everything, or
//! stands by: a standby is ready too, or a rollout would never end. Read-only.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// Why the pages cannot be served.
#[derive(Debug, Error)]
#[error("listen on HTTP_ADDR={address}: {source}; choose another address")]
pub struct HttpError {
    address: SocketAddr,
    source: std::io::Error,
}

/// What the pages tell.
#[derive(Debug, Default)]
pub struct Health {
    /// Whether the apiserver has answered and, when leading, the watches are complete.
    pub ready: AtomicBool,
}

/// Listens on the address.
///
/// # Errors
/// When the address is taken or not this machine's.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, HttpError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| HttpError { address, source })
}

/// Serves the pages until it is dropped.
pub async fn serve(listener: TcpListener, health: Arc<Health>, metrics: Arc<Metrics>) {
    let ready = move || {
        let ready = health.ready.load(Ordering::Relaxed);
        async move {
            if ready {
                (StatusCode::OK, "ready\n")
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
            }
        }
    };
    let page = move || {
        let page = metrics.page();
        async move {
            match page {
                Ok(page) => (
                    [(
                        header::CONTENT_TYPE,
                        "application/openmetrics-text; version=1.0.0; charset=utf-8",
                    )],
                    page,
                )
                    .into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    };
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(page));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the HTTP server ended");
    }
}
