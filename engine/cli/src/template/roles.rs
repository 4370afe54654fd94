//! Roles: each function may do what its projections need, on the tables they need it on, and nothing else.

use super::bucket;
use super::function::{Function, Origin};
use super::names::{Names, camel};
use super::node::{Map, Node, attribute, map, only_if, reference};
use super::tables::Tables;
use viewfold_core::access;
use viewfold_core::program::{Program, StreamIdentity};

/// The role of a function.
pub(super) fn resource(function: &Function<'_>, program: &Program, tables: &Tables<'_>) -> Map {
    let trust = map([
        ("Version", "2012-10-17".into()),
        (
            "Statement",
            vec![map([
                ("Effect", "Allow".into()),
                ("Principal", map([("Service", "lambda.amazonaws.com".into())]).into()),
                ("Action", "sts:AssumeRole".into()),
            ])]
            .into(),
        ),
    ]);
    let policy = map([
        ("PolicyName", "viewfold".into()),
        (
            "PolicyDocument",
            map([("Version", "2012-10-17".into()), ("Statement", Node::List(statements(function, program, tables)))])
                .into(),
        ),
    ]);
    let properties = map([
        ("AssumeRolePolicyDocument", trust.into()),
        ("PermissionsBoundary", only_if("HasPermissionsBoundary", reference("PermissionsBoundary"))),
        ("Policies", vec![policy].into()),
    ]);
    map([("Type", "AWS::IAM::Role".into()), ("Properties", properties.into())])
}

fn statements(function: &Function<'_>, program: &Program, tables: &Tables<'_>) -> Vec<Node> {
    let mut statements: Vec<Node> = vec![reads(function).into()];
    if function.is_kinesis() || function.is_queue() {
        // Which key a stream that is not made here is encrypted with only its owner knows.
        if let Origin::Parameter = function.origin {
            let statement = statement("DecryptEvents", &["kms:Decrypt"], reference(function.id("KeyArn")));
            statements.push(only_if(&function.id("HasKey"), statement));
        }
    }
    let mut names = Names::default();
    for (table, operations) in access::of_stream(program, function.number) {
        let sid = names.id_of(&format!("Use{}", camel(&table)), "", &table);
        let actions: Vec<String> =
            operations.into_iter().map(|operation| format!("dynamodb:{}", operation.name())).collect();
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        statements.push(statement(&sid, &actions, tables.arn(&table)).into());
    }
    let logs = attribute(format!("{}.Arn", function.id("Logs")));
    statements.push(statement("WriteLogs", &["logs:CreateLogStream", "logs:PutLogEvents"], logs).into());
    if !function.is_queue() {
        statements.push(statement("KeepFailedBatches", &["s3:PutObject"], bucket::objects()).into());
        statements.push(statement("FindTheBucket", &["s3:ListBucket"], bucket::arn()).into());
    }
    let trace = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    // X-Ray knows no resources.
    statements.push(only_if("Traces", statement("Trace", &trace, "*")));
    statements
}

/// What Lambda needs to read the stream, by the function's role.
fn reads(function: &Function<'_>) -> Map {
    let actions: &[&str] = match function.identity {
        StreamIdentity::Kinesis(_) => &[
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
        ],
        StreamIdentity::Dynamodb(_) => {
            &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
        }
        StreamIdentity::Sqs(_) => &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    };
    statement("ReadEvents", actions, function.arn())
}

fn statement(sid: &str, actions: &[&str], resource: impl Into<Node>) -> Map {
    let actions = match actions {
        [only] => Node::from(*only),
        actions => Node::from(actions.to_vec()),
    };
    map([("Sid", sid.into()), ("Effect", "Allow".into()), ("Action", actions), ("Resource", resource.into())])
}
