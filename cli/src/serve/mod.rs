//! Keeps both accounts in step until it is told to stop: webhooks on a port, the cursors every minute, sweeps,
//! and the same workflow as everywhere.

mod listener;
mod report;
mod tasks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clients::ErrorKind;
use domain::settings::serve::public_url;
use functions::backfill::{self, Place};
use functions::local::{ConnectError, Local};
use functions::steps::poll_tickets;
use orchestration::{EngineError, recovery_manager};
use stores::Store;
use stores::service::Service;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::failure::Failed;
use crate::installation::{Folder, Installation, wall_ms};
use crate::signals::Stops;
use crate::{expiry, machine, terminal};

/// What runs when a stop is asked for may finish within this.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// While a service does not answer at the start, it is asked again; waits grow up to the second one.
const CONNECT_AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));

/// Options of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::SERVE)]
pub struct ServeArgs {
    #[command(flatten)]
    folder: Folder,
    /// Where to listen for webhooks, instead of [serve] listen in deskup.toml
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where Zendesk and ClickUp reach that, instead of [serve] public_url in deskup.toml
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Serve without a first `deskup run ticket-sync`: only what changes from now on
    #[arg(long)]
    from_now: bool,
}

/// Where it listens, and where it is reached.
#[derive(Clone, Debug)]
struct Where {
    listen: SocketAddr,
    public_url: Option<String>,
}

/// How it came to its end.
enum End {
    /// Everything that ran is finished.
    Clean,
    /// Some of it was cut short.
    Late,
    /// A second signal.
    AtOnce,
}

/// Runs `deskup serve`.
pub fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let installation = Installation::locate(&args.folder);
    installation.refuse_demo()?;
    installation.refuse_stack("the stack serves; `deskup status` tells how it goes")?;
    let (_, settings) = installation.settings()?;
    let place = Where {
        listen: args.listen.unwrap_or(settings.serve.listen),
        public_url: match &args.public_url {
            Some(given) => {
                Some(public_url(given).map_err(|message| Failed::usage(format!("--public-url: {message}")))?)
            }
            None => settings.serve.public_url,
        },
    };
    machine::runtime()?.block_on(serve(args, &installation, &place))
}

async fn serve(args: &ServeArgs, installation: &Installation, place: &Where) -> anyhow::Result<()> {
    let mut stops = Stops::new()?;
    // First the state: a second process must say who holds it, not that the port is taken.
    let store = installation.store().await?;
    let _lending = store
        .lend()
        .map_err(|error| Failed::state(format!("the state cannot be lent to other commands: {error}")))?;
    if !args.from_now {
        was_run(&store).await?;
    }
    let listener = TcpListener::bind(place.listen).await.map_err(|error| {
        Failed::usage(format!(
            "{} cannot be listened on: {error}; choose another with --listen, or [serve] listen in deskup.toml",
            place.listen
        ))
    })?;
    let listen = listener.local_addr()?;
    let place = Where { listen, ..place.clone() };
    let stored = |error: stores::StoreError| Failed::store(&error);
    if let Some(line) = report::last_time(store.service().get().await.map_err(stored)?.as_ref(), wall_ms()) {
        terminal::talk(&format!("deskup: {line}"));
    }
    if let Some(line) = expiry::warning(installation, wall_ms())? {
        terminal::talk(&format!("deskup: {line}"));
    }
    let connected = tokio::select! {
        biased;
        () = stops.next() => return Ok(()),
        connected = connect(installation, &store) => connected?,
    };
    let local = Arc::new(connected);
    recovery_manager::take_over(&store).await.map_err(stored)?;
    let mut service = begun(&local, &place).await?;
    let end = work(&local, installation, &place, listener, &mut service, &mut stops).await;
    let running = local.engine.running();
    local.engine.abort_all();
    let at_once = matches!(end, End::AtOnce);
    if !at_once {
        service.stopped_ms = Some(wall_ms());
    }
    tasks::note_alive(&local.cx, &mut service).await.map_err(stored)?;
    match end {
        End::Clean => terminal::talk("deskup: stopped in order"),
        End::Late => terminal::talk(&format!(
            "deskup: stopped; {running} executions were cut short, the next start takes them up"
        )),
        End::AtOnce => {
            return Err(Failed::result("stopped at once; the next start puts in order what was cut short"));
        }
    }
    Ok(())
}

