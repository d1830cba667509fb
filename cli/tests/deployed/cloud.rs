//! A stand-in for AWS on this machine, the stack deployed to it, and two accounts beside it. The stand-in runs the
//! functions as native processes; `test.sh` installs it under `target/aws`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use clients::http::HttpTransport;
use clients::{Secret, Transport};
use domain::Side;
use functions::lambda::FUNCTIONS;
use functions::lambda::secrets::Signing;
use http::{Request, Response, StatusCode};
use serde_json::Value as Json;
use simulators::serve::{Handler, serve};

use stores::Store;
use world::price::Usage;

use crate::accounts::{Accounts, Running, deskup, folder, said, wait_for, wall_ms};
use crate::grants::{Called, called};

/// The stack's name.
const STACK: &str = "deskup";

/// More than one test starts.
const EXECUTIONS_MAX: usize = 10_000;

/// Says who asks; nobody checks it here.
const CREDENTIALS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")];

/// Everything together.
pub struct Cloud {
    pub accounts: Accounts,
    pub dir: PathBuf,
    pub tools: PathBuf,
    port: u16,
    pub front: Front,
    _emulator: Running,
}

impl Cloud {
    /// Where `test.sh` puts what this suite needs; nothing where it was not run.
    pub fn tools() -> Option<PathBuf> {
        let target = Path::new(env!("CARGO_BIN_EXE_deskup")).parent()?.parent()?;
        let tools = target.join("aws");
        tools.join("venv/bin/ministack").is_file().then_some(tools)
    }

    /// Starts everything; nothing is deployed yet.
    pub fn open(tools: &Path, tickets: usize) -> Self {
        let dir = folder("aws");
        let port = free_port();
        let front = Front::open(port);
        let mut emulator = Command::new(tools.join("venv/bin/ministack"));
        // The functions inherit its environment.
        emulator.env_clear().current_dir(&dir);
        for name in ["PATH", "HOME"] {
            emulator.env(name, std::env::var(name).unwrap_or_default());
        }
        emulator
            // It hands this on to the functions.
            .env("AWS_ENDPOINT_URL", front.aws())
            .env("TMPDIR", &dir)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_HOST", "localhost")
            .env("LAMBDA_EXECUTOR", "local");
        let emulator = Running::start(&mut emulator, &dir);
        wait_for("the stand-in for AWS", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        let accounts = Accounts::open(tickets, 1);
        let cloud = Self { accounts, dir, tools: tools.to_owned(), port, front, _emulator: emulator };
        // So long that it does not fit into one row of the table.
        let comment = "# a word about our desk\n".repeat(8_000);
        std::fs::write(cloud.dir.join("deskup.toml"), cloud.accounts.settings() + &comment).unwrap();
        cloud
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn stack(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.tools.join("venv/bin/python"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/aws/stack.py");
        command.arg(script).arg(arguments[0]).args(["--endpoint", &self.endpoint(), "--stack", STACK]);
        command.args(&arguments[1..]);
        command
    }

    /// Deploys the functions of this build; `version` makes their code another one.
    #[track_caller]
    pub fn deploy(&self, version: u32) -> Json {
        let code = self.dir.join(format!("code-{version}"));
        std::fs::create_dir_all(&code).unwrap();
        let built = Path::new(env!("CARGO_BIN_EXE_deskup")).parent().unwrap();
        for function in FUNCTIONS {
            let mut bytes = std::fs::read(built.join(function)).unwrap_or_else(|error| {
                panic!("{function} is not built ({error}): cargo build --release --workspace")
            });
            // What follows an executable's last section is nobody's.
            bytes.extend_from_slice(format!("version {version}").as_bytes());
            std::fs::write(code.join(function), bytes).unwrap();
        }
        let code = code.display().to_string();
        let parameters = ["--parameters", "KeepData=false", "DeletionProtection=false"];
        let output =
            self.stack(&[&["deploy", "--code-dir", &code], &parameters[..]].concat()).output().unwrap();
        let outputs = parsed(&output);
        self.front.leads_to(outputs["WebhookUrl"].as_str().unwrap());
        outputs
    }

    /// Removes the stack; what is left of it.
    #[track_caller]
    pub fn delete(&self) -> Json {
        parsed(&self.stack(&["delete"]).output().unwrap())
    }

    /// Where both services deliver.
    pub fn public_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.front.port)
    }

    /// The command in the folder, as somebody who may enter AWS and both accounts.
    pub fn deskup(&self, arguments: &[&str]) -> Command {
        let mut command = deskup(&self.dir, arguments);
        command.envs(self.accounts.ports.credentials()).envs(CREDENTIALS);
        command.env("AWS_ENDPOINT_URL", self.endpoint());
        command
    }

    /// Runs it to its end; what it said on standard output.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.deskup(arguments).output().unwrap();
        let (out, err) = said(&output);
        assert!(output.status.success(), "deskup {}: {out}{err}", arguments.join(" "));
        out
    }

