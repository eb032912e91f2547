//! The tip line without its pages: real envelopes through a real record, and what of them anybody could see.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

#[path = "tip/campaign.rs"]
mod campaign;
#[path = "tip/hostile.rs"]
mod hostile;
#[path = "tip/house.rs"]
mod house;
#[path = "tip/story.rs"]
mod story;
#[path = "tip/trail.rs"]
mod trail;
