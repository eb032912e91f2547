//! Finding the files of an input: a file, a folder or a place in an object store; what replaces what; and opening one.
//!
//! It is not the reading of what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use serde::Deserialize;

use crate::Hour;
use crate::tally::quoted;

/// A manifest is read whole; none is larger.
const MANIFEST_BYTES: u64 = 64 << 20;

/// One file to read.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// As it is shown: the path or address.
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    /// What its name says of when its rows are known.
    pub(crate) known: Option<Hour>,
    /// Another one where the content is another: its size with when it was written, or an object's own tag.
    pub(crate) stamp: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Local(PathBuf),
    Object(Arc<dyn ObjectStore>, object_store::path::Path),
}

/// What an input came to.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// In the order of their names, each once.
    pub(crate) files: Vec<Input>,
    /// The files that others replace.
    pub(crate) replaced: Vec<Input>,
    /// What should be there and is not, with the reason.
    pub(crate) unreadable: Vec<(String, String)>,
}

/// Finds the files of all inputs.
pub(crate) fn find(inputs: &[String]) -> Inputs {
    let mut found = Inputs::default();
    let mut files = Vec::new();
    for input in inputs {
        match listed(input, &mut found.unreadable) {
            Ok(mut listing) => {
                found.replaced.append(&mut listing.apply_manifests(&mut found.unreadable));
                files.append(&mut listing.files);
            }
            Err(reason) => found.unreadable.push((input.clone(), reason)),
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.dedup_by(|a, b| a.name == b.name);
    found.replaced.append(&mut keep_latest_versions(&mut files));
    for mut file in files {
        match known(&file.name) {
            Ok(known) => {
                file.known = known;
                found.files.push(file);
            }
            Err(reason) => found.unreadable.push((file.name, reason)),
        }
    }
    found
}

/// The files of one input, and the manifests beside them.
#[derive(Default)]
struct Listing {
    files: Vec<Input>,
    manifests: Vec<Input>,
}

fn listed(input: &str, unreadable: &mut Vec<(String, String)>) -> Result<Listing, String> {
    let mut listing = Listing::default();
    match input.split_once("://") {
        Some(("file", _)) | None => {
            let path = local_path(input)?;
            let about = std::fs::metadata(&path).map_err(|error| absent(&error))?;
            if about.is_dir() {
                listing.walk(&path, unreadable);
            } else {
                listing.files.push(Input::local(path, &about));
            }
        }
        Some(_) => listing.list(input)?,
    }
    Ok(listing)
}

fn absent(error: &io::Error) -> String {
    format!("cannot be read: {error}; check the path and who may read it")
}

fn local_path(input: &str) -> Result<PathBuf, String> {
    if !input.starts_with("file://") {
        return Ok(PathBuf::from(input));
    }
    let url = url::Url::parse(input).map_err(|error| format!("is no address: {error}"))?;
    url.to_file_path().map_err(|()| "is no local file; write file:///folder/file".to_owned())
}

impl Listing {
    /// Takes a found name in, if it is one to take.
    fn take(&mut self, input: Input) {
        let file_name = input.file_name().to_owned();
        let lower = file_name.to_lowercase();
        if lower.ends_with("manifest.json") {
            self.manifests.push(input);
        } else if extension(&lower).is_some() && lower != "facts.csv" && lower != "truth.csv" {
            self.files.push(input);
        }
    }

    fn walk(&mut self, folder: &Path, unreadable: &mut Vec<(String, String)>) {
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return unreadable.push((folder.display().to_string(), absent(&error))),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries.into_iter().filter(|entry| !is_hidden(&entry.file_name().to_string_lossy())) {
            let path = entry.path();
            // A folder is followed only where it is one, not through a link: no loops.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.walk(&path, unreadable);
                continue;
            }
            match std::fs::metadata(&path) {
                Ok(about) if about.is_file() => self.take(Input::local(path, &about)),
                Ok(_) => {}
                Err(error) => unreadable.push((path.display().to_string(), absent(&error))),
            }
        }
    }

    fn list(&mut self, address: &str) -> Result<(), String> {
        // What a store answers in XML follows what it means.
        let fault = |error: &dyn std::fmt::Display| {
            let said = error.to_string();
            let meaning = said.lines().next().and_then(|line| line.split("<?xml").next()).unwrap_or_default();
            format!("cannot be read: {}; check the address and who may read it", meaning.trim_end_matches([':', ' ']))
        };
        let url = url::Url::parse(address).map_err(|error| fault(&error))?;
        let settings = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, prefix) = object_store::parse_url_opts(&url, settings)
            .map_err(|error| format!("cannot be read: {error}; for S3, build Tribune with `--features s3`"))?;
        let store: Arc<dyn ObjectStore> = Arc::from(store);
        let base = address.strip_suffix(prefix.as_ref()).unwrap_or(address).trim_end_matches('/');
        if let Ok(about) = wait(store.head(&prefix)) {
            self.files.push(Input::object(base, &store, about));
            return Ok(());
        }
        let objects: Vec<_> = wait(store.list(Some(&prefix)).try_collect()).map_err(|error| fault(&error))?;
        for about in objects {
            let hidden =
                about.location.prefix_match(&prefix).is_none_or(|mut parts| parts.any(|part| is_hidden(part.as_ref())));
            if !hidden {
                self.take(Input::object(base, &store, about));
            }
        }
        if self.files.is_empty() {
            return Err("cannot be read: there is nothing; check the address".to_owned());
        }
        Ok(())
    }

    /// Leaves out what an older manifest of an export names and the newest does not, and gives that.
    fn apply_manifests(&mut self, unreadable: &mut Vec<(String, String)>) -> Vec<Input> {
        let mut newest: BTreeMap<(String, String), Manifest> = BTreeMap::new();
        let mut old: Vec<String> = Vec::new();
        for input in std::mem::take(&mut self.manifests) {
            let manifest = match Manifest::read(&input) {
                Ok(Some(manifest)) => manifest,
                Ok(None) => continue,
                Err(reason) => {
                    unreadable.push((input.name, reason));
                    continue;
                }
            };
            match newest.entry(manifest.export.clone()) {
                std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(manifest)),
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    let loser = if manifest.age > place.get().age { place.insert(manifest) } else { manifest };
                    old.extend(loser.files);
                }
            }
        }
        let named: BTreeSet<&String> = newest.values().flat_map(|manifest| &manifest.files).collect();
        for manifest in newest.values() {
            for file in &manifest.files {
                if !self.files.iter().any(|input| same_file(&input.name, file)) {
                    let reason = format!("names {}, which is not there; fetch it too", quoted(file));
                    unreadable.push((manifest.name.clone(), reason));
                }
            }
        }
        let (replaced, files) = std::mem::take(&mut self.files).into_iter().partition(|input| {
            let is = |file: &String| same_file(&input.name, file);
            old.iter().any(is) && !named.iter().any(|file| is(file))
        });
        self.files = files;
        replaced
    }
}

