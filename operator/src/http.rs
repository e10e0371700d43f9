//! HTTP server of the operator: `/healthz`, `/readyz` and `/metrics`.
//!
//! Promises: healthy while the program answers; ready while it leads with complete watches, or stands by. A standby counts
//! as ready, because a rollout of the operator would never end otherwise. Must not: change state.

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

/// Failure to bind the address of HTTP_ADDR.
#[derive(Debug, Error)]
#[error("listen on HTTP_ADDR={address}: {source}; choose another address")]
pub struct HttpError {
    address: SocketAddr,
    source: std::io::Error,
}

/// Readiness that `/readyz` reports.
#[derive(Debug, Default)]
pub struct Health {
    /// The apiserver has answered and, while leading, all watches are complete.
    pub ready: AtomicBool,
}

/// Listener on `address`, not yet served.
///
/// # Errors
/// [`HttpError`] if the address is in use or does not belong to this machine.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, HttpError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| HttpError { address, source })
}

/// Serves requests until the future is dropped.
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
