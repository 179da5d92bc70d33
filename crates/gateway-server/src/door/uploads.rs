//! Forms with large files: what does not fit a small buffer goes to a file that has no name, and is read from
//! there as often as providers are tried.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use hyper::body::{Body as _, Incoming};
use llm_providers::operations::{Form, FormScan};
use llm_types::{BodyStream, Error, ErrorKind, Kept, Origin, Result, Stored};

use super::body::{next_piece, too_large};
use super::growing::{End, Growing};

/// Forms up to this size are held in memory.
const IN_MEMORY: usize = 1024 * 1024;
/// How much is written and read at a time.
pub(super) const CHUNK: usize = 256 * 1024;

/// Where uploads are put down.
#[derive(Debug)]
pub(crate) struct Uploads {
    folder: PathBuf,
    next: AtomicU64,
}

/// A form that has arrived.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// The whole body.
    Whole(Bytes),
    /// The form without what its files hold, which stands outside memory.
    Apart(Bytes, Form),
    /// The same up to its file, which is still arriving.
    Begun(Bytes, Form, Arc<Growing>),
}

impl Uploads {
    /// A place in a gateway's data folder.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join("uploads"), next: AtomicU64::new(0) }
    }

    /// Reads a form of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`super::read_body`]; [`ErrorKind::BadRequest`] saying what is wrong with a large form, and
    /// [`ErrorKind::Internal`] when it cannot be put down.
    ///
    /// With `sent_on` a form that says its length and names its model before its file has arrived when the file
    /// begins.
    pub(crate) async fn receive(
        &self,
        mut body: Incoming,
        kind: &str,
        (limit, sent_on): (usize, bool),
    ) -> Result<Arrived> {
        let exact = body.size_hint().exact().filter(|_| sent_on);
        let announced = body.size_hint().lower();
        if announced > limit as u64 {
            return Err(too_large(limit));
        }
        let known = usize::try_from(announced).unwrap_or(IN_MEMORY).min(IN_MEMORY);
        let mut held = BytesMut::with_capacity(if announced > IN_MEMORY as u64 { 0 } else { known });
        while held.len() <= IN_MEMORY && announced <= IN_MEMORY as u64 {
            match next_piece(&mut body).await? {
                Some(piece) if held.len() + piece.len() > limit => return Err(too_large(limit)),
                Some(piece) => held.extend_from_slice(&piece),
                None => return Ok(Arrived::Whole(held.freeze())),
            }
        }
        let mut scan = FormScan::new(kind)?;
        scan.push(&held)?;
        let mut file = Written { file: Arc::new(self.open().await?), at: 0, pending: held };
        if let Some(total) = exact {
            return Reception { body, scan, file, total }.until_its_file().await;
        }
        while let Some(piece) = next_piece(&mut body).await? {
            if file.len() + piece.len() as u64 > limit as u64 {
                return Err(too_large(limit));
            }
            scan.push(&piece)?;
            file.push(&piece).await?;
        }
        let store: Arc<dyn Stored> = Arc::new(file.finish().await?);
        let (texts, form) = scan.finish(&store)?;
        Ok(Arrived::Apart(texts, form))
    }

    async fn open(&self) -> Result<File> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // Gateways that share a folder may have the same number as processes.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let path = self.folder.join(format!("{}-{}-{number}", std::process::id(), since.as_nanos()));
        let shown = self.folder.display().to_string();
        blocking(move || create(&path)).await.map_err(|error| {
            let hint = "the data folder must be writable for large uploads";
            internal(&format!("cannot put an upload down in `{shown}`: {hint}"), error)
        })
    }
}

/// `FILE_FLAG_DELETE_ON_CLOSE`: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew>.
#[cfg(windows)]
const DELETE_ON_CLOSE: u32 = 0x0400_0000;

/// A new file that is gone when nobody has it open.
fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    // Never one that is there: it would be another's.
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, DELETE_ON_CLOSE);
    let file = options.open(path)?;
    #[cfg(unix)]
    fs::remove_file(path)?;
    Ok(file)
}

/// A form of a known length on its way in, within the limit.
struct Reception {
    body: Incoming,
    scan: FormScan,
    file: Written,
    total: u64,
}