/// A cloud's own list of the files of one export.
struct Manifest {
    name: String,
    /// The export and its billing period.
    export: (String, String),
    /// Greater for a newer one.
    age: (String, String),
    files: Vec<String>,
}

/// AWS Data Exports: `dataFiles`; Azure Cost Management: the others.
#[derive(Deserialize)]
struct RawManifest {
    #[serde(rename = "dataFiles", default)]
    data_files: Vec<String>,
    #[serde(default)]
    blobs: Vec<RawBlob>,
    #[serde(rename = "exportConfig", default)]
    config: RawConfig,
    #[serde(rename = "runInfo", default)]
    run: RawRun,
}

#[derive(Deserialize)]
struct RawBlob {
    #[serde(rename = "blobName")]
    name: String,
}

#[derive(Deserialize, Default)]
struct RawConfig {
    #[serde(rename = "exportName", default)]
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawRun {
    submitted_time: String,
    start_date: String,
}

impl Manifest {
    /// Reads one; `None` where it is the manifest of something else.
    fn read(input: &Input) -> Result<Option<Self>, String> {
        let mut text = Vec::new();
        let opened = input.open().map_err(|error| absent(&error))?;
        opened.reader().take(MANIFEST_BYTES).read_to_end(&mut text).map_err(|error| absent(&error))?;
        let raw: RawManifest = serde_json::from_slice(&text).map_err(|error| format!("is no manifest: {error}"))?;
        if raw.data_files.is_empty() && raw.blobs.is_empty() {
            return Ok(None);
        }
        let period = input.name.split(['/', '\\']).find(|part| part.starts_with("BILLING_PERIOD="));
        let (export, period) = if raw.blobs.is_empty() {
            (input.file_name().to_owned(), period.unwrap_or_default().to_owned())
        } else {
            (raw.config.name, raw.run.start_date)
        };
        // An AWS export that keeps its versions puts each in a folder named by its time.
        let age = (raw.run.submitted_time, input.name.clone());
        let files = raw.data_files.into_iter().chain(raw.blobs.into_iter().map(|blob| blob.name)).collect();
        Ok(Some(Self { name: input.name.clone(), export: (export, period), age, files }))
    }
}

/// Whether a file found here is the one that a manifest names by its address there: the name and its folder agree.
fn same_file(here: &str, there: &str) -> bool {
    let parts = |path: &str| {
        let path = path.split_once("://").map_or(path, |(_, path)| path);
        path.split(['/', '\\']).filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (here, there) = (parts(here), parts(there));
    let alike = here.iter().rev().zip(there.iter().rev()).take_while(|(a, b)| a == b).count();
    // Where one of them has no folder, there is only the name to compare.
    alike >= 2.min(here.len()).min(there.len()) && alike > 0
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

fn extension(lower: &str) -> Option<&'static str> {
    [".csv.gz", ".csv", ".parquet"].into_iter().find(|end| lower.ends_with(end))
}

/// `NAME.v2.EXT` replaces `NAME.v1.EXT` and `NAME.EXT` in the same folder; gives what is replaced.
fn keep_latest_versions(files: &mut Vec<Input>) -> Vec<Input> {
    let mut latest: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for file in files.iter() {
        let (name, version) = split_version(&file.name);
        let newest = latest.entry(name).or_default();
        *newest = version.max(*newest);
    }
    let (latest, replaced) = std::mem::take(files).into_iter().partition(|file| {
        let (name, version) = split_version(&file.name);
        latest.get(&name) == Some(&version)
    });
    *files = latest;
    replaced
}

/// The name without its version, its extension, and the version: 1 where it names none.
pub(crate) fn split_version(name: &str) -> ((String, &'static str), u64) {
    let end = extension(&name.to_lowercase()).unwrap_or_default();
    let stem = name.get(..name.len() - end.len()).unwrap_or(name);
    let version = stem.rsplit_once(".v").and_then(|(stem, digits)| {
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        Some((stem, digits.parse().ok().filter(|_| plain)?))
    });
    let (stem, version) = version.unwrap_or((stem, 1));
    ((stem.to_owned(), end), version)
}

/// What `known=YYYY-MM-DDTHHZ` in a file's name says.
fn known(path: &str) -> Result<Option<Hour>, String> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let Some((_, rest)) = name.split_once("known=") else { return Ok(None) };
    let text = rest.get(..14).filter(|text| text.ends_with('Z'));
    text.and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| "has `known=` in its name without an hour; write known=2026-03-01T06Z".to_owned())
}

impl Input {
    fn local(path: PathBuf, about: &std::fs::Metadata) -> Self {
        // A file system that keeps no such time leaves the size.
        let written = about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let stamp = format!("{} bytes, {} ns", about.len(), written.unwrap_or_default().as_nanos());
        let name = path.display().to_string();
        Self { name, size: about.len(), known: None, stamp, place: Place::Local(path) }
    }

