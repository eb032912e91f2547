//! Why the clerk did not do something: each says what is wrong and how to mend it. It decides nothing.

use access::Denied;
use review::rules::Refusal;
use review::words::FormError;
use store::RecordError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No role of theirs allows it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A rule of the review is against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The record refused or failed.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The public log refused or failed.
    #[error("the public log: {0}")]
    Log(String),
    /// Not a name.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Nobody of that name.
    #[error("nobody on the roster is, or signs in as, `{0}`; `tribune record people` lists them")]
    Nobody(String),
    /// What is named is not there.
    #[error("there is no {0}")]
    Unknown(String),
    /// It was erased.
    #[error("{0} was erased; `tribune record verify` tells by which event")]
    Erased(String),
    /// Something in it has another form than this version's.
    #[error(
        "position {position}: the event has another form than this version writes ({reason}); use the version that wrote it"
    )]
    Strange {
        /// Where.
        position: u64,
        /// What is strange about it.
        reason: String,
    },
    /// Somebody else was quicker, again and again.
    #[error("others changed it at the same time, again and again; look at it as it is now, and send it again")]
    Busy,
    /// The intake has no room until the day's drain.
    #[error(
        "so much has come today that this is not taken before tomorrow: send it then; a text without files may be taken now"
    )]
    Crowded,
    /// Wrong in itself.
    #[error("{0}")]
    Wrong(String),
    /// What must not happen.
    #[error("{0}; this is a defect of Tribune's, please report it")]
    Defect(String),
}
