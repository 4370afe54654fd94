//! The connection to DynamoDB.

use aws_config::BehaviorVersion;
pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, Region};
use std::time::Duration;

/// How often the SDK itself tries a request that was throttled or not answered, with growing pauses and jitter.
const ATTEMPTS: u32 = 5;

/// How long one attempt may take: DynamoDB answers in milliseconds, so this is a lost connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects as the environment says: region, credentials and endpoint as every AWS SDK reads them.
pub async fn from_environment() -> SdkConfig {
    for_service("DYNAMODB").await
}

/// The same for another service, by its name in variables of the environment: `KINESIS` for `AWS_ENDPOINT_URL_KINESIS`.
pub async fn for_service(name: &str) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retries()).timeout_config(timeouts());
    let named = |name: &str| std::env::var(name).ok();
    let endpoint = named(&format!("AWS_ENDPOINT_URL_{name}")).or_else(|| named("AWS_ENDPOINT_URL"));
    if endpoint.is_some_and(|url| url.starts_with("http://")) {
        loader = loader.http_client(aws_smithy_http_client::Builder::new().build_http());
    }
    loader.load().await
}

/// Connects to an endpoint that is not AWS: an emulator. Region and credentials are made up unless the environment has
/// them.
pub async fn to_endpoint(url: &str) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries())
        .timeout_config(timeouts())
        .endpoint_url(url);
    if url.starts_with("http://") {
        loader = loader.http_client(aws_smithy_http_client::Builder::new().build_http());
    }
    if std::env::var_os("AWS_REGION").is_none() && std::env::var_os("AWS_DEFAULT_REGION").is_none() {
        loader = loader.region(Region::from_static("us-east-1"));
    }
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() && std::env::var_os("AWS_PROFILE").is_none() {
        loader = loader.credentials_provider(Credentials::new("viewfold", "viewfold", None, None, "viewfold"));
    }
    loader.load().await
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(50))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(2)).operation_attempt_timeout(ATTEMPT_TIMEOUT).build()
}
