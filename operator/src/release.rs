//! `live-data-operator release`: removes the finalizers, for a site that uninstalls or goes back.
//!
//! Promises: nothing but the finalizers is touched; it says what it did, resource by resource.

use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;

use crate::cleanup;
use crate::failure::Failure;
use crate::names::FINALIZER;

/// Removes the finalizer of one resource (namespace, name) or of all; answers how many had it.
///
/// # Errors
/// When a request fails; those before it are done.
pub async fn release(client: &Client, only: Option<(&str, &str)>) -> Result<usize, Failure> {
    let resources: Api<LiveDataProcessor> = match only {
        Some((namespace, _)) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let mut released = 0;
    let mut parameters = ListParams::default().limit(100);
    loop {
        // Metadata is enough, and a resource whose spec cannot be read is released too.
        let page = resources
            .list_metadata(&parameters)
            .await
            .map_err(|error| Failure::api("list", "livedataprocessors", error))?;
        for found in page.items {
            if only.is_some_and(|(_, name)| found.name_any() != name) {
                continue;
            }
            if !found.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
                continue;
            }
            let mut resource = LiveDataProcessor::new(&found.name_any(), Default::default());
            resource.metadata = found.metadata;
            cleanup::remove_finalizers(client, &resource, &[FINALIZER]).await?;
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
