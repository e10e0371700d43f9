//! `live-data-operator probe`: check of an installation by `helm test`.
//!
//! Promises: the wait for an operator that starts is limited; an error names cause and next step. Must not: write to the
//! cluster.

use std::time::Duration;

use kube::Client;
use thiserror::Error;
use tokio::time::{Instant, sleep};

const GROUP_VERSION: &str = "fia.com/v1";
const PLURAL: &str = "livedataprocessors";
/// Time between two requests.
const RETRY: Duration = Duration::from_secs(1);

/// Defect of an installation, with the next step in its message.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// No success from the URL within the limit.
    #[error("probe {url}: {reason}, for {seconds} s; look at the operator's pods and their log")]
    NotReady {
        /// URL of the operator's `/readyz`.
        url: String,
        /// Last answer or error.
        reason: String,
        /// Limit in seconds.
        seconds: u64,
    },
    /// The request to the apiserver failed.
    #[error("ask the API for {GROUP_VERSION}: {0}; does the pod have its account's token?")]
    Api(#[from] kube::Error),
    /// The apiserver does not know the resource: its definition is absent.
    #[error(
        "the API does not serve {PLURAL} of {GROUP_VERSION}; install the definition: the value crds.enabled of the \
         chart, or `live-data-operator crd | kubectl apply --server-side -f -`"
    )]
    NotServed,
}

/// Waits up to `limit` for a success of `url`, then checks that the apiserver serves LiveDataProcessors.
///
/// # Errors
/// [`ProbeError::NotReady`] after the limit; [`ProbeError::NotServed`] without the definition; [`ProbeError::Api`] if the
/// apiserver does not answer.
pub async fn probe(client: &Client, http: &reqwest::Client, url: &str, limit: Duration) -> Result<(), ProbeError> {
    ready(http, url, limit).await?;
    match client.list_api_group_resources(GROUP_VERSION).await {
        Ok(list) if list.resources.iter().any(|resource| resource.name == PLURAL) => Ok(()),
        Ok(_) => Err(ProbeError::NotServed),
        // By code, because the answer for a group without any resource is no Status object.
        Err(kube::Error::Api(status)) if status.code == 404 => Err(ProbeError::NotServed),
        Err(error) => Err(error.into()),
    }
}

async fn ready(http: &reqwest::Client, url: &str, limit: Duration) -> Result<(), ProbeError> {
    let until = Instant::now() + limit;
    loop {
        let reason = match http.get(url).send().await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => format!("it answers {}", response.status().as_u16()),
            Err(error) if error.is_builder() => "this is no URL".to_owned(),
            Err(error) if error.is_timeout() => "no answer".to_owned(),
            Err(error) if error.is_connect() => "nothing is reached there".to_owned(),
            Err(_) => "the connection broke".to_owned(),
        };
        if Instant::now() + RETRY > until {
            return Err(ProbeError::NotReady {
                url: url.to_owned(),
                reason,
                seconds: limit.as_secs(),
            });
        }
        sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;
    use crate::observe::poll;

    /// URL of a page that answers the first `refusals` requests with an error.
    async fn page(refusals: usize) -> String {
        let seen = Arc::new(AtomicUsize::new(0));
        let answer = move || {
            let late = seen.fetch_add(1, Ordering::Relaxed) >= refusals;
            async move {
                if late {
                    StatusCode::OK
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/readyz", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/readyz", get(answer))).await });
        url
    }

    #[tokio::test]
    async fn an_operator_that_becomes_ready_is_waited_for() {
        let url = page(2).await;
        ready(&poll::client().unwrap(), &url, Duration::from_secs(30))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn one_that_does_not_is_named_with_its_answer() {
        let url = page(usize::MAX).await;
        let error = ready(&poll::client().unwrap(), &url, Duration::ZERO)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(&url) && error.contains("answers 503"), "{error}");
    }

    #[tokio::test]
    async fn where_nothing_listens_it_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/readyz", listener.local_addr().unwrap());
        drop(listener);
        let error = ready(&poll::client().unwrap(), &url, Duration::ZERO)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("nothing is reached"), "{error}");
        let error = ready(&poll::client().unwrap(), "readyz", Duration::ZERO)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("no URL"), "{error}");
    }
}
