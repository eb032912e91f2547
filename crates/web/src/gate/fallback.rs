//! What is restricted, as static configuration of a proxy whose gate is dead: unrestricted requests pass, and restricted
//! ones stay refused.
//!
//! It is a photograph of one moment: [`exact_until`] says when the next restriction begins, ends, or stops letting reads
//! pass; write it anew then, and with every snapshot. It speaks of switches and not of operations: which request writes is
//! the proxy's configuration to say (`docs/proxies/`).

use gate::{Restriction, Set, Switch, time};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Two `map`s and how much room they have, for `include` in the `http` block before any other `map`.
    Nginx,
    /// A `map`, for `import` in a site's block; it is gone through from the top.
    Caddy,
    /// An RBAC filter that denies, as a resource of the extension discovery service, for a file that Envoy watches.
    Envoy,
    /// Routers before the one that lets pass, as JSON, which YAML takes in. It alone tells by itself what a request of S3
    /// does, since Traefik can compute no header.
    Traefik,
}

impl Proxy {
    /// Each, with its name.
    pub const ALL: [(Self, &str); 4] =
        [(Self::Nginx, "nginx"), (Self::Caddy, "caddy"), (Self::Envoy, "envoy"), (Self::Traefik, "traefik")];

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own)| *own == name).map(|(proxy, _)| proxy)
    }
}

/// What the set refuses at this time, for a proxy.
pub fn fallback(proxy: Proxy, set: &Set, at: i64) -> String {
    let rows = rows(set, at);
    match proxy {
        Proxy::Nginx => nginx(&rows, &head(set, at, rows.len())),
        Proxy::Caddy => caddy(&rows, &head(set, at, rows.len())),
        Proxy::Envoy => envoy(&rows),
        Proxy::Traefik => traefik(&rows),
    }
}

/// When what [`fallback`] says of a time stops being exact; none if never.
pub fn exact_until(set: &Set, at: i64) -> Option<i64> {
    let scopes = set.restrictions().map(|restriction| restriction.scope()).filter(|scope| scope.enforced);
    scopes
        .flat_map(|scope| [scope.from, scope.window, scope.until])
        .filter(|edge| *edge > at && *edge != i64::MAX)
        .min()
}

/// An account, a service, a switch and a region, which is empty for everywhere.
type Key<'s> = (&'s str, &'s str, Switch, &'s str);

/// What is refused, each once, and by which restriction.
type Rows<'s> = BTreeMap<Key<'s>, Restriction<'s>>;

fn rows(set: &Set, at: i64) -> Rows<'_> {
    let mut rows = Rows::new();
    for restriction in set.restrictions() {
        let scope = restriction.scope();
        for switch in scope.switches.iter() {
            let from = if matches!(switch, Switch::Read | Switch::Export) { scope.window } else { scope.from };
            if scope.enforced && from <= at && at < scope.until {
                let key = (scope.account, scope.service, switch, scope.region.unwrap_or_default());
                rows.entry(key).or_insert(restriction);
            }
        }
    }
    rows
}

fn head(set: &Set, at: i64, rows: usize) -> String {
    let until = exact_until(set, at).map_or("the next snapshot".to_owned(), time::text);
    format!("# Made by Tribune: what is refused at {}, {rows} lines; exact until {until}.\n", time::text(at))
}

/// With tabs between, which no name has.
fn key_text((account, service, switch, region): Key<'_>) -> String {
    format!("{account}\t{service}\t{}\t{region}", switch.name())
}

/// Nginx finds keys whatever their case; the value is the key itself, for the configuration to compare exactly. Keys that
/// differ in their case alone, and those with a `$`, which a value cannot hold, are regular expressions.
fn nginx(rows: &Rows<'_>, head: &str) -> String {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for key in rows.keys() {
        *alike.entry(key_text(*key).to_ascii_lowercase()).or_default() += 1;
    }
    let longest = alike.keys().map(String::len).max().unwrap_or_default();
    let (bucket, size) = ((longest + 64).next_power_of_two().max(128), (2 * alike.len()).max(2_048));
    let mut text = format!("{head}map_hash_bucket_size {bucket};\nmap_hash_max_size {size};\n");
    for (everywhere, name) in [(true, "everywhere"), (false, "region")] {
        let _ = write!(text, "map $tribune_key_{name} $tribune_fallback_{name} {{\n    default \"-\";\n");
        for key in rows.keys().filter(|(.., region)| region.is_empty() == everywhere) {
            let key = key_text(*key);
            let alone = alike.get(&key.to_ascii_lowercase()) == Some(&1);
            if alone && !key.contains('$') {
                let key = key.replace('\\', "\\\\").replace('"', "\\\"");
                // What begins with a backslash stands for itself.
                let _ = writeln!(text, "    \"\\\\{key}\" \"{key}\";");
            } else {
                let _ = writeln!(text, "    \"{}\" $tribune_key_{name};", expression(&key));
            }
        }
        text.push_str("}\n");
    }
    text
}

