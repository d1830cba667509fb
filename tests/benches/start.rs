//! How each Lambda starts: init, first successful invocation, instructions to the first poll, peak memory; beside a Lambda
//! that does nothing and a handler on Node.js with the same duties, in turns, against the same stubs.
//!
//!     CARGO_TARGET_DIR=target/here cargo build --profile lambda -p functions --bins --example bare
//!     cargo bench --workspace --bench start -- target/here/lambda
//!
//! Needs Node.js 20 with npm, which installs the SDK of AWS under `target/start`, and valgrind for the instructions.
//! Linux only: it reads /proc.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and has nobody to report an error to"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use clients::http::HttpTransport;
use domain::Settings;
use functions::credentials::Credentials;
use functions::lambda::FUNCTIONS;
use functions::local::{self, CLICKUP_PER_MIN, Connection};
use http::{Request, Response};
use serde_json::{Value as Json, json};
use simulators::lambda::RuntimeApi;
use simulators::serve::{Handler, serve};
use stores::configuration::Configuration;
use stores::{Place, Store};
use world::{Ports, PortsOptions};

/// Turns; each starts every program once.
const TURNS: usize = 11;

fn main() {
    let built = std::env::args().skip(1).find(|word| word != "--bench");
    let Some(built) = built.map(|dir| tests::root().join(dir)).filter(|dir| dir.join("webhook").is_file())
    else {
        println!(
            "start: left out; tests/benches/start.rs says how the Lambdas are built and where they are named"
        );
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(measure(&built));
}

/// A program that is measured.
struct Subject {
    name: &'static str,
    command: Vec<String>,
    /// Its name as Lambda would tell it.
    function: &'static str,
    /// It reads at start what the first event needs, unless that is refused.
    deferred: bool,
}

/// One start.
#[derive(Clone, Copy)]
struct Start {
    init_ms: f64,
    first_ms: f64,
    memory_mb: f64,
}

async fn measure(built: &Path) {
    let stubs = Stubs::open().await;
    let node = node();
    let program = |name: &str| vec![built.join(name).display().to_string()];
    let subject = |name, command, function, deferred| Subject { name, command, function, deferred };
    let mut subjects = vec![subject("bare", program("examples/bare"), "bare", false)];
    subjects.extend(FUNCTIONS.map(|name| subject(name, program(name), name, false)));
    subjects.push(subject("claim_work, deferred", program("claim_work"), "claim_work", true));
    subjects.push(subject("Node: webhook", node.clone(), "webhook", false));
    subjects.push(subject("Node: claim_work", node, "claim_work", false));
    let mut starts: Vec<Vec<Start>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..TURNS {
        for (subject, starts) in subjects.iter().zip(&mut starts) {
            starts.push(start(subject, &stubs).await);
        }
    }
    let middle = |starts: &[Start], of: fn(&Start) -> f64| {
        let mut all: Vec<f64> = starts.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let both: Vec<f64> =
        starts.iter().map(|starts| middle(starts, |start| start.init_ms + start.first_ms)).collect();
    let of = |name: &str| both[subjects.iter().position(|subject| subject.name == name).unwrap()];
    println!(
        "medians of {TURNS} starts, in milliseconds; instructions to the first poll as a multiple of bare"
    );
    println!("                          init   first    both   of Node   memory   instructions");
    let mut bare = None;
    for ((subject, starts), both) in subjects.iter().zip(&starts).zip(&both) {
        let node = if subject.function == "webhook" { of("Node: webhook") } else { of("Node: claim_work") };
        let counted =
            if subject.name.starts_with("Node") { None } else { instructions(subject, &stubs).await };
        bare = bare.or(counted);
        let multiple = counted.zip(bare).map_or("-".to_owned(), |(own, bare)| format!("{:.2}", own / bare));
        println!(
            "  {:<20} {:7.1} {:7.1} {:7.1}   {:7.3}   {:4.0} MB   {multiple:>7}",
            subject.name,
            middle(starts, |start| start.init_ms),
            middle(starts, |start| start.first_ms),
            both,
            both / node,
            middle(starts, |start| start.memory_mb),
        );
    }
}

/// Starts a program, waits for its first poll, and hands it one event.
async fn start(subject: &Subject, stubs: &Stubs) -> Start {
    let api = RuntimeApi::open().await.unwrap();
    stubs.refusing.store(subject.deferred, Ordering::SeqCst);
    let event = stubs.event(subject.function);
    let began = Instant::now();
    let mut process = stubs.spawn(&subject.command, subject.function, &api);
    api.ready().await;
    let init_ms = began.elapsed().as_secs_f64() * 1e3;
    stubs.refusing.store(false, Ordering::SeqCst);
    let began = Instant::now();
    let reply = api.invoke(event, 0).await.unwrap();
    let first_ms = began.elapsed().as_secs_f64() * 1e3;
    assert!(reply.is_ok(), "{}: {reply:?}", subject.name);
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let memory_mb = peak.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0;
    process.kill().unwrap();
    process.wait().unwrap();
    Start { init_ms, first_ms, memory_mb }
}

/// Instructions until the first poll, as valgrind counts them.
async fn instructions(subject: &Subject, stubs: &Stubs) -> Option<f64> {
    let api = RuntimeApi::open().await.unwrap();
    let mut command = vec!["valgrind".to_owned(), "--tool=callgrind".to_owned()];
    command.push("--callgrind-out-file=/dev/null".to_owned());
    command.extend(subject.command.clone());
    stubs.refusing.store(subject.deferred, Ordering::SeqCst);
    let process = stubs.try_spawn(&command, subject.function, &api).ok()?;
    api.ready().await;
    stubs.refusing.store(false, Ordering::SeqCst);
    Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
    let output = process.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

/// What Node.js is started with; its packages are installed the first time.
fn node() -> Vec<String> {
    let (from, into) = (tests::root().join("tests/aws/start"), tests::root().join("target/start"));
    if !into.join("node_modules").is_dir() {
        println!("installing the SDK of AWS for Node.js into {}", into.display());
        std::fs::create_dir_all(&into).unwrap();
        std::fs::copy(from.join("package.json"), into.join("package.json")).unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&into);
        assert!(npm.status().unwrap().success(), "npm could not install the SDK");
    }
    let handler: PathBuf = into.join("handler.mjs");
    std::fs::copy(from.join("handler.mjs"), &handler).unwrap();
    vec!["node".to_owned(), handler.display().to_string()]
}

/// Two accounts on ports, and what stands in for AWS: a table and two secrets.
struct Stubs {
    endpoint: String,
    /// The table refuses reads: what is read at start is then read for the first event.
    refusing: Arc<AtomicBool>,
    _ports: Ports,
}

impl Stubs {
    async fn open() -> Self {
        let clock: Arc<dyn Fn() -> i64 + Send + Sync> = Arc::new(wall_ms);
        let options = PortsOptions {
            tickets: 40,
            seed: 1,
            csv: None,
            dir: None,
            clock: clock.clone(),
            port: 0,
            unlimited: true,
        };
        let ports = Ports::open(options).unwrap();
        let store = Store::embedded(Place::Memory, "bench", clock).unwrap();
        let text = world::seedwork::settings::text(&ports.scenario, &ports.zendesk_url, &ports.clickup_url);
        let accounts = accounts(&ports);
        let settings = Settings::parse(&text).unwrap();
        let written: functions::credentials::Written = serde_json::from_value(accounts.clone()).unwrap();
        let connection = connection(&store, &settings, &text, written.complete().unwrap());
        let directory = json!(local::read_directory(&connection, &settings).await.unwrap()).to_string();
        let row = Configuration { settings: text, directory, version: 0, read_ms: wall_ms() };
        store.configuration().put(&row).await.unwrap();
        let refusing = Arc::new(AtomicBool::new(false));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (refuses, accounts) = (refusing.clone(), accounts.to_string());
        let handler: Handler = Arc::new(move |request| {
            let answer = answer(&store, &accounts, refuses.load(Ordering::SeqCst), &request);
            Box::pin(async move { answer })
        });
        tokio::spawn(serve(listener, handler));
        Self { endpoint, refusing, _ports: ports }
    }

    fn event(&self, function: &str) -> Bytes {
        let path = tests::root().join("infra/events").join(format!("{function}.json"));
        std::fs::read(path).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from)
    }

    fn spawn(&self, command: &[String], function: &str, api: &RuntimeApi) -> Child {
        self.try_spawn(command, function, api).unwrap()
    }

    fn try_spawn(&self, command: &[String], function: &str, api: &RuntimeApi) -> std::io::Result<Child> {
        let machine = "arn:aws:states:local:000000000000:stateMachine:ticket-sync";
        let mut process = Command::new(&command[0]);
        process.args(&command[1..]).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        process.envs([
            ("AWS_LAMBDA_RUNTIME_API", api.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", function),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_ACCESS_KEY_ID", "bench"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_REGION", "local"),
            ("DESKUP_TABLE", "deskup"),
            ("DESKUP_INSTALLATION", "bench"),
            ("DESKUP_SHARDS", "1"),
            ("DESKUP_ACCOUNTS_SECRET", "accounts"),
            ("DESKUP_WEBHOOKS_SECRET", "webhooks"),
            ("DESKUP_QUEUE_URL", "http://127.0.0.1/wakeups"),
            ("DESKUP_LIVE_ARN", &format!("{machine}-live")),
            ("DESKUP_POLL_ARN", &format!("{machine}-poll")),
            ("DESKUP_BACKFILL_ARN", &format!("{machine}-backfill")),
        ]);
        process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
    }
}

fn connection(store: &Store, settings: &Settings, text: &str, credentials: Credentials) -> Connection {
    let (zendesk, clickup) = credentials.accounts(settings);
    Connection {
        store: store.clone(),
        transport: Arc::new(HttpTransport::new().unwrap()),
        clock: Arc::new(clients::TokioClock::new(wall_ms())),
        settings: text.to_owned(),
        zendesk,
        zendesk_limits: clients::ZendeskLimits::default(),
        clickup,
        clickup_per_min: CLICKUP_PER_MIN,
        seed: 1,
        options: functions::Options::default(),
    }
}

/// deskup's credentials as its secret has them.
fn accounts(ports: &Ports) -> Json {
    let given: std::collections::BTreeMap<_, _> = ports.credentials().into_iter().collect();
    json!({
        "zendesk": {
            "client_id": given["DESKUP_ZENDESK_CLIENT_ID"],
            "client_secret": given["DESKUP_ZENDESK_CLIENT_SECRET"],
        },
        "clickup": { "token": given["DESKUP_CLICKUP_TOKEN"] },
    })
}

fn answer(store: &Store, accounts: &str, refusing: bool, request: &Request<Bytes>) -> Response<Bytes> {
    let target =
        request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (service, action) = target.split_once('.').unwrap_or_default();
    let (status, body) = match service {
        "secretsmanager" => {
            let asked: Json = serde_json::from_slice(request.body()).unwrap_or_default();
            let signing =
                json!({ "zendesk": [{ "secret": "a secret of the bench" }], "clickup": [] }).to_string();
            let text = if asked["SecretId"] == "accounts" { accounts } else { &signing };
            (200, json!({ "SecretString": text }).to_string().into_bytes())
        }
        _ if service.starts_with("DynamoDB") && !refusing => store.answer(action, request.body()).unwrap(),
        // What the store takes for final, so that it is not asked again during init.
        _ if service.starts_with("DynamoDB") => (400, br#"{"__type":"AccessDeniedException"}"#.to_vec()),
        _ => (200, b"{}".to_vec()),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert("content-type", json);
    response
}

#[expect(clippy::disallowed_methods, reason = "processes meet in real time")]
fn wall_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}
