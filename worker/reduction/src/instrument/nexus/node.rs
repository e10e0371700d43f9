//! Access to a NeXus structure in JSON: groups, datasets, attributes and links, in every spelling that file writers have
//! used. Promises: recursion is bounded. Must not: know the meaning of a group.
//!
//! A group is `{"type": "group", "name", "attributes", "children"}`. A dataset is `{"module": "dataset", "config":
//! {"name", "values"}, "attributes"}`, formerly `{"type": "dataset", "name", "values", "attributes"}`. A link is
//! `{"module": "link", "config": {"name", "source"}}`, formerly `{"type": "link", "name", "target"}`. Attributes are a
//! list of `{"name", "values"}` or an object.

use serde_json::Value;

/// Largest number of links in a row.
const MAX_LINKS: usize = 8;

/// Nodes from the root to a node, both included.
pub(super) type NodePath<'a> = Vec<&'a Value>;

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Name of a node, empty without one.
pub(super) fn name(node: &Value) -> &str {
    text(node, "name")
        .or_else(|| node.get("config").and_then(|config| text(config, "name")))
        .unwrap_or_default()
}

/// Nodes in a group, none for other nodes.
pub(super) fn children(node: &Value) -> &[Value] {
    node.get("children")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Value of an attribute.
pub(super) fn attribute<'a>(node: &'a Value, wanted: &str) -> Option<&'a Value> {
    let value = |given: &'a Value| given.get("values").or_else(|| given.get("value")).unwrap_or(given);
    match node.get("attributes")? {
        Value::Array(list) => list.iter().find(|one| text(one, "name") == Some(wanted)).map(value),
        Value::Object(map) => map.get(wanted).map(value),
        _ => None,
    }
}

/// Value of a text attribute, or the first text of a list.
pub(super) fn attribute_text<'a>(node: &'a Value, wanted: &str) -> Option<&'a str> {
    match attribute(node, wanted)? {
        Value::String(text) => Some(text),
        Value::Array(one) => one.first().and_then(Value::as_str),
        _ => None,
    }
}

/// `NX_class` of a group, such as NXdetector; empty for other nodes.
pub(super) fn class(node: &Value) -> &str {
    attribute_text(node, "NX_class").unwrap_or_default()
}

/// Value of a dataset; `None` for other nodes.
pub(super) fn values(node: &Value) -> Option<&Value> {
    let module = text(node, "module");
    if module == Some("dataset") {
        return node.get("config").and_then(|config| config.get("values"));
    }
    if text(node, "type") == Some("dataset") {
        node.get("values")
    } else {
        None
    }
}

fn link(node: &Value) -> Option<&str> {
    if text(node, "module") == Some("link") {
        return node
            .get("config")
            .and_then(|config| text(config, "source").or_else(|| text(config, "target")));
    }
    (text(node, "type") == Some("link"))
        .then(|| text(node, "target"))
        .flatten()
}

/// Node at a path, absolute or relative to the last group of `from`; links are followed.
pub(super) fn resolve<'a>(from: &[&'a Value], path: &str) -> Option<NodePath<'a>> {
    follow(from, path, MAX_LINKS)
}

fn follow<'a>(from: &[&'a Value], path: &str, links: usize) -> Option<NodePath<'a>> {
    let mut at: NodePath<'a> = if path.starts_with('/') {
        from.get(..1)?.to_vec()
    } else {
        from.to_vec()
    };
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            at.pop().filter(|_| !at.is_empty())?;
            continue;
        }
        let child = children(at.last()?).iter().find(|child| name(child) == part)?;
        match link(child) {
            Some(target) => at = follow(&at, target, links.checked_sub(1)?)?,
            None => at.push(child),
        }
    }
    Some(at)
}

/// Dataset of a group.
pub(super) fn dataset<'a>(group: &[&'a Value], wanted: &str) -> Option<&'a Value> {
    let trail = resolve(group, wanted)?;
    trail.last().copied().filter(|node| values(node).is_some())
}

/// Text of a dataset of a group, or the first text of a list.
pub(super) fn dataset_text<'a>(group: &[&'a Value], wanted: &str) -> Option<&'a str> {
    match values(dataset(group, wanted)?)? {
        Value::String(text) => Some(text),
        Value::Array(one) => one.first().and_then(Value::as_str),
        _ => None,
    }
}

/// Numbers of a value, nested lists flattened row by row; `None` if any item is not a finite number.
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    let mut out = Vec::new();
    collect(value, &mut out).then_some(out)
}

fn collect(value: &Value, out: &mut Vec<f64>) -> bool {
    match value {
        Value::Array(list) => list.iter().all(|one| collect(one, out)),
        other => match other.as_f64().filter(|number| number.is_finite()) {
            Some(number) => {
                out.push(number);
                true
            }
            None => false,
        },
    }
}

/// Groups of any of these classes, in the order of the structure.
pub(super) fn of_class<'a>(root: &'a Value, classes: &[&str]) -> Vec<NodePath<'a>> {
    let mut found = Vec::new();
    // serde_json refuses documents of more than 128 levels, which bounds the recursion.
    descend(&mut vec![root], classes, &mut found);
    found
}

fn descend<'a>(at: &mut NodePath<'a>, classes: &[&str], found: &mut Vec<NodePath<'a>>) {
    let Some(node) = at.last().copied() else { return };
    if classes.contains(&class(node)) {
        found.push(at.clone());
    }
    for child in children(node) {
        at.push(child);
        descend(at, classes, found);
        at.pop();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> Value {
        serde_json::from_str(
            r#"{"children": [{"type": "group", "name": "entry", "attributes": {"NX_class": "NXentry"}, "children": [
                {"module": "dataset", "config": {"name": "a", "values": [[1, 2], [3]]}, "attributes": [{"name": "units", "values": "mm"}]},
                {"type": "dataset", "name": "b", "dataset": {"type": "string"}, "values": "words"},
                {"module": "link", "config": {"name": "c", "source": "/entry/a"}},
                {"type": "link", "name": "d", "target": "d"},
                {"type": "group", "name": "in", "attributes": [{"name": "NX_class", "dtype": "string", "values": "NXlog"}], "children": []}
            ]}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn both_spellings_are_read_and_links_followed() {
        let root = sample();
        let entry = resolve(&[&root], "/entry").unwrap();
        assert_eq!(
            numbers(values(dataset(&entry, "c").unwrap()).unwrap()).unwrap(),
            [1.0, 2.0, 3.0]
        );
        assert_eq!(attribute_text(dataset(&entry, "a").unwrap(), "units"), Some("mm"));
        assert_eq!(dataset_text(&entry, "b"), Some("words"));
        let inner = of_class(&root, &["NXlog"]);
        assert_eq!(dataset_text(&inner[0], "../b"), Some("words"));
        // A link to itself, and ways out of the tree, end.
        assert!(resolve(&entry, "d").is_none() && resolve(&entry, "../../..").is_none());
        assert!(numbers(&serde_json::json!([1, "x"])).is_none());
    }
}
