//! The roles of `viewfold template` allow what the function does, and nothing else: every request is held against the policy of the
//! stream's role, and every action that a policy allows has to have been taken by some run under the same guard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness::cli::{make_tables, viewfold};
use harness::events::{KinesisStream, TableStream, batch};
use harness::feed::Feed;
use harness::function::{Deployment, Function};
use harness::proxy::{Access, Proxy};
use harness::scratch::Folder;
use harness::store::Store;
use harness::workspace;
use serde_json::{Value, json};

/// What the roles of a deployment allow, by the stream that their functions read.
struct Policies {
    by_stream: BTreeMap<String, BTreeSet<Access>>,
}

impl Policies {
    async fn of(projections: &Path, store: &Store) -> Policies {
        let command = viewfold(["template", "--format", "json"]).arg(projections);
        let template: Value =
            serde_json::from_str(&command.run().await.expect_status(0).stdout).expect("the template is JSON");
        let resources = template["Resources"].as_object().expect("a template has resources");
        let functions = resources.values().filter(|resource| resource["Type"] == "AWS::Serverless::Function");
        let by_stream = functions.map(|function| {
            let told = function["Properties"]["Description"].as_str().expect("a function is described");
            let stream = told.split(" into ").next().and_then(|told| told.rsplit(' ').next()).expect("a stream's name");
            let role = function["Properties"]["Role"]["Fn::GetAtt"][0].as_str().expect("a function has a role");
            (stream.to_owned(), allowed(&template["Resources"][role], &template, store))
        });
        Policies { by_stream: by_stream.collect() }
    }
}

/// What a role allows on tables.
fn allowed(role: &Value, template: &Value, store: &Store) -> BTreeSet<Access> {
    let policies = role["Properties"]["Policies"].as_array().expect("a role has policies");
    let statements =
        policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().expect("a list"));
    let mut allowed = BTreeSet::new();
    for statement in statements.filter(|statement| statement["Sid"].as_str().is_some_and(|sid| sid.starts_with("Use")))
    {
        assert_eq!(statement["Effect"], "Allow");
        let resource = statement["Resource"]["Fn::GetAtt"][0].as_str().expect("a table of the template");
        let name = template["Resources"][resource]["Properties"]["TableName"]["Fn::Sub"].as_str().expect("a name");
        let table = store.table(name.strip_prefix("${TablePrefix}").expect("the name has the stack's prefix"));
        let actions = match &statement["Action"] {
            Value::String(action) => vec![action.as_str()],
            actions => actions.as_array().expect("a list").iter().filter_map(Value::as_str).collect(),
        };
        for action in actions {
            let action = action.strip_prefix("dynamodb:").expect("an action on tables");
            assert!(!action.contains('*'), "{action} is more than anybody needs");
            allowed.insert((action.to_owned(), table.clone()));
        }
    }
    allowed
}

/// A function behind a proxy, held against its policies.
struct Watched {
    store: Store,
    proxy: Proxy,
    function: Function,
    policies: Policies,
    used: BTreeMap<String, BTreeSet<Access>>,
    _folder: Option<Folder>,
}

