//! The Lambdas of a checkout on a demo that is kept running: each as a process of its own, called as `cargo lambda`
//! calls it, with the events that the project ships.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use functions::lambda::FUNCTIONS;
use http::{Request, Response};
use serde_json::{Value as Json, json};
use simulators::lambda::RuntimeApi;
use simulators::serve::{Handler, serve};

use crate::accounts::{Running, deskup, folder, said, wait_for, wall_ms};

/// A demo that is kept running, every function beside it, and a server in front of them.
struct Bench {
    dir: PathBuf,
    url: String,
    functions: Arc<BTreeMap<&'static str, RuntimeApi>>,
    runtime: tokio::runtime::Runtime,
    processes: Vec<Running>,
    demo: Running,
}

impl Bench {
    fn open() -> Self {
        let dir = folder("lambdas");
        let arguments = ["demo", "--keep", "--tickets", "12", "--edits", "4", "--dir", ".", "--port", "0"];
        let demo = Running::start(&mut deskup(&dir, &arguments), &dir);
        let environment = wait_for("the demo", || std::fs::read_to_string(dir.join("lambda.env")).ok());
        let environment: Vec<(String, String)> = environment
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let built = Path::new(env!("CARGO_BIN_EXE_deskup")).parent().unwrap();
        let (mut functions, mut processes) = (BTreeMap::new(), Vec::new());
        for function in FUNCTIONS {
            let api = runtime.block_on(RuntimeApi::open()).unwrap();
            let mut command = Command::new(built.join(function));
            command.env_clear().envs(environment.clone()).env("AWS_LAMBDA_RUNTIME_API", api.address());
            command.env("AWS_LAMBDA_FUNCTION_NAME", function).env("AWS_LAMBDA_FUNCTION_VERSION", "1");
            command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256").stdin(Stdio::null());
            let own = dir.join(function);
            std::fs::create_dir_all(&own).unwrap();
            processes.push(Running::start(&mut command, &own));
            functions.insert(function, api);
        }
        let functions = Arc::new(functions);
        let url = runtime.block_on(in_front(functions.clone()));
        Self { dir, url, functions, runtime, processes, demo }
    }

    /// Calls a function with an event; what it answers, or the name of its failure.
    fn invoke(&self, function: &str, event: &str) -> Result<Json, String> {
        let invoked = self.functions[function].invoke(Bytes::from(event.to_owned()), wall_ms() + 60_000);
        match self.runtime.block_on(invoked).unwrap() {
            Ok(body) => Ok(serde_json::from_slice(&body).unwrap()),
            Err(body) => {
                let failure: Json = serde_json::from_slice(&body).unwrap();
                Err(failure["errorType"].as_str().unwrap().to_owned())
            }
        }
    }

    /// With an event that the project ships.
    fn shipped(&self, function: &str) -> Result<Json, String> {
        let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/events");
        self.invoke(function, &std::fs::read_to_string(events.join(format!("{function}.json"))).unwrap())
    }

    /// What the demo prints keeps functions to this machine, and its door asks for the key that it wrote down.
    fn keeps_strangers_out(&self) {
        let printed = std::fs::read_to_string(self.dir.join("err.txt")).unwrap();
        assert!(printed.contains("--invoke-address 127.0.0.1 --disable-cors"), "{printed}");
        let environment = std::fs::read_to_string(self.dir.join("lambda.env")).unwrap();
        let value = |name: &str| {
            let line = environment.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap().to_owned()
        };
        let (endpoint, key) = (value("AWS_ENDPOINT_URL"), value("AWS_ACCESS_KEY_ID"));
        let transport = clients::http::HttpTransport::new().unwrap();
        let status = |key: &str, host: Option<&str>| {
            let mut request = Request::post(&endpoint)
                .header("x-amz-target", "secretsmanager.GetSecretValue")
                .header(
                    "authorization",
                    format!("AWS4-HMAC-SHA256 Credential={key}/20261123/local/x, Signature=0"),
                )
                .body(Bytes::from_static(br#"{"SecretId":"accounts"}"#))
                .unwrap();
            if let Some(host) = host {
                request.headers_mut().insert("host", host.parse().unwrap());
            }
            self.runtime.block_on(clients::Transport::send(&transport, request)).unwrap().status().as_u16()
        };
        assert_eq!(status(&key, None), 200);
        assert_eq!(status("DEMO", None), 403);
        assert_eq!(status(&key, Some("evil.example")), 403);
    }

    fn deskup(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = deskup(&self.dir, arguments).args(["--dir", "."]).output().unwrap();
        let (out, error) = said(&output);
        (output.status.code(), out, error)
    }

    fn status(&self) -> Json {
        serde_json::from_str(&self.deskup(&["status", "--json"]).1).unwrap()
    }
}

/// Answers as `cargo lambda watch` does: a failure is status 500 with its body, and no header marks it.
async fn in_front(functions: Arc<BTreeMap<&'static str, RuntimeApi>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handler: Handler = Arc::new(move |request: Request<Bytes>| {
        let functions = functions.clone();
        Box::pin(async move {
            let name = request.uri().path().split('/').nth(3).unwrap_or_default().to_owned();
            let Some(api) = functions.get(name.as_str()) else {
                return Response::builder().status(404).body(Bytes::new()).unwrap();
            };
            // It tells no usable deadline.
            match api.invoke(request.into_body(), 0).await {
                Some(Ok(body)) => Response::new(body),
                Some(Err(body)) => Response::builder().status(500).body(body).unwrap(),
                None => Response::builder().status(502).body(Bytes::new()).unwrap(),
            }
        })
    });
    tokio::spawn(serve(listener, handler));
    url
}

