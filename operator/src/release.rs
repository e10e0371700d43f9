//! `live-data-operator release`: removal of the finalizers, before the operator is uninstalled or the former one restored.
//!
//! Promises: only the operator's finalizer is removed; each released resource is printed.

use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;

use crate::deletion;
use crate::error::ReconcileError;
use crate::names::FINALIZER;

/// Removes the finalizer of one resource (namespace, name) or of all in the cluster.
///
/// Returns the number of resources that had it.
///
/// # Errors
/// [`ReconcileError::Api`] of the first request that failed; resources before it are released.
pub async fn release(client: &Client, only: Option<(&str, &str)>) -> Result<usize, ReconcileError> {
    let resources: Api<LiveDataProcessor> = match only {
        Some((namespace, _)) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let mut released = 0;
    let mut parameters = ListParams::default().limit(100);
    loop {
        // Metadata only: a resource whose spec does not deserialize is released too.
        let page = resources
            .list_metadata(&parameters)
            .await
            .map_err(|error| ReconcileError::api("list", "livedataprocessors", error))?;
        for item in page.items {
            if only.is_some_and(|(_, name)| item.name_any() != name) {
                continue;
            }
            if !item.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
                continue;
            }
            let mut resource = LiveDataProcessor::new(&item.name_any(), Default::default());
            resource.metadata = item.metadata;
            deletion::remove_finalizers(client, &resource, &[FINALIZER]).await?;
            println!(
                "released {}/{}",
                resource.namespace().unwrap_or_default(),
                resource.name_any()
            );
            released += 1;
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(released),
        }
    }
}
