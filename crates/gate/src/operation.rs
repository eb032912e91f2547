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

/// The switches that must all be off for an operation to be refused; none where nobody mapped it.
///
/// New processing counts as writing. What is stored already (`storage.capacity`) and what people do
/// (`services.hours`) is no request, so that no gate meets it.
pub fn switches(operation: &str) -> Option<Switches> {
    Some(match operation {
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
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_refuses_writing_alone() {
        let read_only = Switches::NONE.with(Switch::Write);
        let refused = |operation| switches(operation).is_some_and(|needed| read_only.covers(needed));
        for operation in ["storage.write", "storage.ingress", "speech.transcription", "language.tokens", "compute.gpu"]
        {
            assert!(refused(operation), "{operation}");
        }
        for operation in ["storage.read", "storage.list", "storage.delete", "storage.export", "database.requests"] {
            assert!(switches(operation).is_some() && !refused(operation), "{operation}");
        }
        for operation in ["", "storage", "storage.write ", "Storage.write", "services.hours", "storage.capacity"] {
            assert_eq!(switches(operation), None, "{operation}");
        }
    }

    /// Nothing that is in the table needs no switch: it would be refused by every restriction.
    #[test]
    fn every_operation_falls_under_a_switch() {
        for operation in ["storage.list", "cdn.egress", "search.documents", "iot.messages", "network.private-link"] {
            assert!(switches(operation).is_some_and(|needed| !needed.is_empty()), "{operation}");
        }
    }
}
