//! GroupWorkspaces: several workspaces as a group with one name.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, option, output};
use crate::error::{Result, failed};
use crate::value::Value;
use crate::workspace::{WorkspaceGroup, WorkspaceHandle};

pub(crate) struct GroupWorkspaces;

impl Algorithm for GroupWorkspaces {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "GroupWorkspaces",
            1,
            "Transforms\\Grouping;Utility\\Workspaces",
            "Puts workspaces into a group.",
        )
        .with(option(
            "InputWorkspaces",
            PropertyKind::WorkspaceList,
            Value::None,
            "Workspaces; a group is replaced by its members.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Group,
            "Group of the workspaces.",
        ))
        .with(option(
            "GlobExpression",
            PropertyKind::Str,
            "",
            "Pattern of workspace names to add: * matches any text, ? one character.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut members: Vec<WorkspaceHandle> = Vec::new();
        for handle in context.handles("InputWorkspaces")? {
            if handle.is_group() {
                members.extend(handle.members())
            } else {
                members.push(handle)
            }
        }
        let pattern: Vec<char> = context.str("GlobExpression")?.chars().collect();
        if !pattern.is_empty() {
            for name in context.services.data.object_names() {
                let text: Vec<char> = name.chars().collect();
                if matches(&pattern, &text)
                    && let Some(handle) = context.services.data.get(&name).filter(|handle| !handle.is_group())
                {
                    members.push(handle);
                }
            }
        }
        if members.is_empty() {
            return failed("No workspace names given: set InputWorkspaces or GlobExpression");
        }
        context.output("OutputWorkspace", WorkspaceGroup::new(members))
    }
}

/// True if `text` matches a pattern of `*` (any text) and `?` (one character), in O(pattern · text).
fn matches(pattern: &[char], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            let matched_so_far = reached.get(at).copied().unwrap_or_default();
            let before = at.checked_sub(1);
            let matched = match symbol {
                '*' => matched_so_far || before.and_then(|b| next.get(b)).copied().unwrap_or_default(),
                _ => before.is_some_and(|b| {
                    reached.get(b).copied().unwrap_or_default() && (*symbol == '?' || text.get(b) == Some(symbol))
                }),
            };
            if let Some(slot) = next.get_mut(at) {
                *slot = matched;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, y};

    #[test]
    fn members_are_found_by_name_and_by_pattern() {
        let fixture = AlgorithmFixture::new();
        for name in ["run_1", "run_2", "other"] {
            fixture.workspace(name, &[0.0, 1.0], &[1.0], 1);
        }
        let listed = fixture.create("g", "GroupWorkspaces", &[("InputWorkspaces", "run_1,other".into())]);
        assert_eq!(listed.member_names(), ["run_1", "other"]);
        let matched = fixture.create("h", "GroupWorkspaces", &[("GlobExpression", "run_?".into())]);
        assert_eq!(matched.member_names(), ["run_1", "run_2"]);
        assert!(
            fixture
                .try_create("i", "GroupWorkspaces", &[("GlobExpression", "x*".into())])
                .is_err()
        );
    }

    #[test]
    fn algorithms_go_through_the_members() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0], &[1.0], 1);
        fixture.workspace("b", &[0.0, 1.0], &[2.0], 1);
        fixture.create("g", "GroupWorkspaces", &[("InputWorkspaces", "a,b".into())]);
        let out = fixture.create("o", "Scale", &[("InputWorkspace", "g".into()), ("Factor", 3.0.into())]);
        assert_eq!(out.member_names(), ["o_1", "o_2"]);
        assert_close(
            &out.members().iter().flat_map(|member| y(member, 0)).collect::<Vec<_>>(),
            &[3.0, 6.0],
        );
        let place = fixture.create("g", "Scale", &[("InputWorkspace", "g".into()), ("Factor", 2.0.into())]);
        assert_eq!(place.member_names(), ["a", "b"]);
    }
}
