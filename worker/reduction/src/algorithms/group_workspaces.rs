//! GroupWorkspaces: several workspaces under one name.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, option, output};
use crate::error::{Result, failed};
use crate::value::Value;
use crate::workspace::{Handle, WorkspaceGroup};

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
            Kind::WorkspaceList,
            Value::None,
            "The workspaces; the members of groups are taken one by one.",
        ))
        .with(output("OutputWorkspace", Kind::Group, "The group."))
        .with(option(
            "GlobExpression",
            Kind::Str,
            "",
            "Workspaces by a pattern of their names: * and ? stand for any characters.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut members: Vec<Handle> = Vec::new();
        for handle in context.handles("InputWorkspaces")? {
            if handle.is_group() {
                members.extend(handle.members())
            } else {
                members.push(handle)
            }
        }
        let pattern: Vec<char> = context.str("GlobExpression")?.chars().collect();
        if !pattern.is_empty() {
            for name in context.service.data.object_names() {
                let text: Vec<char> = name.chars().collect();
                if matches(&pattern, &text)
                    && let Some(handle) = context.service.data.get(&name).filter(|handle| !handle.is_group())
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

/// Whether a text matches a pattern of `*` and `?`, in time that is at most their product.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            let here = reached.get(at).copied().unwrap_or_default();
            let before = at.checked_sub(1);
            let hit = match symbol {
                '*' => here || before.and_then(|b| next.get(b)).copied().unwrap_or_default(),
                _ => before.is_some_and(|b| {
                    reached.get(b).copied().unwrap_or_default() && (*symbol == '?' || text.get(b) == Some(symbol))
                }),
            };
            if let Some(slot) = next.get_mut(at) {
                *slot = hit;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, y};

    #[test]
    fn members_are_found_by_name_and_by_pattern() {
        let bench = Bench::new();
        for name in ["run_1", "run_2", "other"] {
            bench.workspace(name, &[0.0, 1.0], &[1.0], 1);
        }
        let listed = bench.make("g", "GroupWorkspaces", &[("InputWorkspaces", "run_1,other".into())]);
        assert_eq!(listed.member_names(), ["run_1", "other"]);
        let matched = bench.make("h", "GroupWorkspaces", &[("GlobExpression", "run_?".into())]);
        assert_eq!(matched.member_names(), ["run_1", "run_2"]);
        assert!(
            bench
                .try_make("i", "GroupWorkspaces", &[("GlobExpression", "x*".into())])
                .is_err()
        );
    }

    #[test]
    fn algorithms_go_through_the_members() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0], &[1.0], 1);
        bench.workspace("b", &[0.0, 1.0], &[2.0], 1);
        bench.make("g", "GroupWorkspaces", &[("InputWorkspaces", "a,b".into())]);
        let out = bench.make("o", "Scale", &[("InputWorkspace", "g".into()), ("Factor", 3.0.into())]);
        assert_eq!(out.member_names(), ["o_1", "o_2"]);
        close(
            &out.members().iter().flat_map(|member| y(member, 0)).collect::<Vec<_>>(),
            &[3.0, 6.0],
        );
        let place = bench.make("g", "Scale", &[("InputWorkspace", "g".into()), ("Factor", 2.0.into())]);
        assert_eq!(place.member_names(), ["a", "b"]);
    }
}
