//! Syntax of names, addresses and digests.
//!
//! Promises: total functions, which panic on no text. Must not: look anything up; a well-formed name may name nothing.

/// True for a DNS label (RFC 1123), such as a namespace: 1 to 63 of `[a-z0-9-]`, no `-` at either end.
pub fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// True for a DNS subdomain (RFC 1123), such as a Secret's name: labels joined by dots, at most 253 bytes.
pub fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// True for a key of a Secret or ConfigMap: 1 to 253 of `[A-Za-z0-9._-]`.
pub fn is_secret_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// True for 1 to 253 printable ASCII characters without blanks.
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 253 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// True for 12 to 128 hexadecimal digits in lower case.
///
/// SHA-256 has 64, but the former operator's built-in digest has 40; the registry rejects wrong ones.
pub fn is_hex_digest(text: &str) -> bool {
    (12..=128).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// True for a host name or an IP address, with or without brackets.
pub fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

/// True for an `http://` or `https://` URL with a host and without blanks.
pub fn is_http_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

/// True for a list of `host:port` separated by commas, ports from 1 to 65535.
pub fn is_broker_list(text: &str) -> bool {
    !text.is_empty()
        && text.split(',').all(|broker| {
            broker
                .rsplit_once(':')
                .is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok_and(|port| port != 0))
        })
}

/// True for an instrument: a letter, then up to 31 of `[A-Za-z0-9_-]`.
pub fn is_instrument(text: &str) -> bool {
    text.len() <= 32
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_have_ports() {
        assert!(is_broker_list("livedata.example.org:31092"));
        assert!(is_broker_list("10.0.0.1:9092,[::1]:9092"));
        for wrong in ["", "broker", "broker:", "broker:0", "broker:99999", "a:1,,b:2", "a b:1"] {
            assert!(!is_broker_list(wrong), "{wrong}");
        }
    }

    #[test]
    fn urls_have_a_host() {
        assert!(is_http_url("http://localhost:8000"));
        assert!(is_http_url("https://dev.reduce.example/api"));
        for wrong in ["", "localhost", "ftp://x", "http://", "http:///x", "http://a b"] {
            assert!(!is_http_url(wrong), "{wrong}");
        }
    }

    #[test]
    fn instruments_begin_with_a_letter() {
        assert!(is_instrument("MERLIN"));
        assert!(is_instrument("sans2d"));
        for wrong in ["", "2D", "MER LIN", &"X".repeat(33), "É"] {
            assert!(!is_instrument(wrong), "{wrong}");
        }
    }
}