    fn object(base: &str, store: &Arc<dyn ObjectStore>, about: object_store::ObjectMeta) -> Self {
        let tag = about.e_tag.unwrap_or_else(|| about.last_modified.to_rfc3339());
        let name = format!("{base}/{}", about.location);
        let stamp = format!("{} bytes, {tag}", about.size);
        Self { name, size: about.size, known: None, stamp, place: Place::Object(store.clone(), about.location) }
    }

    /// Where it lies, from wherever one looks.
    pub(crate) fn address(&self) -> String {
        match &self.place {
            Place::Local(path) => {
                std::fs::canonicalize(path).map_or_else(|_| self.name.clone(), |path| path.display().to_string())
            }
            Place::Object(..) => self.name.clone(),
        }
    }

    /// Finds a file again by its address.
    pub(crate) fn at(address: &str) -> Result<Self, String> {
        let mut listing = listed(address, &mut Vec::new())?;
        let mut input = listing.files.pop().ok_or("is no file")?;
        input.known = known(&input.name)?;
        Ok(input)
    }

    fn file_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name)
    }

    /// Opens it. Each reader opens its own: clones of a file share their position.
    pub(crate) fn open(&self) -> io::Result<Opened> {
        Ok(match &self.place {
            Place::Local(path) => Opened::Local(File::open(path)?),
            Place::Object(store, path) => Opened::Object { store: store.clone(), path: path.clone(), size: self.size },
        })
    }
}

