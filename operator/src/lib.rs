//! The operator: makes and watches what each LiveDataProcessor asks for.
//!
//! # Layout
//! One reconcile is a walk through these, in this order; only `resolve`, `apply`, `cleanup`, `observe` and
//! `publish` talk to the cluster, everything between them takes values and returns values.
//! - [`config`], [`shape`]: the environment, and what values must look like.
//! - [`resolve`]: what the resource refers to: the claim that it names, the holder of its instrument.
//! - [`validate`]: spec, site and built-in defaults made one [`plan::Plan`], or the reasons why not.
//! - [`desired`]: the plan as whole Kubernetes objects.
//! - [`ownership`], [`difference`], [`takeover`]: what to do with an object that is already there.
//! - [`apply`]: server-side apply of what differs; [`contention`]: how often, when others change it back;
//!   [`cleanup`]: the way back.
//! - [`observe`]: what the Deployment, the pods, their Events and the worker's report say.
//! - [`status`]: all of it as conditions and columns; [`publish`]: written when it differs.
//!
//! Around them: [`controller`] (watches and queue), [`reconcile`] (the walk), [`leader`] (the Lease),
//! [`events`], [`metrics`], [`http`], [`release`] (removes the finalizers), [`probe`] (what `helm test` asks),
//! [`names`], [`failure`].

pub mod apply;
pub mod cleanup;
pub mod config;
pub mod contention;
pub mod controller;
pub mod desired;
pub mod difference;
pub mod events;
pub mod failure;
pub mod http;
pub mod leader;
pub mod metrics;
pub mod names;
pub mod objects;
pub mod observe;
pub mod ownership;
pub mod plan;
pub mod probe;
pub mod publish;
pub mod reconcile;
pub mod release;
pub mod resolve;
pub mod shape;
pub mod status;
pub mod takeover;
pub mod validate;
