//! The catalog: every file loads, every figure is sourced, and peaks are those that are stated.

use vitruvian_hardware::catalog;

#[test]
fn every_chip_loads() {
    for name in catalog::names() {
        let chip = catalog::chip(name).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(chip.name, name);
    }
}

#[test]
fn every_node_loads() {
    for name in catalog::node_names() {
        let node = catalog::node(name).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(node.name, name);
    }
}
