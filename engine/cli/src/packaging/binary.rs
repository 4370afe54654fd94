//! The function's binary: whether Lambda could run it. What is wrong with it would otherwise be told by a function that does
//! not start.

use clap::ValueEnum;
use elf::ElfBytes;
use elf::abi;
use elf::endian::LittleEndian;
use elf::file::Class;
use elf::gnu_symver::VerNeedIterator;
use viewfold_dynamodb::deployment::FUNCTION;

/// The architectures of Lambda.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Architecture {
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
    /// Graviton: cheaper for the same work
    Arm64,
}

impl Architecture {
    /// As Lambda calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
    }
}

/// A version of the C library.
pub(crate) type Glibc = (u32, u32);

/// The version that `provided.al2023` has.
pub(crate) const RUNTIME_GLIBC: Glibc = (2, 34);

/// A binary that Lambda can run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Binary {
    pub(crate) architecture: Architecture,
    /// The newest version of the C library that it needs; none where it brings its own.
    pub(crate) glibc: Option<Glibc>,
    /// The version of viewfold that it says it is the function of; none where it says nothing of the kind.
    pub(crate) version: Option<String>,
}

/// Looks at a binary.
///
/// # Errors
///
/// A sentence, where Lambda's runtime could not run it.
pub(crate) fn look_at(bytes: &[u8]) -> Result<Binary, String> {
    if !bytes.starts_with(b"\x7fELF") {
        return Err("it is no Linux binary (no ELF file)".to_owned());
    }
    let broken = |error: elf::ParseError| format!("it is a broken ELF file: {error}");
    let file = ElfBytes::<LittleEndian>::minimal_parse(bytes).map_err(broken)?;
    let architecture = match (file.ehdr.class, file.ehdr.e_machine) {
        (Class::ELF64, abi::EM_X86_64) => Architecture::X86_64,
        (Class::ELF64, abi::EM_AARCH64) => Architecture::Arm64,
        (_, machine) => {
            return Err(format!(
                "it is a binary for another machine (number {machine} in its header); Lambda runs 64-bit x86_64 and arm64"
            ));
        }
    };
    if ![abi::ET_EXEC, abi::ET_DYN].contains(&file.ehdr.e_type) {
        return Err("it is an ELF file that cannot be run: an object file, or a core dump".to_owned());
    }
    if let Some(loader) = interpreter(&file).map_err(broken)?
        && loader.contains("musl")
    {
        return Err(format!(
            "it is linked to musl at run time ({loader}), which Lambda's runtime does not have: link musl statically \
             (target-feature=+crt-static), or build for a `gnu` target"
        ));
    }
    let glibc = newest_glibc(&file).map_err(broken)?;
    if let Some((major, minor)) = glibc.filter(|needed| *needed > RUNTIME_GLIBC) {
        return Err(format!(
            "it needs glibc {major}.{minor}, and Lambda's runtime provided.al2023 has {}.{}: the function would not start \
             (`GLIBC_{major}.{minor}' not found). It was built on a newer Linux than that: build it with `cargo lambda build \
             --release`, with `cargo zigbuild --target {}-unknown-linux-gnu.2.34`, or in a container of Amazon Linux 2023",
            RUNTIME_GLIBC.0,
            RUNTIME_GLIBC.1,
            if architecture == Architecture::Arm64 { "aarch64" } else { "x86_64" },
        ));
    }
    Ok(Binary { architecture, glibc, version: version(bytes) })
}

/// The program that loads the binary; none where it is linked statically.
fn interpreter(file: &ElfBytes<'_, LittleEndian>) -> Result<Option<String>, elf::ParseError> {
    for header in file.segments().into_iter().flatten() {
        if header.p_type == abi::PT_INTERP {
            let path = file.segment_data(&header)?;
            return Ok(Some(String::from_utf8_lossy(path).trim_end_matches('\0').to_owned()));
        }
    }
    Ok(None)
}

/// The newest version of the C library that the binary needs: what its loader looks for before anything runs, whether a
/// symbol of that version is ever called or not.
fn newest_glibc(file: &ElfBytes<'_, LittleEndian>) -> Result<Option<Glibc>, elf::ParseError> {
    let Some(sections) = file.section_headers() else { return Ok(None) };
    let Some(needs) = sections.iter().find(|section| section.sh_type == abi::SHT_GNU_VERNEED) else { return Ok(None) };
    let names = sections.get(usize::try_from(needs.sh_link)?)?;
    let names = file.section_data_as_strtab(&names)?;
    let (data, _) = file.section_data(&needs)?;
    let mut newest = None;
    let files = VerNeedIterator::new(LittleEndian, Class::ELF64, u64::from(needs.sh_info), 0, data);
    for (_, versions) in files {
        for version in versions {
            let name = names.get(usize::try_from(version.vna_name)?)?;
            newest = newest.max(glibc(name));
        }
    }
    Ok(newest)
}