    /// Calls a function with an event; what it answers.
    #[track_caller]
    pub fn invoke(&self, function: &str, event: &Json) -> Json {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("{}/2015-03-31/functions/{STACK}-{function}/invocations", self.endpoint());
        let request = Request::post(url).body(Bytes::from(event.to_string())).unwrap();
        let answer = runtime.block_on(async { HttpTransport::new().unwrap().send(request).await.unwrap() });
        assert!(answer.status().is_success(), "{answer:?}");
        assert!(!answer.headers().contains_key("x-amz-function-error"), "{answer:?}");
        serde_json::from_slice(answer.body()).unwrap()
    }

    /// What `status` says.
    pub fn status(&self) -> Json {
        let output = self.deskup(&["status", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Kills every running function where it stands; how many there were.
    pub fn kill_functions(&self) -> usize {
        let mut killed = 0;
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.bytes().all(|b| b.is_ascii_digit()) {
                continue;
            }
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            let ours = format!("AWS_ENDPOINT_URL={}", self.front.aws());
            let has = |wanted: &[u8]| environment.split(|byte| *byte == 0).any(|one| one.starts_with(wanted));
            if has(ours.as_bytes()) && has(b"AWS_LAMBDA_RUNTIME_API=") {
                let done = Command::new("kill").args(["-9", &name]).status().unwrap();
                killed += usize::from(done.success());
            }
        }
        killed
    }

    /// What the stack has used so far: requests as they passed, executions and steps as their rows tell. How long steps
    /// ran says nothing here, where nobody waits for the services.
    pub fn used(&self) -> Usage {
        let mut used = *self.front.used.lock().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for row in runtime.block_on(self.store().executions().list(EXECUTIONS_MAX)).unwrap() {
            let calls = row.counts.values().sum::<u64>() as f64;
            used.calls += calls;
            if row.kind == "Express" {
                used.express += 1.0;
            } else {
                used.transitions += calls;
            }
        }
        used
    }

    /// What the folder knows of the stack.
    pub fn link(&self) -> toml_edit::DocumentMut {
        std::fs::read_to_string(self.dir.join("aws.toml")).unwrap().parse().unwrap()
    }

    /// AWS, for whoever looks from outside.
    pub fn session(&self) -> aws::Session {
        let transport = Arc::new(HttpTransport::new().unwrap());
        let clock = Arc::new(clients::TokioClock::new(wall_ms()));
        let credentials = aws_credential_types::Credentials::new("test", "test", None, None, "test");
        let region = self.link()["region"].as_str().unwrap().to_owned();
        aws::Session::new(transport, clock, credentials, region, Some(&self.endpoint()), "judge").unwrap()
    }

    /// What signs Zendesk's deliveries, as the stack keeps it.
    pub fn zendesk_secret(&self) -> Secret {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let link = self.link();
        let kept =
            async { aws::secrets::get(&self.session(), link["webhooks_secret"].as_str().unwrap()).await };
        let signing = Signing::read(&runtime.block_on(kept).unwrap());
        signing.holding(Side::Zendesk, wall_ms()).remove(0)
    }

    /// The stack's table, for whoever judges it.
    pub fn store(&self) -> Store {
        let link = self.link();
        let text = |name: &str| link[name].as_str().unwrap().to_owned();
        Store::new(
            self.session().dynamodb(),
            &text("table"),
            &text("installation"),
            Arc::new(wall_ms),
            1,
            stores::SHARDS,
        )
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[track_caller]
pub fn parsed(output: &Output) -> Json {
    let (out, err) = said(output);
    assert!(output.status.success(), "{out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"))
}

/// Two doors of this machine: one leads deliveries to the function URL, which is known by its host; through the other
/// one functions reach AWS, and it remembers what they asked.
pub struct Front {
    port: u16,
    aws_port: u16,
    host: Arc<Mutex<String>>,
    pub calls: Arc<Mutex<Vec<Called>>>,
    pub used: Arc<Mutex<Usage>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Front {
    fn open(emulator: u16) -> Self {
        let bind = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            listener
        };
        let (outer, inner) = (bind(), bind());
        let (port, aws_port) = (outer.local_addr().unwrap().port(), inner.local_addr().unwrap().port());
        let (host, calls) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let used = Arc::new(Mutex::new(Usage::default()));
        let (told, kept) = (host.clone(), calls.clone());
        let (delivered, charged) = (used.clone(), used.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let transport = Arc::new(HttpTransport::new().unwrap());
                let at_the_url = move |request: &mut Request<Bytes>| {
                    delivered.lock().unwrap().deliveries += 1.0;
                    let host = told.lock().unwrap().clone();
                    request.headers_mut().insert("host", host.parse().unwrap());
                };
                let deliveries = passing(transport.clone(), emulator, at_the_url, |_, _| {});
                let noted = move |request: &mut Request<Bytes>| kept.lock().unwrap().extend(called(request));
                let asked = passing(transport, emulator, noted, move |action, body| {
                    charge(&mut charged.lock().unwrap(), action, body);
                });
                let outer = tokio::net::TcpListener::from_std(outer).unwrap();
                let inner = tokio::net::TcpListener::from_std(inner).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = serve(outer, deliveries) => {}
                    () = serve(inner, asked) => {}
                }
            });
        });
        Self { port, aws_port, host, calls, used, stop: Some(stop), thread: Some(thread) }
    }

    /// Where functions find AWS.
    fn aws(&self) -> String {
        format!("http://127.0.0.1:{}", self.aws_port)
    }

    fn leads_to(&self, url: &str) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default();
        *self.host.lock().unwrap() = host.to_owned();
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a function's request to AWS is billed at.
fn charge(used: &mut Usage, action: &str, answer: &[u8]) {
    if action == "AmazonSQS.SendMessage" {
        used.wakes += 1.0;
    }
    if !action.starts_with("DynamoDB") {
        return;
    }
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    // One for a request, a list of them for a batch.
    let consumed = match &answer["ConsumedCapacity"] {
        Json::Array(each) => each.iter().filter_map(|one| one["CapacityUnits"].as_f64()).sum(),
        one => one["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    let writes = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];
    let units = if writes.iter().any(|write| action.ends_with(write)) {
        &mut used.write_units
    } else {
        &mut used.read_units
    };
    *units += consumed;
}

/// Passes requests on to the stand-in, changed a little or looked at.
fn passing(
    transport: Arc<HttpTransport>,
    port: u16,
    look: impl Fn(&mut Request<Bytes>) + Send + Sync + 'static,
    answered: impl Fn(&str, &[u8]) + Send + Sync + 'static,
) -> Handler {
    let answered = Arc::new(answered);
    Arc::new(move |mut request| {
        let answered = answered.clone();
        let transport = transport.clone();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        look(&mut request);
        *request.uri_mut() = format!("http://127.0.0.1:{port}{path}").parse().unwrap();
        request.headers_mut().remove("transfer-encoding");
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let target = target.unwrap_or_default().to_owned();
        Box::pin(async move {
            let answer = transport.send(request).await.unwrap_or_else(|_| {
                let mut gone = Response::new(Bytes::new());
                *gone.status_mut() = StatusCode::BAD_GATEWAY;
                gone
            });
            answered(&target, answer.body());
            answer
        })
    })
}
