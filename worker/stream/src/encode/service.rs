//! Message x5f2: heartbeat of a service.

use isis_streaming_data_types::flatbuffers_generated::status_x5f2 as x5f2;

use super::encoder::Encoder;

/// Message x5f2: identity and status of a running service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct X5f2<'a> {
    pub software_name: &'a str,
    pub software_version: &'a str,
    /// Unique name of this instance.
    pub service_id: &'a str,
    pub host_name: &'a str,
    pub process_id: u32,
    /// Interval of these messages, ms.
    pub update_interval: u32,
    /// JSON of the service's own making.
    pub status_json: &'a str,
}

impl Encoder {
    /// Encodes an x5f2 message; the bytes are lent until the next message.
    pub fn x5f2(&mut self, message: &X5f2<'_>) -> &[u8] {
        let builder = self.reset();
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
        self.finished()
    }
}
