//! Who asks AWS, where, and over which transport.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    AppName, BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::time::TimeSource;
use bytes::Bytes;
use clients::{Clock, Transport};
use http::{HeaderValue, Request, Uri};
use serde_json::Value as Json;

use crate::connector::Connector;

/// Why AWS did not do what was asked. The text names the service and its own error code, never contents.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// Nothing in the environment says which account and region.
    #[error("{0} is not set")]
    NotSet(&'static str),
    /// What is set cannot be used.
    #[error("{0} cannot be used: {1}")]
    Unusable(&'static str, String),
    /// There was no answer.
    #[error("{service} did not answer: {reason}")]
    NoAnswer {
        /// Which service.
        service: &'static str,
        /// Why.
        reason: String,
    },
    /// The service refused.
    #[error("{service} refused {action}: {status} {code}")]
    Refused {
        /// Which service.
        service: &'static str,
        /// What was asked.
        action: &'static str,
        /// The HTTP status.
        status: u16,
        /// The service's word for it.
        code: String,
    },
    /// The answer is none.
    #[error("the answer of {service} to {action} cannot be read")]
    Unreadable {
        /// Which service.
        service: &'static str,
        /// What was asked.
        action: &'static str,
    },
}

impl AwsError {
    /// Whether the service says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code.contains("NotFound") || code.contains("DoesNotExist"))
    }
}

/// Credentials, region and transport. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    credentials: Credentials,
    region: String,
    endpoint: Option<Uri>,
    /// Names the program in every request, so that a log of requests tells who made them.
    program: String,
}

impl Session {
    /// As AWS sets the environment of a Lambda: credentials, region, and an address of its own if there is one.
    pub fn from_env(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        program: &str,
    ) -> Result<Self, AwsError> {
        let optional = |name: &'static str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let needed = |name: &'static str| optional(name).ok_or(AwsError::NotSet(name));
        let credentials = Credentials::new(
            needed("AWS_ACCESS_KEY_ID")?,
            needed("AWS_SECRET_ACCESS_KEY")?,
            optional("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let region = optional("AWS_REGION").or_else(|| optional("AWS_DEFAULT_REGION"));
        let region = region.ok_or(AwsError::NotSet("AWS_REGION"))?;
        Self::new(transport, clock, credentials, region, optional("AWS_ENDPOINT_URL").as_deref(), program)
    }

    /// With credentials that somebody else found.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        credentials: Credentials,
        region: String,
        endpoint: Option<&str>,
        program: &str,
    ) -> Result<Self, AwsError> {
        let endpoint = endpoint
            .map(|endpoint| {
                endpoint
                    .parse::<Uri>()
                    .map_err(|error| AwsError::Unusable("AWS_ENDPOINT_URL", error.to_string()))
            })
            .transpose()?;
        Ok(Self { transport, clock, credentials, region, endpoint, program: program.to_owned() })
    }

    /// In which region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// A client of DynamoDB. It repeats nothing: the store knows what may be repeated.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.connector())
            .time_source(HandedClock(self.clock.clone()));
        config.set_endpoint_url(self.endpoint.as_ref().map(ToString::to_string));
        config.set_app_name(self.app_name());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client of Step Functions. Starting twice under one name is starting once, so it may repeat.
    pub fn step_functions(&self) -> aws_sdk_sfn::Client {
        let mut config = aws_sdk_sfn::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::standard())
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.connector())
            .time_source(HandedClock(self.clock.clone()));
        config.set_endpoint_url(self.endpoint.as_ref().map(ToString::to_string));
        config.set_app_name(self.app_name());
        aws_sdk_sfn::Client::from_conf(config.build())
    }

    /// The SDK names it in its own form.
    fn app_name(&self) -> Option<AppName> {
        AppName::new(self.program.clone()).ok()
    }

    fn connector(&self) -> Connector {
        Connector::new(self.transport.clone(), self.endpoint.clone())
    }

    /// One signed request of a JSON protocol, `target` being its full name (`AmazonSQS.SendMessage`).
    pub(crate) async fn json(
        &self,
        service: &'static str,
        target: &'static str,
        version: &'static str,
        body: &Json,
    ) -> Result<Json, AwsError> {
        let action = target.rsplit('.').next().unwrap_or(target);
        let headers = [("content-type", version), ("x-amz-target", target)];
        let answer = self.signed(service, action, &headers, body.to_string().into()).await?;
        if answer.is_empty() {
            return Ok(Json::Null);
        }
        serde_json::from_slice(&answer).map_err(|_| AwsError::Unreadable { service, action })
    }

    /// One signed POST; the body of a good answer.
    pub(crate) async fn signed(
        &self,
        service: &'static str,
        action: &'static str,
        headers: &[(&'static str, &'static str)],
        body: Bytes,
    ) -> Result<Bytes, AwsError> {
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.address(service)?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        self.sign(service, &mut request)?;
        let agent = format!("deskup/{} app/{}", env!("CARGO_PKG_VERSION"), self.program);
        if let Ok(agent) = HeaderValue::from_str(&agent) {
            request.headers_mut().insert(http::header::USER_AGENT, agent);
        }
        let answer = self.transport.send(request).await;
        let answer = answer.map_err(|error| AwsError::NoAnswer { service, reason: error.to_string() })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.into_body());
        }
        Err(AwsError::Refused { service, action, status: status.as_u16(), code: code(answer.body()) })
    }

    fn address(&self, service: &'static str) -> Result<Uri, AwsError> {
        match &self.endpoint {
            Some(endpoint) => Ok(endpoint.clone()),
            None => format!("https://{service}.{}.amazonaws.com/", self.region)
                .parse()
                .map_err(|_| AwsError::Unusable("AWS_REGION", "it makes no address".to_owned())),
        }
    }

    fn sign(&self, service: &'static str, request: &mut Request<Bytes>) -> Result<(), AwsError> {
        let unsignable = |_| AwsError::Unusable("the request", "it cannot be signed".to_owned());
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(HandedClock(self.clock.clone()).now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| AwsError::NotSet("AWS_ACCESS_KEY_ID"))?
            .into();
        let uri = request.uri().to_string();
        let headers =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method().as_str(),
            uri,
            headers,
            SignableBody::Bytes(request.body()),
        );
        let signed = sign(signable.map_err(unsignable)?, &params).map_err(unsignable)?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.region)
    }
}

/// The service's word for a failure: the last part of a type that may be a URL.
fn code(body: &[u8]) -> String {
    let json: Json = serde_json::from_slice(body).unwrap_or_default();
    let kind = json["__type"].as_str().or_else(|| json["code"].as_str()).unwrap_or_default();
    let kind = kind.rsplit(['#', '/']).next().unwrap_or_default();
    if !kind.is_empty() {
        return kind.chars().take(80).collect();
    }
    // CloudFormation answers in XML.
    let text = String::from_utf8_lossy(body);
    let between = text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next());
    between.unwrap_or_default().chars().take(80).collect()
}

/// The SDK's clock.
struct HandedClock(Arc<dyn Clock>);

impl std::fmt::Debug for HandedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandedClock")
    }
}

impl TimeSource for HandedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0.now_ms()).unwrap_or(0))
    }
}
