//! Who and what tasks live among: people, lists, custom fields.

use domain::{ListId, ListInfo, Person};

use super::{ClickUp, ClickupFieldDef, convert, incomplete};
use crate::error::{ApiResult, ErrorKind};
use crate::wire::clickup as wire;

impl ClickUp {
    /// Who we are.
    pub async fn me(&self) -> ApiResult<Person> {
        let call = self.get("/user", "/api/v2/user");
        let answer: wire::Me = self.read(&call).await?;
        let person = answer.user.take().map(convert::person).filter(|person| person.id.is_some());
        person.ok_or_else(|| incomplete(&call))
    }

    /// Everybody in the Workspace, guests included. A Workspace that the token does not open is an error
    /// of kind `Auth`.
    pub async fn members(&self) -> ApiResult<Vec<Person>> {
        let call = self.get("/team", "/api/v2/team");
        let answer: wire::Teams = self.read(&call).await?;
        let team = answer
            .teams
            .into_items()
            .into_iter()
            .find(|team| team.id.written().is_some_and(|id| id == *self.workspace))
            .ok_or_else(|| call.error(ErrorKind::Auth).with_code("WorkspaceNotAuthorized"))?;
        let members = team.members.into_items().into_iter();
        Ok(members.filter_map(|member| member.user.take()).map(convert::person).collect())
    }

    /// A list with its statuses.
    pub async fn list(&self, id: &ListId) -> ApiResult<ListInfo> {
        let call = self.get("/list/{id}", format!("/api/v2/list/{id}")).about(id);
        let answer: wire::List = self.read(&call).await?;
        convert::list(answer).ok_or_else(|| incomplete(&call))
    }

    /// The custom fields of a list.
    pub async fn fields(&self, id: &ListId) -> ApiResult<Vec<ClickupFieldDef>> {
        let call = self.get("/list/{id}/field", format!("/api/v2/list/{id}/field")).about(id);
        let answer: wire::Fields = self.read(&call).await?;
        Ok(answer.fields.into_items().into_iter().filter_map(convert::field).collect())
    }

    /// People with explicit access to a list; those who come through a folder, a space or a group are
    /// not among them.
    pub async fn list_members(&self, id: &ListId) -> ApiResult<Vec<Person>> {
        let call = self.get("/list/{id}/member", format!("/api/v2/list/{id}/member")).about(id);
        let answer: wire::Members = self.read(&call).await?;
        Ok(answer.members.into_items().into_iter().map(convert::person).collect())
    }
}
