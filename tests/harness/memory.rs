//! What a process has in memory, as Linux tells it.

use std::fs;

/// The memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What it has now (`VmRSS`).
    pub resident: u64,
    /// The most that it has had (`VmHWM`).
    pub peak: u64,
}

impl Memory {
    /// The memory of the process of this number. None on systems other than Linux, after saying so.
    pub fn of(process: u32) -> Option<Memory> {
        if !cfg!(target_os = "linux") {
            eprintln!("SKIPPED: what a process has in memory is only read on Linux");
            return None;
        }
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
        let kilobytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        };
        let bytes = |name: &str| kilobytes(name).unwrap_or_else(|| panic!("no {name} in {status}")) * 1024;
        Some(Memory { resident: bytes("VmRSS"), peak: bytes("VmHWM") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_touched_is_resident_and_has_been_at_its_peak() {
        let Some(before) = Memory::of(std::process::id()) else { return };
        let touched = vec![1_u8; 64 << 20];
        let after = Memory::of(std::process::id()).expect("it was read before");
        assert!(after.resident >= before.resident + (32 << 20), "{before:?} {after:?} {}", touched[1 << 20]);
        assert!(after.peak >= after.resident, "{after:?}");
    }
}
