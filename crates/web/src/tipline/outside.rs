//! What of the tip line reads bytes from outside, for whoever tries that with any bytes: `fuzz/`.
//!
//! It is what the pages do before anything is kept. It takes nothing in, and answers nobody.

use super::{strip, told, upload};
use axum::body::{Body, Bytes};

/// What somebody sent: fields or texts by name, and files by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Everything that is no file.
    pub fields: Vec<(String, String)>,
    /// Names and bytes.
    pub files: Vec<(String, Vec<u8>)>,
}

/// The most that all files of a form may be.
pub const FILES_BYTES_MAX: usize = upload::FILES_BYTES_MAX;

/// A report by a machine: a CloudEvent that carries one, or one by itself.
///
/// # Errors
/// What is wrong, each with the pointer to where.
pub fn report(whole: &[u8], is_event: bool) -> Result<Read, Vec<(String, String)>> {
    let told = told::read(whole, is_event);
    let told =
        told.map_err(|faults| faults.into_iter().map(|fault| (fault.pointer, fault.says)).collect::<Vec<_>>())?;
    let fields = [("id", told.id), ("among", told.among), ("text", told.text), ("who", told.who.unwrap_or_default())];
    Ok(Read { fields: fields.map(|(name, value)| (name.to_owned(), value)).into(), files: told.files })
}

/// A form with files, from a body of the kind that its header says; none where it cannot be read whole, or has files that
/// are too much.
pub async fn form(kind: &str, whole: Vec<u8>) -> Option<Read> {
    let boundary = upload::boundary(Some(kind)).ok()?;
    let upload = upload::form(boundary, Body::from(whole)).await.ok().filter(|upload| upload.fault.is_none())?;
    let files = upload.files.into_iter().map(|(name, bytes)| (name, bytes.to_vec()));
    Some(Read { fields: upload.posted.into(), files: files.collect() })
}

/// A file as it is kept: a picture without what it said of itself, and everything else as it came.
pub fn file(whole: Vec<u8>) -> Vec<u8> {
    strip::strip(&Bytes::from(whole)).0
}
