//! Reading from a real broker.

use std::time::{Duration, Instant};

use live_data_engine::message::Message;
use live_data_engine::record_position::TopicRole;
use live_data_engine::time::PulseTime;
use live_data_stream::decode;
use live_data_stream::source::{Notice, StartingOffset, StartingOffsets};
use live_data_stream::topics::Topics;

use crate::broker::{
    FROM_BEGINNING, PATIENCE, Seen, Sender, add_partitions, assigned, config, connected, create, create_instrument,
    delete_before, find, insist, now_ms, shared,
};
use crate::samples;

#[test]
fn every_partition_of_every_topic_is_read_once_and_garbage_is_told_apart() {
    let bootstrap = shared();
    create_instrument(bootstrap, "ALL", 3);
    let (sender, now) = (Sender::new(bootstrap), now_ms());
    for number in 0..300_i64 {
        let partition = (number % 3) as i32;
        let payload = if number % 10 == 7 {
            b"not a message".to_vec()
        } else {
            samples::events(number, number, 50)
        };
        sender.send("ALL_events", partition, now + number, &payload);
    }
    sender.send("ALL_events", 2, now, &[]);
    sender.send("ALL_runInfo", 1, now, &samples::start("job", "1", now as u64));
    sender.send("ALL_sampleEnv", 2, now, &samples::all()[6].1);
    sender.flush();
    let mut source = assigned(config(bootstrap, "ALL"), FROM_BEGINNING);
    let mut seen = Seen::default();
    seen.read_until(&mut source, "303 records", |seen| seen.records.len() == 303);
    assert_eq!(seen.offsets(0, 0), (0..100).collect::<Vec<_>>());
    assert_eq!(seen.offsets(0, 2), (0..101).collect::<Vec<_>>());
    let garbage = seen
        .records
        .iter()
        .filter(|(_, payload)| decode(payload).is_err())
        .count();
    assert_eq!(garbage, 31);
    let stamped = seen
        .records
        .iter()
        .find(|(position, _)| position.partition.role == TopicRole::Events && position.offset == 1)
        .unwrap();
    assert!(stamped.0.timestamp_ms > now);
    let until = Instant::now() + PATIENCE;
    while source.positions().iter().any(|position| position.lag() > 0) {
        assert!(Instant::now() < until);
        source.poll(Duration::from_millis(50));
    }
    assert_eq!(source.positions().len(), 9);
    assert_eq!(
        source.positions().iter().map(|position| position.records).sum::<u64>(),
        303
    );
}

#[test]
fn a_message_of_thirty_megabytes_is_read() {
    let bootstrap = shared();
    create_instrument(bootstrap, "BIG", 1);
    let sender = Sender::new(bootstrap);
    // The topic's limit on the size of a message is that of the laboratory, 128 MiB.
    for size in [10, 3_700_000, 10] {
        sender.send("BIG_events", 0, now_ms(), &samples::events(1, 1, size));
    }
    sender.flush();
    let mut source = assigned(config(bootstrap, "BIG"), FROM_BEGINNING);
    let mut seen = Seen::default();
    seen.read_until(&mut source, "three records", |seen| seen.records.len() == 3);
    assert!(seen.records[1].1.len() > 29_000_000);
    assert!(
        matches!(decode(&seen.records[1].1), Ok(Message::Events(batch)) if batch.time_of_flight.len() == 3_700_000)
    );
}

