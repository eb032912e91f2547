//! Where the files of a public log lie: a folder of this machine or an object store. What was written outlives a power
//! cut, and two who write at once never mix. It knows no more of a file than its path: what belongs there is
//! [`crate::log`]'s.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};

use crate::log::{LogError, Result};

/// How often a file is written anew that others write at the same time.
const TRIES: usize = 10;

/// The place of a log's files: `checkpoint` and `tile/…`, as C2SP tlog-tiles names them, below it.
#[derive(Clone, Debug)]
pub enum Files {
    /// A folder. Each file is written beside its place, synced, moved there, and its folder synced.
    Local(PathBuf),
    /// Below a prefix of an object store, which must be one that writes on a condition (`If-Match`, `If-None-Match`).
    /// Whether what it acknowledges is durable is the store's to promise: `object_store`'s own local folder does not.
    Object(Arc<dyn ObjectStore>, Key),
}

impl Files {
    /// Below a folder, which is made with the first file.
    pub fn local(folder: impl Into<PathBuf>) -> Self {
        Self::Local(folder.into())
    }

    /// Below a prefix of an object store; an empty one means the store's root.
    pub fn object(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        Self::Object(store, Key::from(prefix))
    }

    /// Below an address of an object store (`s3://BUCKET/PREFIX`), with the store's settings from the environment
    /// (`AWS_ENDPOINT`, …). Which kinds are known depends on the features that this was built with.
    ///
    /// # Errors
    ///
    /// It is no such address, or of a kind that is not known.
    pub fn at(address: &str) -> std::result::Result<Self, String> {
        let local = address.starts_with("file:") || address.starts_with("memory:");
        let settings = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let url = address.parse().map_err(|error| format!("`{address}` is no address of an object store: {error}"))?;
        match object_store::parse_url_opts(&url, settings) {
            Ok((store, prefix)) if !local => Ok(Self::Object(Arc::from(store), prefix)),
            Ok(_) => Err(format!("`{address}` is no object store that keeps what it acknowledges: name one, `s3://…`")),
            Err(error) => Err(format!("`{address}`: {error}; for S3, build Tribune with `--features s3`")),
        }
    }

    /// The bytes of a file, if it is there.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Local(folder) => {
                let file = folder.join(path);
                on_disk(path, "read", move || read(&file)).await
            }
            Self::Object(store, prefix) => Ok(get(&**store, prefix, path).await?.map(|(bytes, _)| bytes)),
        }
    }

    /// Writes a file that never changes. One that is there with the same bytes is left, one with others refused.
    pub(crate) async fn write_once(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        let altered = || LogError::Altered { path: path.to_owned() };
        match self {
            Self::Local(folder) => {
                let (folder, name) = (folder.clone(), path.to_owned());
                let written = on_disk(path, "written", move || write_once(&folder, &name, &bytes)).await?;
                if written { Ok(()) } else { Err(altered()) }
            }
            Self::Object(store, prefix) => {
                let put = store.put_opts(&key(prefix, path), bytes.clone().into(), PutMode::Create.into()).await;
                match put {
                    Err(object_store::Error::AlreadyExists { .. }) => {
                        let there = get(&**store, prefix, path).await?;
                        if there.is_some_and(|(there, _)| there == bytes) { Ok(()) } else { Err(altered()) }
                    }
                    other => other.map(drop).map_err(|source| failed(path, "written", source)),
                }
            }
        }
    }

    /// Takes a folder of files away that nobody needs any more.
    pub(crate) async fn remove(&self, path: &str) -> Result<()> {
        match self {
            Self::Local(folder) => {
                let (folder, name) = (folder.clone(), path.to_owned());
                on_disk(path, "taken away", move || remove(&folder, &name)).await
            }
            Self::Object(store, prefix) => {
                let keys = store.list(Some(&key(prefix, path))).map_ok(|found| found.location).boxed();
                let removed = store.delete_stream(keys).try_for_each(|_| std::future::ready(Ok(()))).await;
                removed.map_err(|source| failed(path, "taken away", source))
            }
        }
    }

    /// Writes a file anew, by what is there, with nobody else's writing in between. Gives what is there then.
    pub(crate) async fn change(
        &self,
        path: &'static str,
        make: impl Fn(Option<&[u8]>) -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<Vec<u8>> {
        match self {
            Self::Local(folder) => {
                let folder = folder.clone();
                on_disk(path, "written", move || change(&folder, path, make)).await?
            }
            Self::Object(store, prefix) => {
                for _ in 0..TRIES {
                    let there = get(&**store, prefix, path).await?;
                    let new = make(there.as_ref().map(|(bytes, _)| &**bytes))?;
                    let mode = match there {
                        Some((there, _)) if there == new => return Ok(new),
                        Some((_, version)) => PutMode::Update(version),
                        None => PutMode::Create,
                    };
                    use object_store::Error::{AlreadyExists, Precondition};
                    match store.put_opts(&key(prefix, path), new.clone().into(), mode.into()).await {
                        Err(AlreadyExists { .. } | Precondition { .. }) => {}
                        other => return other.map(|_| new).map_err(|source| failed(path, "written", source)),
                    }
                }
                Err(LogError::Busy { path: path.to_owned() })
            }
        }
    }
}

