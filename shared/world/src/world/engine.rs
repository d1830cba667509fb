//! The real deskup for a world: wired to its wire, its clock and its accounts.

use std::sync::Arc;

use clients::ZendeskLimits;
use domain::Side;
use functions::Options;
use stores::Store;

use super::{World, webhook_url};
use crate::instance::{Instance, InstanceOptions};
use crate::seedwork::settings::ZENDESK_URL;

impl World {
    /// A deskup with this store. Every process of a world makes a new one.
    pub fn deskup(&self, store: Store) -> Arc<Instance> {
        let (access, limits) = (self.access(), self.options.limits);
        let chronicle = self.chronicle.clone();
        let unlimited = |limit: u32| if self.options.unlimited { 1_000_000 } else { limit };
        Instance::new(InstanceOptions {
            store,
            transport: access.transport,
            clock: access.clock,
            settings: access.settings,
            zendesk: access.zendesk,
            zendesk_limits: ZendeskLimits {
                account_per_min: unlimited(limits.zendesk_per_min),
                ticket_updates_per_min: unlimited(limits.zendesk_updates_per_min),
                incremental_per_min: unlimited(limits.zendesk_exports_per_min),
            },
            clickup: access.clickup,
            clickup_per_min: unlimited(limits.clickup.requests_per_minute()),
            endpoints: (webhook_url(Side::Zendesk), webhook_url(Side::Clickup)),
            seed: access.seed,
            options: Options {
                incarnation: access.incarnation,
                ticket_url: format!("{ZENDESK_URL}/agent/tickets/"),
                ..Options::default()
            },
            tickets: self.scenario.tickets.len() as u64,
            calls: Arc::new(move || chronicle.calls_total()),
        })
    }

    /// The time of the world, as the store takes it.
    pub fn store_clock(&self) -> Arc<dyn Fn() -> i64 + Send + Sync> {
        self.clock.for_simulators()
    }
}