#[test]
fn the_current_run_is_found_behind_thousands_of_messages_and_reading_begins_at_its_start() {
    let bootstrap = shared();
    create_instrument(bootstrap, "FAR", 2);
    let (sender, start) = (Sender::new(bootstrap), now_ms() - 10_000_000);
    for run in 0..5_i64 {
        let (job, at) = (format!("job{run}"), start + run * 1_000_000);
        sender.send(
            "FAR_runInfo",
            (run % 2) as i32,
            at,
            &samples::start(&job, &run.to_string(), at as u64),
        );
        if run < 4 {
            sender.send(
                "FAR_runInfo",
                0,
                at + 900_000,
                &samples::stop(&job, (at + 900_000) as u64),
            );
        }
    }
    let current = start + 4_000_000;
    for number in 0..6000 {
        sender.send(
            "FAR_runInfo",
            number % 2,
            current + 1000 + i64::from(number),
            b"something else altogether",
        );
    }
    for second in 0..5000_i64 {
        sender.send(
            "FAR_events",
            (second % 2) as i32,
            start + second * 1000,
            &samples::events(second, second, 1),
        );
    }
    sender.flush();
    let mut source = connected(config(bootstrap, "FAR"));
    let history = find(&mut source, 3);
    let run = history.current().expect("the run goes on");
    assert_eq!(
        (run.start.job_id.as_str(), run.start.start_time.millis()),
        ("job4", current)
    );
    let ended: Vec<(&str, i64)> = history
        .ended()
        .map(|run| (run.start.job_id.as_str(), run.end.unwrap().millis()))
        .take(2)
        .collect();
    assert_eq!(ended, [("job3", start + 3_900_000), ("job2", start + 2_900_000)]);
    let events = source.starting_offset_at(run.start.start_time);
    let run_info = StartingOffset::AtTimestampMs(run.position.timestamp_ms);
    insist(|| {
        source.assign(StartingOffsets {
            events,
            run_info,
            ..FROM_BEGINNING
        })
    });
    let mut seen = Seen::default();
    seen.read_until(&mut source, "1000 events and the start", |seen| {
        seen.records
            .iter()
            .filter(|(position, _)| position.partition.role == TopicRole::Events)
            .count()
            == 1000
            && seen
                .records
                .iter()
                .any(|(position, _)| position.partition.role == TopicRole::RunInfo)
    });
    assert_eq!(seen.offsets(0, 0), (2000..2500).collect::<Vec<_>>());
    let first = seen
        .records
        .iter()
        .find(|(position, _)| position.partition.role == TopicRole::RunInfo && position.partition.partition == 0)
        .unwrap();
    assert!(matches!(decode(&first.1), Ok(Message::RunStart(start)) if start.job_id == "job4"));
}

#[test]
fn a_topic_without_runs_or_without_records_has_no_history() {
    let bootstrap = shared();
    create_instrument(bootstrap, "NONE", 2);
    let mut source = connected(config(bootstrap, "NONE"));
    let history = find(&mut source, 4);
    assert!(history.complete && history.runs.is_empty());
    let sender = Sender::new(bootstrap);
    for _ in 0..50 {
        sender.send("NONE_runInfo", 1, now_ms(), b"garbage");
    }
    sender.flush();
    let history = find(&mut source, 4);
    assert!(history.complete && history.runs.is_empty());
}

#[test]
fn a_replay_moves_back_and_never_forward() {
    let bootstrap = shared();
    create_instrument(bootstrap, "REPLAY", 2);
    let (sender, start) = (Sender::new(bootstrap), now_ms() - 1_000_000);
    for second in 0..1000_i64 {
        sender.send(
            "REPLAY_events",
            (second % 2) as i32,
            start + second * 1000,
            &samples::events(second, second, 1),
        );
    }
    sender.flush();
    let events = StartingOffset::AtTimestampMs(start + 500_000);
    let mut source = assigned(
        config(bootstrap, "REPLAY"),
        StartingOffsets {
            events,
            ..FROM_BEGINNING
        },
    );
    let mut seen = Seen::default();
    seen.read_until(&mut source, "the second half", |seen| seen.records.len() == 500);
    let nothing = insist(|| source.rewind_events_to(PulseTime::from_millis(start + 2_000_000)));
    assert_eq!((nothing.partitions, nothing.offsets), (0, 0));
    let replay = insist(|| source.rewind_events_to(PulseTime::from_millis(start + 200_000)));
    assert_eq!((replay.partitions, replay.offsets), (2, 800));
    let mut again = Seen::default();
    again.read_until(&mut source, "the range again", |seen| seen.records.len() == 800);
    assert_eq!(again.offsets(0, 0), (100..500).collect::<Vec<_>>());
    // During reading: records fetched ahead must not be delivered after the rewind.
    let replay = insist(|| source.rewind_events_to(PulseTime::from_millis(start)));
    assert_eq!(replay.offsets, 1000);
    let mut part = Seen::default();
    part.read_until(&mut source, "a part", |seen| seen.records.len() == 300);
    insist(|| source.rewind_events_to(PulseTime::from_millis(start)));
    let mut whole = Seen::default();
    whole.read_until(&mut source, "all of it", |seen| seen.records.len() == 1000);
    assert_eq!(whole.offsets(0, 1), (0..500).collect::<Vec<_>>());
}

