//! The tables of `docs/hardware.md` and the JSON Schemas are those of the declared keys.
//!
//! `BLESS=1 cargo test -p vitruvian-hardware --test documentation` rewrites the tables.

use std::{env, fs};

use vitruvian_hardware::schema::{chip_keys_markdown, chip_schema, node_keys_markdown, node_schema};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hardware.md");

/// The page with the table after a marker replaced.
fn with_table(page: &str, marker: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(marker)?;
    let (line, rest) = rest.split_once('\n')?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}{marker}{line}\n\n{table}\n<!-- end -->{after}"))
}

#[test]
fn the_page_lists_the_keys() {
    let page = fs::read_to_string(PAGE).unwrap();
    let fresh = with_table(&page, "<!-- chip keys", &chip_keys_markdown()).unwrap();
    let fresh = with_table(&fresh, "<!-- node keys", &node_keys_markdown()).unwrap();
    if env::var_os("BLESS").is_some() {
        fs::write(PAGE, &fresh).unwrap();
    }
    assert!(
        page == fresh || env::var_os("BLESS").is_some(),
        "docs/hardware.md is stale: run the test with BLESS=1"
    );
}

#[test]
fn the_schema_knows_what_a_file_may_hold() {
    let chip = chip_schema();
    let bandwidth = &chip["properties"]["hbm"]["properties"]["bandwidth"]["anyOf"];
    assert_eq!(bandwidth[0]["type"], "string");
    assert_eq!(bandwidth[1]["required"][0], "value");
    // `hbm = "64 GiB"` stands for the capacity.
    assert_eq!(chip["properties"]["hbm"]["type"][1], "string");
    assert_eq!(chip["properties"]["matrix"]["properties"]["bf16"]["anyOf"][0]["minimum"], 0);
    assert_eq!(chip["properties"]["vendor"]["anyOf"][0]["enum"][1], "huawei");
    assert_eq!(chip["additionalProperties"], false);
    assert_eq!(node_schema()["properties"]["size"]["anyOf"][0]["type"], "integer");
}
