//! The function and live views: what it follows, what it refuses, and what it does when the store does not say.

use harness::cli::make_tables;
use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, batch, sequence_number};
use harness::function::{Deployment, Function};
use harness::proxy::{Fault, Proxy};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};
use std::time::Duration;

use crate::{deliver, deliver_whole};

const TOTALS: &str = r"projection: totals
source: { kinesis: { stream: shop, lane: $.id } }
document: { table: Totals, partition_key: id }
guard: last_event_id
key: { id: $.id }
rules: [{ name: sold, add: { total: $.price } }]
";

const COUNTED: &str = "{ total: $.price, count: 1 }";

/// A live view: its tables, and events that were applied by the first version.
struct Live {
    store: Store,
    folder: Folder,
    stream: KinesisStream,
}

impl Live {
    async fn start() -> Live {
        let mut live = Live {
            store: Store::start().await,
            folder: Folder::with("totals.yaml", TOTALS),
            stream: KinesisStream::new("shop"),
        };
        make_tables(live.folder.path(), &live.store).await;
        let function = live.deployment(TOTALS).start().await;
        live.sell(&function, 5).await;
        live
    }

    fn deployment(&self, text: &str) -> Deployment {
        self.folder.write("totals.yaml", text);
        Deployment::new(self.folder.path(), &self.store)
    }

    async fn sell(&mut self, function: &Function, price: u32) {
        let record = self.stream.record("a", json!({ "id": "a", "price": price }).to_string());
        deliver_whole(function, &batch([record])).await;
    }

    async fn documents(&self) -> Vec<Value> {
        self.store.documents("Totals", Bookkeeping::Hidden).await
    }
}

/// A version whose amount is another one.
fn doubled() -> String {
    TOTALS.replace("$.price", "'${ $.price * 2 }'")
}

#[tokio::test]
async fn what_holds_from_now_on_is_followed_and_said() {
    let mut live = Live::start().await;
    let function = live.deployment(&TOTALS.replace("{ total: $.price }", COUNTED)).start().await;
    live.sell(&function, 7).await;
    assert!(function.output().contains("`totals` has changed, from now on: `count` is new"), "{}", function.output());
    assert_eq!(live.documents().await, [json!({ "id": "a", "total": 12, "count": 1 })]);
    // The version before goes on beside it, whatever going back would mean.
    let older = live.deployment(TOTALS).start().await;
    live.sell(&older, 1).await;
    assert!(older.output().contains("goes on beside it"), "{}", older.output());
    let again = live.deployment(&TOTALS.replace("{ total: $.price }", COUNTED)).start().await;
    live.sell(&again, 1).await;
    assert!(!again.output().contains("has changed"), "{}", again.output());
}

#[tokio::test]
async fn what_a_live_view_cannot_follow_does_not_start() {
    let mut live = Live::start().await;
    let failed = live.deployment(&doubled()).start_expecting_failure().await;
    assert!(!failed.status.success(), "{}", failed.output);
    for words in [
        "rebuild: `total`: another amount",
        "totals.yaml:6:37",
        "`viewfold rebuild` with that copy",
        "VIEWFOLD_ACCEPT_CHANGES=totals=",
    ] {
        assert!(failed.output.contains(words), "no {words} in:\n{}", failed.output);
    }
    let told = failed.output.split("VIEWFOLD_ACCEPT_CHANGES=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let told = told.expect("the message has the variable").to_owned();
    let other = live.deployment(&doubled().replace("* 2", "* 3")).set("VIEWFOLD_ACCEPT_CHANGES", &told);
    other.start_expecting_failure().await;
    let accepted = live.deployment(&doubled()).set("VIEWFOLD_ACCEPT_CHANGES", &told).start().await;
    live.sell(&accepted, 1).await;
    assert_eq!(live.documents().await, [json!({ "id": "a", "total": 7 })]);
    // It is what is deployed now.
    let again = live.deployment(&doubled()).start().await;
    live.sell(&again, 1).await;
    live.deployment(TOTALS).start_expecting_failure().await;
}

#[tokio::test]
async fn another_version_is_a_view_of_its_own() {
    let mut live = Live::start().await;
    let text = doubled().replace("source:", "version: 2\nsource:");
    live.folder.write("second.yaml", &text);
    let function = {
        let deployment = live.deployment(TOTALS);
        make_tables(live.folder.path(), &live.store).await;
        deployment.start().await
    };
    live.sell(&function, 1).await;
    assert_eq!(live.documents().await, [json!({ "id": "a", "total": 6 })]);
    assert_eq!(live.store.documents("Totals.v2", Bookkeeping::Hidden).await, [json!({ "id": "a", "total": 2 })]);
}

#[tokio::test]
async fn a_store_that_does_not_say_is_asked_again_before_the_first_batch() {
    let mut live = Live::start().await;
    let proxy = Proxy::before(&live.store).await;
    proxy.always("Query", Fault::Broken);
    let deployment = live.deployment(&doubled()).set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint());
    let function = deployment.start().await;
    assert!(function.is_ready_within(Duration::from_secs(10)).await, "{}", function.output());
    let record = live.stream.record("a", json!({ "id": "a", "price": 1 }).to_string());
    // Nothing is known of the view: nothing is applied, and all of the batch comes again.
    assert_eq!(deliver(&function, &batch([record.clone()])).await, [sequence_number(&record)]);
    assert!(function.output().contains("is not known"), "{}", function.output());
    proxy.calm();
    let failed = function.invoke(&batch([record])).await.expect_err("the view cannot follow");
    assert_eq!(failed.error_type, "viewfold.ChangeNotFollowed", "{failed:?}");
    assert_eq!(live.documents().await, [json!({ "id": "a", "total": 5 })]);
}
