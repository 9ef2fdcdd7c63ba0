//! Which hosts a component may reach: `allowed_outbound_hosts` in Spin's form `scheme://host[:port]`.
//!
//! Each of the three may be `*`; the host may be `*.example.com`; the port may be a range `8000..8100` (the end
//! excluded). Without a port the scheme's own is meant. Nothing is allowed that is not listed.

use std::ops::Range;

/// The hosts one component may reach.
#[derive(Clone, Debug, Default)]
pub struct OutboundHosts(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    scheme: Option<String>,
    host: Host,
    port: Port,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    /// `.example.com`, the dot included: a name that merely ends alike is another's.
    Below(String),
    One(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Port {
    Any,
    Within(Range<u32>),
}

impl OutboundHosts {
    /// Reads the entries of a manifest, their variables filled in.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, String> {
        let read = |entry: &S| {
            let entry = entry.as_ref();
            Allowed::parse(entry).map_err(|reason| format!("the outbound host `{entry}` {reason}"))
        };
        entries.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `scheme://host:port` may be reached.
    pub fn allow(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.0.iter().any(|allowed| allowed.allows(scheme, host, port))
    }
}

impl Allowed {
    fn parse(entry: &str) -> Result<Self, String> {
        let (scheme, rest) =
            entry.split_once("://").ok_or("has no scheme: write it as `scheme://host[:port]`")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('/') {
            return Err("has a path: only scheme, host and port can be limited".into());
        }
        let (host, port) = split_port(rest);
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_ascii_lowercase()),
            host: Host::parse(host)?,
            port: Port::parse(port, scheme)?,
        })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|own| own == scheme)
            && self.host.allows(&host.to_ascii_lowercase())
            && self.port.allows(port)
    }
}

/// An IPv6 host stands in brackets, so the last colon behind them divides.
fn split_port(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self, String> {
        let host = host.to_ascii_lowercase();
        match host.strip_prefix('*') {
            Some("") => Ok(Self::Any),
            Some(domain) if domain.starts_with('.') && !domain.contains('*') => {
                Ok(Self::Below(domain.to_owned()))
            }
            None if !host.is_empty() && !host.contains('*') => Ok(Self::One(host)),
            _ => Err("has a host that is neither `*`, nor `*.domain`, nor a name".into()),
        }
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Below(suffix) => host.ends_with(suffix.as_str()),
            Self::One(name) => name == host,
        }
    }
}

impl Port {
    fn parse(port: Option<&str>, scheme: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse::<u16>().map(u32::from).map_err(|_| format!("has the port `{text}`, not a number"))
        };
        match port {
            Some("*") => Ok(Self::Any),
            Some(range) => match range.split_once("..") {
                Some((start, end)) => Ok(Self::Within(number(start)?..number(end)?)),
                None => number(range).map(|port| Self::Within(port..port + 1)),
            },
            None => default_port(scheme)
                .map(|port| Self::Within(port.into()..u32::from(port) + 1))
                .ok_or_else(|| "needs a port: its scheme has none of its own".into()),
        }
    }

    fn allows(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Within(range) => range.contains(&u32::from(port)),
        }
    }
}

/// The port that a scheme means when none is written.
pub fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn hosts(entries: &[&str]) -> OutboundHosts {
        OutboundHosts::parse(entries).unwrap()
    }

    #[test]
    fn nothing_listed_is_nothing_allowed() {
        assert!(!hosts(&[]).allow("http", "localhost", 80));
    }

    #[test]
    fn scheme_host_and_port_must_all_fit() {
        let hosts =
            hosts(&["postgres://db.example.com", "http://*.example.com:8000..8010", "https://[::1]:8443"]);
        assert!(hosts.allow("postgres", "DB.example.com", 5432));
        assert!(!hosts.allow("postgres", "db.example.com", 5433));
        assert!(!hosts.allow("https", "db.example.com", 5432));
        assert!(hosts.allow("http", "a.b.example.com", 8009));
        assert!(!hosts.allow("http", "a.b.example.com", 8010));
        assert!(!hosts.allow("http", "evilexample.com", 8000));
        assert!(!hosts.allow("http", "example.com", 8000));
        assert!(hosts.allow("https", "[::1]", 8443));
    }

    #[test]
    fn stars_allow_anything_in_their_place_only() {
        assert!(hosts(&["*://*:*"]).allow("http", "anything", 1));
        assert!(!hosts(&["postgres://*:*"]).allow("http", "anything", 5432));
        assert!(hosts(&["postgres://*:*"]).allow("postgres", "anything", 1));
    }

    #[test]
    fn entries_that_could_never_match_are_refused() {
        for (entry, reason) in [
            ("localhost", "has no scheme"),
            ("http://a/b", "has a path"),
            ("redis://a", "needs a port"),
            ("http://a*b", "neither"),
            ("http://:80", "neither"),
            ("http://a:b", "not a number"),
        ] {
            let error = OutboundHosts::parse(&[entry]).unwrap_err();
            assert!(error.contains(reason) && error.contains(entry), "{error}");
        }
    }
}
