#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| viewfold_fuzz::reader::run(bytes));
