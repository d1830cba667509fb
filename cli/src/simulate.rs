//! Two simulated accounts on ports, without a deskup: what the commands for real accounts are tried on.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use world::{Ports, PortsError, PortsOptions};

use crate::failure::Failed;
use crate::installation::wall_ms;
use crate::{machine, terminal};

/// Options of `simulate`.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::help::SIMULATE)]
pub struct SimulateArgs {
    /// Tickets to fill Zendesk with
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tickets: u32,
    /// The same seed gives the same people and texts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A CSV of ticket texts; a small set that ships with deskup otherwise
    #[arg(long, env = "DESKUP_TICKETS", value_name = "FILE")]
    pub tickets_file: Option<PathBuf>,
    /// Zendesk's port; ClickUp and the files of both take the next two; 0 takes any three
    #[arg(long, default_value_t = 8811, value_name = "PORT")]
    pub port: u16,
    /// Keep both accounts in this folder; otherwise they are gone with the process
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs `deskup simulate`.
pub fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    machine::runtime()?.block_on(async {
        let ports = open(args)?;
        if args.json {
            terminal::data(&facts(&ports).to_string());
        } else {
            terminal::data(&words(&ports));
        }
        crate::signals::stopped().await?;
        Ok(())
    })
}

fn open(args: &SimulateArgs) -> anyhow::Result<Ports> {
    let options = PortsOptions {
        tickets: args.tickets as usize,
        seed: args.seed,
        csv: args.tickets_file.clone(),
        dir: args.dir.clone(),
        clock: Arc::new(wall_ms),
        port: args.port,
        unlimited: false,
    };
    Ports::open(options).map_err(|error| match error {
        PortsError::Port { port, source } => {
            Failed::usage(format!("port {port} cannot be used: {source}; choose another with --port"))
        }
        PortsError::World(error) => Failed::usage(format!("the accounts cannot be made: {error}")),
        PortsError::Transport(error) => error.into(),
    })
}

fn facts(ports: &Ports) -> serde_json::Value {
    let credentials: serde_json::Map<String, serde_json::Value> =
        ports.credentials().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({
        "zendesk_url": ports.zendesk_url,
        "clickup_url": ports.clickup_url,
        "workspace": ports.workspace(),
        "credentials": credentials,
        "tickets": ports.zendesk.ticket_count(),
    })
}

/// What to type in another terminal.
fn words(ports: &Ports) -> String {
    let exports: Vec<String> =
        ports.credentials().iter().map(|(name, value)| format!("  export {name}={value}")).collect();
    let colleague =
        ports.scenario.cast.colleagues.iter().find(|who| who.zendesk.is_some() && who.clickup.is_some());
    let (mail, agent, member) = colleague.map_or((String::new(), 0, 0), |who| {
        (who.email.clone(), who.zendesk.unwrap_or_default(), who.clickup.unwrap_or_default())
    });
    format!(
        "A simulated Zendesk ({} tickets) and a simulated ClickUp are running. In another terminal, in an empty folder:\n\n\
         {}\n  deskup init --zendesk-url {} --clickup-url {} --workspace {}\n\n\
         Colleagues of deskup look and edit with these, for example:\n\
         \x20 curl -su '{mail}/token:token-{agent}' {}/api/v2/tickets/1.json\n\
         \x20 curl -su '{mail}/token:token-{agent}' -X PUT -H 'content-type: application/json' \\\n\
         \x20   -d '{{\"ticket\":{{\"priority\":\"urgent\"}}}}' {}/api/v2/tickets/1.json\n\
         \x20 curl -sH 'Authorization: pk_{member}' '{}/api/v2/team/{}/task'\n\
         \x20 curl -sH 'Authorization: pk_{member}' -X PUT -H 'content-type: application/json' \\\n\
         \x20   -d '{{\"name\":\"Another title\"}}' {}/api/v2/task/TASK\n\n\
         Ctrl-C ends it.",
        ports.zendesk.ticket_count(),
        exports.join("\n"),
        ports.zendesk_url,
        ports.clickup_url,
        ports.workspace(),
        ports.zendesk_url,
        ports.zendesk_url,
        ports.clickup_url,
        ports.workspace(),
        ports.clickup_url,
    )
}