/// The version in `GLIBC_2.34`. (`GLIBC_PRIVATE` and those of other libraries have none.)
fn glibc(name: &str) -> Option<Glibc> {
    let mut parts = name.strip_prefix("GLIBC_")?.split('.');
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((major, minor))
}

/// The version in what the function says of itself, which stands in its binary as it is.
fn version(bytes: &[u8]) -> Option<String> {
    let (before, after) = FUNCTION.split_once(env!("CARGO_PKG_VERSION"))?;
    let mut places = bytes.windows(before.len()).enumerate().filter(|(_, window)| *window == before.as_bytes());
    places.find_map(|(at, _)| {
        // No version is longer than that.
        let rest = &bytes[at + before.len()..bytes.len().min(at + before.len() + 64)];
        let end = rest.windows(after.len()).position(|window| window == after.as_bytes())?;
        let version = std::str::from_utf8(&rest[..end]).ok()?;
        version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A binary of 64 bits with nothing but its header.
    fn header(machine: u16, kind: u16) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..8].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0]);
        bytes[16..18].copy_from_slice(&kind.to_le_bytes());
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[20] = 1;
        bytes[52] = 64;
        bytes
    }

    /// The same with a section that asks for a version of the C library, and the names that it goes by.
    fn needing(version: &str) -> Vec<u8> {
        let mut bytes = header(62, 3);
        let names = format!("\0libc.so.6\0{version}\0");
        let names_at = bytes.len() as u64;
        bytes.extend(names.as_bytes());
        let needs_at = bytes.len() as u64;
        // Verneed: version 1, one entry, the file's name, the entry 16 bytes behind, nothing next.
        bytes.extend([1_u16, 1].iter().flat_map(|part| part.to_le_bytes()));
        bytes.extend([1_u32, 16, 0].iter().flat_map(|part| part.to_le_bytes()));
        // Vernaux: hash, flags and number, the version's name, nothing next.
        bytes.extend([0_u32, 0, 11, 0].iter().flat_map(|part| part.to_le_bytes()));
        let sections_at = bytes.len() as u64;
        let mut section = |kind: u32, at: u64, size: u64, link: u32, info: u32| {
            let mut section = Vec::new();
            section.extend([0, kind].iter().flat_map(|part: &u32| part.to_le_bytes()));
            section.extend([0, 0, at, size].iter().flat_map(|part: &u64| part.to_le_bytes()));
            section.extend([link, info].iter().flat_map(|part| part.to_le_bytes()));
            section.extend([1_u64, 0].iter().flat_map(|part| part.to_le_bytes()));
            bytes.extend(section);
        };
        section(0, 0, 0, 0, 0);
        section(abi::SHT_STRTAB, names_at, names.len() as u64, 0, 0);
        section(abi::SHT_GNU_VERNEED, needs_at, 32, 1, 1);
        bytes[40..48].copy_from_slice(&sections_at.to_le_bytes());
        bytes[58..60].copy_from_slice(&64_u16.to_le_bytes());
        bytes[60..62].copy_from_slice(&3_u16.to_le_bytes());
        bytes
    }

    #[test]
    fn only_what_lambda_can_run_is_packed() {
        assert_eq!(look_at(&header(62, 3)).map(|binary| binary.architecture), Ok(Architecture::X86_64));
        assert_eq!(look_at(&header(183, 2)).map(|binary| binary.architecture), Ok(Architecture::Arm64));
        for (bytes, why) in [
            (b"#!/bin/sh\n".to_vec(), "no ELF file"),
            (header(62, 1), "object file"),
            (header(243, 3), "x86_64 and arm64"),
            (b"\x7fELF".to_vec(), "broken"),
        ] {
            let error = look_at(&bytes).expect_err("it cannot be run");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_binary_of_a_newer_linux_is_told() {
        assert_eq!(look_at(&needing("GLIBC_2.34")).map(|binary| binary.glibc), Ok(Some((2, 34))));
        assert_eq!(look_at(&needing("GLIBC_2.4")).map(|binary| binary.glibc), Ok(Some((2, 4))));
        assert_eq!(look_at(&needing("GCC_3.0")).map(|binary| binary.glibc), Ok(None));
        let error = look_at(&needing("GLIBC_2.39")).expect_err("it is too new");
        assert!(error.contains("GLIBC_2.39") && error.contains("cargo lambda build"), "{error}");
    }

    #[test]
    fn the_function_says_its_version() {
        let mut bytes = header(62, 3);
        assert_eq!(look_at(&bytes).map(|binary| binary.version), Ok(None));
        bytes.extend(FUNCTION.replace(env!("CARGO_PKG_VERSION"), "9.8.7-beta").bytes());
        assert_eq!(look_at(&bytes).map(|binary| binary.version), Ok(Some("9.8.7-beta".into())));
    }
}
