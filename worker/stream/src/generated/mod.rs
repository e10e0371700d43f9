//! Code that flatc made from `schemas/` (see `schemas/generate`); nothing in here is written by hand.

#[rustfmt::skip]
#[allow(
    clippy::all, clippy::undocumented_unsafe_blocks, clippy::unwrap_used, dead_code, missing_docs,
    mismatched_lifetime_syntaxes, non_snake_case, unsafe_op_in_unsafe_fn, unused_imports
)]
pub(crate) mod ev42_events;
