//! A plan on paper: the accounts and the settings it was made for, and a digest per record. It holds texts of
//! tickets, so whoever writes it to a disk makes it readable for its owner alone.

use domain::field::sha256_hex;
use domain::{Side, UserId};
use serde::{Deserialize, Serialize};

use crate::Context;
use crate::plan::Plan;

/// The form of the file.
const FORM: u32 = 1;

/// Which accounts a plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Zendesk's address.
    pub zendesk: String,
    /// deskup's user there.
    pub zendesk_user: UserId,
    /// ClickUp's address.
    pub clickup: String,
    /// The Workspace.
    pub workspace: String,
    /// deskup's user there.
    pub clickup_user: UserId,
}

/// A plan with what it was made for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    /// The form of the file.
    pub deskup_plan: u32,
    /// The version of deskup that made it.
    pub version: String,
    /// When, in unix milliseconds.
    pub made_ms: i64,
    /// For which accounts.
    pub installation: Installation,
    /// Fingerprint of the settings.
    pub settings: String,
    /// What would be done.
    pub plan: Plan,
}

/// Why a plan cannot be carried out here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no plan, or one of another form.
    #[error("this is not a plan that deskup {version} can read: {why}")]
    Form {
        /// Ours.
        version: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Another version may understand the same words otherwise.
    #[error("deskup {made_by} made this plan, and this is deskup {version}")]
    Version {
        /// Its maker.
        made_by: String,
        /// Ours.
        version: &'static str,
    },
    /// It is for other accounts.
    #[error("this plan is for {theirs}, and this folder connects {ours}")]
    Installation {
        /// The plan's.
        theirs: String,
        /// The folder's.
        ours: String,
    },
    /// The settings changed.
    #[error("deskup.toml was changed since this plan was made")]
    Settings,
    /// Somebody changed the file.
    #[error("the plan of ticket {ticket} does not fit its digest: the file was changed by hand")]
    Changed {
        /// Where.
        ticket: u64,
    },
}

impl Installation {
    /// The accounts of a context.
    pub fn of(cx: &Context) -> Self {
        let settings = cx.mapping.settings();
        Installation {
            zendesk: settings.zendesk_url.clone(),
            zendesk_user: cx.mapping.me(Side::Zendesk),
            clickup: settings.clickup_url.clone(),
            workspace: settings.workspace.clone(),
            clickup_user: cx.mapping.me(Side::Clickup),
        }
    }

    fn words(&self) -> String {
        let Installation { zendesk, zendesk_user, clickup, workspace, clickup_user } = self;
        format!(
            "{zendesk} (user {zendesk_user}) and workspace {workspace} of {clickup} (user {clickup_user})"
        )
    }
}

impl PlanFile {
    /// A plan with what it was made for.
    pub fn of(cx: &Context, plan: Plan) -> Self {
        PlanFile {
            deskup_plan: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_ms: cx.now_ms(),
            installation: Installation::of(cx),
            settings: cx.mapping.settings().digest(),
            plan,
        }
    }

    /// Reads a plan.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let unfit = |why: String| Unfit::Form { version: env!("CARGO_PKG_VERSION"), why };
        // The place and not the text: a plan holds texts of tickets.
        serde_json::from_str::<PlanFile>(text)
            .map_err(|error| unfit(format!("line {}, column {}", error.line(), error.column())))
            .and_then(|file| match file.deskup_plan {
                FORM => Ok(file),
                other => Err(unfit(format!("it is of form {other}"))),
            })
    }

    /// The file's text.
    pub fn text(&self) -> String {
        // Everything in it is data of ours, which can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The same for the same content.
    pub fn id(&self) -> String {
        let digests: Vec<&str> = self.plan.records.iter().map(|plan| plan.digest.as_str()).collect();
        let parts = (&self.installation, &self.settings, self.made_ms, digests);
        sha256_hex(&serde_json::to_vec(&parts).unwrap_or_default())[..16].to_owned()
    }

    /// Whether it can be carried out with these accounts and settings.
    pub fn check(&self, cx: &Context) -> Result<(), Unfit> {
        let version = env!("CARGO_PKG_VERSION");
        if self.version != version {
            return Err(Unfit::Version { made_by: self.version.clone(), version });
        }
        let ours = Installation::of(cx);
        if self.installation != ours {
            return Err(Unfit::Installation { theirs: self.installation.words(), ours: ours.words() });
        }
        if self.settings != cx.mapping.settings().digest() {
            return Err(Unfit::Settings);
        }
        match self.plan.records.iter().find(|plan| !plan.is_sealed()) {
            Some(plan) => Err(Unfit::Changed { ticket: plan.ticket.get() }),
            None => Ok(()),
        }
    }
}
