//! How a command fails: one sentence that says what to do, and an exit code of `sysexits.h` that a script can test.

use std::fmt;
use std::process::ExitCode;

/// Why the command could not do its work.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    sentence: String,
}

/// What every command answers.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// 1: the command did its work, and what it found is not as it should be.
    pub fn found(sentence: impl fmt::Display) -> Self {
        Self { code: 1, sentence: sentence.to_string() }
    }

    /// 64: the command or its configuration is wrong; the person who typed it can mend it.
    pub fn usage(sentence: impl fmt::Display) -> Self {
        Self { code: 64, sentence: sentence.to_string() }
    }

    /// 65: the data given to the command is wrong.
    pub fn data(sentence: impl fmt::Display) -> Self {
        Self { code: 65, sentence: sentence.to_string() }
    }

    /// 69: something this needs does not answer or cannot be used now.
    pub fn unavailable(sentence: impl fmt::Display) -> Self {
        Self { code: 69, sentence: sentence.to_string() }
    }

    /// 70: a mistake of ours.
    pub fn internal(sentence: impl fmt::Display) -> Self {
        Self { code: 70, sentence: format!("{sentence} (this is a bug; please report it)") }
    }

    /// 77: signed out, or not allowed.
    pub fn denied(sentence: impl fmt::Display) -> Self {
        Self { code: 77, sentence: sentence.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        Self::from(failure.code)
    }
}
