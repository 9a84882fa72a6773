//! What the examples of the reference are about.

use crate::expr::scope::Table;

/// `$` in every example.
pub const SUBJECT: &str = r#"{
  "event": "order_completed",
  "email": " Ann@Example.com ",
  "timestamp": "2026-01-02T03:04:05.678Z",
  "created_at": 1767323045,
  "total": "99.50",
  "plan_id": 2,
  "note": "",
  "nothing": null,
  "tags": ["vip", "beta", "vip"],
  "items": [
    {"sku": "A-1", "price": 10, "qty": 2},
    {"sku": "B-2", "price": 2.5, "qty": 1}
  ],
  "traits": {"plan": "pro", "seats": 3, "address": {"city": "Bern", "zip": null}}
}"#;

/// `now` in every example, in milliseconds: 2026-01-02T03:04:05.678Z.
pub const NOW_MS: i64 = 1_767_323_045_678;

/// The tables that the examples name.
pub fn tables() -> impl Iterator<Item = (String, Table)> {
    const TABLES: &[(&str, &[(&str, &str)])] = &[
        (
            "plans",
            &[("1", "\"free\""), ("2", "\"pro\""), ("3", "\"enterprise\"")],
        ),
        ("names", &[("plan", "\"Plan\""), ("seats", "\"$seats\"")]),
    ];
    TABLES.iter().map(|(name, rows)| {
        let rows = rows
            .iter()
            .map(|(key, json)| ((*key).to_owned(), (*json).to_owned()));
        (
            (*name).to_owned(),
            Table {
                rows: rows.collect(),
            },
        )
    })
}
