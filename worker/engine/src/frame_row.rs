//! One frame of the accelerator as the timeline stores it, and the metadata that messages carry about a frame.
//!
//! Promises: an unknown value stays unknown (NaN charge, unset flag). A value of pu00 is never replaced by one of the
//! event message. It must not know veto configurations.

use crate::timed::Timed;

/// Veto bits of pu00's field `vetos`; bits 24–31 hold the frame's repeat number.
pub(crate) const VETO_BITS: u32 = 0x00ff_ffff;

/// Largest proton charge of one frame that is accepted, in µA·h. A frame of ISIS has about 0.001 µA·h.
const MAX_CHARGE: f32 = 1.0e6;

/// The vetoes were set by pu00.
const FLAG_PULSE_VETOS: u16 = 1;
/// The period was set by pu00.
const FLAG_PULSE_PERIOD: u16 = 2;
/// The charge was set by pu00.
const FLAG_PULSE_CHARGE: u16 = 4;
/// Metadata of an event message (is84) were joined.
const FLAG_FRAME: u16 = 8;
/// The run state was SETUP.
const FLAG_SETUP: u16 = 16;
/// Metadata of any message were joined.
const FLAG_JOINED: u16 = 32;

/// One frame, 24 bytes; the key is its pulse time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameRow {
    time: i64,
    charge: f32,
    vetos: u32,
    events: u32,
    period: u16,
    flags: u16,
}

impl Timed for FrameRow {
    fn time(&self) -> i64 {
        self.time
    }
}

impl FrameRow {
    pub(crate) const fn new(time: i64) -> Self {
        Self {
            time,
            charge: f32::NAN,
            vetos: 0,
            events: 0,
            period: 0,
            flags: 0,
        }
    }

    const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Joins is84 metadata; the first message counts, and values of pu00 take precedence.
    pub(crate) fn join_frame(&mut self, metadata: FrameMetadata) {
        if !self.has(FLAG_FRAME) {
            if let (Some(period), false) = (metadata.period, self.has(FLAG_PULSE_PERIOD)) {
                self.period = period;
            }
            if let (Some(charge), false) = (metadata.charge, self.has(FLAG_PULSE_CHARGE)) {
                self.charge = charge;
            }
            if metadata.setup == Some(true) {
                self.flags |= FLAG_SETUP;
            }
        }
        self.flags |= FLAG_FRAME | FLAG_JOINED;
    }

    /// Joins pu00 metadata; the first message counts for each value.
    pub(crate) fn join_pulse(&mut self, metadata: FrameMetadata) {
        if let (Some(vetos), false) = (metadata.vetos, self.has(FLAG_PULSE_VETOS)) {
            self.vetos = vetos;
            self.flags |= FLAG_PULSE_VETOS;
        }
        if let (Some(period), false) = (metadata.period, self.has(FLAG_PULSE_PERIOD)) {
            self.period = period;
            self.flags |= FLAG_PULSE_PERIOD;
        }
        if let (Some(charge), false) = (metadata.charge, self.has(FLAG_PULSE_CHARGE)) {
            self.charge = charge;
            self.flags |= FLAG_PULSE_CHARGE;
        }
        self.flags |= FLAG_JOINED;
    }

    /// Adds events; saturates.
    pub(crate) fn add_events(&mut self, events: u32) {
        self.events = self.events.saturating_add(events);
    }

    /// Subtracts events; stops at zero.
    pub(crate) fn subtract_events(&mut self, events: u32) {
        self.events = self.events.saturating_sub(events);
    }

    /// Period number, from 0; 0 while unknown.
    pub(crate) const fn period(&self) -> u16 {
        self.period
    }

    /// True if any veto bit is set, in force or not.
    pub(crate) const fn has_vetos(&self) -> bool {
        self.vetos & VETO_BITS != 0
    }

    /// Veto bits of the frame, in force or not.
    pub(crate) const fn veto_bits(&self) -> u32 {
        self.vetos & VETO_BITS
    }

    /// Repeat number of the frame (bits 24–31 of pu00's `vetos`).
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) const fn repeat(&self) -> u8 {
        (self.vetos >> 24) as u8
    }

    /// Proton charge in µA·h; `None` while unknown.
    pub(crate) fn charge(&self) -> Option<f32> {
        (!self.charge.is_nan()).then_some(self.charge)
    }

    /// True if the run state of the frame was SETUP.
    pub(crate) const fn is_setup(&self) -> bool {
        self.has(FLAG_SETUP)
    }

    /// True once metadata of any message were joined.
    pub(crate) const fn is_joined(&self) -> bool {
        self.has(FLAG_JOINED)
    }

    /// Pulse time, ns since the Unix epoch.
    pub(crate) const fn pulse_time(&self) -> i64 {
        self.time
    }

    /// Events of all messages of the frame, stored or not.
    pub(crate) const fn events(&self) -> u32 {
        self.events
    }
}

/// Metadata of a frame in one message; `None` where the message has no such field.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FrameMetadata {
    pub(crate) vetos: Option<u32>,
    pub(crate) period: Option<u16>,
    pub(crate) charge: Option<f32>,
    pub(crate) setup: Option<bool>,
}

/// The charge in µA·h if it lies in `[0, 10⁶]`; `None` for a negative, larger or non-finite one.
pub(crate) fn accepted_charge(charge: f32) -> Option<f32> {
    (0.0..=MAX_CHARGE).contains(&charge).then_some(charge)
}
