//! Leader election by a Lease: of several operators only its holder reconciles.
//!
//! Promises: clocks of two machines are never compared; a candidate takes the Lease over after it has seen no renewal for
//! the Lease's duration by its own clock. A holder that cannot renew stops earlier. On a clean end the Lease is
//! released, and a standby leads at once.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::time::{Instant, sleep};

use crate::backoff;
use crate::names::LEASE;

/// Time without renewal after which a candidate takes the Lease over.
const DURATION: Duration = Duration::from_secs(15);
/// Time without a successful renewal after which the holder stops.
const RENEW_WITHIN: Duration = Duration::from_secs(10);
/// Time between renewals, and between a standby's attempts.
const RETRY: Duration = Duration::from_secs(2);
/// Limit of one attempt.
const REQUEST: Duration = Duration::from_secs(4);

/// Candidate for the Lease: one process.
pub struct Candidate {
    leases: Api<Lease>,
    identity: String,
    /// Last renewal by another holder, with the time at which this process first saw it.
    observed: Option<(LeaseRenewal, Instant)>,
}

/// Fields of the Lease that each renewal changes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LeaseRenewal {
    holder: Option<String>,
    /// By the holder's clock; compared for equality only.
    renewed: Option<Timestamp>,
    transitions: Option<i32>,
}

impl From<LeaseSpec> for LeaseRenewal {
    fn from(spec: LeaseSpec) -> Self {
        Self {
            // A released Lease has an empty holder.
            holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
            renewed: spec.renew_time.map(|time| time.0),
            transitions: spec.lease_transitions,
        }
    }
}

/// Result of an attempt to take or renew the Lease.
#[derive(Debug, PartialEq, Eq)]
enum LeaseState {
    /// This process holds it.
    Held,
    /// Another process holds it.
    HeldByOther,
    /// This process held it, and another has taken it.
    Lost,
}

impl Candidate {
    /// Candidate with an identity that no other process has.
    pub fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            identity,
            observed: None,
        }
    }

    /// Waits until this process holds the Lease; calls `on_answer` after each answer of the apiserver.
    pub async fn acquire(&mut self, mut on_answer: impl FnMut()) {
        loop {
            match self.renew().await {
                Ok(state) => {
                    on_answer();
                    if state == LeaseState::Held {
                        return;
                    }
                }
                Err(error) => tracing::warn!(%error, "the Lease cannot be read or written"),
            }
            sleep(backoff::jittered(RETRY, 0.2)).await;
        }
    }

    /// Renews the Lease; returns when another process has it or renewals have failed for 10 s.
    pub async fn hold(&mut self) {
        let mut renewed = Instant::now();
        loop {
            sleep(RETRY).await;
            match self.renew().await {
                Ok(LeaseState::Held) => renewed = Instant::now(),
                Ok(LeaseState::HeldByOther | LeaseState::Lost) => {
                    tracing::warn!("another operator holds the Lease");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "the Lease cannot be renewed");
                    if renewed.elapsed() > RENEW_WITHIN {
                        return;
                    }
                }
            }
        }
    }

    /// Releases the Lease, if this process holds it; an error is logged.
    pub async fn release(&self) {
        let release = async {
            let mut lease = self.leases.get(LEASE).await?;
            let spec = lease.spec.get_or_insert_with(LeaseSpec::default);
            if spec.holder_identity.as_deref() == Some(&self.identity) {
                spec.holder_identity = None;
                spec.renew_time = Some(MicroTime(Timestamp::now()));
                spec.lease_duration_seconds = Some(1);
                self.leases.replace(LEASE, &PostParams::default(), &lease).await?;
            }
            Ok::<(), kube::Error>(())
        };
        match tokio::time::timeout(REQUEST, release).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the Lease cannot be given back"),
            Err(_) => tracing::warn!("the Lease cannot be given back: no answer"),
        }
    }

    async fn renew(&mut self) -> Result<LeaseState, kube::Error> {
        match tokio::time::timeout(REQUEST, self.renew_without_limit()).await {
            Ok(state) => state,
            Err(elapsed) => Err(kube::Error::Service(Box::new(elapsed))),
        }
    }

    async fn renew_without_limit(&mut self) -> Result<LeaseState, kube::Error> {
        let Some(lease) = self.leases.get_opt(LEASE).await? else {
            return self.write(None).await;
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.clone().filter(|holder| !holder.is_empty());
        let ours = holder.as_deref() == Some(self.identity.as_str());
        if holder.is_some() && !ours && !self.expired(&spec, Instant::now()) {
            return Ok(LeaseState::HeldByOther);
        }
        self.write(Some(lease)).await
    }

    /// True if the holder has not renewed for the Lease's duration, measured by this process.
    fn expired(&mut self, spec: &LeaseSpec, now: Instant) -> bool {
        let renewal = LeaseRenewal::from(spec.clone());
        let duration = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .unwrap_or(15);
        match &self.observed {
            Some((known, since)) if *known == renewal => now.duration_since(*since) > Duration::from_secs(duration),
            _ => {
                self.observed = Some((renewal, now));
                false
            }
        }
    }

    async fn write(&mut self, present: Option<Lease>) -> Result<LeaseState, kube::Error> {
        let now = MicroTime(Timestamp::now());
        let previous = present
            .as_ref()
            .and_then(|lease| lease.spec.clone())
            .unwrap_or_default();
        let ours = previous.holder_identity.as_deref() == Some(self.identity.as_str());
        let spec = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            renew_time: Some(now.clone()),
            acquire_time: if ours { previous.acquire_time } else { Some(now) },
            lease_transitions: Some(previous.lease_transitions.unwrap_or(0).saturating_add(i32::from(!ours))),
            ..LeaseSpec::default()
        };
        let written = match present {
            None => {
                let metadata = ObjectMeta {
                    name: Some(LEASE.into()),
                    ..ObjectMeta::default()
                };
                self.leases
                    .create(
                        &PostParams::default(),
                        &Lease {
                            metadata,
                            spec: Some(spec),
                        },
                    )
                    .await
            }
            // Refused with a conflict if another candidate was faster.
            Some(mut lease) => {
                lease.spec = Some(spec);
                self.leases.replace(LEASE, &PostParams::default(), &lease).await
            }
        };
        match written {
            Ok(_) => Ok(LeaseState::Held),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(if ours {
                LeaseState::Lost
            } else {
                LeaseState::HeldByOther
            }),
            Err(error) => Err(error),
        }
    }
}

/// Identity of a holder that renews the Lease; `None` if nobody does.
///
/// Reads the Lease until it changes, for 15 s at most: only this process's clock matters.
///
/// # Errors
/// [`kube::Error`] if the apiserver does not answer.
pub async fn active_holder(client: &Client, namespace: &str) -> Result<Option<String>, kube::Error> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let first = read_renewal(&leases).await?;
    let started = Instant::now();
    while first.holder.is_some() && started.elapsed() < DURATION {
        sleep(RETRY / 2).await;
        let now = read_renewal(&leases).await?;
        if now != first {
            return Ok(now.holder);
        }
    }
    Ok(None)
}

async fn read_renewal(leases: &Api<Lease>) -> Result<LeaseRenewal, kube::Error> {
    let lease = leases.get_opt(LEASE).await?;
    Ok(lease.and_then(|lease| lease.spec).unwrap_or_default().into())
}
