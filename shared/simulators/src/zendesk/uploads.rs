//! Files: uploads that wait for a comment, and their content on its other host.

use serde_json::json;

use super::refusal::Refusal;
use super::rows::{FileRow, UploadRow};
use super::state::Op;
use super::{Asked, Desk, Reply, views};
use crate::clock::iso_seconds;
use crate::http_text::{Answer, Call, empty, json as json_answer, match_path, set_header, with_body};

/// The largest file.
const FILE_BYTES_MAX: usize = 50 * 1024 * 1024;

/// `POST /uploads?filename=`, also into an upload that exists.
pub(super) fn create(desk: &mut Desk, asked: &Asked) -> Reply {
    let call = &asked.call;
    let unprocessable = || {
        let said = json!({
            "error": "AttachmentUnprocessable",
            "description": "Attachment file could not be processed.",
        });
        Refusal::new(422, said)
    };
    let name = call.query.get("filename").filter(|name| !name.is_empty()).ok_or_else(unprocessable)?;
    if call.body.is_empty() || call.body.len() > FILE_BYTES_MAX {
        return Err(unprocessable());
    }
    let now_ms = desk.now_ms();
    let known = match call.query.get("token") {
        None => None,
        Some(token) => {
            let upload = desk.state.uploads.get(token).filter(|upload| upload.until_ms > now_ms);
            Some(upload.cloned().ok_or_else(Refusal::not_found)?)
        }
    };
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    let file = FileRow {
        id: tx.id(),
        name: name.into(),
        content_type: call.header("content-type").unwrap_or("application/binary").into(),
        secret: tx.secret(25).into(),
        bytes: call.body.clone(),
    };
    let mut upload = match known {
        Some(upload) => upload,
        None => UploadRow {
            token: tx.secret(25).into(),
            user: asked.actor.user,
            until_ms: now_ms + tx.options.upload_token_ms,
            files: Vec::new(),
        },
    };
    upload.files.push(file.id);
    let id = file.id;
    tx.push(Op::File(file));
    tx.push(Op::Upload(upload.clone()));
    let line = tx.finish();
    desk.commit(line)?;
    let scene = desk.scene();
    let view = |id| desk.state.files.get(id).map(|file| views::attachment(scene, file));
    let body = json!({"upload": {
        "token": upload.token,
        "expires_at": iso_seconds(upload.until_ms),
        "attachments": upload.files.iter().filter_map(view).collect::<Vec<_>>(),
        "attachment": view(&id),
    }});
    let mut answer = json_answer(201, &body);
    set_header(&mut answer, "location", &scene.url(&format!("attachments/{id}")));
    Ok(answer)
}

/// `DELETE /uploads/{token}`.
pub(super) fn delete(desk: &mut Desk, asked: &Asked) -> Reply {
    let token = asked.params.first().map(String::as_str).unwrap_or_default();
    if !desk.state.uploads.contains_key(token) {
        return Err(Refusal::not_found());
    }
    let mut tx = desk.tx(asked.actor.user, asked.edit());
    tx.push(Op::DropUpload(token.into()));
    let line = tx.finish();
    desk.commit(line)?;
    Ok(empty(204))
}

/// `GET /attachments/{id}`.
pub(super) fn show(desk: &mut Desk, asked: &Asked) -> Reply {
    let file = desk.state.files.get(&asked.id("api/v2/attachments/show")?).ok_or_else(Refusal::not_found)?;
    Ok(json_answer(200, &json!({"attachment": views::attachment(desk.scene(), file)})))
}

/// The content of a file, for whoever knows the URL. `None` when the path is not that of a content.
pub(super) fn content(desk: &mut Desk, call: &Call) -> Option<Answer> {
    let secret = match_path("/attachments/token/{secret}", &call.path)?.pop()?;
    // This host belongs to somebody else: credentials that arrive here have leaked.
    desk.credential_leaks += u64::from(call.headers.contains_key(http::header::AUTHORIZATION));
    let file = desk.state.file_secrets.get(secret.as_str()).and_then(|id| desk.state.files.get(id));
    Some(match file {
        Some(file) => with_body(200, &file.content_type, file.bytes.clone()),
        None => with_body(404, "text/html; charset=utf-8", "<html><body>Page not found</body></html>"),
    })
}