impl Watched {
    async fn start(projections: &Path, folder: Option<Folder>) -> Watched {
        let store = Store::start().await;
        let policies = Policies::of(projections, &store).await;
        make_tables(projections, &store).await;
        let proxy = Proxy::before(&store).await;
        let deployment = Deployment::new(projections, &store).set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint());
        let function = deployment.start().await;
        Watched { store, proxy, function, policies, used: BTreeMap::new(), _folder: folder }
    }

    async fn of(text: &str) -> Watched {
        let folder = Folder::with("projection.yaml", text);
        let path = folder.path().to_owned();
        Watched::start(&path, Some(folder)).await
    }

    /// Delivers records of a stream, whatever becomes of them, and looks at what was asked of the store for it.
    async fn deliver(&mut self, stream: &str, records: &[Value]) {
        if records.is_empty() {
            return;
        }
        let answer = self.function.invoke(&batch(records.to_vec())).await;
        answer.unwrap_or_else(|error| panic!("the invocation failed: {error}\n{}", self.function.output()));
        self.proxy.quiet().await;
        let accesses = self.proxy.take_accesses();
        let allowed = &self.policies.by_stream[stream];
        let refused: Vec<&Access> = accesses.difference(allowed).collect();
        assert!(refused.is_empty(), "the policy of {stream} does not allow {refused:?}");
        self.used.entry(stream.to_owned()).or_default().extend(accesses);
    }

    /// Delivers records as the worst of days would: through a store that fails, half of them first, and all of them again.
    async fn deliver_badly(&mut self, stream: &str, records: &[Value]) {
        self.deliver(stream, &records[..records.len() / 2]).await;
        for seed in 0..3 {
            self.proxy.fail(seed);
            self.deliver(stream, records).await;
        }
        self.proxy.calm();
        self.deliver(stream, records).await;
        self.deliver(stream, records).await;
    }

    /// An item that somebody else has put there.
    async fn put(&self, table: &str, item: Value) {
        let request = json!({ "TableName": self.store.table(table), "Item": item });
        assert_eq!(self.store.post("PutItem", &request).await, 200);
    }

    /// Every action that the policies allow has been taken.
    #[track_caller]
    fn all_is_used(&self, guard: &str) {
        for (stream, allowed) in &self.policies.by_stream {
            let used = self.used.get(stream).cloned().unwrap_or_default();
            let unused: Vec<&Access> = allowed.difference(&used).collect();
            assert!(unused.is_empty(), "under {guard} the policy of {stream} allows what is never done: {unused:?}");
        }
    }
}

/// Sums that go when they are 0, under a guard.
fn sums(guard: &str, more: &str) -> String {
    format!(
        "projection: sums\nsource: {{ kinesis: {{ stream: numbers, lane: $.id }} }}\n\
         document: {{ table: Sums, partition_key: id }}\nguard: {guard}\nkey: {{ id: $.id }}\n{more}\n\
         rules: [{{ name: number, when: {{ $.n: {{ exists: true }} }}, add: {{ total: $.n }} }}]\n"
    )
}

/// Numbers that come and go, one that is none, one for a document that has no number there, and a record that is nothing at all.
fn numbers() -> Vec<Value> {
    let mut stream = KinesisStream::new("numbers");
    let mut record = |id: &str, n: Value| stream.record(id, json!({ "id": id, "n": n, "event": id }).to_string());
    let mut records: Vec<Value> = (0..40).map(|number| record(&format!("d{}", number % 7), json!(number))).collect();
    records.extend([record("gone", json!(5)), record("gone", json!(-5)), record("new", json!("five"))]);
    records.extend([record("taken", json!(1)), record("taken", json!(2)), record("d1", json!("six"))]);
    records.push(stream.record("d1", "no JSON"));
    records
}

#[tokio::test]
async fn what_guards_do_is_allowed_and_all_of_it_is_done() {
    let delete = "delete_when: doc.total == 0";
    for (guard, more) in [
        ("none", ""),
        ("none", delete),
        ("none", "on_error: skip"),
        ("none", "on_error: fail"),
        ("last_event_id", ""),
        ("last_event_id", delete),
        ("last_event_id", "on_error: skip"),
        ("{ last_event_id: document, order_by: $.event }", ""),
        ("{ last_event_id: shard }", ""),
        ("{ last_event_id: lane }", ""),
        ("{ last_event_id: lane }", delete),
        ("{ last_event_id: lane }", "on_error: skip"),
        ("{ events_table: Events }", ""),
        ("{ events_table: Events, keep_for: 2d }", delete),
        ("{ events_table: Events }", "on_error: skip"),
    ] {
        let mut watched = Watched::of(&sums(guard, more)).await;
        // The store refuses to add to it.
        watched.put("Sums", json!({ "id": { "S": "taken" }, "total": { "S": "none" } })).await;
        let records = numbers();
        for records in records.chunks(41) {
            watched.deliver_badly("numbers", records).await;
        }
        watched.all_is_used(&format!("{guard} {more}"));
    }
}

