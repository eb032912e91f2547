//! What was moved out of a case's workload since it was opened: as usage showed it last, or else as the newest explanation
//! in the case has it that its reader can open. It reads no usage itself.

use super::Entered;
use crate::explore::Recent;
use crate::portrait::{Date, Explanation, MovedDrawing, MovedOut, Portrait};
use clerk::Sealed;
use review::act::Item;
use review::procedure::Basis;
use review::words::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn recent(entered: &Entered) -> Option<Arc<Recent>> {
    entered.desk.pages.usage.as_ref()?.recent(&entered.file.case.id)
}

fn meters(entered: &Entered) -> impl Iterator<Item = &Item> {
    entered.file.case.evidence.values().filter(|item| item.basis == Basis::Meters)
}

/// The texts that may say it, where nothing newer does.
pub(super) fn texts(entered: &Entered) -> BTreeSet<Text> {
    match recent(entered) {
        Some(_) => BTreeSet::new(),
        None => meters(entered).map(|item| item.digest).collect(),
    }
}

/// Its drawing, or why there is none.
pub(super) fn moved(entered: &Entered, read: &BTreeMap<Text, Sealed>) -> Result<MovedDrawing, &'static str> {
    let known = match recent(entered) {
        Some(recent) => recent.moved.clone(),
        None => explained(entered, read)?,
    };
    let opened = i32::try_from(entered.file.case.opened.0.div_euclid(86_400)).unwrap_or(i32::MAX);
    Ok(MovedDrawing::new(&known, Date(opened)))
}

/// As the newest explanation has it.
fn explained(entered: &Entered, read: &BTreeMap<Text, Sealed>) -> Result<MovedOut, &'static str> {
    let kept: Vec<&Sealed> = meters(entered).filter_map(|item| read.get(&item.digest)).collect();
    let portraits = kept.iter().filter_map(|text| match text {
        Sealed::Opened(bytes) => Explanation::read(bytes).ok().map(|read| read.explanation),
        _ => None,
    });
    let portraits: Vec<Portrait> = portraits.collect();
    let newest = portraits.iter().filter_map(Portrait::moved_out).max_by_key(|moved| moved.at);
    newest.ok_or_else(|| {
        if kept.iter().any(|text| matches!(text, Sealed::To { .. })) {
            "What the meters say in this case is sealed: unlock your own key to see what of it says this."
        } else if portraits.is_empty() {
            "No meters in this case say it: no usage of its accounts is watched here, and no explanation is in its evidence."
        } else {
            "The explanation in its evidence was made before this was kept in it: add what `tribune explain` prints now."
        }
    })
}
