//! Where lists are: Workspaces, spaces, folders. Read before there are settings, so nothing here knows a list.

use domain::ListId;
use domain::proposal::Place;

use super::{ClickUp, Space, Workspace};
use crate::call::Call;
use crate::error::ApiResult;
use crate::hosts::encode;
use crate::wire::Field;
use crate::wire::clickup as wire;

impl ClickUp {
    /// The Workspaces that the token opens.
    pub async fn workspaces(&self) -> ApiResult<Vec<Workspace>> {
        let call = self.get("/team", "/api/v2/team");
        let answer: wire::Teams = self.read(&call).await?;
        let workspace = |team: wire::Team| {
            let digits = team.id.written().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))?;
            Some(Workspace { id: digits, name: team.name.take().unwrap_or_default() })
        };
        Ok(answer.teams.into_items().into_iter().filter_map(workspace).collect())
    }

    /// The zone in which our user lives, as ClickUp writes it.
    pub async fn time_zone(&self) -> ApiResult<Option<String>> {
        let call = self.get("/user", "/api/v2/user");
        let answer: wire::Me = self.read(&call).await?;
        Ok(answer.user.take().and_then(|user| user.timezone.take()).filter(|zone| !zone.is_empty()))
    }

    /// The name of the Workspace's plan.
    pub async fn plan(&self) -> ApiResult<Option<String>> {
        let path = format!("/api/v2/team/{}/plan", self.workspace);
        let answer: wire::Plan = self.read(&self.get("/team/{id}/plan", path)).await?;
        Ok(answer.plan_name.take())
    }

    /// The Workspace's spaces.
    pub async fn spaces(&self) -> ApiResult<Vec<Space>> {
        let path = format!("/api/v2/team/{}/space", self.workspace);
        let answer: wire::Spaces =
            self.read(&self.get("/team/{id}/space", path).query("archived", false)).await?;
        let space = |space: wire::Space| {
            Some(Space { id: space.id.written()?, name: space.name.take().unwrap_or_default() })
        };
        Ok(answer.spaces.into_items().into_iter().filter_map(space).collect())
    }

    /// All lists of a space that our user sees: first those without a folder, then folder by folder.
    pub async fn places(&self, space: &Space) -> ApiResult<Vec<Place>> {
        let id = encode(&space.id);
        let call = self.get("/space/{id}/list", format!("/api/v2/space/{id}/list")).about(&space.id);
        let mut places = self.lists_at(call, space, None).await?;
        let call = self.get("/space/{id}/folder", format!("/api/v2/space/{id}/folder")).about(&space.id);
        let folders: wire::Folders = self.read(&call.query("archived", false)).await?;
        for folder in folders.folders.into_items() {
            let Some(id) = folder.id.written() else { continue };
            let name = folder.name.take().unwrap_or_default();
            let path = format!("/api/v2/folder/{}/list", encode(&id));
            let call = self.get("/folder/{id}/list", path).about(id);
            places.extend(self.lists_at(call, space, Some(name)).await?);
        }
        Ok(places)
    }

    async fn lists_at(&self, call: Call, space: &Space, folder: Option<String>) -> ApiResult<Vec<Place>> {
        let answer: wire::Lists = self.read(&call.query("archived", false)).await?;
        let place = |list: wire::List| {
            Some(Place {
                list: ListId::new(list.id.written()?).ok()?,
                name: list.name.take().unwrap_or_default(),
                space: space.name.clone(),
                folder: folder.clone(),
            })
        };
        let lists = answer.lists.into_items().into_iter();
        Ok(lists.filter(|list| list.archived != Field::Is(true)).filter_map(place).collect())
    }
}
