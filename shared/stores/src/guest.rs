//! Looking at a state that another process holds: the holder lends it over a socket beside the file, and the
//! same DynamoDB requests travel there. So `status`, `pause` or a settled conflict go through one database,
//! while it works.
//!
//! On the wire: operation and body, each with its length before it; back come the status and the body.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::connector::response;
use crate::store::Here;

/// A request or an answer; DynamoDB's own bounds are 16 MB for a batch.
const FRAME_BYTES_MAX: u32 = 32 * 1024 * 1024;

/// An operation's name.
const NAME_BYTES_MAX: u32 = 64;

/// Without file handles a process must not spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// The socket of a state file.
pub(crate) fn socket(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sock");
    PathBuf::from(name)
}

/// The socket of a holder; gone with it.
pub struct Lending {
    task: tokio::task::JoinHandle<()>,
    path: PathBuf,
}

impl Drop for Lending {
    fn drop(&mut self) {
        self.task.abort();
        // What is left over by a kill is removed by the next holder.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Answers guests until the result is dropped. Only the user who owns the folder gets in.
pub(crate) fn lend(here: Arc<dyn Here>, file: &Path) -> io::Result<Lending> {
    use std::os::unix::fs::PermissionsExt;
    let path = socket(file);
    // The lock is ours, so whoever left this socket is dead.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let task = tokio::spawn(async move {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                // A guest who left before it was let in, or no file handles for now: the next one is welcome.
                Err(error) => {
                    tracing::warn!(%error, "a guest could not be let in");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let here = here.clone();
            tokio::spawn(async move {
                if let Err(error) = answer_all(stream, here.as_ref()).await {
                    tracing::debug!(%error, "a guest left early");
                }
            });
        }
    });
    Ok(Lending { task, path })
}

async fn answer_all(mut stream: UnixStream, here: &dyn Here) -> io::Result<()> {
    loop {
        let name = match read_frame(&mut stream, NAME_BYTES_MAX).await {
            Ok(name) => name,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let body = read_frame(&mut stream, FRAME_BYTES_MAX).await?;
        let (status, body) = here.serve(&String::from_utf8_lossy(&name), &body);
        stream.write_u16(status).await?;
        write_frame(&mut stream, &body).await?;
        stream.flush().await?;
    }
}

async fn read_frame(stream: &mut UnixStream, most: u32) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    if length > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write_frame(stream: &mut UnixStream, frame: &[u8]) -> io::Result<()> {
    let length = u32::try_from(frame.len()).ok().filter(|length| *length <= FRAME_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"))?;
    stream.write_u32(length).await?;
    stream.write_all(frame).await
}

/// Asks the holder.
#[derive(Clone)]
pub(crate) struct Guest {
    path: PathBuf,
}

impl Guest {
    /// Whether somebody lends this file.
    pub async fn at(file: &Path) -> Option<Self> {
        let path = socket(file);
        UnixStream::connect(&path).await.ok()?;
        Some(Self { path })
    }

    /// One request and its answer.
    pub async fn ask(&self, operation: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.path).await?;
        write_frame(&mut stream, operation.as_bytes()).await?;
        write_frame(&mut stream, body).await?;
        stream.flush().await?;
        let status = stream.read_u16().await?;
        Ok((status, read_frame(&mut stream, FRAME_BYTES_MAX).await?))
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guest")
    }
}

impl HttpConnector for Guest {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let guest = self.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let body = request.body().bytes().unwrap_or_default();
            // The holder may have ended in the middle: then nobody knows.
            let answer = guest.ask(&operation, body).await;
            let (status, body) = answer.map_err(|error| ConnectorError::io(error.into()))?;
            Ok(response(status, body))
        })
    }
}

impl HttpClient for Guest {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
