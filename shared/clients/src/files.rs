//! Fetching files. Their links come from answers and lead to foreign hosts and through redirects, which
//! our own code follows, so that the credential rule is asked at every hop.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri, header};

use crate::call::{Call, request_id};
use crate::classify;
use crate::core::Core;
use crate::error::{ApiError, ApiResult, ErrorKind};
use crate::hosts::{REDIRECTS_MAX, resolve};
use crate::pace::Scope;
use crate::retry::{self, Next, Outcome};

/// How one pass through the redirects ended.
enum Pass {
    Done(Bytes),
    Failed(classify::Failed, Option<u16>, Option<String>),
}

impl Core {
    /// The bytes behind a link of an answer. A link may be relative to the account.
    pub async fn download(&self, link: &str, scope: Scope) -> ApiResult<Bytes> {
        let call = Call::get(self.api, "download", "/");
        let root = self.base.join("/").map_err(|_| refused(&call, "BadUrl"))?;
        let start = resolve(&root, link).map_err(|_| refused(&call, "BadUrl"))?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (failed, status, request_id) = match self.pass(&call, start.clone(), scope).await? {
                Pass::Done(bytes) => return Ok(bytes),
                Pass::Failed(failed, status, request_id) => (failed, status, request_id),
            };
            let now_ms = self.clock.now_ms();
            match retry::next(failed.outcome, call.effect, attempt) {
                Next::WaitMs(wait_ms) if now_ms.saturating_add(wait_ms) <= scope.deadline_ms => {
                    tokio::time::sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
                }
                _ => {
                    let kind = match failed.kind {
                        ErrorKind::Unknown => ErrorKind::Transient,
                        kind => kind,
                    };
                    let code = failed.said.code;
                    return Err(ApiError { status, code, request_id, ..call.error(kind) });
                }
            }
        }
    }

    /// One request, with the redirects it leads through.
    async fn pass(&self, call: &Call, start: Uri, scope: Scope) -> ApiResult<Pass> {
        let mut url = start;
        // Once a foreign host had a say in where we go, no credential is sent any more, not even to our
        // own host: it would read there what it chooses.
        let mut trusted = true;
        for _ in 0..=REDIRECTS_MAX {
            if !self.base.may_fetch(&url) {
                return Err(refused(call, "ForbiddenHost"));
            }
            trusted &= self.base.owns(&url);
            if self.clock.now_ms() >= scope.deadline_ms {
                return Err(call.error(ErrorKind::Transient).with_code("DeadlinePassed"));
            }
            let mut request = http::Request::builder().uri(url.clone()).header(header::USER_AGENT, "deskup");
            if trusted && let Some(credential) = self.auth().header(self, call, scope).await? {
                request = request.header(header::AUTHORIZATION, credential);
            }
            let request = request.body(Bytes::new()).map_err(|_| refused(call, "BadUrl"))?;
            let response = match self.transport.send(request).await {
                Ok(response) => response,
                Err(_) => {
                    let outcome = Outcome::NeverSent;
                    let said = Default::default();
                    let failed = classify::Failed { outcome, kind: ErrorKind::Transient, said };
                    return Ok(Pass::Failed(failed, None, None));
                }
            };
            let (parts, body) = response.into_parts();
            if parts.status.is_redirection() {
                let location = location(&parts.headers).ok_or_else(|| refused(call, "BadRedirect"))?;
                url = resolve(&url, location).map_err(|_| refused(call, "BadRedirect"))?;
                continue;
            }
            let now_ms = self.clock.now_ms();
            return Ok(match self.judge(trusted, parts.status, &parts.headers, &body, now_ms) {
                None => Pass::Done(body),
                Some(failed) => Pass::Failed(failed, Some(parts.status.as_u16()), request_id(&parts.headers)),
            });
        }
        Err(refused(call, "TooManyRedirects"))
    }

    /// File servers speak plain HTTP: an empty 404 there does mean that the file is gone, and what a foreign
    /// host refuses says nothing of our access to the account.
    fn judge(
        &self,
        trusted: bool,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now_ms: i64,
    ) -> Option<classify::Failed> {
        let mut failed = classify::classify(self.api, status, headers, body, &[], now_ms)?;
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            failed.kind = ErrorKind::NotFound;
        } else if failed.kind == ErrorKind::Auth && !trusted {
            failed.kind = ErrorKind::Refused;
        }
        Some(failed)
    }
}

fn refused(call: &Call, code: &str) -> ApiError {
    call.error(ErrorKind::Refused).with_code(code)
}

fn location(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::LOCATION)?.to_str().ok()
}
