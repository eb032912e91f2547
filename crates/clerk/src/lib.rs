//! The clerk of a review: what somebody asks for goes to the access policies and to the rules of the case, and once both
//! allow it, into the record, and what the world may see of it into the public log.
//!
//! It has no rule of its own and keeps nothing itself: the roles are `access`'s, due process is [`review`]'s, durability is
//! [`store`]'s and proof is [`tlog`]'s. The shell and the pages both speak to it, so that there is one path and no other.

pub mod envelope;
pub mod intake;
pub mod mailbox;
pub mod receipt;
pub mod sealed;
pub mod shown;
