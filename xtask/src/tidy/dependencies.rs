//! A dependency is named once, in the root, and used.

use crate::repository::{File, Repository};

pub(super) fn check(repository: &Repository) -> Vec<String> {
    let members = || repository.ending("/Cargo.toml");
    let named = members().flat_map(named_outside_the_root);
    let Some(root) = repository.file("Cargo.toml") else {
        return vec!["Cargo.toml:1: there is none".to_owned()];
    };
    let users: Vec<String> = members().flat_map(dependencies).map(|(_, name, _)| name).collect();
    named.chain(unused(root, &users)).collect()
}

/// Dependencies of a member that do not come from the workspace.
fn named_outside_the_root(member: &File) -> Vec<String> {
    let own = dependencies(member).into_iter().filter(|(_, _, from_workspace)| !from_workspace);
    own.map(|(line, name, _)| {
        member.finding(line, &format!("name `{name}` in the root Cargo.toml, with a reason"))
    })
    .collect()
}

/// Dependencies of the workspace that no member has.
fn unused(root: &File, users: &[String]) -> Vec<String> {
    let tables: toml::Table = toml::from_str(&root.text).unwrap_or_default();
    let named = tables
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(|all| all.as_table());
    let names = named.into_iter().flat_map(|table| table.keys()).filter(|name| !users.contains(name));
    names.map(|name| root.finding(line_of(root, name), &format!("no crate uses `{name}`"))).collect()
}

/// Line, name, and whether it is taken from the workspace, of each dependency of a member.
fn dependencies(member: &File) -> Vec<(usize, String, bool)> {
    let tables: toml::Table = toml::from_str(&member.text).unwrap_or_default();
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let entries = kinds.iter().filter_map(|kind| tables.get(*kind)?.as_table()).flatten();
    let from_workspace =
        |value: &toml::Value| value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
    entries.map(|(name, value)| (line_of(member, name), name.clone(), from_workspace(value))).collect()
}

fn line_of(file: &File, name: &str) -> usize {
    let begins = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    file.text.lines().position(begins).map_or(1, |index| index + 1)
}
