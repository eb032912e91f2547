//! The gate's interfaces and the pages, asked over the network as others ask them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

#[path = "it/admission.rs"]
mod admission;
#[path = "it/authzen.rs"]
mod authzen;
#[path = "it/bad.rs"]
mod bad;
#[path = "it/browser.rs"]
mod browser;
#[path = "it/console.rs"]
mod console;
#[path = "it/customers.rs"]
mod customers;
#[path = "it/driver.rs"]
mod driver;
#[path = "it/envoy.rs"]
mod envoy;
#[path = "it/explore.rs"]
mod explore;
#[path = "it/export.rs"]
mod export;
#[path = "it/eyes.rs"]
mod eyes;
#[path = "it/forward.rs"]
mod forward;
#[path = "it/ground.rs"]
mod ground;
#[path = "it/house.rs"]
#[allow(dead_code, reason = "others who build pages need more of it")]
mod house;
#[path = "it/looked.rs"]
mod looked;
#[path = "it/machine.rs"]
mod machine;
#[path = "it/pages.rs"]
mod pages;
#[path = "../../store/tests/it/server.rs"]
mod postgres;
#[path = "it/provider.rs"]
mod provider;
#[path = "it/proxies.rs"]
mod proxies;
#[path = "it/public.rs"]
mod public;
#[path = "../../gate/tests/sample/mod.rs"]
#[allow(dead_code, reason = "the gate's own tests use more of it")]
mod sample;
#[path = "it/server.rs"]
mod server;
#[path = "it/signing.rs"]
mod signing;
#[path = "it/snapshots.rs"]
mod snapshots;
#[path = "it/tipline.rs"]
mod tipline;