/// An open file, here or in an object store.
pub(crate) enum Opened {
    Local(File),
    Object { store: Arc<dyn ObjectStore>, path: object_store::path::Path, size: u64 },
}

impl Opened {
    /// Reads it from the start.
    pub(crate) fn reader(self) -> Box<dyn Read> {
        match self {
            Self::Local(file) => Box::new(file),
            Self::Object { store, path, size } => {
                Box::new(ObjectReader { store, path, size, at: 0, part: Bytes::new() })
            }
        }
    }
}

impl Length for Opened {
    fn len(&self) -> u64 {
        match self {
            Self::Local(file) => file.len(),
            Self::Object { size, .. } => *size,
        }
    }
}

impl ChunkReader for Opened {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        match self {
            Self::Local(file) => Ok(Box::new(file.get_read(start)?)),
            Self::Object { store, path, size } => {
                let (store, path) = (store.clone(), path.clone());
                Ok(Box::new(ObjectReader { store, path, size: *size, at: start, part: Bytes::new() }))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::Local(file) => file.get_bytes(start, length),
            Self::Object { store, path, .. } => wait(store.get_range(path, start..start + length as u64))
                .map_err(|error| ParquetError::External(Box::new(error))),
        }
    }
}

/// Reads an object in parts, so that memory does not grow with it.
struct ObjectReader {
    store: Arc<dyn ObjectStore>,
    path: object_store::path::Path,
    size: u64,
    at: u64,
    part: Bytes,
}

impl Read for ObjectReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        const PART: u64 = 8 << 20;
        if self.part.is_empty() && self.at < self.size {
            let end = (self.at + PART).min(self.size);
            self.part = wait(self.store.get_range(&self.path, self.at..end)).map_err(io::Error::other)?;
            self.at = end;
        }
        let length = into.len().min(self.part.len());
        let now = self.part.split_to(length);
        if let Some(into) = into.get_mut(..length) {
            into.copy_from_slice(&now);
        }
        Ok(length)
    }
}

/// Waits for an object store. A store on the network needs a reactor, which comes with the feature that brings it.
#[cfg(feature = "s3")]
fn wait<T>(future: impl Future<Output = object_store::Result<T>>) -> object_store::Result<T> {
    use std::sync::OnceLock;
    static REACTOR: OnceLock<Option<tokio::runtime::Runtime>> = OnceLock::new();
    let start = || tokio::runtime::Builder::new_current_thread().enable_all().build().ok();
    match REACTOR.get_or_init(start) {
        Some(reactor) => reactor.block_on(future),
        None => futures::executor::block_on(future),
    }
}

