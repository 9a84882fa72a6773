//! `tables`: what `lookup` finds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::decode::Cx;
use crate::config::settings::Tables;
use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::expr::Table;

impl Cx<'_> {
    /// `tables` of a file of the catalogue.
    pub(super) fn own_tables(&mut self, node: &Node) -> Tables {
        let Data::Map(entries) = &node.data else {
            self.wrong_type::<()>(node, "a mapping of tables");
            return Tables::default();
        };
        self.tables_of(entries)
    }

    /// Tables by name: rows by key, the values literal.
    pub(in crate::config) fn tables_of(&mut self, entries: &[Entry]) -> Tables {
        let mut tables = BTreeMap::new();
        for entry in entries {
            let Data::Map(rows) = &entry.value.data else {
                self.wrong_type::<()>(&entry.value, "a mapping of keys to values");
                continue;
            };
            let rows = rows
                .iter()
                .filter_map(|row| Some((row.key.clone(), self.json(&row.value)?)));
            tables.insert(
                entry.key.clone(),
                Table {
                    rows: rows.collect(),
                },
            );
        }
        Arc::new(tables)
    }
}
