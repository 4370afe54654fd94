//! The pretended AWS account that events come from and processes run in.

/// The region of every ARN and client.
pub const REGION: &str = "us-east-1";

/// The account of every ARN.
pub const ACCOUNT: &str = "123456789012";

/// Access key of the account; test servers take any.
pub const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

/// Secret that goes with [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: &str = "test";

/// What a process needs in its environment so that AWS's SDK finds region and credentials, and asks nobody else for
/// them.
pub fn environment() -> [(&'static str, &'static str); 5] {
    [
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
}
