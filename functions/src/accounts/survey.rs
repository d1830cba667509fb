//! Reads what there is to map, and how both accounts are set up.

use clients::{AccountSettings, ApiResult, Workspace};
use domain::proposal::{OwnStatus, Snapshot};
use domain::triggers::Trigger;
use domain::{Directory, ListId, Person, Side, UserId};

use super::own::{self, Looked};
use super::trouble::About;
use super::{Accounts, SURVEY_MS, Trouble};
use crate::directory;

/// Organizations are only looked through for names of lists: so many pages of a hundred.
const ORGANIZATION_PAGES_MAX: usize = 5;

/// What was read of both accounts.
#[derive(Clone, Debug)]
pub struct Survey {
    /// deskup's own users.
    pub users: (Person, Person),
    /// What a proposal is made from; the lists come later.
    pub snapshot: Snapshot,
    /// Zendesk's triggers in use.
    pub triggers: Vec<Trigger>,
    /// How the Zendesk account is set up.
    pub settings: AccountSettings,
    /// Scopes of the OAuth token, where it has any.
    pub scopes: Option<Vec<String>>,
    /// Name of ClickUp's plan.
    pub plan: Option<String>,
    /// What people did with deskup's users.
    pub looked: (Looked, Looked),
    /// What could not be read, and is not needed.
    pub unread: Vec<String>,
}

/// Reads everything but the lists. `progress` hears what is being read.
pub async fn survey(
    accounts: &Accounts,
    users: (Person, Person),
    workspace: &Workspace,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Survey, Vec<Trouble>> {
    let scope = accounts.scope(SURVEY_MS);
    let accounts = &Accounts {
        zendesk: accounts.zendesk.scoped(scope),
        clickup: accounts.clickup.scoped(scope),
        clock: accounts.clock.clone(),
        watches: accounts.watches.clone(),
        urls: accounts.urls.clone(),
        oauth: accounts.oauth,
    };
    let directory = Directory {
        zendesk_me: users.0.id.unwrap_or(UserId(0)),
        clickup_me: users.1.id.unwrap_or(UserId(0)),
        ..Directory::default()
    };
    let snapshot = Snapshot {
        zendesk_url: accounts.url(Side::Zendesk).to_owned(),
        clickup_url: accounts.url(Side::Clickup).to_owned(),
        workspace: workspace.id.clone(),
        workspace_name: workspace.name.clone(),
        directory,
        ..Snapshot::default()
    };
    let mut survey = Survey {
        users,
        snapshot,
        triggers: Vec::new(),
        settings: AccountSettings::default(),
        scopes: None,
        plan: None,
        looked: Default::default(),
        unread: Vec::new(),
    };
    let zendesk = survey.read_zendesk(accounts, progress).await.err();
    let clickup = survey.read_clickup(accounts, progress).await.err();
    let troubles: Vec<Trouble> = [zendesk, clickup].into_iter().flatten().collect();
    if troubles.is_empty() { Ok(survey) } else { Err(troubles) }
}

impl Survey {
    async fn read_zendesk(
        &mut self,
        accounts: &Accounts,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(), Trouble> {
        let zendesk = &accounts.zendesk;
        progress("Zendesk: updates of the last seven days");
        let me = self.snapshot.directory.zendesk_me;
        self.looked.0 = own::on_zendesk(zendesk, me, accounts.now_ms()).await.map_err(|error| {
            if accounts.seen(Side::Zendesk).last.status == Some(403) {
                not_an_admin(&self.users.0)
            } else {
                accounts.trouble(Side::Zendesk, &error)
            }
        })?;
        progress("Zendesk: agents, groups, fields, statuses");
        let directory = &mut self.snapshot.directory;
        let read = directory::add_zendesk(zendesk, directory).await;
        let definitions = accounts.told(Side::Zendesk, read)?;
        let inactive = definitions.fields.iter().filter(|field| !field.active).map(|field| field.id);
        self.snapshot.inactive_fields = inactive.collect();
        let own = definitions.statuses.into_iter().filter(|status| status.active && !status.default);
        self.snapshot.own_statuses =
            own.map(|own| OwnStatus { id: own.id, category: own.category, label: own.label }).collect();
        progress("Zendesk: triggers, forms, settings, organizations");
        if accounts.oauth {
            self.scopes = self.optional("the token's scopes", zendesk.token_scopes().await);
        }
        self.triggers = self.optional("Zendesk's triggers", zendesk.triggers().await).unwrap_or_default();
        self.settings =
            self.optional("Zendesk's settings", zendesk.account_settings().await).unwrap_or_default();
        self.snapshot.hold_hidden = self.settings.hold_shown == Some(false);
        self.snapshot.forms =
            self.optional("Zendesk's forms", zendesk.ticket_forms().await).unwrap_or_default();
        let organizations = zendesk.first_organizations(ORGANIZATION_PAGES_MAX).await;
        self.snapshot.organizations =
            self.optional("Zendesk's organizations", organizations).unwrap_or_default();
        Ok(())
    }

    async fn read_clickup(
        &mut self,
        accounts: &Accounts,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(), Trouble> {
        let clickup = &accounts.clickup;
        progress("ClickUp: members, spaces, lists");
        let members = accounts.told(Side::Clickup, clickup.members().await)?;
        self.snapshot.directory.clickup_people = directory::by_id(members);
        let me = self.snapshot.directory.clickup_me;
        // Only the workspace's own list of people tells the role.
        if let Some(person) = self.snapshot.directory.clickup_people.get(&me) {
            self.users.1.role.clone_from(&person.role);
        }
        for space in accounts.told(Side::Clickup, clickup.spaces().await)? {
            self.snapshot.places.extend(accounts.told(Side::Clickup, clickup.places(&space).await)?);
        }
        self.snapshot.time_zone =
            self.optional("the time zone of ClickUp's user", clickup.time_zone().await).flatten();
        self.plan = self.optional("ClickUp's plan", clickup.plan().await).flatten();
        progress("ClickUp: tasks of the last seven days");
        self.looked.1 =
            accounts.told(Side::Clickup, own::on_clickup(clickup, me, accounts.now_ms()).await)?;
        Ok(())
    }

    /// Reads the lists that a mapping is about.
    pub async fn read_lists(&mut self, accounts: &Accounts, lists: &[ListId]) -> Result<(), Trouble> {
        let clickup = accounts.clickup.scoped(accounts.scope(SURVEY_MS));
        for list in lists {
            let read = directory::add_list(&clickup, list, &mut self.snapshot.directory).await;
            accounts.told(Side::Clickup, read)?;
        }
        Ok(())
    }

    /// What a proposal can do without.
    fn optional<T>(&mut self, what: &str, read: ApiResult<T>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.unread.push(format!("{what} could not be read: {error}"));
                None
            }
        }
    }
}

fn not_an_admin(user: &Person) -> Trouble {
    Trouble::new(
        Side::Zendesk,
        About::Rights,
        format!(
            "deskup's Zendesk user {} has the role {}, which may not use the incremental exports: deskup finds changes with \
             them. Make the user an admin (Admin Center, People, Team members); the token's scope needs read, too",
            user.name, user.role
        ),
    )
}
