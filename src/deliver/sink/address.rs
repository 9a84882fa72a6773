//! Which addresses a destination may have: by default only those of the public Internet.
//!
//! A name that an operator wrote is resolved by somebody else's DNS. Without this check an answer of
//! `169.254.169.254` would make the gateway talk to the cloud's metadata service. Every form a host can
//! be written in, `2130706433` and `0x7f.1` too, is an address by the time it is looked at here.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// Names what `address` is when it is not a public one, `a loopback address`.
///
/// Ranges: the IANA special-purpose address registries, and addresses that carry an IPv4 address
/// (mapped, NAT64, 6to4), which are what they carry.
pub(super) fn restriction(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => restriction_v4(address),
        IpAddr::V6(address) => restriction_v6(address),
    }
}

fn restriction_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [127, ..] => Some("a loopback address"),
        // 169.254.169.254 among them: instance metadata of most clouds.
        [169, 254, ..] => Some("a link-local address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [100, 64..=127, ..] => Some("a carrier's shared address"),
        [0, ..] => Some("an unspecified address"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("a documentation address"),
        [224..=239, ..] => Some("a multicast address"),
        [192, 0, 0, _] | [198, 18..=19, ..] | [240..=255, ..] => Some("a reserved address"),
        _ => None,
    }
}

fn restriction_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            restriction_v4(embedded(high, low))
        }
        [0x2002, high, low, ..] => restriction_v4(embedded(high, low)),
        [0x64, 0xff9b, 1, ..] | [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => {
            Some("a private address")
        }
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("a documentation address"),
        // IPv4-compatible, discard-only, Teredo and other protocol assignments.
        [0, 0, 0, 0, 0, 0, ..] | [0x100, 0, 0, 0, ..] | [0x2001, 0..=0x1ff, ..] => {
            Some("a reserved address")
        }
        _ => None,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Option<&'static str> {
        restriction(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_free() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            assert_eq!(of(address), None, "{address}");
        }
    }

    #[test]
    fn what_is_not_public_is_named() {
        for (kind, addresses) in [
            (
                "a loopback address",
                &["127.0.0.1", "127.255.255.255", "::1"][..],
            ),
            (
                "a link-local address",
                &["169.254.169.254", "169.254.0.0", "fe80::1", "febf::1"],
            ),
            (
                "a private address",
                &[
                    "10.0.0.0",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.0.1",
                    "fc00::",
                    "fd00:ec2::254",
                ],
            ),
            (
                "a carrier's shared address",
                &["100.64.0.0", "100.100.100.200", "100.127.255.255"],
            ),
            (
                "an unspecified address",
                &["0.0.0.0", "0.255.255.255", "::"],
            ),
            (
                "a multicast address",
                &["224.0.0.1", "239.255.255.255", "ff02::1"],
            ),
            (
                "a documentation address",
                &["192.0.2.1", "203.0.113.9", "2001:db8::1"],
            ),
            (
                "a reserved address",
                &[
                    "192.0.0.192",
                    "198.19.255.255",
                    "240.0.0.1",
                    "255.255.255.255",
                    "::127.0.0.2",
                    "2001::1",
                ],
            ),
        ] {
            for address in addresses {
                assert_eq!(of(address), Some(kind), "{address}");
            }
        }
    }

    #[test]
    fn an_address_inside_an_address_is_what_it_carries() {
        for outer in ["::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::"] {
            assert_eq!(of(outer), Some("a loopback address"), "{outer}");
        }
        assert_eq!(of("::ffff:169.254.169.254"), Some("a link-local address"));
        assert_eq!(of("64:ff9b::10.0.0.1"), Some("a private address"));
    }
}
