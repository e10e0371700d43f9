//! The algorithms, one file each. To add one: write its file, with its tests, and name it in this list.

crate::registry::algorithms! {
    clone_workspace::CloneWorkspace,
}
