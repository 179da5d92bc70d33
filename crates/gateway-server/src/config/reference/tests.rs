//! The schema and the page tell of every key.

use super::{config_reference, config_schema};
use crate::config::raw::{PRICES, SECTIONS};

#[test]
fn the_schema_has_every_key() {
    let schema = config_schema();
    for (path, keys) in SECTIONS {
        let mut pointer = String::new();
        for part in path.split('.').filter(|part| !part.is_empty()) {
            if part.starts_with('<') {
                pointer.push_str("/additionalProperties");
                continue;
            }
            let name = part.trim_end_matches("[]");
            pointer.push_str(&format!("/properties/{name}"));
            if name != part {
                pointer.push_str("/items");
            }
        }
        for key in *keys {
            let entry = schema.pointer(&format!("{pointer}/properties/{}", key.name));
            let entry = entry.unwrap_or_else(|| panic!("{path}.{}", key.name));
            assert!(
                entry["description"].as_str().is_some_and(|doc| doc.starts_with(key.doc)),
                "{path}.{}",
                key.name
            );
        }
    }
    let params = schema.pointer("/properties/model_list/items/properties/litellm_params/properties").unwrap();
    assert!(PRICES.iter().all(|price| params.get(price).is_some()));
    assert_eq!(
        schema.pointer("/properties/general_settings/properties/proxy_batch_write_at/default"),
        Some(&10.into())
    );
}

#[test]
fn the_page_has_every_key_in_a_row() {
    let page = config_reference();
    for (path, keys) in SECTIONS {
        assert!(
            page.contains(&format!("\n## {}\n", if path.is_empty() { "The file" } else { path })),
            "{path}"
        );
        for key in *keys {
            assert!(page.contains(&format!("\n| `{}` |", key.name)), "{path}.{}", key.name);
        }
    }
    let torn = page.lines().filter(|line| line.starts_with('|') && !line.ends_with('|')).count();
    assert_eq!(torn, 0);
}
