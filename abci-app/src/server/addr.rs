//! Where a server listens.

use std::{fmt, path::PathBuf, str::FromStr};

/// Bytes that a unix socket's path may have on Linux, without the final zero.
const UNIX_PATH_MAX: usize = 107;

/// `unix://path` or `tcp://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addr {
    /// A socket file.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

impl FromStr for Addr {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        if let Some(path) = s.strip_prefix("unix://").filter(|p| !p.is_empty()) {
            return match path.len() {
                ..=UNIX_PATH_MAX => Ok(Self::Unix(path.into())),
                n => Err(format!(
                    "expected a unix socket path of at most {UNIX_PATH_MAX} bytes, got {n}: give a shorter one, for example unix:///tmp/ember.sock"
                )),
            };
        }
        let host = s.strip_prefix("tcp://").unwrap_or(s);
        match host.rsplit_once(':') {
            Some((h, p)) if !h.is_empty() && p.parse::<u16>().is_ok() && !h.contains('/') => {
                Ok(Self::Tcp(host.into()))
            }
            _ => Err(format!(
                "expected unix://PATH or tcp://HOST:PORT, got {s:?}"
            )),
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, ok) in [
            ("unix:///tmp/a.sock", true),
            ("tcp://127.0.0.1:0", true),
            ("tcp://[::1]:26658", true),
            ("127.0.0.1:26658", true),
            ("unix://", false),
            ("tcp://127.0.0.1", false),
            ("http://127.0.0.1:1", false),
            ("tcp://:80", false),
        ] {
            assert_eq!(text.parse::<Addr>().is_ok(), ok, "{text}");
        }
        let long = format!("unix:///{}", "x".repeat(107));
        assert!(long.parse::<Addr>().unwrap_err().contains("at most 107"));
    }
}
