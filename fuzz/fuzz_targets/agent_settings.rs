#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| aido_fuzz::try_one("agent_settings", input));
