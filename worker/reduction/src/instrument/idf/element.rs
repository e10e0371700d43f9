//! Elements and attributes of XML. Promises: a missing or malformed attribute is `None`, never an error. Must not: know
//! the meaning of an element.

use roxmltree::Node;

pub(super) fn children<'a, 'b>(node: Node<'a, 'b>, name: &'static str) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().name() == name)
}

pub(super) fn child<'a, 'b>(node: Node<'a, 'b>, name: &'static str) -> Option<Node<'a, 'b>> {
    children(node, name).next()
}

pub(super) fn number(node: Node<'_, '_>, name: &str) -> Option<f64> {
    node.attribute(name)?.trim().parse().ok()
}

pub(super) fn number_of(node: Node<'_, '_>, names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| number(node, name))
}
