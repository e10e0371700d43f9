//! Which topics an instrument has and what each is for.
//!
//! Promises: names as ISIS's producers use them (`<INSTRUMENT>_events`, upper case), every one of them
//! replaceable, in an order that never changes while the worker runs (a topic's index is part of a record's
//! place). Knows no broker.

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Events and the metadata of their frames (ev42, ev44, pu00).
    Events,
    /// Starts and stops of runs (pl72, 6s4t).
    RunInfo,
    /// Sample logs, their alarms and units (f144, al00, un00).
    SampleEnv,
    /// Which veto bits are in force (vc00).
    VetoConfig,
}

/// One topic and what is read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// What the topic carries.
    pub role: Role,
    /// Its name on the broker.
    pub name: String,
}

/// The topics to read. A topic's index in here is the topic index of a record's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics(Vec<Topic>);

impl Topics {
    /// The three topics of an instrument, by its upper-cased name.
    pub fn of_instrument(instrument: &str) -> Topics {
        let instrument = instrument.to_uppercase();
        let topic = |role, suffix: &str| Topic {
            role,
            name: format!("{instrument}_{suffix}"),
        };
        Topics(vec![
            topic(Role::Events, "events"),
            topic(Role::RunInfo, "runInfo"),
            topic(Role::SampleEnv, "sampleEnv"),
        ])
    }

    /// Any list: several topics may share a role. Names given twice for a role are taken once.
    pub fn new(topics: impl IntoIterator<Item = Topic>) -> Topics {
        let mut list: Vec<Topic> = Vec::new();
        for topic in topics {
            if !list.contains(&topic) {
                list.push(topic);
            }
        }
        Topics(list)
    }

    /// The same topics with those of one role replaced by these names (comma-separated names are split).
    #[must_use]
    pub fn with(mut self, role: Role, names: &str) -> Topics {
        self.0.retain(|topic| topic.role != role);
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let added = names.map(|name| Topic {
            role,
            name: name.to_owned(),
        });
        Topics::new(self.0.into_iter().chain(added))
    }

    /// All of them, by index.
    pub fn as_slice(&self) -> &[Topic] {
        &self.0
    }

    /// The topic of an index.
    pub fn get(&self, index: usize) -> Option<&Topic> {
        self.0.get(index)
    }

    /// The indices of the topics of a role.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .filter(move |(_, topic)| topic.role == role)
            .map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruments_topics_are_upper_case() {
        let names: Vec<String> = Topics::of_instrument("merlin")
            .0
            .into_iter()
            .map(|topic| topic.name)
            .collect();
        assert_eq!(names, ["MERLIN_events", "MERLIN_runInfo", "MERLIN_sampleEnv"]);
    }

    #[test]
    fn a_role_may_have_several_topics_or_another_one() {
        let topics = Topics::of_instrument("LET").with(Role::Events, "LET_rawEvents, LET_monitors,LET_rawEvents,");
        let names: Vec<&str> = topics.as_slice().iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(names, ["LET_runInfo", "LET_sampleEnv", "LET_rawEvents", "LET_monitors"]);
        assert_eq!(topics.of_role(Role::Events).collect::<Vec<_>>(), [2, 3]);
    }
}
