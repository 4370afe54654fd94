//! The bucket for batches that Lambda gives up: whole, with their payloads.

use super::node::{Map, Node, attribute, either, map, reference, text_of};

/// The condition under which the bucket is made here.
pub(super) const MADE: &str = "MakesFailureBucket";

fn name() -> Node {
    either(MADE, reference("FailureBucket"), reference("ExistingFailureBucket"))
}

/// The bucket's ARN.
pub(super) fn arn() -> Node {
    within("arn:${AWS::Partition}:s3:::${Bucket}")
}

/// Where Lambda puts batches in it.
pub(super) fn objects() -> Node {
    within("arn:${AWS::Partition}:s3:::${Bucket}/aws/lambda/*")
}

fn within(text: &str) -> Node {
    Node::Call("Sub", Box::new(vec![Node::from(text), map([("Bucket", name())]).into()].into()))
}

pub(super) fn resources(resources: &mut Map) {
    let rule = map([("ServerSideEncryptionByDefault", map([("SSEAlgorithm", "AES256".into())]).into())]);
    let private = map([
        ("BlockPublicAcls", true.into()),
        ("BlockPublicPolicy", true.into()),
        ("IgnorePublicAcls", true.into()),
        ("RestrictPublicBuckets", true.into()),
    ]);
    let owner = map([("Rules", vec![map([("ObjectOwnership", "BucketOwnerEnforced".into())])].into())]);
    let properties = map([
        ("BucketEncryption", map([("ServerSideEncryptionConfiguration", vec![rule].into())]).into()),
        ("PublicAccessBlockConfiguration", private.into()),
        ("OwnershipControls", owner.into()),
        ("VersioningConfiguration", map([("Status", "Enabled".into())]).into()),
    ]);
    resources.because(
        "Batches that Lambda gives up go here, with their payloads: nothing else has them once their records expire in the stream.",
        "FailureBucket",
        map([
            ("Type", "AWS::S3::Bucket".into()),
            ("Condition", MADE.into()),
            ("DeletionPolicy", "RetainExceptOnCreate".into()),
            ("UpdateReplacePolicy", "Retain".into()),
            ("Properties", properties.into()),
        ]),
    );
    let statement = map([
        ("Sid", "OnlyEncryptedConnections".into()),
        ("Effect", "Deny".into()),
        ("Principal", "*".into()),
        ("Action", "s3:*".into()),
        ("Resource", vec![attribute("FailureBucket.Arn"), text_of("${FailureBucket.Arn}/*")].into()),
        ("Condition", map([("Bool", map([("aws:SecureTransport", "false".into())]).into())]).into()),
    ]);
    let policy = map([("Version", "2012-10-17".into()), ("Statement", vec![statement].into())]);
    resources.add(
        "FailureBucketPolicy",
        map([
            ("Type", "AWS::S3::BucketPolicy".into()),
            ("Condition", MADE.into()),
            ("Properties", map([("Bucket", reference("FailureBucket")), ("PolicyDocument", policy.into())]).into()),
        ]),
    );
}