#[tokio::test]
async fn what_is_taken_back_is_allowed_and_all_of_it_is_done() {
    let text = |more: &str| {
        format!(
            "projection: holdings\nsource: {{ dynamodb: {{ table: Items, keys: [id] }} }}\n\
             document: {{ table: Sums, partition_key: group }}\nguard: {{ last_event_id: lane }}\n{more}\n\
             rules: [{{ name: item, retract: true, key: {{ group: $.group }}, add: {{ items: 1, total: $.n }} }}]\n"
        )
    };
    for more in ["", "delete_when: doc.items == 0 && doc.total == 0", "on_error: skip", "on_error: fail"] {
        let mut watched = Watched::of(&text(more)).await;
        watched.put("Sums", json!({ "group": { "S": "taken" }, "total": { "S": "none" } })).await;
        let mut stream = TableStream::new(&watched.store.table("Items"), &["id"]);
        let item =
            |id: u32, group: &str, n: Value| json!({ "id": { "S": id.to_string() }, "group": { "S": group }, "n": n });
        let five = || json!({ "N": "5" });
        let made: Vec<Value> = (0..9).map(|id| stream.insert(item(id, "a", five()))).collect();
        let changed = vec![
            stream.modify(item(0, "a", five()), item(0, "b", five())),
            stream.modify(item(1, "a", five()), item(1, "a", json!({ "S": "five" }))),
            stream.insert(item(20, "taken", five())),
            stream.remove(item(0, "b", five())),
        ];
        watched.deliver_badly("Items", &made).await;
        watched.deliver_badly("Items", &changed).await;
        watched.all_is_used(&format!("retract {more}"));
    }
}

#[tokio::test]
async fn what_an_order_asks_for_is_allowed_and_all_of_it_is_done() {
    let path = workspace().join("tests/language/late.yaml");
    for more in ["", "on_error: skip"] {
        let text = std::fs::read_to_string(&path).expect("the projection is there");
        let mut watched = Watched::of(&format!("{text}{more}\n")).await;
        let mut stream = KinesisStream::new("s");
        let mut record = |order: u32, event: Value| {
            let mut event = event;
            event["id"] = json!("d");
            event["o"] = json!(order);
            stream.record("d", event.to_string())
        };
        // What divides by a number that is not there yet cannot be applied, until that comes, late.
        let divides = record(7, json!({ "t": "q" }));
        let later = record(9, json!({ "t": "a" }));
        let late = record(3, json!({ "t": "s", "v": 5 }));
        watched.deliver("s", &[divides]).await;
        watched.deliver_badly("s", &[later]).await;
        watched.deliver_badly("s", &[late]).await;
        if more.is_empty() {
            watched.all_is_used("events_table with order_by");
        }
    }
}

#[tokio::test]
async fn the_five_systems_do_what_their_policies_allow() {
    for (system, stream, views) in [
        ("map-rollup", "Point", &[][..]),
        ("tournament", "TaTourney", &[]),
        ("votes", "votes", &[]),
        ("winner-view", "retail", &["Contributions"]),
        ("winner-view-unordered", "retail", &["Contributions"]),
    ] {
        let mut watched = Watched::start(&workspace().join("projections").join(system), None).await;
        let events = std::fs::read_to_string(workspace().join("examples").join(system).join("events.json"));
        let events: Value = serde_json::from_str(&events.expect("the system has events")).expect("events are JSON");
        let events = events.as_array().cloned().unwrap_or_else(|| vec![events]);
        let mut feeds = Vec::new();
        for view in views {
            feeds.push((*view, Feed::of(&watched.store, view).await));
        }
        for event in &events {
            let records = event["Records"].as_array().expect("an event has records");
            // Views are fed by their own streams.
            let own: Vec<Value> = records.iter().filter(|record| is_of(record, stream)).cloned().collect();
            watched.deliver_badly(stream, &own).await;
            for (view, feed) in &mut feeds {
                let records = feed.next().await;
                watched.deliver_badly(view, &records).await;
            }
        }
        assert_eq!(watched.used.len(), 1 + views.len(), "{system}: every stream had events");
        // Each takes a part of what its guard may have to do; marks and documents are always written.
        for (stream, used) in &watched.used {
            let wrote = used.iter().any(|(action, _)| action == "UpdateItem");
            assert!(wrote, "{system}: nothing came of {stream}: {used:?}");
        }
    }
}

fn is_of(record: &Value, stream: &str) -> bool {
    let arn = record["eventSourceARN"].as_str().unwrap_or_default();
    arn.ends_with(&format!("stream/{stream}")) || arn.contains(&format!(":table/{stream}/"))
}
