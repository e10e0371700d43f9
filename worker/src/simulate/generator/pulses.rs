//! Pulses of the simulated stream: their events, drawn and counted, in messages of the chosen schema.

use live_data_engine::record_position::TopicRole;
use live_data_stream::encode::{Ev42, Ev44, IsisFrame, Pu00};

use super::batch::EventBatch;
use super::{Generator, SECOND, VETO_BIT, holds};
use crate::simulate::faults::{Faults, garbage};
use crate::simulate::instrument::EventSource;
use crate::simulate::random::Random;
use crate::simulate::settings::EventSchema;
use crate::simulate::truth::RunTruth;

/// One pulse without its events.
struct SimulatedPulse {
    /// ns since the Unix epoch.
    time: i64,
    period: u32,
    /// µA·h.
    proton_charge: f32,
    vetoed: bool,
}

impl Generator {
    pub(super) fn make_pulse(&mut self, time: i64) {
        let mean = self.settings.event_rate.max(0.0) / self.settings.pulse_rate.clamp(0.5, 1e4);
        let events = if self.source.is_empty() {
            0
        } else {
            (mean * (0.8 + 0.4 * self.random.fraction())).round() as usize
        };
        let proton_charge = (0.001 * (0.95 + 0.1 * self.random.fraction())) as f32;
        let period = (self.pulse % u64::from(self.settings.periods.max(1))) as u32;
        let with_pulse = self.settings.schema == EventSchema::Ev44Pu00;
        let vetoed = with_pulse && self.random.chance(self.settings.veto_share);
        if with_pulse {
            let message = Pu00 {
                source: "isis_frame",
                message_id: self.next_message_id().cast_signed(),
                reference_time: time,
                vetos: Some(if vetoed { VETO_BIT } else { 0 }),
                period_number: Some(period),
                proton_charge: Some(proton_charge),
            };
            let payload = self.encoder.pu00(&message).to_vec();
            let partition = self.event_partition();
            self.send(
                TopicRole::Events,
                partition,
                time + self.lag(partition),
                payload,
                "pu00",
            );
        }
        let frame = SimulatedPulse {
            time,
            period,
            proton_charge,
            vetoed,
        };
        if self.settings.schema == EventSchema::Ev42 || self.settings.pulses_per_message <= 1 {
            let largest = self.settings.events_per_message.max(1);
            let mut left = events;
            self.count_pulse(&frame);
            loop {
                let now = left.min(largest);
                self.draw(&frame, now);
                self.send_batch(time, &frame);
                left -= now;
                if left == 0 {
                    return;
                }
            }
        }
        self.count_pulse(&frame);
        self.draw(&frame, events);
        let full = self.batch.times.len() >= self.settings.pulses_per_message
            || self.batch.time_of_flight.len() >= self.settings.events_per_message;
        if full {
            self.send_batch(time, &frame);
        }
    }

    pub(super) fn flush(&mut self, time: i64) {
        if !self.batch.times.is_empty() {
            self.send_batch(
                time,
                &SimulatedPulse {
                    time,
                    period: 0,
                    proton_charge: 0.0,
                    vetoed: false,
                },
            );
        }
    }

    /// Draws events of a pulse into the batch and counts them.
    fn draw(&mut self, frame: &SimulatedPulse, events: usize) {
        let Generator {
            batch,
            random,
            source,
            ids,
            truth,
            settings,
            ..
        } = self;
        batch.times.push(frame.time);
        batch
            .first
            .push(i32::try_from(batch.time_of_flight.len()).unwrap_or(i32::MAX));
        batch.time_of_flight.reserve(events);
        batch.ids.reserve(events);
        truth.events += events as u64;
        let pixels = ids.len();
        let run = truth.runs.last_mut().filter(|run| holds(run, frame.time));
        let (faults, outside_id) = (&settings.faults, self.outside_id);
        let Some(run) = run else {
            truth.outside.events += events as u64;
            for _ in 0..events {
                let drawn = source.draw(random);
                batch.ids.push(ids[drawn.pixel as usize]);
                batch.time_of_flight.push(drawn.time_of_flight);
            }
            return;
        };
        if faults.touches_events() || frame.vetoed {
            draw_faulty(run, frame, faults, outside_id, events, source, random, batch, ids);
            return;
        }
        let Some(period) = run.periods.get_mut(frame.period as usize) else {
            return;
        };
        period.counts.resize(pixels, 0);
        period.events += events as u64;
        for _ in 0..events {
            let drawn = source.draw(random);
            let pixel = drawn.pixel as usize;
            batch.ids.push(ids[pixel]);
            batch.time_of_flight.push(drawn.time_of_flight);
            period.counts[pixel] += 1;
            period.time_of_flight_sum += u64::from(drawn.time_of_flight);
        }
    }

