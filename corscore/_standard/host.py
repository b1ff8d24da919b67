"""Hosts in the form that browsers send: https://url.spec.whatwg.org/#host-serializing.

A request's host is compared with this form, and a configuration's host is corrected to it.
No name is looked up in DNS.
"""

from __future__ import annotations

MAX_HOST_LENGTH = 253
MAX_LABEL_LENGTH = 63

LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_PUNYCODE = "xn--"
_PUNYCODE_CODEC = "punycode"
# Four times the longest name in DNS; bounded, since punycode takes quadratic time.
_MAX_MAPPED_LENGTH = 4 * MAX_HOST_LENGTH
# Bidirectional classes of right-to-left text: https://www.rfc-editor.org/rfc/rfc5893#section-1.4
_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
_JOINERS = "\u200c\u200d"
_DIGITS = frozenset("0123456789")
_OCTAL_DIGITS = frozenset("01234567")
_HEX_DIGITS = frozenset("0123456789abcdef")
# URL parsers refuse a zone ("%eth0"), which ipaddress accepts.
_IPV6_CHARACTERS = _HEX_DIGITS.union(":.")


def is_canonical_host(host: str) -> bool:
    """Whether a browser can send ``host`` in an Origin: a domain, IPv4 or ``[IPv6]`` address."""
    if host.startswith("["):
        return host.endswith("]") and canonical_ipv6(host[1:-1]) == host[1:-1]
    if ends_in_number(host):
        return canonical_ipv4(host) == host
    return is_domain(host)


def is_domain(host: str) -> bool:
    """Whether ``host`` has labels of 1 to 63 bytes of ``[a-z0-9_-]``, at most 253 bytes in all.

    Browsers keep underscores and a trailing dot. With the dot, it is another origin.
    """
    if len(host) > MAX_HOST_LENGTH:
        return False
    return all(map(is_label, host.removesuffix(".").split(".")))


def domain_to_ascii(domain: str) -> str | None:
    """Return a domain as browsers write it, in lower case and punycode; None if they refuse it.

    https://url.spec.whatwg.org/#concept-domain-to-ascii: by UTS 46, since IDNA 2008 refuses names
    that browsers load.
    """
    if domain.isascii() and _PUNYCODE not in (lower := domain.lower()):
        return lower
    if len(domain) > _MAX_MAPPED_LENGTH:
        return None
    # Imported late: few hosts are not ASCII.
    import idna

    try:
        labels = _remapped(domain).split(".")
    except idna.IDNAError:
        return None
    if any(label.startswith(_PUNYCODE) and not label.isascii() for label in labels):
        return None
    host = ".".join(map(_label_to_ascii, labels))
    return host if has_valid_punycode(host) else None


def _label_to_ascii(label: str) -> str:
    return label if label.isascii() else _PUNYCODE + label.encode(_PUNYCODE_CODEC).decode()


def _remapped(domain: str) -> str:
    import idna

    return idna.uts46_remap(domain, std3_rules=False)  # pragma: no mutate: None is false, too


def has_valid_punycode(host: str) -> bool:
    """Whether browsers accept each label of ``host`` that begins with ``xn--``.

    https://url.spec.whatwg.org/#concept-domain-to-ascii: the label decodes to a name that is not
    ASCII, that UTS 46 leaves unchanged, and that obeys the rules for joiners and for right-to-left
    text. Chromium accepts other labels, too, and is the only browser that does.
    """
    labels = host.split(".")
    if not any(label.startswith(_PUNYCODE) for label in labels):
        return True
    # Imported late: few hosts have such a label.
    import unicodedata

    import idna

    try:
        names = [_decoded(label) for label in labels if label]
        chars = (char for name in names for char in name)
        if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in chars):
            for name in names:
                idna.check_bidi(name, check_ltr=True)
    except ValueError:
        return False
    return True


def _decoded(label: str) -> str:
    """Decode a label that is punycode; raise ValueError, as ``idna`` does, if it is invalid."""
    if not label.startswith(_PUNYCODE):
        return label
    import idna

    name = label.removeprefix(_PUNYCODE).encode().decode(_PUNYCODE_CODEC)
    if name.isascii() or _remapped(name) != name:
        raise ValueError
    idna.check_initial_combiner(name)
    if not all(idna.valid_contextj(name, i) for i, char in enumerate(name) if char in _JOINERS):
        raise ValueError
    return name


def is_label(label: str) -> bool:
    """Whether ``label`` is a label of a domain, in lower case."""
    return 0 < len(label) <= MAX_LABEL_LENGTH and LABEL_CHARACTERS.issuperset(label)


def ends_in_number(host: str) -> bool:
    """Whether URL parsers read ``host`` as an IPv4 address, valid or not.

    https://url.spec.whatwg.org/#ends-in-a-number-checker
    """
    last = host.removesuffix(".").rpartition(".")[2]
    # Even "0x1" starts with a digit, so that most hosts need no further check.
    return last[:1] in _DIGITS and (_DIGITS.issuperset(last) or _ipv4_number(last) is not None)


def canonical_ipv4(host: str) -> str | None:
    """The dotted-decimal form of an IPv4 address in any form that URL parsers read, or None.

    https://url.spec.whatwg.org/#concept-ipv4-parser: one to four numbers, each decimal, octal
    (``0177``) or hexadecimal (``0x7f``); the last one fills all remaining bytes.
    """
    parts = host.removesuffix(".").split(".")
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        number = _ipv4_number(part)
        if number is None:
            return None
        numbers.append(number)
    *leading, last = numbers
    if any(number > 255 for number in leading) or last >= 256 ** (5 - len(numbers)):
        return None
    address = last
    for position, number in enumerate(leading):
        address += number << (8 * (3 - position))
    return ".".join(str((address >> shift) & 255) for shift in (24, 16, 8, 0))


def _ipv4_number(part: str) -> int | None:
    # https://url.spec.whatwg.org/#ipv4-number-parser; bounded, since the time of int() is not
    # linear in the number of digits.
    digits, base, alphabet = part, 10, _DIGITS
    if part.startswith("0x"):
        digits, base, alphabet = part[2:] or "0", 16, _HEX_DIGITS
    elif len(part) > 1 and part.startswith("0"):
        digits, base, alphabet = part[1:], 8, _OCTAL_DIGITS
    if not 0 < len(digits) <= MAX_HOST_LENGTH or not alphabet.issuperset(digits):
        return None
    return int(digits, base)


def canonical_ipv6(text: str) -> str | None:
    """Return an IPv6 address, without brackets, as browsers send it; None if it is no address.

    https://url.spec.whatwg.org/#concept-ipv6-serializer: lower-case pieces without leading zeros,
    the first longest run of two or more zero pieces compressed, no dotted-decimal tail.
    """
    if not _IPV6_CHARACTERS.issuperset(text.lower()):
        return None
    # Imported late: few hosts are addresses in brackets.
    from ipaddress import AddressValueError, IPv6Address

    try:
        packed = IPv6Address(text).packed
    except AddressValueError:
        return None
    pieces = [f"{packed[i] << 8 | packed[i + 1]:x}" for i in range(0, 16, 2)]
    address = f":{':'.join(pieces)}:"
    for length in range(len(pieces), 1, -1):
        before, zeros, behind = address.partition(":0" * length + ":")
        if zeros:
            return f"{before[1:]}::{behind[:-1]}"
    return address[1:-1]
