//! Operator that makes and watches the objects of each LiveDataProcessor.
//!
//! # Layout
//! [`reconcile`] runs these steps in order; each takes the values of the steps before it, and only those marked with * get
//! a client of the apiserver:
//! - [`resolve`]*: facts that only the cluster has: the claim that the spec names, the holder of the instrument.
//! - [`validate`]: spec, site and built-in defaults become one [`plan::Plan`], or problems; with [`spec_merge`].
//! - [`build`]: the plan as whole Kubernetes objects.
//! - [`apply`]*: creation and server-side apply of what differs, with [`ownership`], [`difference`], [`takeover`],
//!   [`contention`] and [`requests`].
//! - [`observe`]: present state of Deployment, pods, claims and the worker's report.
//! - [`status`]: conditions and columns; [`publish`]*: written if they changed.
//! - [`deletion`]*: instead of the steps above, for a resource that is being deleted.
//!
//! Around them: [`controller`] (watches and queue), [`object_cache`] and [`object_kind`], [`leader`] (the Lease), [`events`],
//! [`metrics`], [`http`], [`config`] (environment) with [`syntax`] and [`json_schema`], [`names`], [`problem`], [`error`],
//! [`backoff`]. Commands: [`release`] (removes the finalizers), [`probe`] (for `helm test`).

pub mod apply;
pub mod backoff;
pub mod build;
pub mod config;
pub mod contention;
pub mod controller;
pub mod deletion;
pub mod difference;
pub mod error;
pub mod events;
pub mod http;
pub mod json_schema;
pub mod leader;
pub mod metrics;
pub mod names;
pub mod object_cache;
pub mod object_kind;
pub mod observe;
pub mod ownership;
pub mod plan;
pub mod probe;
pub mod problem;
pub mod publish;
pub mod reconcile;
pub mod release;
pub mod requests;
pub mod resolve;
pub mod spec_merge;
pub mod status;
pub mod syntax;
pub mod takeover;
pub mod validate;
