//! Which switches an operation falls under.
//!
//! An operation is a service family, a dot and what is done (contract §4): `storage.write`. How the requests of a
//! protocol become operations is not known here. One that may be either is refused only by a restriction that switches
//! off both, since read-only refuses writing alone; one that is not in the table passes, and is counted.

use crate::words::{Switch, Switches};

const WRITE: Switches = Switches::NONE.with(Switch::Write);
const READ: Switches = Switches::NONE.with(Switch::Read);
const DELETE: Switches = Switches::NONE.with(Switch::Delete);
const EXPORT: Switches = Switches::NONE.with(Switch::Export);
const EITHER: Switches = WRITE.with(Switch::Read);

/// What a request does, as far as a gate asks: its name is looked up once, where it is known beforehand long before the
/// request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation(Option<Switches>);

impl Operation {
    /// The one of this name.
    ///
    /// New processing counts as writing. What is stored already (`storage.capacity`) and what people do
    /// (`services.hours`) is no request, so that no gate meets it.
    pub fn named(name: &str) -> Self {
        Self(Some(match name {
            "storage.write" | "storage.ingress" => WRITE,
            "storage.read" | "storage.list" | "storage.egress" | "cdn.egress" => READ,
            "storage.delete" => DELETE,
            "storage.export" => EXPORT,
            "speech.transcription" | "speech.speaker-id" => WRITE,
            "language.translation" | "language.tokens" | "language.embedding" => WRITE,
            "vision.images" | "vision.face-id" => WRITE,
            "search.documents" => WRITE,
            "compute.vcpu" | "compute.gpu" => WRITE,
            "telephony.minutes" | "messaging.requests" => WRITE,
            "iot.messages" | "logs.ingest" => WRITE,
            "database.requests" | "network.private-link" => EITHER,
            _ => return Self(None),
        }))
    }

    /// The switches that must all be off for it to be refused, at least one; none where nobody mapped it.
    pub const fn switches(self) -> Option<Switches> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_refuses_writing_alone() {
        let read_only = Switches::NONE.with(Switch::Write);
        let refused = |operation| Operation::named(operation).switches().is_some_and(|needed| read_only.covers(needed));
        for operation in ["storage.write", "storage.ingress", "speech.transcription", "language.tokens", "compute.gpu"]
        {
            assert!(refused(operation), "{operation}");
        }
        for operation in ["storage.read", "storage.list", "storage.delete", "storage.export", "database.requests"] {
            assert!(Operation::named(operation).switches().is_some() && !refused(operation), "{operation}");
        }
        for operation in ["", "storage", "storage.write ", "Storage.write", "services.hours", "storage.capacity"] {
            assert_eq!(Operation::named(operation).switches(), None, "{operation}");
        }
    }

    /// Nothing that is in the table needs no switch: it would be refused by every restriction.
    #[test]
    fn every_operation_falls_under_a_switch() {
        for operation in ["storage.list", "cdn.egress", "search.documents", "iot.messages", "network.private-link"] {
            assert!(Operation::named(operation).switches().is_some_and(|needed| !needed.is_empty()), "{operation}");
        }
    }
}
