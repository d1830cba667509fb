//! How much work deskup is: a backfill without artificial limits, as CPU time over the CPU time of parsing
//! the bytes that went over the wire, and its memory at ten times the tickets.
//!
//!     cargo bench -p tests --bench backfill             10,000 tickets against 1,000
//!     cargo bench -p tests --bench backfill -- 2000     2,000 tickets against 200
//!
//! Each figure is taken in a process of its own. Linux only: it reads /proc.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and has nobody to report an error to"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use bytes::Bytes;
use clients::{Transport, TransportError};
use futures::future::BoxFuture;
use stores::{Place, Store};
use world::{Deskup, Instance, InstanceOptions, Silent, World, WorldOptions};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["part", part, tickets, dir] => run_part(part, tickets.parse().unwrap(), Path::new(dir)),
        [tickets] => compare(tickets.parse().unwrap()),
        _ => compare(10_000),
    }
}

fn compare(tickets: usize) {
    let dir = std::env::temp_dir().join(format!("deskup-bench-{}", std::process::id()));
    let cpu = part("cpu", tickets, &dir.join("cpu"));
    println!("backfill of {tickets} tickets, no artificial limits, simulators in the same process");
    println!("  CPU time            {:.2} s", cpu[0]);
    println!("  parsing its {:.0} MB  {:.2} s", cpu[2] / 1e6, cpu[1]);
    println!("  ratio               {:.1}", cpu[0] / cpu[1]);
    let mut own = Vec::new();
    for tickets in [tickets / 10, tickets] {
        let dir = dir.join(tickets.to_string());
        let whole = part("whole", tickets, &dir.join("whole"))[0];
        let simulators = part("simulators", tickets, &dir.join("simulators"))[0];
        println!(
            "  memory at {tickets:>6}    {whole:.0} MB at most, the simulators of the same work alone {simulators:.0} MB, deskup {:.0} MB",
            whole - simulators
        );
        own.push(whole - simulators);
    }
    println!("  memory ratio        {:.2}", own[1] / own[0]);
    let _ = std::fs::remove_dir_all(&dir);
}

/// Runs a part in a process of its own and reads the numbers it prints.
fn part(part: &str, tickets: usize, dir: &Path) -> Vec<f64> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["part", part, &tickets.to_string(), dir.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{part}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).split_whitespace().map(|n| n.parse().unwrap()).collect()
}

fn run_part(part: &str, tickets: usize, dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        match part {
            "cpu" => cpu(tickets).await,
            "whole" => {
                let tape = File::create(dir.with_extension("tape")).unwrap();
                let wrap = |inner| -> Arc<dyn Transport> { Arc::new(Tape { inner, file: Mutex::new(tape) }) };
                let world = world(tickets, Some(dir));
                backfill(&world, Place::File(dir.join("state.sqlite")), wrap).await;
                println!("{}", status_mb("VmHWM:"));
            }
            "simulators" => {
                let tape = dir.with_file_name("whole.tape");
                replay(&world(tickets, Some(dir)), &tape).await;
                println!("{}", status_mb("VmHWM:"));
            }
            other => panic!("no part `{other}`"),
        }
    });
}

async fn cpu(tickets: usize) {
    let world = world(tickets, None);
    world.seed(&Silent).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let before = cpu_s();
    let recorder = seen.clone();
    let wrap = |inner| -> Arc<dyn Transport> { Arc::new(Recorder { inner, seen: recorder }) };
    backfill(&world, Place::Memory, wrap).await;
    let spent = cpu_s() - before;
    let bodies = seen.lock().unwrap();
    let bytes: usize = bodies.iter().map(Bytes::len).sum();
    let before = cpu_s();
    let parsed =
        bodies.iter().filter(|body| serde_json::from_slice::<serde_json::Value>(body).is_ok()).count();
    let parsing = cpu_s() - before;
    assert!(parsed > tickets, "only {parsed} bodies are JSON");
    println!("{spent} {parsing} {bytes}");
}

fn world(tickets: usize, dir: Option<&Path>) -> World {
    let options = WorldOptions {
        tickets,
        edits: 0,
        unlimited: true,
        // Short enough for a token to last while the tape is replayed one request after the other.
        latency_ms: (1, 1),
        dir: dir.map(Path::to_path_buf),
        ..WorldOptions::default()
    };
    World::open(options).unwrap()
}

async fn backfill(world: &World, place: Place, wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>) {
    let clock = world.access().clock;
    let store = Store::embedded(place, "bench", Arc::new(move || clock.now_ms())).unwrap();
    let mut options = InstanceOptions::of(world, store);
    options.transport = wrap(options.transport);
    let deskup: Arc<dyn Deskup> = Instance::new(options);
    world.seed(&Silent).unwrap();
    world.connect(Some(deskup.clone()));
    world.prepare(deskup.as_ref()).await.unwrap();
    world.backfill(deskup.as_ref(), &Silent).await.unwrap();
}

/// What the simulators do in a backfill, without deskup: every request of the tape again.
async fn replay(world: &World, tape: &Path) {
    world.seed(&Silent).unwrap();
    let wire = world.access().transport;
    for line in BufReader::new(File::open(tape).unwrap()).lines() {
        let (method, uri, headers, body): (String, String, Vec<(String, String)>, String) =
            serde_json::from_str(&line.unwrap()).unwrap();
        let mut request = http::Request::builder().method(method.as_str()).uri(uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        let answer = wire.send(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        assert!(answer.status().as_u16() < 400, "the tape does not fit: {}", answer.status());
    }
}

/// Writes every request down.
struct Tape {
    inner: Arc<dyn Transport>,
    file: Mutex<File>,
}

impl Transport for Tape {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let headers = request.headers().iter();
        let headers: Vec<(&str, &str)> =
            headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let body = base64::engine::general_purpose::STANDARD.encode(request.body());
        let line = (request.method().as_str(), request.uri().to_string(), headers, body);
        writeln!(self.file.lock().unwrap(), "{}", serde_json::to_string(&line).unwrap()).unwrap();
        self.inner.send(request)
    }
}

/// Keeps every body that goes over the wire.
struct Recorder {
    inner: Arc<dyn Transport>,
    seen: Arc<Mutex<Vec<Bytes>>>,
}

impl Transport for Recorder {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let sent = request.body().clone();
            let answer = self.inner.send(request).await;
            let mut seen = self.seen.lock().unwrap();
            seen.push(sent);
            if let Ok(answer) = &answer {
                seen.push(answer.body().clone());
            }
            answer
        })
    }
}

/// CPU time of this process in seconds; the kernel counts hundredths.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// A line of /proc/self/status, in megabytes.
fn status_mb(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
