//! USE CASE: what a session ran, to be run again. Decides, does nothing.
//!
//! A recording may come from a stranger, so nothing in it is run unless it verifies as the user's
//! own or the user says that it is trusted, and nothing in it reaches a shell, except the line of a
//! `-c` session as the argument that it was.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::record::shell::Command;
use crate::session::{Metadata, Size};
use crate::store::signature::Signature;

/// What is to be run again, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct RerunPlan {
    /// The exact arguments.
    pub command: Command,
    /// The directory it ran in.
    pub cwd: PathBuf,
    /// The size of its window.
    pub size: Option<Size>,
}

/// Why a session can't be run again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRerun {
    /// It is not this user's, or was changed since.
    #[error("its sidecar is {}, so who wrote it is not known", .0.name())]
    NotTrusted(Signature),
    /// Nobody recorded what was executed.
    #[error("its arguments were not recorded")]
    NoArguments,
    /// The arguments' exact bytes are not what they should be.
    #[error("its arguments are damaged")]
    DamagedArguments,
    /// The directory's exact bytes are not what they should be.
    #[error("the path of its directory is damaged")]
    DamagedDirectory,
    /// The directory was not recorded: it had been deleted.
    #[error("the directory that it ran in was not recorded")]
    NoDirectory,
}

/// Whether the user trusts a session that does not verify as their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Only what verifies.
    Verified,
    /// This one, whoever wrote it.
    Given,
}

/// Decides what a session would run again.
///
/// # Errors
/// [`NoRerun`].
pub fn plan(
    metadata: &Metadata,
    signature: Option<Signature>,
    trust: Trust,
) -> Result<RerunPlan, NoRerun> {
    let signature = signature.unwrap_or(Signature::Unsigned);
    if signature != Signature::Valid && trust != Trust::Given {
        return Err(NoRerun::NotTrusted(signature));
    }
    let argv = arguments(metadata)?;
    if argv.is_empty() {
        return Err(NoRerun::NoArguments);
    }
    let cwd = directory(metadata)?;
    // Trusted is what is run. What a stranger says was typed needn't be that, and the new session
    // is signed.
    let typed = metadata.shell_line.as_ref();
    let typed = typed.filter(|_| signature == Signature::Valid);
    Ok(RerunPlan {
        command: Command {
            argv,
            shell_line: typed.map(OsString::from),
        },
        cwd,
        size: metadata.tty.size,
    })
}

/// The directory byte for byte.
fn directory(metadata: &Metadata) -> Result<PathBuf, NoRerun> {
    let shown = metadata.cwd.as_ref().ok_or(NoRerun::NoDirectory)?;
    let Some(digits) = &metadata.cwd_hex else {
        return Ok(PathBuf::from(shown));
    };
    let bytes = hex::decode(digits).map_err(|_| NoRerun::DamagedDirectory)?;
    let exact = PathBuf::from(OsString::from_vec(bytes));
    // What is shown is what is entered.
    match exact.to_string_lossy() == **shown {
        true => Ok(exact),
        false => Err(NoRerun::DamagedDirectory),
    }
}

/// The arguments byte for byte.
fn arguments(metadata: &Metadata) -> Result<Vec<OsString>, NoRerun> {
    let Some(exact) = &metadata.argv_hex else {
        return Ok(metadata.argv.iter().map(OsString::from).collect());
    };
    if exact.len() != metadata.argv.len() {
        return Err(NoRerun::DamagedArguments);
    }
    let words = metadata.argv.iter().zip(exact);
    words
        .map(|(word, digits)| match digits {
            None => Ok(OsString::from(word)),
            Some(digits) => match hex::decode(digits) {
                Ok(bytes) => Ok(OsString::from_vec(bytes)),
                Err(_) => Err(NoRerun::DamagedArguments),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    fn planned(metadata: &Metadata) -> Result<RerunPlan, NoRerun> {
        plan(metadata, Some(Signature::Valid), Trust::Verified)
    }

    #[test]
    fn arguments_are_the_recorded_ones_byte_for_byte() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.argv = vec!["ls".to_owned(), "\u{fffd}".to_owned(), "a b".to_owned()];
        metadata.argv_hex = Some(vec![None, Some("ff20".to_owned()), None]);
        // Never parsed.
        metadata.command = "rm -rf /".to_owned();
        let plan = planned(&metadata).unwrap();
        let strange = OsString::from_vec(vec![0xff, b' ']);
        assert_eq!(plan.command.argv, ["ls".into(), strange, "a b".into()]);
        assert_eq!(plan.command.shell_line, None);
    }

    #[test]
    fn the_directory_is_the_recorded_one_byte_for_byte() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.cwd = Some("/a\u{fffd}".to_owned());
        metadata.cwd_hex = Some("2f61ff".to_owned());
        let exact = OsString::from_vec(b"/a\xff".to_vec());
        assert_eq!(planned(&metadata).unwrap().cwd, PathBuf::from(exact));
        for damaged in ["2f62ff", "2f6", "x", ""] {
            metadata.cwd_hex = Some(damaged.to_owned());
            assert_eq!(
                planned(&metadata),
                Err(NoRerun::DamagedDirectory),
                "{damaged}"
            );
        }
    }

    #[test]
    fn what_does_not_verify_wants_to_be_trusted() {
        let metadata = minimal("a-20260305_132522-1-abcdef12");
        for signature in [None, Some(Signature::Unsigned), Some(Signature::Altered)] {
            let refused = plan(&metadata, signature, Trust::Verified);
            assert!(
                matches!(refused, Err(NoRerun::NotTrusted(_))),
                "{signature:?}"
            );
            assert!(plan(&metadata, signature, Trust::Given).is_ok());
        }
    }

    #[test]
    fn what_a_stranger_says_was_typed_is_not_repeated() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.argv = ["sh", "-c", "rm x"].map(str::to_owned).to_vec();
        metadata.shell_line = Some("echo harmless".to_owned());
        for (signature, typed) in [
            (Some(Signature::Valid), Some("echo harmless".into())),
            (Some(Signature::Altered), None),
            (Some(Signature::Unsigned), None),
            (None, None),
        ] {
            let plan = plan(&metadata, signature, Trust::Given).unwrap();
            assert_eq!(plan.command.shell_line, typed, "{signature:?}");
        }
    }

    #[test]
    fn what_was_not_recorded_is_not_guessed() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.argv_hex = Some(vec![Some("xy".to_owned())]);
        assert_eq!(planned(&metadata), Err(NoRerun::DamagedArguments));
        metadata.argv_hex = Some(Vec::new());
        assert_eq!(planned(&metadata), Err(NoRerun::DamagedArguments));
        metadata.argv_hex = None;
        metadata.cwd = None;
        assert_eq!(planned(&metadata), Err(NoRerun::NoDirectory));
        metadata.argv = Vec::new();
        assert_eq!(planned(&metadata), Err(NoRerun::NoArguments));
    }
}
