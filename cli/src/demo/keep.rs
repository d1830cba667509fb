//! Leaves a demo running in real time: both services on ports, deskup between them.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use stores::Store;
use world::{Deskup, World};

use crate::args::DemoArgs;
use crate::failure::Failed;
use crate::terminal;

/// The two ports.
pub struct Ports {
    zendesk: TcpListener,
    clickup: TcpListener,
}

/// Takes both ports, on this machine only.
pub fn reserve(first: u16) -> anyhow::Result<Ports> {
    let bind = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            Failed::usage(format!("port {port} cannot be used: {error}; choose another with --port"))
        })
    };
    let second = first.checked_add(1).ok_or_else(|| Failed::usage("--port must be below 65535"))?;
    Ok(Ports { zendesk: bind(first)?, clickup: bind(second)? })
}

/// Serves until Ctrl-C.
pub async fn serve(
    args: &DemoArgs,
    world: &World,
    deskup: &Arc<dyn Deskup>,
    store: &Store,
    ports: Ports,
) -> anyhow::Result<()> {
    tokio::time::resume();
    // Without a socket other commands say who holds the state.
    #[cfg(unix)]
    let _lending = store.lend().inspect_err(|error| tracing::info!(%error, "the state cannot be lent"));
    let zendesk = world.zendesk().clone();
    let clickup = world.clickup().clone();
    let zendesk_port = listen(ports.zendesk, Arc::new(move |request| zendesk.handle(request)))?;
    let clickup_port = listen(ports.clickup, Arc::new(move |request| clickup.handle(request)))?;
    terminal::talk(&words(args, world, deskup, zendesk_port, clickup_port).await?);
    crate::signals::stopped().await?;
    terminal::talk("\nstopping; the same command with --keep goes on here");
    deskup.stop().await;
    Ok(())
}

fn listen(listener: TcpListener, handler: simulators::serve::Handler) -> anyhow::Result<u16> {
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tokio::spawn(simulators::serve::serve(listener, handler));
    Ok(port)
}

/// What to type now.
async fn words(
    args: &DemoArgs,
    world: &World,
    deskup: &Arc<dyn Deskup>,
    zendesk: u16,
    clickup: u16,
) -> anyhow::Result<String> {
    let kept = deskup.kept().await?;
    let open = |ticket: &domain::TicketId| {
        world.zendesk().ticket(ticket.get()).is_some_and(|ticket| ticket["status"] != "closed")
    };
    let pair = kept.links.iter().find(|(ticket, _)| open(ticket));
    let (ticket, task) = pair.map_or((1, String::new()), |(id, link)| (id.get(), link.task.to_string()));
    let colleague =
        world.scenario().cast.colleagues.iter().find(|who| who.zendesk.is_some() && who.clickup.is_some());
    let (mail, agent, member) = colleague.map_or((String::new(), 0, 0), |who| {
        (who.email.clone(), who.zendesk.unwrap_or_default(), who.clickup.unwrap_or_default())
    });
    let z = format!("http://127.0.0.1:{zendesk}/api/v2/tickets/{ticket}.json");
    let c = format!("http://127.0.0.1:{clickup}/api/v2/task/{task}");
    Ok(format!(
        "\nEverything keeps running, now in real time. State: {}\n\n\
         Read ticket {ticket} and its task:\n\
         \x20 curl -su '{mail}/token:token-{agent}' {z}\n\
         \x20 curl -sH 'Authorization: pk_{member}' {c}\n\n\
         Change one side, wait some five seconds, and read the other:\n\
         \x20 curl -su '{mail}/token:token-{agent}' -X PUT -H 'Content-Type: application/json' {z} \\\n\
         \x20      -d '{{\"ticket\":{{\"priority\":\"urgent\",\"comment\":{{\"body\":\"Hello from Zendesk\",\"public\":true}}}}}}'\n\
         \x20 curl -sH 'Authorization: pk_{member}' -X PUT -H 'Content-Type: application/json' {c} \\\n\
         \x20      -d '{{\"name\":\"Renamed in ClickUp\"}}'\n\n\
         Ctrl-C ends it.",
        args.dir.display(),
    ))
}
