//! Topics of an instrument and their roles.
//!
//! Promises: names as ISIS's producers use them (`<INSTRUMENT>_events`, upper case), each replaceable. The order is
//! fixed while the worker runs, since a topic's index is part of [`PartitionKey`]. Must not contact a broker.

use live_data_engine::record_position::{PartitionKey, TopicRole};

/// Topic to read, by its name on the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Expected content; messages of any schema are decoded from any topic.
    pub role: TopicRole,
    /// Name on the broker; case matters.
    pub name: String,
}

/// Topics to read. The index in the list is [`PartitionKey::topic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics(Vec<Topic>);

impl Topics {
    /// Topics `<NAME>_events`, `<NAME>_runInfo` and `<NAME>_sampleEnv`, with the instrument's name in upper case.
    pub fn of_instrument(instrument: &str) -> Topics {
        let instrument = instrument.to_uppercase();
        let topic = |role, suffix: &str| Topic {
            role,
            name: format!("{instrument}_{suffix}"),
        };
        Topics(vec![
            topic(TopicRole::Events, "events"),
            topic(TopicRole::RunInfo, "runInfo"),
            topic(TopicRole::SampleEnv, "sampleEnv"),
        ])
    }

    /// Topics in the given order, without duplicates. Several topics may have one role.
    pub fn new(topics: impl IntoIterator<Item = Topic>) -> Topics {
        let mut list: Vec<Topic> = Vec::new();
        for topic in topics {
            if !list.contains(&topic) {
                list.push(topic);
            }
        }
        Topics(list)
    }

    /// Replaces the topics of a role by those of a comma-separated list of names, which move to the end.
    #[must_use]
    pub fn with(mut self, role: TopicRole, names: &str) -> Topics {
        self.0.retain(|topic| topic.role != role);
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let added = names.map(|name| Topic {
            role,
            name: name.to_owned(),
        });
        Topics::new(self.0.into_iter().chain(added))
    }

    /// Topics in the order of their indices.
    pub fn as_slice(&self) -> &[Topic] {
        &self.0
    }

    /// Topic of an index, or `None` beyond the list.
    pub fn get(&self, index: usize) -> Option<&Topic> {
        self.0.get(index)
    }

    /// Ascending indices of the topics of a role.
    pub fn of_role(&self, role: TopicRole) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .filter(move |(_, topic)| topic.role == role)
            .map(|(index, _)| index)
    }

    /// Key of a partition of the topic `index`, or `None` beyond the list.
    pub fn partition_key(&self, index: usize, partition: i32) -> Option<PartitionKey> {
        Some(PartitionKey {
            role: self.get(index)?.role,
            topic: u16::try_from(index).unwrap_or(u16::MAX),
            partition,
        })
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
        let topics = Topics::of_instrument("LET").with(TopicRole::Events, "LET_rawEvents, LET_monitors,LET_rawEvents,");
        let names: Vec<&str> = topics.as_slice().iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(names, ["LET_runInfo", "LET_sampleEnv", "LET_rawEvents", "LET_monitors"]);
        assert_eq!(topics.of_role(TopicRole::Events).collect::<Vec<_>>(), [2, 3]);
    }
}