/// A regular expression of nginx's for exactly this text, quoted.
fn expression(text: &str) -> String {
    let mut expression = "~^".to_owned();
    for one in text.chars() {
        match one {
            one if one.is_ascii_alphanumeric() || !one.is_ascii() || one == '\t' => expression.push(one),
            // Twice: once for the quotes, once for the expression.
            one => {
                let _ = write!(expression, "\\\\x{:02x}", u32::from(one));
            }
        }
    }
    expression.push('$');
    expression
}

fn caddy(rows: &Rows<'_>, head: &str) -> String {
    let by = "{tribune_account}\t{tribune_service}\t{tribune_switch}\t";
    let mut text = head.to_owned();
    for (everywhere, name) in [(true, "everywhere"), (false, "region")] {
        let region = if everywhere { "" } else { "{tribune_region}" };
        let _ = writeln!(text, "map \"={by}{region}\" {{tribune_fallback_{name}}} {{");
        for (key, restriction) in rows.iter().filter(|((.., region), _)| region.is_empty() == everywhere) {
            let key = key_text(*key).replace('"', "\\\"");
            let _ = writeln!(text, "    \"={key}\" \"{}\"", restriction.id().replace('"', "\\\""));
        }
        text.push_str("    default \"\"\n}\n");
    }
    text
}

/// A policy for each line, against requests that Envoy let pass since the gate did not answer.
fn envoy(rows: &Rows<'_>) -> String {
    let header =
        |name: &str, value: &str| serde_json::json!({"header": {"name": name, "string_match": {"exact": value}}});
    let policy = |((account, service, switch, region), restriction): (&Key<'_>, &Restriction<'_>)| {
        let mut rules = vec![
            header("x-envoy-auth-failure-mode-allowed", "true"),
            header("x-tribune-account", account),
            header("x-tribune-service", service),
            header("x-tribune-switch", switch.name()),
        ];
        if !region.is_empty() {
            rules.push(header("x-tribune-region", region));
        }
        let policy =
            serde_json::json!({"permissions": [{"and_rules": {"rules": rules}}], "principals": [{"any": true}]});
        (format!("{} {}", restriction.id(), switch.name()), policy)
    };
    let policies: serde_json::Map<String, serde_json::Value> = rows.iter().map(policy).collect();
    let filter = serde_json::json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"action": "DENY", "policies": policies},
    });
    let resource = serde_json::json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "tribune-fallback",
        "typed_config": filter,
    });
    serde_json::json!({"resources": [resource]}).to_string()
}

/// A router for each line, on the way to the gate: where that does not answer, it leads to what refuses.
fn traefik(rows: &Rows<'_>) -> String {
    let router = |((account, service, switch, region), number): (&Key<'_>, usize)| {
        let mut rule = format!("{} && {}", header("Account", account), does(*switch));
        // A proxy of S3 need not name the service.
        if *service != "object-storage" {
            let _ = write!(rule, " && {}", header("Service", service));
        }
        if !region.is_empty() {
            let _ = write!(rule, " && {}", header("Region", region));
        }
        let router = serde_json::json!({
            "entryPoints": ["tribune"], "rule": rule, "priority": 1_000, "service": "tribune-or-refuse",
        });
        (format!("tribune-fallback-{number}"), router)
    };
    let routers: serde_json::Map<String, serde_json::Value> = rows.keys().zip(1..).map(router).collect();
    if routers.is_empty() {
        return "{}".to_owned();
    }
    // The file is a template before it is JSON: on lines of their own no two braces meet.
    format!("{:#}\n", serde_json::json!({"http": {"routers": routers}}))
}

/// A header of ours that has exactly this value; no brace in it may begin something of a template's.
fn header(name: &str, value: &str) -> String {
    let value = serde_json::Value::from(value).to_string().replace('{', "\\x7b").replace('}', "\\x7d");
    format!("Header(`X-Tribune-{name}`, {value})")
}

