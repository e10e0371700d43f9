//! Runs and logs of the simulated stream: starts, stops and values of process variables at their times.

use live_data_engine::message::AlarmSeverity;
use live_data_engine::record_position::TopicRole;
use live_data_stream::encode::{Pl72, RunStop6s4t, SpectrumMap};

use super::{Generator, SECOND, holds};
use crate::simulate::settings::{MILLISECOND, nanoseconds};
use crate::simulate::truth::{PeriodTruth, RunTruth};

impl Generator {
    /// Sends starts and stops with times up to `until`, ns since the Unix epoch.
    pub(super) fn start_and_stop(&mut self, until: i64) {
        loop {
            let (start, _) = self.settings.bounds(self.next_start);
            let (_, stop) = self.settings.bounds(self.next_stop);
            let starts_left = self.settings.runs.is_none_or(|runs| self.next_start < runs);
            if self.next_stop < self.next_start && stop <= until {
                self.stop_run(stop);
            } else if starts_left && start <= until {
                self.start_run(start);
            } else {
                return;
            }
        }
    }

    fn start_run(&mut self, start: i64) {
        let index = self.next_start;
        self.next_start += 1;
        let (_, stop) = self.settings.bounds(index);
        let number = self.settings.first_run.saturating_add(index);
        let run = RunTruth {
            run_name: format!("{}{number}", self.settings.layout.name),
            job_id: format!("simulated-{:x}-{number}", self.settings.seed),
            start_ns: start,
            stop_ns: stop,
            periods: vec![PeriodTruth::default(); self.settings.periods.max(1) as usize],
            ..RunTruth::default()
        };
        let pixels = &self.settings.layout.pixels;
        let spectrum: Vec<i32> = pixels.iter().map(|pixel| pixel.spectrum).collect();
        let detector_id: Vec<i32> = pixels.iter().map(|pixel| pixel.detector_id).collect();
        let n_spectra = i32::try_from(spectrum.len()).unwrap_or(i32::MAX);
        let map = SpectrumMap {
            spectrum: &spectrum,
            detector_id: &detector_id,
            n_spectra,
        };
        let payload = self
            .encoder
            .pl72(&Pl72 {
                start_time: (start / MILLISECOND).unsigned_abs(),
                run_name: Some(&run.run_name),
                instrument_name: Some(&self.settings.layout.name),
                nexus_structure: self.settings.nexus_structure.as_deref(),
                job_id: Some(&run.job_id),
                // ISIS's control program always writes 1.
                n_periods: 1,
                map: self.settings.with_map.then_some(map),
                metadata: Some("{\"title\": \"simulated\"}"),
                ..Pl72::default()
            })
            .to_vec();
        self.truth.runs.push(run);
        let send_ns = start + nanoseconds(self.settings.faults.late_start);
        if self.settings.faults.repeat_start {
            self.send(TopicRole::RunInfo, 0, send_ns + SECOND, payload.clone(), "pl72");
        }
        self.send(TopicRole::RunInfo, 0, send_ns, payload, "pl72");
    }

    fn stop_run(&mut self, stop: i64) {
        let index = self.next_stop;
        self.next_stop += 1;
        let every = self.settings.faults.missing_stop_every;
        let Some(run) = self.truth.runs.get_mut(index as usize) else {
            return;
        };
        if every > 0 && (index + 1).is_multiple_of(every) {
            return;
        }
        run.stop_sent = true;
        let job_id = run.job_id.clone();
        // ISIS's control program sets no name, so that its serialiser's default is sent.
        let message = RunStop6s4t {
            stop_time: (stop / MILLISECOND).unsigned_abs(),
            run_name: Some("test_run"),
            job_id: Some(&job_id),
        };
        let payload = self.encoder.run_stop(&message).to_vec();
        let send_ns =
            stop.max(stop - nanoseconds(self.settings.run_seconds) + nanoseconds(self.settings.faults.late_start));
        self.send(TopicRole::RunInfo, 0, send_ns, payload, "6s4t");
    }

    /// Sends values and alarms of logs with times up to `until`, ns since the Unix epoch.
    pub(super) fn log_until(&mut self, until: i64) {
        let begin = self.settings.start_ns;
        for index in 0..self.logs.len() {
            while let Some((log, next, alarmed)) = self.logs.get_mut(index).filter(|(_, next, _)| *next <= until) {
                let time = *next;
                *next += nanoseconds(log.interval).max(MILLISECOND);
                let seconds = (time - begin) as f64 / 1e9;
                let (pv, value, alarming) = (log.pv.clone(), log.value(seconds), log.is_alarming(seconds));
                let changed = std::mem::replace(alarmed, alarming) != alarming;
                let payload = self.encoder.f144(&pv, time, &value).to_vec();
                self.send(TopicRole::SampleEnv, 0, time, payload, "f144");
                if changed {
                    let (severity, text) = if alarming {
                        (AlarmSeverity::Minor, "HIHI_ALARM")
                    } else {
                        (AlarmSeverity::Ok, "NO_ALARM")
                    };
                    let payload = self.encoder.al00(&pv, time, severity, text).to_vec();
                    self.send(TopicRole::SampleEnv, 0, time, payload, "al00");
                }
                if let Some(run) = self.truth.runs.iter_mut().rev().take(2).find(|run| holds(run, time)) {
                    *run.log_samples.entry(pv).or_default() += 1;
                }
            }
        }
    }
}
