//! Memory of the process and its limit, as the kernel reports them (`/proc`, the control group).
//!
//! Promises `None` where the kernel reports nothing, never a guess.

use std::fs;

/// Percentage of the container's limit that the worker keeps to; the rest is for the scripts' own arrays.
const SHARE_PERCENT: u64 = 80;

/// Resident set of this process in bytes; 0 without `/proc`.
pub fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").ok().and_then(|text| {
        text.split_whitespace()
            .nth(1)
            .and_then(|pages| pages.parse::<u64>().ok())
    });
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .unwrap_or(4096);
    pages.unwrap_or(0).saturating_mul(page.unsigned_abs())
}

/// Memory limit in bytes where none is set: 80 % of the container's; `None` without a container's limit.
pub fn default_limit() -> Option<u64> {
    container_limit().map(|bytes| bytes / 100 * SHARE_PERCENT)
}

/// The control group's limit in bytes. Version 1 writes a huge number for none: from 2^50 on it counts as none.
fn container_limit() -> Option<u64> {
    [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .iter()
    .find_map(|path| fs::read_to_string(path).ok())
    .and_then(|text| text.trim().parse::<u64>().ok())
    .filter(|bytes| *bytes < 1 << 50)
}

/// Number of bytes of a quantity such as `2GiB`, `2Gi`, `2GB`, `2G` or `2147483648`; `None` if it is none or below 1 byte.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim().trim_end_matches(['B', 'b']) {
        "" => 1,
        "k" | "K" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    (1.0..9e18).contains(&bytes).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("2GiB", 2 << 30),
            ("2Gi", 2 << 30),
            ("1.5G", 1_500_000_000),
            (" 64 MiB ", 64 << 20),
            ("1000", 1000),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "lots", "-1G", "1e99G", "GiB", "1Pi", "nan"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn this_process_has_a_size() {
        assert!(resident() > 1 << 20);
    }
}
