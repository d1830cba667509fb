//! Leaves a demo running in real time: both services on ports, deskup between them.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use stores::Store;
use world::{Deskup, Instance, World};

use crate::args::DemoArgs;
use crate::demo::lambdas::{self, Door, EnvFile};
use crate::failure::Failed;
use crate::terminal;

/// The three ports.
pub struct Ports {
    zendesk: TcpListener,
    clickup: TcpListener,
    aws: TcpListener,
}

/// Takes the ports, on this machine only.
pub fn reserve(first: u16) -> anyhow::Result<Ports> {
    let bind = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            Failed::usage(format!("port {port} cannot be used: {error}; choose another with --port"))
        })
    };
    if first == 0 {
        return Ok(Ports { zendesk: bind(0)?, clickup: bind(0)?, aws: bind(0)? });
    }
    let after = |n: u16| first.checked_add(n).ok_or_else(|| Failed::usage("--port must be below 65534"));
    Ok(Ports { zendesk: bind(first)?, clickup: bind(after(1)?)?, aws: bind(after(2)?)? })
}

/// Serves until Ctrl-C.
pub async fn serve(
    args: &DemoArgs,
    world: &World,
    instance: &Instance,
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
    let local = |port: u16| format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
    let settings = world.settings_at(&local(zendesk_port), &local(clickup_port));
    let key = format!("DEMO{:016X}", crate::machine::seed());
    let door = Door::open(world, instance.local()?, store, settings, key.clone()).await?;
    let aws_port = listen(ports.aws, Arc::new(move |request| door.clone().handle(request)))?;
    let env = EnvFile::write(&args.dir, &lambdas::environment(&local(aws_port), store, &key))?;
    terminal::talk(&words(args, world, instance, zendesk_port, clickup_port, &env).await?);
    crate::signals::stopped().await?;
    terminal::talk("\nstopping; the same command with --keep goes on here");
    instance.stop().await;
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
    instance: &Instance,
    zendesk: u16,
    clickup: u16,
    env: &EnvFile,
) -> anyhow::Result<String> {
    let kept = instance.kept().await?;
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
         Lambdas of a checkout work on the same tickets (README, \"Try the Lambdas on this machine\"):\n\
         \x20 cd functions && {}\n\n\
         Ctrl-C ends it.",
        args.dir.display(),
        env.command(),
    ))
}
