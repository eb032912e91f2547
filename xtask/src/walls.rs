//! The walls between the crates, as ARCHITECTURE.md draws them: who stands on which floor and what each must never know.
//!
//! It looks at what `Cargo.toml` files name, not at what the code does with it.

use serde_json::Value;
use std::collections::BTreeMap;

/// A library under `crates/`: its floor, and the packages it must not reach, itself or through others of ours.
/// `arrow` stands for `arrow-array` and its other parts, too.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("tribune", 6, &[]),
    ("web", 5, &["arrow", "parquet", "datafusion"]),
    ("cluster", 5, &["axum"]),
    ("clerk", 4, &["arrow", "parquet", "datafusion", "axum"]),
    ("signals", 3, &["sqlx", "axum"]),
    ("store", 3, &["arrow", "parquet", "axum"]),
    ("access", 3, &["arrow", "parquet", "datafusion", "sqlx", "axum", "tokio"]),
    ("simulate", 3, &["usage", "review", "signals", "datafusion"]),
    ("review", 2, &["arrow", "parquet", "object_store", "datafusion", "tokio", "sqlx", "axum", "rand"]),
    ("usage", 1, &["datafusion"]),
    ("gate", 1, &["arrow", "parquet", "datafusion", "sqlx", "tokio"]),
    ("tlog", 0, &["arrow", "parquet", "datafusion", "sqlx"]),
];

/// Packages that only these crates may name, and in their tests only those.
const OWNERS: &[(&str, &[&str], &[&str])] = &[
    ("datafusion", &["signals", "cluster"], &[]),
    ("ballista", &["cluster"], &[]),
    ("sqlx", &["store"], &[]),
    // A gate's restrictions as Cedar policies are read back by Cedar.
    ("cedar-policy", &["access", "bench-gate"], &["web"]),
];

/// A member of the workspace and what its `Cargo.toml` names.
struct Member {
    name: String,
    /// Lies under `crates/`, so that it needs a floor.
    room: bool,
    /// Everything it names.
    named: Vec<String>,
    /// What it names for more than its own tests.
    built_with: Vec<String>,
}

/// Says, a line each, where a wall is broken.
pub(crate) fn broken(metadata: &Value) -> Vec<String> {
    let members = members(metadata);
    let mut broken = Vec::new();
    for member in members.values() {
        let Member { name, .. } = member;
        for (package, owners, testers) in OWNERS.iter().filter(|(_, owners, _)| !owners.contains(&name.as_str())) {
            let named = if testers.contains(&name.as_str()) { &member.built_with } else { &member.named };
            if let Some(found) = named.iter().find(|found| is_part_of(found, package)) {
                broken.push(format!("`{name}` names `{found}`, which only {} may", owners.join(" and ")));
            }
        }
        let Some((_, floor, never)) = room(name) else {
            if member.room {
                broken.push(format!("`{name}` has no floor: give it one in ARCHITECTURE.md and xtask/src/walls.rs"));
            }
            continue;
        };
        for below in &member.built_with {
            if room(below).is_some_and(|(_, other, _)| other >= floor) {
                broken.push(format!("`{name}` depends on `{below}`, which is not on a floor below it"));
            }
        }
        for (found, path) in reach(&members, name) {
            if never.iter().any(|package| is_part_of(&found, package)) {
                broken.push(format!("`{name}` must never know `{found}`, but reaches it: {path}"));
            }
        }
    }
    broken
}

fn room(name: &str) -> Option<&'static (&'static str, u8, &'static [&'static str])> {
    ROOMS.iter().find(|(own, ..)| *own == name)
}

fn is_part_of(found: &str, package: &str) -> bool {
    found.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// All that a member is built with, as far as our own `Cargo.toml` files say, each with the way to it.
fn reach(members: &BTreeMap<String, Member>, start: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut open = vec![(start.to_owned(), start.to_owned())];
    while let Some((name, path)) = open.pop() {
        for next in members.get(&name).map_or(&[][..], |member| &member.built_with) {
            if !found.contains_key(next) {
                let path = format!("{path} → {next}");
                found.insert(next.clone(), path.clone());
                open.push((next.clone(), path));
            }
        }
    }
    found
}

fn members(metadata: &Value) -> BTreeMap<String, Member> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let crates = format!("{}/crates/", text(metadata, "workspace_root"));
    let member = |package: &Value| {
        let dependencies = list(package, "dependencies");
        let of_build = dependencies.iter().filter(|dependency| text(dependency, "kind") != "dev");
        let name = text(package, "name");
        let room = text(package, "manifest_path").starts_with(&crates);
        let built_with = of_build.map(|dependency| text(dependency, "name")).collect();
        let named = dependencies.iter().map(|dependency| text(dependency, "name")).collect();
        (name.clone(), Member { name, room, named, built_with })
    };
    list(metadata, "packages").iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A crate and what it names; a name that begins with `dev:` serves tests only.
    type Crate<'a> = (&'a str, &'a [&'a str]);

    fn workspace(crates: &[Crate]) -> Value {
        let dependency = |name: &&str| match name.strip_prefix("dev:") {
            Some(name) => json!({"name": name, "kind": "dev"}),
            None => json!({"name": name, "kind": null}),
        };
        let package = |(name, named): &Crate| {
            let dependencies: Vec<Value> = named.iter().map(dependency).collect();
            json!({"name": name, "manifest_path": format!("/w/crates/{name}/Cargo.toml"), "dependencies": dependencies})
        };
        json!({"workspace_root": "/w", "packages": crates.iter().map(package).collect::<Vec<_>>()})
    }

    #[test]
    fn a_house_in_order_is_let_be() {
        let house: &[Crate] = &[
            ("tribune", &["signals", "simulate", "review"]),
            ("signals", &["usage", "review", "datafusion", "dev:simulate"]),
            ("simulate", &["arrow", "parquet", "dev:tempfile"]),
            ("usage", &["arrow", "parquet"]),
            ("review", &["serde", "randomness"]),
            ("web", &["serde", "dev:cedar-policy"]),
        ];
        assert_eq!(broken(&workspace(house)), Vec::<String>::new());
    }

    #[test]
    fn each_broken_wall_is_named_with_the_way_to_it() {
        let cases: &[(&[Crate], &str)] = &[
            (&[("usage", &["dev:datafusion-common"])], "`usage` names `datafusion-common`, which only signals and"),
            (&[("review", &["arrow-array"])], "`review` must never know `arrow-array`"),
            (&[("web", &["helper"]), ("helper", &["arrow"])], "web → helper → arrow"),
            (&[("usage", &["review"]), ("review", &[])], "`usage` depends on `review`, which is not on a floor below"),
            (&[("annexe", &[])], "`annexe` has no floor"),
            (&[("simulate", &["usage"]), ("usage", &[])], "`simulate` must never know `usage`"),
            (&[("web", &["cedar-policy"])], "`web` names `cedar-policy`, which only access and bench-gate may"),
            (&[("gate", &["dev:cedar-policy"])], "`gate` names `cedar-policy`"),
        ];
        for (house, expected) in cases {
            let found = broken(&workspace(house));
            assert!(found.iter().any(|text| text.contains(expected)), "{expected:?} is not in {found:?}");
        }
    }
}
