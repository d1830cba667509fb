//! Attachments: uploaded as multipart, listed only in the answer for one task, served by another host. Adding one to a
//! task sends no webhook.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use serde_json::{Value, json};

use super::model::File;
use super::multipart;
use super::options::ClickUpOptions;
use super::refusal::{self, Refusal};
use super::rows::Row;
use super::state::State;
use super::tx::Tx;
use super::wire;
use crate::http_text::{self, Answer, Call};

/// `POST /task/{task_id}/attachment`.
pub(super) fn upload(tx: &mut Tx<'_>, call: &Call, path: &[String]) -> Result<Answer, Refusal> {
    let task = tx.task(&path[0])?.clone();
    let kind = call.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let upload = multipart::file(kind, &call.body).ok_or(refusal::FILE_MISSING)?;
    let size = upload.data.len() as u64;
    if tx.options.storage_bytes_max.is_some_and(|max| tx.state.stored_bytes + size > max) {
        return Err(refusal::STORAGE_FULL);
    }
    tx.state.counters.file += 1;
    let uuid = tx.uuid();
    let extension = wire::extension(&upload.filename);
    let id = if extension.is_empty() { uuid } else { format!("{uuid}.{extension}") };
    let mimetype = upload.content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    let file = File {
        number: tx.state.counters.file,
        task: task.seq,
        id,
        title: upload.filename,
        mimetype,
        user: tx.actor,
        date_ms: tx.now,
        data: STANDARD.encode(&upload.data),
        size,
    };
    let url = wire::file_url(tx.options, &file);
    let logged = json!({"id": file.id, "title": file.title, "size": size, "url": url});
    tx.note(&task.id, "attachment", Value::Null, logged);
    let body = json!({
        "id": file.id, "version": "0", "date": file.date_ms, "title": file.title,
        "extension": wire::extension(&file.title), "thumbnail_small": null, "thumbnail_large": null, "url": url,
    });
    tx.put(Row::File(file.into()));
    Ok(http_text::json(200, &body))
}

/// Whether a request goes to the host of the attachments rather than to the API.
pub(super) fn is_download(options: &ClickUpOptions, request: &Request<bytes::Bytes>) -> bool {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or(header);
    host == Some(options.attachment_host().as_str())
}

/// A download. The links need no token, and the store behind them refuses a request that brings one.
pub(super) fn download(state: &State, options: &ClickUpOptions, call: &Call) -> Answer {
    if call.headers.contains_key(AUTHORIZATION) {
        return http_text::text(400, "Only one auth mechanism allowed");
    }
    let path = call.path.trim_start_matches('/');
    let wanted = format!("{}/{path}", options.files_base());
    // Downloads are rare, so the files have no index by their address.
    let file = state.files.values().find(|file| wire::file_url(options, file) == wanted);
    match (file, &call.method) {
        (Some(file), &Method::GET) => {
            let data = STANDARD.decode(&file.data).unwrap_or_default();
            http_text::with_body(200, &file.mimetype, data)
        }
        (Some(_), _) => http_text::text(405, "Method Not Allowed"),
        (None, _) => http_text::text(404, "Not Found"),
    }
}
