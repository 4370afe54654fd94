//! `viewfold template`: the CloudFormation template of a deployment, as an operator would look at it, and as the tools do that check
//! such templates.

use std::fs;
use std::path::{Path, PathBuf};

use harness::cli::viewfold;
use harness::lint::Lint;
use harness::scratch::Folder;
use harness::workspace;
use serde_json::Value;

use crate::json;

/// The five systems: each has its template beside its recorded events.
const SYSTEMS: [&str; 5] = ["map-rollup", "tournament", "votes", "winner-view", "winner-view-unordered"];

async fn template(arguments: &[&str]) -> Value {
    let output = viewfold(["template", "--format", "json"]).args(arguments).run().await.expect_status(0);
    json(&output.stdout)
}

async fn refused(arguments: &[&str]) -> String {
    let output = viewfold(["template"]).args(arguments).run().await.expect_status(2);
    assert_eq!(output.stdout, "", "what is refused leaves no half a template");
    output.stderr
}

#[tokio::test]
async fn examples_have_the_templates_of_their_projections() {
    for system in SYSTEMS {
        let output = viewfold(["template", &format!("projections/{system}")]).run().await.expect_status(0);
        let path = workspace().join("examples").join(system).join("template.yaml");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&path, &output.stdout).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == output.stdout,
            "{} is not what `viewfold template projections/{system}` prints; UPDATE_SNAPSHOTS=1 writes it anew",
            path.display()
        );
    }
}

#[tokio::test]
async fn the_order_of_paths_makes_no_difference() {
    let files = ["projections/votes/total_votes.yaml", "projections/votes/recent_votes.yaml"];
    let one = viewfold(["template", files[0], files[1]]).run().await.expect_status(0).stdout;
    let other = viewfold(["template", files[1], files[0], "projections/votes"]).run().await.expect_status(0).stdout;
    assert_eq!(one, other);
}

#[tokio::test]
async fn linters_find_nothing() {
    let Some(lint) = Lint::find() else { return };
    let folder = Folder::empty();
    let mut templates: Vec<PathBuf> = Vec::new();
    let deployments = SYSTEMS.map(|system| format!("projections/{system}"));
    let mut commands: Vec<Vec<&str>> = deployments.iter().map(|deployment| vec![deployment.as_str()]).collect();
    commands.push(vec!["projections/map-rollup", "--existing", "Map"]);
    commands.push(vec!["projections/winner-view", "--create-streams", "--parallelization", "4"]);
    commands.push(vec!["projections/winner-view-unordered", "--filter", "all", "--table-prefix", "test-"]);
    commands.push(vec!["tests/language/shards.yaml", "tests/language/late.yaml", "tests/language/derived.yaml"]);
    commands.push(vec!["tests/language/queue_standard.yaml", "--create-streams"]);
    commands.push(vec!["tests/language/queue_standard.yaml"]);
    for (number, arguments) in commands.iter().enumerate() {
        let command = || viewfold(["template"]).args(arguments);
        let yaml = command().run().await.expect_status(0).stdout;
        let path = folder.write(&format!("{number}/template.yaml"), &yaml);
        // Both forms say the same.
        let json = command().args(["--format", "json"]).run().await.expect_status(0).stdout;
        let json = folder.write(&format!("{number}/template.json"), &json);
        lint.same(&path, &json).await;
        templates.push(path);
    }
    let paths: Vec<&Path> = templates.iter().map(PathBuf::as_path).collect();
    lint.check(&paths).await;
}

