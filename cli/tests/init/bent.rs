//! A service on a port that answers as a test wants, and otherwise as the simulated one behind it.

use std::sync::{Arc, mpsc};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use simulators::serve::{Handler, serve};

/// Such a service, until it is dropped.
pub struct Bent {
    pub url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What a test does with a request: answers it itself, or lets the service see it, changed or not.
pub enum Turn {
    Answer(Response<Bytes>),
    Pass(Request<Bytes>),
}

impl Bent {
    /// Bends requests on their way in and answers on their way out.
    pub fn new(
        service: impl Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync + 'static,
        bend: impl Fn(Request<Bytes>) -> Turn + Send + Sync + 'static,
        finish: impl Fn(Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        let finish = Arc::new(finish);
        let handler: Handler = Arc::new(move |request| match bend(request) {
            Turn::Answer(answer) => Box::pin(std::future::ready(answer)),
            Turn::Pass(request) => {
                let (answer, finish) = (service(request), finish.clone());
                Box::pin(async move { finish(answer.await) })
            }
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let serving = tokio::spawn(serve(listener, handler));
                ready.send(()).unwrap();
                let _ = stopped.await;
                serving.abort();
            });
        });
        is_ready.recv().unwrap();
        Self { url, stop: Some(stop), thread: Some(thread) }
    }

    /// Answers everything with this.
    pub fn always(status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str) -> Self {
        let nobody = |_: Request<Bytes>| -> BoxFuture<'static, Response<Bytes>> {
            unreachable!("nothing is passed on")
        };
        Self::new(nobody, move |_| Turn::Answer(answer(status, headers, body)), |answer| answer)
    }
}

/// An answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::from(body.to_owned())).unwrap()
}

impl Drop for Bent {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