#[test]
fn missing_topics_are_told_and_followed_when_they_appear_as_are_new_partitions() {
    let bootstrap = shared();
    create(bootstrap, &[("LATE_events", 1)]);
    let mut source = assigned(config(bootstrap, "LATE"), FROM_BEGINNING);
    let mut seen = Seen::default();
    // A broker may briefly report a new topic as unknown.
    seen.read_until(&mut source, "the topic that exists", |seen| {
        seen.notices.contains(&Notice::PartitionsAdded {
            topic: "LATE_events".into(),
            partitions: vec![0],
        })
    });
    assert_eq!(source.missing_topics(), ["LATE_runInfo", "LATE_sampleEnv"]);
    assert!(seen.notices.contains(&Notice::TopicMissing("LATE_runInfo".into())));
    create(bootstrap, &[("LATE_runInfo", 2), ("LATE_sampleEnv", 1)]);
    let sender = Sender::new(bootstrap);
    sender.send("LATE_runInfo", 1, now_ms(), &samples::start("late", "1", 5));
    sender.send("LATE_events", 0, now_ms(), &samples::events(1, 1, 1));
    sender.flush();
    seen.read_until(&mut source, "records of both", |seen| seen.records.len() == 2);
    assert!(source.missing_topics().is_empty());
    add_partitions(bootstrap, "LATE_events", 3);
    // A producer with old metadata refuses new partitions.
    let sender = Sender::new(bootstrap);
    sender.send("LATE_events", 2, now_ms(), &samples::events(2, 2, 1));
    sender.flush();
    seen.read_until(&mut source, "the new partition's record", |seen| {
        !seen.offsets(0, 2).is_empty()
    });
    let added = Notice::PartitionsAdded {
        topic: "LATE_events".into(),
        partitions: vec![1, 2],
    };
    assert!(seen.notices.contains(&added), "{:?}", seen.notices);
}

#[test]
fn records_that_are_gone_are_told_and_the_rest_is_read() {
    let bootstrap = shared();
    create_instrument(bootstrap, "LOST", 1);
    let sender = Sender::new(bootstrap);
    let start = now_ms();
    for number in 0..100_i64 {
        sender.send("LOST_events", 0, start + number, &samples::events(number, number, 1));
        // One batch for each record, since a fetch returns whole batches.
        sender.flush();
    }
    // Small fetches, so that the deleted records are not fetched ahead.
    let slow = vec![
        ("queued.min.messages".to_owned(), "1".to_owned()),
        ("fetch.message.max.bytes".to_owned(), "300".to_owned()),
        ("fetch.queue.backoff.ms".to_owned(), "1000".to_owned()),
    ];
    let config = live_data_stream::config::SourceConfig {
        extra: slow,
        ..config(bootstrap, "LOST")
    };
    let mut source = assigned(config, FROM_BEGINNING);
    let mut seen = Seen::default();
    seen.read_until(&mut source, "some records", |seen| seen.offsets(0, 0).len() == 2);
    delete_before(bootstrap, "LOST_events", 0, 90);
    seen.read_until(&mut source, "the last record", |seen| {
        seen.offsets(0, 0).last() == Some(&99)
    });
    let offsets = seen.offsets(0, 0);
    let gap = offsets
        .windows(2)
        .find(|pair| pair[1] != pair[0] + 1)
        .expect("some records were gone");
    let lost = Notice::RecordsLost {
        topic: "LOST_events".into(),
        partition: 0,
        from: gap[0] + 1,
        to: 90,
    };
    assert!(
        gap[1] == 90 && seen.notices.contains(&lost),
        "{gap:?} {:?}",
        seen.notices
    );
}

#[test]
fn positions_are_committed_for_those_who_watch_the_group() {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    let bootstrap = shared();
    create_instrument(bootstrap, "WATCHED", 1);
    let sender = Sender::new(bootstrap);
    for number in 0..5 {
        sender.send("WATCHED_events", 0, now_ms(), &samples::events(number, number, 1));
    }
    sender.flush();
    let group_id = Some("live-data-watched".to_owned());
    let config = live_data_stream::config::SourceConfig {
        group_id,
        ..config(bootstrap, "WATCHED")
    };
    let mut source = assigned(config, FROM_BEGINNING);
    let mut seen = Seen::default();
    seen.read_until(&mut source, "five records", |seen| seen.records.len() == 5);
    let watcher: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "live-data-watched")
        .create()
        .unwrap();
    let until = Instant::now() + PATIENCE;
    loop {
        source.commit();
        source.poll(Duration::from_millis(200));
        let mut list = rdkafka::TopicPartitionList::new();
        list.add_partition("WATCHED_events", 0);
        let committed = watcher.committed_offsets(list, Duration::from_secs(10));
        let offset = committed
            .ok()
            .and_then(|list| list.find_partition("WATCHED_events", 0).map(|one| one.offset()));
        if offset == Some(rdkafka::Offset::Offset(5)) {
            break;
        }
        assert!(Instant::now() < until, "{offset:?}");
    }
}

#[test]
fn an_instrument_that_is_not_there_at_all_is_told_and_not_fatal() {
    let mut source = assigned(config(shared(), "ABSENT"), FROM_BEGINNING);
    let names: Vec<String> = Topics::of_instrument("ABSENT")
        .as_slice()
        .iter()
        .map(|topic| topic.name.clone())
        .collect();
    assert_eq!(source.missing_topics(), names);
    assert!(find(&mut source, 1).complete);
}