#[tokio::test]
async fn a_mapping_keeps_what_guards_rely_on() {
    let votes = template(&["projections/votes"]).await;
    let mapping = &votes["Resources"]["VotesChangesMapping"]["Properties"];
    assert_eq!(mapping["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]));
    assert_eq!(mapping["StartingPosition"], "TRIM_HORIZON");
    assert_eq!(mapping["BisectBatchOnFunctionError"], true);
    assert_eq!((&mapping["MaximumRetryAttempts"], &mapping["MaximumRecordAgeInSeconds"]), (&(-1).into(), &(-1).into()));
    // Where every event is remembered, batches may be given up.
    let late = template(&["tests/language/late.yaml"]).await;
    let mapping = &late["Resources"]["SMapping"]["Properties"];
    assert_eq!(mapping["MaximumRetryAttempts"]["Ref"], "SRetries");
    // A chain is wired by itself; only what others own is asked for.
    let chain = template(&["projections/winner-view"]).await;
    let source = &chain["Resources"]["ContributionsChangesMapping"]["Properties"]["EventSourceArn"];
    assert_eq!(source["Fn::GetAtt"], serde_json::json!(["ContributionsTable", "StreamArn"]));
    let table = &chain["Resources"]["ContributionsTable"]["Properties"];
    assert_eq!(table["StreamSpecification"], serde_json::json!({ "StreamViewType": "NEW_AND_OLD_IMAGES" }));
    let parameters = chain["Parameters"].as_object().expect("parameters");
    let without_default: Vec<&String> =
        parameters.iter().filter(|(_, parameter)| parameter.get("Default").is_none()).map(|(name, _)| name).collect();
    assert_eq!(without_default, ["RetailStreamArn"]);
}

#[tokio::test]
async fn a_factor_is_legal_for_every_guard() {
    let complaint = refused(&["tests/language/shards.yaml", "--parallelization", "sales=4"]).await;
    assert!(complaint.contains("projection `shards` has `guard: { last_event_id: shard }`"), "{complaint}");
    let shards = template(&["tests/language/shards.yaml", "--parallelization", "1"]).await;
    assert_eq!(shards["Resources"]["SalesMapping"]["Properties"]["ParallelizationFactor"], 1);
    let output = viewfold(["template", "projections/winner-view", "--parallelization", "retail=4", "--format", "json"]);
    let output = output.run().await.expect_status(0);
    assert!(output.stderr.contains("no producer may aggregate records"), "{}", output.stderr);
    let parameter = &json(&output.stdout)["Parameters"]["RetailParallelization"];
    assert_eq!((&parameter["Default"], &parameter["MaxValue"]), (&4.into(), &10.into()));
    for (arguments, complaint) in [
        (["projections/votes", "--parallelization", "11"], "1 to 10"),
        (["projections/votes", "--parallelization", "nothing=2"], "they read `votes`"),
        (["projections/votes", "--existing", "vote"], "they need"),
        (["projections/votes", "--filter", "vote"], "they read `votes`"),
    ] {
        let told = refused(&arguments).await;
        assert!(told.contains(complaint), "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn what_exists_is_not_made_and_may_be_used() {
    let template = template(&["projections/map-rollup", "--existing", "Map"]).await;
    assert_eq!(template["Resources"].get("MapTable"), None);
    let role = template["Resources"]["PointChangesRole"].to_string();
    assert!(role.contains(":table/${TablePrefix}Map"), "{role}");
}

#[tokio::test]
async fn queues_are_on_the_dashboard_as_they_are() {
    for (more, aside) in [(&[][..], None), (&["--create-streams"][..], Some("${OrdersQueueFailed.QueueName}"))] {
        let template = template(&[&["tests/language/queue_standard.yaml"], more].concat()).await;
        let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
        let body = json(body.as_str().expect("the body is one text"));
        let widgets = body["widgets"].as_array().expect("widgets").iter();
        let metrics = widgets.filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
        let of = |stream: &str| -> Vec<(String, String)> {
            let of_queues =
                metrics.clone().filter(|metric| metric[0] == "AWS/SQS" && metric[3].to_string().contains(stream));
            of_queues.map(|metric| (metric[1].to_string(), metric[3].as_str().unwrap_or_default().to_owned())).collect()
        };
        let name = |metric: &str, queue: &str| (format!("\"Approximate{metric}\""), queue.to_owned());
        let (waiting, age) = ("NumberOfMessagesVisible", "AgeOfOldestMessage");
        assert_eq!(of("orders"), [name(waiting, "orders"), name(age, "orders")]);
        assert_eq!(of("OrdersQueueFailed"), aside.map(|queue| name(waiting, queue)).into_iter().collect::<Vec<_>>());
        // What is named is there.
        assert_eq!(template["Resources"].get("OrdersQueueFailed").is_some(), aside.is_some(), "{template:#}");
    }
}

#[tokio::test]
async fn a_filter_says_what_it_does_or_why_there_is_none() {
    let output = viewfold(["template", "projections/votes", "--filter", "votes"]).run().await.expect_status(0);
    assert!(output.stderr.contains("no filter: projection `total_votes` has `retract: true`"), "{}", output.stderr);
    assert!(output.stdout.contains("# no filter: projection `total_votes`"), "{}", output.stdout);
    let recent = "projections/votes/recent_votes.yaml";
    let output = viewfold(["template", recent, "--filter", "all", "--format", "json"]).run().await.expect_status(0);
    let filters = &json(&output.stdout)["Resources"]["VotesChangesMapping"]["Properties"]["FilterCriteria"]["Filters"];
    assert_eq!(*filters, serde_json::json!([{ "Pattern": r#"{"eventName":["INSERT","MODIFY"]}"# }]));
    assert!(output.stderr.contains("do not reach the function"), "{}", output.stderr);
}

/// A projection over a stream, whose documents are in a table.
fn counting(projection: &str, stream: &str, table: &str, guard: &str) -> String {
    format!(
        "projection: {projection}\nsource: {{ kinesis: {{ stream: {stream}, lane: $.id }} }}\n\
         document: {{ table: {table}, partition_key: id }}\nguard: {guard}\nkey: {{ id: $.id }}\nrules: [{{ add: {{ n: 1 }} }}]\n"
    )
}

#[tokio::test]
async fn names_that_differ_in_little_make_ids_that_differ() {
    let folder = Folder::empty();
    let long = "t".repeat(255);
    for (file, projection, table) in
        [("a", "total_votes", "a-b"), ("b", "total-votes", "a_b"), ("c", "other", long.as_str())]
    {
        folder.write(&format!("{file}.yaml"), &counting(projection, "s", table, "last_event_id"));
    }
    let path = folder.path().display().to_string();
    let yaml = viewfold(["template", &path]).run().await.expect_status(0).stdout;
    let ids: Vec<&str> =
        yaml.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':')).collect();
    for id in &ids {
        assert!(id.trim().len() <= 256, "{id}");
    }
    // Each is in one section, or in two: a parameter's or resource's, and its output's.
    let template = template(&[&path]).await;
    let resources = template["Resources"].as_object().expect("resources");
    let alarms = resources.keys().filter(|id| id.ends_with("DeadLettersAlarm")).count();
    assert_eq!(alarms, 3, "{:?}", resources.keys());
    let statements = template["Resources"]["SRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        .as_array()
        .expect("statements");
    let sids: Vec<&str> = statements.iter().filter_map(|statement| statement["Sid"].as_str()).collect();
    let mut apart = sids.clone();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), sids.len(), "{sids:?}");
    if let Some(lint) = Lint::find() {
        let path = folder.path().join("stack");
        fs::write(&path, &yaml).expect("a file can be written");
        lint.check(&[&path]).await;
    }
}

#[tokio::test]
async fn what_cloudformation_would_not_take_is_refused() {
    let folder = Folder::empty();
    for number in 0..50 {
        let projection =
            counting(&format!("p{number}"), &format!("s{number}"), &format!("Table{number}"), "last_event_id");
        folder.write(&format!("p{number}.yaml"), &projection);
    }
    let path = folder.path().display().to_string();
    let error = refused(&[&path]).await;
    assert!(error.contains("CloudFormation takes") && error.contains("divide"), "{error}");
    let folder = Folder::empty();
    for number in 0..40 {
        let guard = format!("{{ events_table: Events{number} }}");
        folder.write(
            &format!("p{number}.yaml"),
            &counting(&format!("p{number}"), "s", &format!("Table{number}"), &guard),
        );
    }
    let error = refused(&[&folder.path().display().to_string()]).await;
    assert!(error.contains("the policy of SRole") && error.contains("10240"), "{error}");
    let error = refused(&["projections/votes", "--table-prefix", "a b"]).await;
    assert!(error.contains("\"a b\""), "{error}");
}