fn key(prefix: &Key, path: &str) -> Key {
    prefix.parts().chain(Key::from(path).parts()).collect()
}

fn failed(path: &str, what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LogError {
    LogError::File { path: path.to_owned(), what, source: source.into() }
}

/// An object and which version of it that is, if it is there.
async fn get(store: &dyn ObjectStore, prefix: &Key, path: &str) -> Result<Option<(Vec<u8>, UpdateVersion)>> {
    let got = async {
        let got = store.get(&key(prefix, path)).await?;
        let version = UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
        Ok((got.bytes().await?.to_vec(), version))
    };
    match got.await {
        Ok(there) => Ok(Some(there)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(source) => Err(failed(path, "read", source)),
    }
}

/// Works on the disk where waiting for it holds up nobody.
async fn on_disk<T: Send + 'static>(
    path: &str,
    what: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|source| failed(path, what, source))
}

fn read(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the file has these bytes now: not if it had others.
fn write_once(folder: &Path, path: &str, bytes: &[u8]) -> io::Result<bool> {
    let _alone = alone(folder)?;
    match read(&folder.join(path))? {
        None => put(folder, path, bytes).map(|()| true),
        // Whoever moved it there may have been killed before the folder was synced.
        Some(there) if there == bytes => sync_folders(folder, path).map(|()| true),
        Some(_) => Ok(false),
    }
}

fn change(folder: &Path, path: &str, make: impl Fn(Option<&[u8]>) -> Result<Vec<u8>>) -> io::Result<Result<Vec<u8>>> {
    let _alone = alone(folder)?;
    let there = read(&folder.join(path))?;
    let new = match make(there.as_deref()) {
        Ok(new) => new,
        refused => return Ok(refused),
    };
    if there.as_ref() == Some(&new) {
        sync_folders(folder, path)?;
    } else {
        put(folder, path, &new)?;
    }
    Ok(Ok(new))
}

fn remove(folder: &Path, path: &str) -> io::Result<()> {
    let _alone = alone(folder)?;
    match std::fs::remove_dir_all(folder.join(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// While this lives, nobody else writes below the folder, here or in another process.
fn alone(folder: &Path) -> io::Result<File> {
    make_folder(folder)?;
    let lock = File::open(folder)?;
    lock.lock()?;
    Ok(lock)
}

/// Writes a file durably: what is at its place is the old or the new one, whole, whatever happens. What a kill leaves
/// beside its place is written over the next time.
fn put(folder: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let to = folder.join(path);
    make_folder(parent(&to))?;
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let new = to.with_file_name(format!(".{name}.new"));
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&new, &to)) {
        drop(std::fs::remove_file(&new));
        return Err(error);
    }
    sync_folders(folder, path)
}

/// Syncs every folder on the way to a file: any of them may be as new as the file.
fn sync_folders(folder: &Path, path: &str) -> io::Result<()> {
    let file = folder.join(path);
    parent(&file).ancestors().take_while(|above| above.starts_with(folder)).try_for_each(sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    make_folder(parent(folder))?;
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(parent(folder)),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    /// Both kinds, empty, below a folder that is not there yet.
    fn both(folder: &Path) -> [Files; 2] {
        [Files::local(folder.join("a/b")), Files::object(Arc::new(InMemory::new()), "a/b")]
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn an_address_that_keeps_nothing_or_is_none_is_refused_with_what_to_name() {
        let says = |address: &str| Files::at(address).unwrap_err();
        for lost in ["file:///srv/log", "memory:///log"] {
            assert!(says(lost).contains("keeps what it acknowledges"), "{}", says(lost));
        }
        assert!(says("log").contains("no address of an object store"), "{}", says("log"));
        assert!(says("gopher://log").contains("gopher://log"), "{}", says("gopher://log"));
    }

    #[test]
    fn a_file_that_never_changes_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        for files in both(folder.path()) {
            block_on(async {
                let path = "tile/0/x001/234.p/5";
                assert_eq!(files.read(path).await.unwrap(), None);
                files.write_once(path, vec![1]).await.unwrap();
                files.write_once(path, vec![1]).await.unwrap();
                let error = files.write_once(path, vec![2]).await.unwrap_err();
                assert!(matches!(&error, LogError::Altered { path: altered } if altered == path), "{error}");
                assert_eq!(files.read(path).await.unwrap(), Some(vec![1]));
            });
        }
        let left = std::fs::read_dir(folder.path().join("a/b/tile/0/x001/234.p")).unwrap();
        assert_eq!(left.count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_folder_is_taken_away_and_what_lies_beside_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        for files in both(folder.path()) {
            block_on(async {
                for path in ["tile/0/000.p/1", "tile/0/000.p/2", "tile/0/000", "tile/0/001.p/1"] {
                    files.write_once(path, vec![1]).await.unwrap();
                }
                files.remove("tile/0/000.p").await.unwrap();
                files.remove("tile/0/000.p").await.unwrap();
                assert_eq!(files.read("tile/0/000.p/1").await.unwrap(), None);
                assert_eq!(files.read("tile/0/000.p/2").await.unwrap(), None);
                assert_eq!(files.read("tile/0/000").await.unwrap(), Some(vec![1]));
                assert_eq!(files.read("tile/0/001.p/1").await.unwrap(), Some(vec![1]));
            });
        }
    }

    #[test]
    fn a_file_is_changed_by_what_is_there_and_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        for files in both(folder.path()) {
            let count = || {
                let more = |there: Option<&[u8]>| Ok([there.unwrap_or_default(), b"x"].concat());
                files.change("checkpoint", more)
            };
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| (0..5).for_each(|_| drop(block_on(count()).unwrap())));
                }
            });
            block_on(async {
                assert_eq!(files.read("checkpoint").await.unwrap(), Some(vec![b'x'; 10]));
                let refuse = |_: Option<&[u8]>| Err(LogError::Busy { path: "no".into() });
                assert!(files.change("checkpoint", refuse).await.is_err());
                assert_eq!(files.read("checkpoint").await.unwrap(), Some(vec![b'x'; 10]));
            });
        }
    }

    #[test]
    fn what_a_kill_left_beside_a_file_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::local(folder.path());
        std::fs::write(folder.path().join(".checkpoint.new"), "half").unwrap();
        block_on(files.change("checkpoint", |_| Ok(b"whole".to_vec()))).unwrap();
        assert_eq!(std::fs::read(folder.path().join("checkpoint")).unwrap(), b"whole");
        assert!(!folder.path().join(".checkpoint.new").exists());
    }
}
