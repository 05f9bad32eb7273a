//! The one integration binary; each module tests one shell from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cli;
mod connect;
mod fixture;
mod tidy;
