//! `viewfold tables`: the tables that projections need, told and made.

use harness::cli::viewfold;
use harness::store::Store;

use crate::json;

#[tokio::test]
async fn they_are_told_as_requests() {
    let output = viewfold(["tables", "projections/votes", "--format", "json"]).run().await.expect_status(0);
    let tables = json(&output.stdout);
    let tables = tables.as_array().unwrap_or_else(|| panic!("not a list: {tables}"));
    let view = tables.iter().find(|table| table["TableName"] == "total_votes");
    let view = view.unwrap_or_else(|| panic!("no total_votes in {tables:?}"));
    let keys = view["KeySchema"].as_array().expect("a table has keys");
    assert_eq!(keys[0]["AttributeName"], "region");
    assert_eq!(keys[0]["KeyType"], "HASH");
    assert_eq!(keys[1]["AttributeName"], "improvement");
    assert_eq!(keys[1]["KeyType"], "RANGE");
    assert!(tables.len() > 1, "the guard's events table is missing: {tables:?}");
}

#[tokio::test]
async fn they_are_made_once() {
    let store = Store::start().await;
    viewfold(["tables", "projections/winner-view"]).at(&store).run().await.expect_status(0);
    assert_eq!(store.tables().await, [""; 0], "without --create nothing is made");

    let create = || viewfold(["tables", "projections/winner-view", "--create"]).at(&store);
    create().run().await.expect_status(0);
    let tables = store.tables().await;
    assert!(tables.contains(&"Contributions".to_owned()), "{tables:?}");
    let description = store.client().describe_table().table_name(store.table("Contributions")).send().await;
    let description = description.expect("the table is there").table.expect("a description");
    let indexes: Vec<_> =
        description.global_secondary_indexes().iter().filter_map(|index| index.index_name()).collect();
    assert!(indexes.contains(&"ProductsByCreator") && indexes.contains(&"ProductsByPhotographer"), "{indexes:?}");

    create().run().await.expect_status(0);
    assert_eq!(store.tables().await, tables, "a second time there is nothing to make");
}
