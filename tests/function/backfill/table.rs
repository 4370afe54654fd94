//! The table that is filled from, and what people do to it.

use std::collections::BTreeMap;

use fastrand::Rng;
use harness::store::Store;
use serde_json::{Value, json};

use super::{System, people_edit};

/// A table, and what is known to be in it.
pub(super) struct Table {
    system: &'static System,
    items: BTreeMap<String, Value>,
    /// What people last wrote to documents of the view.
    edits: BTreeMap<String, String>,
}

impl Table {
    /// Makes a table with a stream, and puts so many items into it.
    pub(super) async fn with_items(store: &Store, system: &'static System, rng: &mut Rng, count: usize) -> Table {
        store.make_source(system.table, system.keys).await;
        let mut table = Table { system, items: BTreeMap::new(), edits: BTreeMap::new() };
        while table.items.len() < count {
            let (name, item) = table.some_item(rng);
            table.items.insert(name, item);
        }
        store.put(system.table, table.items.values()).await;
        table
    }

    /// The items that are in it.
    pub(super) fn items(&self) -> Vec<&Value> {
        self.items.values().collect()
    }

    /// What people last wrote to documents of the view.
    pub(super) fn edits(&self) -> &BTreeMap<String, String> {
        &self.edits
    }

    /// An item with a note of a kilobyte, so that a page of the table has few of them.
    fn some_item(&self, rng: &mut Rng) -> (String, Value) {
        let key = (self.system.key)(rng);
        let mut item = (self.system.item)(rng);
        for (name, value) in key.as_object().expect("a key has attributes") {
            item[name] = value.clone();
        }
        item["note"] = json!({ "S": "x".repeat(1000) });
        (key.to_string(), item)
    }

    /// Somebody puts, changes or removes an item, or writes to a document.
    pub(super) async fn change(&mut self, store: &Store, rng: &mut Rng) {
        let table = store.table(self.system.table);
        let (name, item) = self.some_item(rng);
        if rng.u8(0..4) == 0 {
            let request = json!({ "TableName": table, "Key": self.system.key_of(&item) });
            assert_eq!(store.post("DeleteItem", &request).await, 200, "{request}");
            self.items.remove(&name);
        } else {
            let request = json!({ "TableName": table, "Item": item });
            assert_eq!(store.post("PutItem", &request).await, 200, "{request}");
            self.items.insert(name, item);
        }
        if let (Some(edit), 0) = (self.system.edit, rng.u8(0..10)) {
            let (document, title) = edit(rng);
            people_edit(store, self.system, &document, &title).await;
            self.edits.insert(document, title);
        }
    }
}