/// Refuses to begin with a service: the first run shows what will be written before it is.
async fn was_run(store: &Store) -> anyhow::Result<()> {
    let failed = |error: stores::StoreError| Failed::store(&error);
    let begun = store.cursors().get(backfill::STREAM).await.map_err(failed)?;
    let polled = store.cursors().get(poll_tickets::STREAM).await.map_err(failed)?;
    let place = begun.as_ref().and_then(|cursor| serde_json::from_str::<Place>(&cursor.text).ok());
    match place {
        Some(place) if !place.done => Err(Failed::usage(
            "the first run is not finished: `deskup run ticket-sync` goes on with it; then serve",
        )),
        None if polled.is_none() => Err(Failed::usage(
            "nothing was brought over yet: look at `deskup plan`, then `deskup run ticket-sync`; or serve only what changes from now on, with --from-now",
        )),
        _ => Ok(()),
    }
}

/// Connects; a service that does not answer is asked again, because a machine may start before its network.
async fn connect(installation: &Installation, store: &Store) -> anyhow::Result<Local> {
    let (mut wait, longest) = CONNECT_AGAIN;
    loop {
        let error = match machine::attempt(installation, store.clone(), |_| ()).await? {
            Ok(local) => return Ok(local),
            Err(error) => error,
        };
        if !passes(&error) {
            return Err(machine::kept_out(error));
        }
        let refused = machine::refused(error);
        terminal::talk(&format!("deskup: {refused}; asked again in {} s", wait.as_secs()));
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(longest);
    }
}

/// Whether waiting may help.
fn passes(error: &ConnectError) -> bool {
    match error {
        ConnectError::Api { source, .. } => {
            source.kind.is_worth_repeating() || matches!(source.kind, ErrorKind::Unknown)
        }
        ConnectError::Store(error) | ConnectError::Engine(EngineError::Store { source: error, .. }) => {
            error.is_transient()
        }
        _ => false,
    }
}

async fn begun(local: &Local, place: &Where) -> anyhow::Result<Service> {
    let (store, now_ms) = (&local.cx.store, wall_ms());
    let before = store.service().get().await.map_err(|error| Failed::store(&error))?.unwrap_or_default();
    let service = Service {
        process: std::process::id(),
        started_ms: now_ms,
        alive_ms: now_ms,
        stopped_ms: None,
        listen: place.listen.to_string(),
        public_url: place.public_url.clone().unwrap_or_default(),
        settings: local.cx.mapping.settings().digest(),
        zendesk_ms: before.zendesk_ms,
        clickup_ms: before.clickup_ms,
    };
    store.service().put(&service).await.map_err(|error| Failed::store(&error))?;
    Ok(service)
}

/// Everything that runs beside each other, until a signal.
async fn work(
    local: &Arc<Local>,
    installation: &Installation,
    place: &Where,
    listener: TcpListener,
    service: &mut Service,
    stops: &mut Stops,
) -> End {
    let (stop, stopped) = watch::channel(false);
    let handler = tasks::handler(local.clone(), place.public_url.as_deref());
    let listening = tokio::spawn(listener::listen(listener, handler, listener::Bounds::default(), stopped));
    terminal::talk(&tasks::welcome(local, place));
    let upkeep = tokio::spawn(tasks::webhooks(local.clone(), place.public_url.clone()));
    let watching = tokio::spawn(tasks::access(local.clone(), installation.clone()));
    let dispatcher = local.dispatcher.clone();
    // What happened while nobody served is asked for at once.
    let catching_up = tokio::spawn(async move {
        if let Err(error) = dispatcher.poll().await {
            tracing::warn!(%error, "the first poll could not be started");
        }
    });
    let dispatching = tokio::spawn(local.dispatcher.clone().run());
    tokio::select! {
        biased;
        () = stops.next() => {}
        () = tasks::report(local, service) => {}
    }
    terminal::talk(&format!(
        "deskup: stopping; what runs may finish within {} s, a second signal ends it at once",
        STOP_WITHIN.as_secs()
    ));
    stop.send_replace(true);
    local.dispatcher.stop();
    upkeep.abort();
    watching.abort();
    // Their own failures were said where they happened.
    let all = async {
        let _ = listening.await;
        let _ = catching_up.await;
        let _ = dispatching.await;
    };
    tokio::select! {
        biased;
        () = stops.next() => End::AtOnce,
        () = all => End::Clean,
        () = tokio::time::sleep(STOP_WITHIN) => End::Late,
    }
}