/// What a request of S3 does, by Traefik's rules: `operations/s3.toml` in short.
fn does(switch: Switch) -> String {
    let method = |methods: &str| format!("HeaderRegexp(`X-Forwarded-Method`, `^({methods})$`)");
    let asks = |keys: &str| format!("HeaderRegexp(`X-Forwarded-Uri`, `[?&]({keys})([=&]|$)`)");
    let (post, part, form) =
        (method("POST"), asks("uploads|uploadId"), "HeaderRegexp(`Content-Type`, `(?i)^multipart/form-data`)");
    let plain = format!("{post} && !{part} && !{form}");
    match switch {
        Switch::Write => {
            let other = asks("delete|select|restore");
            format!("({} || ({post} && ({part} || {form} || !{other})))", method("PUT|PATCH"))
        }
        Switch::Read => {
            let (reads, deletes) = (asks("select|restore"), asks("delete"));
            format!("({} || ({plain} && !{deletes} && {reads}))", method("GET|HEAD"))
        }
        Switch::Delete => format!("({} || ({plain} && {}))", method("DELETE"), asks("delete")),
        // Nothing of S3 is told apart as export.
        Switch::Export => method("EXPORT"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate::{Builder, Digest, Scope, Source, Switches};

    const ALL: [Switch; 4] = Switch::ALL;

    fn set(scopes: &[(&str, Option<&str>, bool, i64, i64)]) -> Set {
        let mut builder = Builder::new(3);
        let text = |text: &str| text.to_owned();
        let (statement, sentence) = (text("https://a.example/1"), text("Off."));
        builder.source(Source { case: text("c1"), decision: text("d1"), digest: Digest::of(""), statement, sentence });
        for ((account, region, enforced, window, until), number) in scopes.iter().zip(1..) {
            let switches: Switches = ALL.into_iter().collect();
            let scope = Scope {
                account,
                service: "object-storage",
                region: *region,
                switches,
                from: 10,
                window: *window,
                until: *until,
                enforced: *enforced,
            };
            builder.add(number, &scope).unwrap();
        }
        builder.build()
    }

    #[test]
    fn it_says_what_stands_at_its_time_and_until_when() {
        let set =
            set(&[("a", None, true, 20, 30), ("b", Some("north"), true, 10, i64::MAX), ("c", None, false, 0, 99)]);
        let named = |at| {
            rows(&set, at)
                .keys()
                .map(|(account, _, switch, _)| format!("{account}{}", switch.name()))
                .collect::<Vec<_>>()
        };
        assert_eq!(named(9), Vec::<String>::new());
        assert_eq!(named(10), ["awrite", "adelete", "bwrite", "bread", "bdelete", "bexport"]);
        assert_eq!((named(20).len(), named(30).len()), (8, 4));
        assert_eq!([9, 10, 20, 30].map(|at| exact_until(&set, at)), [Some(10), Some(20), Some(30), None]);
    }

    #[test]
    fn every_line_the_check_agrees_with() {
        let set = set(&[
            ("a", None, true, 20, 30),
            ("b", Some("north"), true, 10, i64::MAX),
            ("a", Some("south"), true, 10, 40),
        ]);
        for at in [5, 10, 15, 20, 25, 30, 35, 40] {
            let rows = rows(&set, at);
            for (account, region) in [("a", "north"), ("a", "south"), ("b", "north"), ("b", "south"), ("c", "north")] {
                for switch in ALL {
                    let operation = format!("storage.{}", switch.name());
                    let request = gate::Request {
                        account,
                        service: "object-storage",
                        operation: gate::Operation::named(&operation),
                        region: Some(region),
                        at,
                    };
                    let refused = matches!(set.check(&request).verdict, gate::Verdict::Refuse(_));
                    let listed = ["", region]
                        .iter()
                        .any(|region| rows.contains_key(&(account, "object-storage", switch, region)));
                    assert_eq!(refused, listed, "{request:?}");
                }
            }
        }
    }

    #[test]
    fn names_stay_within_their_quotes() {
        let set = set(&[
            ("a\"; }\\ $b", None, true, 10, 99),
            ("Case", Some("n"), true, 10, 99),
            ("case", Some("n"), true, 10, 99),
        ]);
        let text = fallback(Proxy::Nginx, &set, 10);
        assert!(
            text.contains(
                r#""~^a\\x22\\x3b\\x20\\x7d\\x5c\\x20\\x24b	object\\x2dstorage	write	$" $tribune_key_everywhere;"#
            ),
            "{text}"
        );
        assert!(text.contains("\"~^Case\tobject\\\\x2dstorage\twrite\tn$\" $tribune_key_region;"), "{text}");
        let traefik = fallback(Proxy::Traefik, &self::set(&[("{{ env }}\") || Path(\"/", None, true, 10, 99)]), 10);
        let read: serde_json::Value = serde_json::from_str(&traefik).unwrap();
        let rule = read["http"]["routers"]["tribune-fallback-1"]["rule"].as_str().unwrap();
        let account = r#"Header(`X-Tribune-Account`, "\x7b\x7b env \x7d\x7d\") || Path(\"/") && "#;
        assert!(rule.starts_with(account) && !traefik.contains("{{") && !traefik.contains("}}"), "{rule}");
        let read: serde_json::Value = serde_json::from_str(&fallback(Proxy::Envoy, &set, 10)).unwrap();
        assert_eq!(read["resources"][0]["typed_config"]["rules"]["policies"].as_object().unwrap().len(), 12);
    }
}
