//! A tunnel of this machine: what arrives at its port goes on to another one, until it is cut, blocked, or led
//! somewhere else.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

/// Where a tunnel leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lead {
    /// To this address.
    To(SocketAddr),
    /// Nowhere: connections are closed at once.
    Cut,
    /// Nowhere: connections are kept and nothing is answered.
    Blocked,
    /// To something that answers this status to everything.
    Says(u16),
}

/// A tunnel, served by a thread of its own until this is dropped.
pub struct Gate {
    pub port: u16,
    lead: watch::Sender<Lead>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gate {
    /// A tunnel on any port.
    pub fn open(lead: Lead) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (lead, led) = watch::channel(lead);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, led) => {}
                }
            });
        });
        Self { port, lead, stop: Some(stop), thread: Some(thread) }
    }

    /// Leads somewhere else from now on; what is under way is cut.
    pub fn lead(&self, lead: Lead) {
        self.lead.send_replace(lead);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, led: watch::Receiver<Lead>) {
    loop {
        // A connection that died before it was accepted says nothing about the next one.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let mut led = led.clone();
        let lead = led.borrow_and_update().clone();
        tokio::spawn(async move {
            tokio::select! {
                () = pass(stream, lead) => {}
                _ = led.changed() => {}
            }
        });
    }
}

async fn pass(mut stream: TcpStream, lead: Lead) {
    match lead {
        Lead::To(address) => {
            let Ok(mut beyond) = TcpStream::connect(address).await else { return };
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut beyond).await;
        }
        Lead::Cut => {}
        Lead::Blocked => std::future::pending().await,
        Lead::Says(status) => {
            // One request is enough: its head and its short body come together or not at all.
            let mut request = [0; 16 * 1024];
            let _ = stream.read(&mut request).await;
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    }
}
