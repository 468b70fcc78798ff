//! The targets, which the package's own tests run too (suite S10 of tests/proof).

#[path = "../../tests/fuzz/mod.rs"]
pub mod targets;

/// Tries one input.
///
/// # Panics
/// Where something does not hold, or there is no such target.
pub fn try_one(name: &str, input: &[u8]) {
    let target = targets::TARGETS.iter().find(|target| target.name == name);
    (target.expect("tests/fuzz/mod.rs has it").run)(input);
}