/// Waits for an object store.
#[cfg(not(feature = "s3"))]
fn wait<T>(future: impl Future<Output = object_store::Result<T>>) -> object_store::Result<T> {
    futures::executor::block_on(future)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Inputs, folder: &Path) -> Vec<String> {
        let base = folder.display().to_string();
        found.files.iter().map(|file| file.name[base.len() + 1..].to_owned()).collect()
    }

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn find_in(folder: &tempfile::TempDir) -> Inputs {
        find(&[folder.path().display().to_string()])
    }

    #[test]
    fn a_folder_means_its_records_and_nothing_else() {
        let folder = folder_with(&[
            ("a.csv", ""),
            ("b/c.parquet", ""),
            ("b/d/e.csv.gz", ""),
            ("facts.csv", ""),
            ("b/truth.csv", ""),
            ("_part.csv", ""),
            (".x/a.csv", ""),
            ("read.txt", ""),
        ]);
        assert_eq!(names(&find_in(&folder), folder.path()), ["a.csv", "b/c.parquet", "b/d/e.csv.gz"]);
        let url =
            find(&[format!("file://{}/b", folder.path().display()), format!("{}/a.csv", folder.path().display())]);
        assert_eq!(url.files.len(), 3);
    }

    #[test]
    fn a_newer_version_replaces_the_older_ones_of_its_folder() {
        let folder = folder_with(&[
            ("a.csv", ""),
            ("a.v1.csv", ""),
            ("a.v2.csv", ""),
            ("a.v2.parquet", ""),
            ("b/a.csv", ""),
            ("c.v1.csv", ""),
        ]);
        let found = find_in(&folder);
        assert_eq!(names(&found, folder.path()), ["a.v2.csv", "a.v2.parquet", "b/a.csv", "c.v1.csv"]);
        assert_eq!(found.replaced.len(), 2);
    }

    #[test]
    fn the_newest_manifest_of_an_export_says_which_files_count() {
        let azure = |run: &str, time: &str| {
            format!(
                r#"{{"exportConfig": {{"exportName": "e"}}, "runInfo": {{"submittedTime": "{time}", "startDate": "2026-03-01"}},
                    "blobs": [{{"blobName": "root/{run}/part.csv"}}]}}"#
            )
        };
        let aws =
            |version: &str| format!(r#"{{"dataFiles": ["s3://b/x/data/BILLING_PERIOD=2026-03/{version}/x.parquet"]}}"#);
        let folder = folder_with(&[
            ("run2/manifest.json", &azure("run2", "2026-03-02T00:00:00Z")),
            ("run1/manifest.json", &azure("run1", "2026-03-03T00:00:00Z")),
            ("run1/part.csv", ""),
            ("run2/part.csv", ""),
            ("data/BILLING_PERIOD=2026-03/01/x.parquet", ""),
            ("data/BILLING_PERIOD=2026-03/02/x.parquet", ""),
            ("metadata/BILLING_PERIOD=2026-03/01/x-Manifest.json", &aws("01")),
            ("metadata/BILLING_PERIOD=2026-03/02/x-Manifest.json", &aws("02")),
            ("metadata/BILLING_PERIOD=2026-04/01/x-Manifest.json", &aws("03")),
        ]);
        let found = find_in(&folder);
        assert_eq!(names(&found, folder.path()), ["data/BILLING_PERIOD=2026-03/02/x.parquet", "run1/part.csv"]);
        assert_eq!(found.replaced.len(), 2);
        assert!(
            found.unreadable.len() == 1 && found.unreadable[0].1.contains("03/x.parquet"),
            "{:?}",
            found.unreadable
        );
    }

    #[test]
    fn a_name_may_say_when_its_rows_are_known() {
        assert_eq!(known("a/usage-known=2026-03-01T06Z.csv"), Ok(Some("2026-03-01T06Z".parse().unwrap())));
        assert_eq!(known("known=2026-03-01T06Z/usage.csv"), Ok(None));
        assert!(known("known=yesterday.csv").is_err());
        assert!(known("known=2026-03-01T25Z.csv").is_err());
    }

    #[test]
    fn what_is_not_there_is_said() {
        let found = find(&["/no/such/file.csv".to_owned(), "nowhere://bucket/x".to_owned()]);
        assert_eq!(found.unreadable.len(), 2);
        assert!(found.unreadable[0].1.contains("check the path"));
    }

    #[test]
    fn an_object_store_is_read_in_parts() {
        let store: Arc<dyn ObjectStore> = Arc::new(object_store::memory::InMemory::new());
        let path = object_store::path::Path::from("a/b.csv");
        let data: Vec<u8> = (0..20_000_000u32).map(|byte| byte as u8).collect();
        wait(store.put(&path, data.clone().into())).unwrap();
        let input = Input::object("memory://", &store, wait(store.head(&path)).unwrap());
        let mut read = Vec::new();
        input.open().unwrap().reader().read_to_end(&mut read).unwrap();
        assert!(read == data);
        assert_eq!(input.open().unwrap().get_bytes(7, 3).unwrap().as_ref(), [7, 8, 9]);
    }
}
