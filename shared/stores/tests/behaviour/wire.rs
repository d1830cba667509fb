//! The same suite against a DynamoDB over the wire: MiniStack, which `test.sh` installs below `target/aws`. One server
//! for all of it, on a port and in a folder of its own, and a table for each behaviour.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use clients::http::HttpTransport;
use clients::{TokioClock, Transport};
use futures::FutureExt;

use crate::bench::{Bench, Folder, START_MS};

/// One behaviour of the suite.
pub type Behaviour = for<'a> fn(&'a Bench) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Behaviours that the stand-in cannot have, and why: none, so far. What it takes and does not do (the table's time to
/// live among it) no behaviour relies on: what is expired is gone for readers at once.
const LEFT_OUT: &[(&str, &str)] = &[];

/// It starts within this, on a machine that has other work too.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Set where the tools have to be there: then their absence fails.
const TOOLS: &str = "DESKUP_AWS_TOOLS";

/// A running stand-in. It ends with this, and also when this process is killed: the shell that started it reads from a
/// pipe that nobody else holds.
struct Server {
    shell: Child,
    pipe: Option<ChildStdin>,
    address: SocketAddr,
    _folder: Folder,
}

impl Server {
    fn program() -> Option<PathBuf> {
        let suite = std::env::current_exe().ok()?;
        let program = suite.ancestors().nth(3)?.join("aws/venv/bin/ministack");
        program.is_file().then_some(program)
    }

    async fn start(program: &Path) -> Self {
        let folder = Folder::new();
        let place = folder.file().parent().expect("the file is in the folder").to_owned();
        std::fs::create_dir_all(&place).expect("the temporary folder can be written");
        let log = place.join("log.txt");
        let output = File::create(&log).expect("the folder can be written");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|port| port.local_addr());
        let address = free.expect("there are free ports");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#""$0" & read -r _; kill -9 $!; wait"#]).arg(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &place)
            .env("TMPDIR", &place)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", address.port().to_string())
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("MINISTACK_HOST", "localhost")
            .current_dir(&place)
            .stdin(Stdio::piped())
            .stderr(output.try_clone().expect("a file can be shared"))
            .stdout(output);
        let mut shell = command.spawn().expect("there is a shell");
        let pipe = shell.stdin.take();
        let server = Self { shell, pipe, address, _folder: folder };
        let begun = Instant::now();
        while !server.is_ready().await {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            assert!(begun.elapsed() < READY_WITHIN, "the stand-in did not start:\n{said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    async fn is_ready(&self) -> bool {
        let transport = HttpTransport::new().expect("a client without a connection");
        let health = http::Request::get(format!("http://{}/_ministack/health", self.address));
        let answer = transport.send(health.body(bytes::Bytes::new()).expect("complete")).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    fn client(&self) -> Client {
        let transport = Arc::new(HttpTransport::new().expect("a client without a connection"));
        let credentials = aws_credential_types::Credentials::new("test", "test", None, None, "test");
        let (clock, endpoint) = (Arc::new(TokioClock::new(START_MS)), format!("http://{}", self.address));
        let region = "us-east-1".to_owned();
        let session = aws::Session::new(transport, clock, credentials, region, Some(&endpoint), "suite");
        session.expect("an address").dynamodb()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.shell.wait();
    }
}

/// The table of the template: its keys and two indexes of nothing but keys.
async fn create_table(client: &Client, name: &str) {
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("complete")
    };
    let index = |name: &str, hash: &str, range: &str| {
        let keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(hash, KeyType::Hash))
            .key_schema(key(range, KeyType::Range))
            .projection(keys)
            .build()
            .expect("complete")
    };
    let mut table = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for attribute in ["pk", "sk", "dp", "ds", "lp", "ls"] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("complete");
        table = table.attribute_definitions(attribute);
    }
    let table = table.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
    let table = table.global_secondary_indexes(index("due", "dp", "ds"));
    table.global_secondary_indexes(index("list", "lp", "ls")).send().await.expect("the table is made");
}

/// Names of those that failed; each has said why.
async fn failing(client: &Client, behaviours: &[(&'static str, Behaviour)]) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for (name, behaviour) in behaviours {
        create_table(client, name).await;
        let bench = Bench::over(client.clone(), name);
        if AssertUnwindSafe(behaviour(&bench)).catch_unwind().await.is_err() {
            failed.push(*name);
        }
    }
    failed
}

#[test]
fn every_behaviour_on_dynamodb_over_the_wire() {
    let Some(program) = Server::program() else {
        assert!(std::env::var_os(TOOLS).is_none(), "{TOOLS} is set, and tests/aws/install.sh was not run");
        println!("left out: the suite over the wire needs what tests/aws/install.sh installs");
        return;
    };
    let mut behaviours = crate::behaviours();
    for (name, why) in LEFT_OUT {
        let before = behaviours.len();
        behaviours.retain(|(known, _)| known != name);
        assert!(behaviours.len() < before, "there is no behaviour {name}");
        println!("left out: {name}: {why}");
    }
    // Real time: what waits here waits for a socket.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let begun = Instant::now();
    let ready = runtime.block_on(async {
        let server = Server::start(&program).await;
        let ready = begun.elapsed();
        let client = server.client();
        let planted: Behaviour = |_| Box::pin(async { panic!("planted, to see that it is found") });
        assert_eq!(failing(&client, &[("planted", planted)]).await, ["planted"]);
        let failed = failing(&client, &behaviours).await;
        assert!(failed.is_empty(), "over the wire: {}", failed.join(", "));
        ready
    });
    println!(
        "{} behaviours over the wire in {:.1} s, it was ready after {:.1} s",
        behaviours.len(),
        begun.elapsed().as_secs_f64(),
        ready.as_secs_f64()
    );
}