    fn count_pulse(&mut self, frame: &SimulatedPulse) {
        let Some(run) = self.truth.runs.last_mut().filter(|run| holds(run, frame.time)) else {
            self.truth.outside.pulses += 1;
            return;
        };
        run.pulses += 1;
        if frame.vetoed {
            run.vetoed_pulses += 1;
            return;
        }
        let charge = f64::from(frame.proton_charge);
        if self.settings.schema != EventSchema::Ev44 {
            run.proton_charge += charge;
        }
        if let Some(period) = run.periods.get_mut(frame.period as usize) {
            period.pulses += 1;
            period.proton_charge += charge;
        }
    }

    fn send_batch(&mut self, time: i64, frame: &SimulatedPulse) {
        let partition = self.event_partition();
        let send_ns = time + self.lag(partition);
        let mut batch = std::mem::take(&mut self.batch);
        let id = self.next_message_id();
        let payload = self.encode(&batch, id, frame);
        if self.random.chance(self.settings.faults.garbage) {
            let bytes = garbage(&payload, &mut self.random);
            self.send(TopicRole::Events, partition, send_ns, bytes, "garbage");
        }
        let again = self.random.chance(self.settings.faults.duplicates);
        self.send(
            TopicRole::Events,
            partition,
            send_ns,
            payload,
            if self.settings.schema == EventSchema::Ev42 {
                "ev42"
            } else {
                "ev44"
            },
        );
        if again {
            let id = self.next_message_id();
            let payload = self.encode(&batch, id, frame);
            self.send(TopicRole::Events, partition, send_ns + SECOND, payload, "duplicate");
        }
        batch.times.clear();
        batch.first.clear();
        batch.time_of_flight.clear();
        batch.ids.clear();
        self.batch = batch;
    }

    fn encode(&mut self, batch: &EventBatch, message_id: u64, frame: &SimulatedPulse) -> Vec<u8> {
        if self.settings.schema == EventSchema::Ev42 {
            let isis = IsisFrame {
                period_number: frame.period,
                running: true,
                proton_charge: frame.proton_charge,
            };
            let message = Ev42 {
                source: "simulated",
                message_id,
                pulse_time: frame.time.unsigned_abs(),
                time_of_flight: &batch.time_of_flight,
                detector_id: &batch.ids,
                isis: Some(isis),
            };
            return self.encoder.ev42(&message).to_vec();
        }
        let message = Ev44 {
            source: "simulated",
            message_id: message_id.cast_signed(),
            reference_time: &batch.times,
            reference_time_index: &batch.first,
            time_of_flight: as_signed(&batch.time_of_flight),
            pixel_id: as_signed(&batch.ids),
        };
        self.encoder.ev44(&message).to_vec()
    }
}

/// Draws events that may be faulty or in a vetoed pulse: slower than `draw`, which has no branch for each event.
#[allow(clippy::too_many_arguments)]
fn draw_faulty(
    run: &mut RunTruth,
    frame: &SimulatedPulse,
    faults: &Faults,
    outside_id: u32,
    events: usize,
    source: &EventSource,
    random: &mut Random,
    batch: &mut EventBatch,
    ids: &[u32],
) {
    for _ in 0..events {
        let drawn = source.draw(random);
        let (mut id, mut time_of_flight) = (ids[drawn.pixel as usize], drawn.time_of_flight);
        let outside = random.chance(faults.outside_map);
        let bad = !outside && random.chance(faults.bad_time_of_flight);
        if outside {
            id = outside_id.saturating_add((random.below(10)) as u32);
        }
        if bad {
            time_of_flight |= 0x8000_0000;
        }
        batch.ids.push(id);
        batch.time_of_flight.push(time_of_flight);
        if frame.vetoed {
            run.vetoed_events += 1;
        } else if outside {
            *run.outside_map.entry(i64::from(id)).or_default() += 1;
        } else if bad {
            run.bad_time_of_flight += 1;
        } else if let Some(period) = run.periods.get_mut(frame.period as usize) {
            period.counts.resize(ids.len(), 0);
            period.events += 1;
            period.counts[drawn.pixel as usize] += 1;
            period.time_of_flight_sum += u64::from(time_of_flight);
        }
    }
}

/// Same bits as signed numbers, the type of ev44.
fn as_signed(values: &[u32]) -> &[i32] {
    // SAFETY: u32 and i32 have the same size and alignment, and every bit pattern is valid for both.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<i32>(), values.len()) }
}
