//! The clerk before a real record: cases that several people carry at once, and the tip line without its pages.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

#[path = "it/campaign.rs"]
mod campaign;
#[path = "it/desk.rs"]
mod desk;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/house.rs"]
mod house;
#[path = "it/queue.rs"]
mod queue;
#[path = "it/story.rs"]
mod story;
#[path = "it/trail.rs"]
mod trail;
