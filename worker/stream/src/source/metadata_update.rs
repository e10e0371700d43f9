//! Effects of a metadata update on the source: reachability, watermarks, missing topics and new partitions.

use std::time::Instant;

use super::kafka_source::Source;
use super::metadata_client::{TopicPartition, TopicState, Watermarks, existing_partitions};
use super::metadata_thread::MetadataUpdate;
use super::notice::Notice;

impl Source {
    pub(super) fn apply_metadata(&mut self, update: MetadataUpdate) {
        for error in &update.client_errors {
            self.notices.push_unless_repeated(Notice::of_client(error));
        }
        if let Some(reason) = update.failure {
            self.is_reachable = false;
            self.notices.push_unless_repeated(Notice::BrokerUnreachable(reason));
            return;
        }
        if !self.is_reachable {
            self.is_reachable = true;
            self.reconnects += 1;
            self.notices.end_repetition("broker_unreachable");
            self.notices.push(Notice::BrokerReachable);
        }
        for (partition, watermarks) in update.watermarks {
            self.apply_watermarks(partition, watermarks, update.requested_at);
        }
        if let Some(states) = update.topic_states {
            self.update_missing_topics(&states);
            self.topic_states = states;
            let unassigned: Vec<TopicPartition> = existing_partitions(&self.topic_states)
                .into_iter()
                .filter(|&partition| self.positions.get(partition).is_none())
                .collect();
            if !unassigned.is_empty()
                && let Err(error) = self.assign_partitions(&unassigned)
            {
                self.notices
                    .push_unless_repeated(Notice::BrokerUnreachable(error.to_string()));
            }
        }
    }

    /// Records the watermarks; a position out of their range moves to the low watermark, with a notice.
    fn apply_watermarks(&mut self, partition: TopicPartition, watermarks: Watermarks, requested_at: Instant) {
        let topic = self.topic_name(partition.topic);
        let Some(position) = self.positions.get_mut(partition) else {
            return;
        };
        position.watermarks = watermarks;
        position.watermarks_at = requested_at;
        if !position.is_out_of_range {
            return;
        }
        let (from, to) = (position.next_offset, watermarks.low);
        let (next_offset, notice) = if watermarks.high < from {
            let notice = Notice::TopicRestarted {
                topic,
                partition: partition.number,
                from,
                to,
            };
            (to, Some(notice))
        } else if watermarks.low > from {
            let notice = Notice::RecordsLost {
                topic,
                partition: partition.number,
                from,
                to,
            };
            (to, Some(notice))
        } else {
            (from, None)
        };
        position.is_out_of_range = false;
        position.next_offset = next_offset;
        self.fetcher.start(partition, next_offset);
        if let Some(notice) = notice {
            self.notices.push(notice);
        }
    }

    pub(super) fn update_missing_topics(&mut self, states: &[TopicState]) {
        for (index, state) in states.iter().enumerate() {
            match state {
                TopicState::Present(_) => {
                    self.missing_topics.remove(&index);
                }
                TopicState::Missing => {
                    if self.missing_topics.insert(index) {
                        let name = self.topic_name(index);
                        self.notices.push(Notice::TopicMissing(name));
                        // Offsets of a deleted topic are void for one created under its name.
                        for partition in self.positions.remove_topic(index) {
                            self.fetcher.stop(partition);
                        }
                    }
                }
                TopicState::Failed(reason) => {
                    self.notices.push_unless_repeated(Notice::TopicFailed {
                        topic: self.topic_name(index),
                        reason: reason.clone(),
                    });
                }
            }
        }
    }
}
