//! x5f2: a service's heartbeat.

use isis_streaming_data_types::flatbuffers_generated::status_x5f2 as x5f2;

use super::Encoder;

/// An x5f2 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct X5f2<'a> {
    /// The program.
    pub software_name: &'a str,
    /// Its version.
    pub software_version: &'a str,
    /// This instance of it.
    pub service_id: &'a str,
    /// Where it runs.
    pub host_name: &'a str,
    /// Its process.
    pub process_id: u32,
    /// ms between two of these messages.
    pub update_interval: u32,
    /// Anything else, in JSON.
    pub status_json: &'a str,
}

impl Encoder {
    /// x5f2.
    pub fn x5f2(&mut self, message: &X5f2<'_>) -> &[u8] {
        let builder = self.fresh();
        let arguments = x5f2::StatusArgs {
            software_name: Some(builder.create_string(message.software_name)),
            software_version: Some(builder.create_string(message.software_version)),
            service_id: Some(builder.create_string(message.service_id)),
            host_name: Some(builder.create_string(message.host_name)),
            process_id: message.process_id,
            update_interval: message.update_interval,
            status_json: Some(builder.create_string(message.status_json)),
        };
        let root = x5f2::Status::create(builder, &arguments);
        x5f2::finish_status_buffer(builder, root);
        self.bytes()
    }
}