#[test]
fn every_function_works_on_a_demo_that_is_kept_running() {
    let mut bench = Bench::open();
    bench.keeps_strangers_out();
    let expected = [
        ("backfill_page", json!({ "done": true, "wait_s": 0, "created": 0, "seen": 0 })),
        ("finish_backfill", json!({ "linked": 12 })),
        ("claim_work", json!({ "batches": [], "claimed": 0, "more": false })),
        ("sync_records", json!({ "synced": 0, "written": 0, "requeued": 0, "quarantined": 0 })),
        ("poll_tickets", json!({ "hinted": 0, "caught_up": true })),
        ("poll_comments", json!({ "hinted": 0, "caught_up": true })),
        ("poll_tasks", json!({ "hinted": 0, "caught_up": true })),
        ("settle_effects", json!({ "settled": 0, "left": 0 })),
        ("compare_links", json!({ "compared": 12, "hinted": 0 })),
        ("dispatcher", json!({ "batchItemFailures": [] })),
        // Its signature is made up.
        ("webhook", json!({ "statusCode": 403, "headers": {}, "body": "" })),
    ];
    for (function, answer) in expected {
        assert_eq!(bench.shipped(function), Ok(answer), "{function}");
    }
    assert_eq!(bench.invoke("claim_work", "null"), Err("Bug".to_owned()));
    // The embedded engine calls them all.
    let (code, out, error) = bench.deskup(&["run", "ticket-sync", "--invoke", &bench.url.clone(), "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let report: Json = serde_json::from_str(&out).unwrap();
    let ended: Vec<&str> =
        report["executions"].as_array().unwrap().iter().filter_map(|one| one["status"].as_str()).collect();
    assert_eq!(ended, ["SUCCEEDED"; 3]);
    assert_eq!(report["calls"]["BackfillPage"], json!({ "calls": 1, "failures": 0 }));
    assert_eq!(report["calls"]["PollTasks"], json!({ "calls": 1, "failures": 0 }));
    // An execution that a Lambda starts runs on the demo's engine, and its row is closed.
    let executions = |bench: &Bench, status: &str| {
        let rows = bench.status()["executions"].as_array().cloned().unwrap_or_default();
        let fits = |row: &&Json| row["workflow"] == "ticket-sync-sweep" && row["status"] == status;
        rows.iter().filter(fits).count()
    };
    let before = executions(&bench, "SUCCEEDED");
    assert_eq!(bench.invoke("dispatcher", r#"{"schedule":"sweep","at":"now"}"#), Ok(Json::Null));
    wait_for("the sweep", || (executions(&bench, "SUCCEEDED") > before).then_some(()));
    assert_eq!(executions(&bench, "RUNNING"), 0);
    for schedule in ["due", "refresh", "poll"] {
        let event = json!({ "schedule": schedule, "at": "now" }).to_string();
        assert_eq!(bench.invoke("dispatcher", &event), Ok(Json::Null), "{schedule}");
    }
    bench.processes.clear();
    bench.demo.signal("INT");
    wait_for("its end", || (!bench.dir.join("lambda.env").exists()).then_some(()));
    let (code, _, error) = bench.deskup(&["run", "ticket-sync", "--invoke", "http://127.0.0.1:1"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("deskup demo --keep"), "{error}");
}
