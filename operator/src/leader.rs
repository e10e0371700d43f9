//! Who works, when there is more than one operator: whoever holds the Lease.
//!
//! Promises: two clocks are never compared: a candidate takes the Lease over when it has seen no renewal for the
//! Lease's duration by its own clock, so skew between replicas does no harm; the holder stops working before that
//! when it cannot renew; the Lease is given back on a clean end, so that a standby works at once.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::time::{Instant, sleep};

use crate::failure;
use crate::names::LEASE;

/// A holder that was not heard of for this long is gone.
const DURATION: Duration = Duration::from_secs(15);
/// A holder that could not renew for this long stops working.
const RENEW_WITHIN: Duration = Duration::from_secs(10);
/// Time between renewals, and between a standby's looks.
const RETRY: Duration = Duration::from_secs(2);
/// An apiserver that does not answer for this long has not answered.
const REQUEST: Duration = Duration::from_secs(4);

/// One candidate for the Lease.
pub struct Candidate {
    leases: Api<Lease>,
    identity: String,
    /// The holder's last sign of life (who, when by its clock, how often it changed hands) and when it was first seen.
    observed: Option<(Sign, Instant)>,
}

type Sign = (Option<String>, Option<Timestamp>, Option<i32>);

/// What a look at the Lease gave.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Held,
    Ours,
    Lost,
}

impl Candidate {
    /// A candidate under a name that no other has.
    pub fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            identity,
            observed: None,
        }
    }

    /// Waits until the Lease is ours. `looked` is called after each answer of the apiserver.
    pub async fn acquire(&mut self, mut looked: impl FnMut()) {
        loop {
            match self.look().await {
                Ok(look) => {
                    looked();
                    if look == Look::Ours {
                        return;
                    }
                }
                Err(error) => tracing::warn!(%error, "the Lease cannot be read or written"),
            }
            sleep(RETRY.mul_f64(0.8 + 0.4 * failure::random())).await;
        }
    }

    /// Renews the Lease until it is lost.
    pub async fn hold(&mut self) {
        let mut renewed = Instant::now();
        loop {
            sleep(RETRY).await;
            match self.look().await {
                Ok(Look::Ours) => renewed = Instant::now(),
                Ok(Look::Held | Look::Lost) => {
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

    /// Gives the Lease back.
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

    async fn look(&mut self) -> Result<Look, kube::Error> {
        match tokio::time::timeout(REQUEST, self.look_now()).await {
            Ok(look) => look,
            Err(elapsed) => Err(kube::Error::Service(Box::new(elapsed))),
        }
    }

    async fn look_now(&mut self) -> Result<Look, kube::Error> {
        let Some(lease) = self.leases.get_opt(LEASE).await? else {
            return self.write(None).await;
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.clone().filter(|holder| !holder.is_empty());
        let ours = holder.as_deref() == Some(self.identity.as_str());
        if holder.is_some() && !ours && !self.expired(&spec, Instant::now()) {
            return Ok(Look::Held);
        }
        self.write(Some(lease)).await
    }

    /// Whether the holder has shown no sign of life for the Lease's duration, since this candidate looks.
    fn expired(&mut self, spec: &LeaseSpec, now: Instant) -> bool {
        let sign = sign(spec.clone());
        let duration = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .unwrap_or(15);
        match &self.observed {
            Some((known, since)) if *known == sign => now.duration_since(*since) > Duration::from_secs(duration),
            _ => {
                self.observed = Some((sign, now));
                false
            }
        }
    }

    async fn write(&mut self, present: Option<Lease>) -> Result<Look, kube::Error> {
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
            Ok(_) => Ok(Look::Ours),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(if ours { Look::Lost } else { Look::Held }),
            Err(error) => Err(error),
        }
    }
}

/// Who holds the Lease and renews it: looked at until it changes, for at most as long as a holder may be silent, so that
/// no clock but this process's own decides.
///
/// # Errors
/// When the apiserver does not answer.
pub async fn holder(client: &Client, namespace: &str) -> Result<Option<String>, kube::Error> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let first = sign(
        leases
            .get_opt(LEASE)
            .await?
            .and_then(|lease| lease.spec)
            .unwrap_or_default(),
    );
    let started = Instant::now();
    while first.0.is_some() && started.elapsed() < DURATION {
        sleep(RETRY / 2).await;
        let now = sign(
            leases
                .get_opt(LEASE)
                .await?
                .and_then(|lease| lease.spec)
                .unwrap_or_default(),
        );
        if now != first {
            return Ok(now.0);
        }
    }
    Ok(None)
}

/// The holder's last sign of life; no holder is no name.
fn sign(spec: LeaseSpec) -> Sign {
    (
        spec.holder_identity.filter(|holder| !holder.is_empty()),
        spec.renew_time.map(|time| time.0),
        spec.lease_transitions,
    )
}