impl Reception {
    /// Reads the form up to its file, and the rest beside the call; the whole form where that cannot be sent on.
    async fn until_its_file(mut self) -> Result<Arrived> {
        let growing = Arc::new(Growing::new(Arc::clone(&self.file.file)));
        let store: Arc<dyn Stored> = Arc::clone(&growing) as Arc<dyn Stored>;
        loop {
            if let Some((texts, form)) = self.scan.begun(&store, self.total).filter(names_model) {
                let expected = (form.fields.len(), file_length(&form));
                let arriving = Arc::clone(&growing);
                tokio::spawn(async move {
                    let end = self.finish(&arriving, expected).await;
                    arriving.finish(end);
                });
                return Ok(Arrived::Begun(texts, form, growing));
            }
            if !self.step().await? {
                let store: Arc<dyn Stored> = Arc::new(self.file.finish().await?);
                let (texts, form) = self.scan.finish(&store)?;
                return Ok(Arrived::Apart(texts, form));
            }
        }
    }

    /// Takes the next piece; whether there was one.
    async fn step(&mut self) -> Result<bool> {
        let Some(piece) = next_piece(&mut self.body).await? else { return Ok(false) };
        self.scan.push(&piece)?;
        self.file.push(&piece).await?;
        Ok(true)
    }

    async fn finish(mut self, growing: &Growing, (fields, length): (usize, u64)) -> Result<End> {
        while self.step().await? {
            growing.reach(self.file.at);
        }
        let all = self.file.len();
        let store: Arc<dyn Stored> = Arc::new(self.file.finish().await?);
        growing.reach(all);
        let whole = self.scan.finish(&store)?;
        let as_expected = whole.1.fields.len() == fields && file_length(&whole.1) == length;
        Ok(End { whole, as_expected })
    }
}

/// The length of a form's last file.
fn file_length(form: &Form) -> u64 {
    form.fields.last().and_then(|field| field.kept.as_ref()).map_or(0, Kept::len)
}

/// Whether a form that has begun says which model is asked.
fn names_model((texts, form): &(Bytes, Form)) -> bool {
    let named = form.fields.iter().find(|field| field.name == "model");
    named.is_some_and(|field| texts.get(field.content.clone()).is_some_and(|name| !name.is_empty()))
}

/// A file being written.
struct Written {
    file: Arc<File>,
    at: u64,
    pending: BytesMut,
}

impl Written {
    fn len(&self) -> u64 {
        self.at + self.pending.len() as u64
    }

    async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= CHUNK { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<()> {
        let (file, at, bytes) = (Arc::clone(&self.file), self.at, std::mem::take(&mut self.pending));
        let mut bytes = blocking(move || write_at(&file, &bytes, at).map(|()| bytes))
            .await
            .map_err(|error| internal("an upload could not be put down", error))?;
        self.at += bytes.len() as u64;
        // The room is used again.
        bytes.clear();
        self.pending = bytes;
        Ok(())
    }

    async fn finish(mut self) -> Result<Put> {
        self.write().await?;
        Ok(Put(self.file))
    }
}

/// A file that was put down.
#[derive(Debug)]
struct Put(Arc<File>);

impl Stored for Put {
    fn read(self: Arc<Self>, range: Range<u64>) -> BodyStream {
        Box::pin(stream::try_unfold((self, range), |(put, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let end = range.end.min(range.start + CHUNK as u64);
            let bytes = read_piece(&put.0, range.start..end).await?;
            Ok(Some((bytes, (put, end..range.end))))
        }))
    }
}

/// The bytes of a small range, which is there.
pub(super) async fn read_piece(file: &Arc<File>, range: Range<u64>) -> Result<Bytes> {
    let (file, at) = (Arc::clone(file), range.start);
    let length = usize::try_from(range.end - range.start).unwrap_or(CHUNK);
    let read = move || {
        let mut bytes = vec![0; length];
        read_at(&file, &mut bytes, at).map(|()| bytes)
    };
    let bytes = blocking(read).await.map_err(|error| internal("an upload could not be read", error))?;
    Ok(Bytes::from(bytes))
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        (bytes, at) = (&bytes[written..], at + written as u64);
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => (bytes, at) = (&mut bytes[read..], at + read as u64),
        }
    }
    Ok(())
}

/// Does what may wait for a disk beside the calls of this core.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn internal(what: &str, error: io::Error) -> Error {
    let message = format!("{what}: {error}");
    Error::new(ErrorKind::Internal, message).with_origin(Origin::Gateway).with_source(error)
}
