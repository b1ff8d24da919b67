"""``network_error``: our codes for the browsers' names of network errors.

Chromium: net/base/net_error_list.h. Firefox: the NS_ERROR names of xpcom/base/ErrorList.py, and
SEC_ERROR, SSL_ERROR and MOZILLA_PKIX of NSS. WebKit quotes the libraries of its system.
"""

from __future__ import annotations

import re

from corscore._standard.text import shown
from corscore.diagnostics._diagnosis import NoResponse

_LOCAL_NETWORK = re.compile(
    r"ERR_BLOCKED_BY_(?:PRIVATE|LOCAL)_NETWORK_ACCESS_CHECKS"
    r"|ERR_CACHED_IP_ADDRESS_SPACE_BLOCKED_BY_(?:PRIVATE|LOCAL)_NETWORK_ACCESS_POLICY"
    r"|(?:Private|Local)NetworkAccess|Insecure(?:Private|Local)Network"
    r"|Permission was denied.{0,80}address space|more-private address space"
)
_TLS = re.compile(
    r"ERR_(?:CERT|SSL|BAD_SSL|ECH)_\w+|(?:SEC|SSL)_ERROR_\w+|MOZILLA_PKIX_\w+"
    r"|ERR_CERTIFICATE_\w+|NS_ERROR_NET_INADEQUATE_SECURITY"
    # In words, from WebKit and proxies.
    r"|(?:TLS|SSL)(?: \w+){0,2} (?:failed|error\b)|SSL error has occurred|SSL peer certificate"
    r"|[Cc]ertificate (?:for this server is invalid|verify failed)|TLS handshake"
)
_BLOCKED = re.compile(r"ERR_BLOCKED_BY_(?!ORB|RESPONSE)\w+")
_NETWORK = re.compile(
    r"ERR_(?:NAME|DNS|CONNECTION|ADDRESS|INTERNET|NETWORK|TIMED|EMPTY|SOCKET|TUNNEL|PROXY|HTTP2"
    r"|QUIC|INVALID_(?:RESPONSE|HTTP|CHUNKED)|INCOMPLETE|RESPONSE_HEADERS|CONTENT_LENGTH|UNSAFE_PORT"
    r"|HTTP_|TOO_MANY_REDIRECTS|UNSAFE_REDIRECT|INVALID_REDIRECT|INSUFFICIENT_RESOURCES)\w*"
    r"|NS_ERROR_(?:CONNECTION_REFUSED|UNKNOWN\w*HOST|NET_\w+|OFFLINE|PROXY\w*|REDIRECT_LOOP"
    r"|DNS\w*|PORT_ACCESS_NOT_ALLOWED)"
    r"|[Cc]onnection (?:refused|reset|timed out)|[Nn]etwork connection was lost"
    r"|hostname could not be found|[Ee]rror resolving|Name or service not known"
    r"|[Cc]ould(?:n't| not) (?:connect|resolve)[\w ]*|Internet connection appears to be offline"
)
_ABORTED = re.compile(r"ERR_ABORTED|NS_BINDING_ABORTED|NS_ERROR_ABORT\b")

_NAMES = {
    "ERR_NAME_NOT_RESOLVED": "the name of the server is not known",
    "NS_ERROR_UNKNOWN_HOST": "the name of the server is not known",
    "ERR_CONNECTION_REFUSED": "no program listens there",
    "NS_ERROR_CONNECTION_REFUSED": "no program listens there",
    "ERR_CONNECTION_TIMED_OUT": "no answer came in time",
    "ERR_TIMED_OUT": "no answer came in time",
    "NS_ERROR_NET_TIMEOUT": "no answer came in time",
    "ERR_INTERNET_DISCONNECTED": "there was no network",
    "NS_ERROR_OFFLINE": "there was no network",
    "ERR_UNSAFE_PORT": "browsers never use this port",
    "ERR_CERT_AUTHORITY_INVALID": "no known authority signed the certificate",
    "ERR_CERT_COMMON_NAME_INVALID": "the certificate is for another name",
    "ERR_CERT_DATE_INVALID": "the certificate is out of date",
    "SEC_ERROR_UNKNOWN_ISSUER": "no known authority signed the certificate",
    "SEC_ERROR_EXPIRED_CERTIFICATE": "the certificate is out of date",
    "MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT": "the certificate is self-signed",
    "SSL_ERROR_BAD_CERT_DOMAIN": "the certificate is for another name",
}

NETWORK_HINT = "check that the server runs, and that scheme, name and port of the URL are right"
TLS_HINT = "open the URL in a tab of its own to see what is wrong with the certificate"
_LOCAL_HINT = (
    "no header helps: serve the page over https, and have the user allow it in the site's settings"
)


def was_aborted(text: str) -> bool:
    """Return whether the page or the user cancelled the request."""
    return _ABORTED.search(text) is not None


def network_error(text: str) -> NoResponse | None:
    """Return the network error that a browser's text names, or None.

    None for ``net::ERR_FAILED``, which Chromium writes about CORS as well.
    """
    if _LOCAL_NETWORK.search(text):
        return NoResponse(
            "local-network-access",
            "The browser did not let the page reach a private network, or the visitor's own "
            "machine without a permission. CORS is not the cause.",
            _LOCAL_HINT,
        )
    found = _TLS.search(text)
    if found:
        return NoResponse(
            "tls-error", f"TLS failed: {_named(found[0])}. CORS is not the cause.", TLS_HINT
        )
    found = _BLOCKED.search(text)
    if found:
        return NoResponse(
            "network-error",
            f"The browser, or an extension in it, blocked the request: {shown(found[0])}. CORS "
            "is not the cause.",
            "try without extensions, and look at the page's security policy",
        )
    found = _NETWORK.search(text)
    if found:
        return NoResponse(
            "network-error",
            f"There was no response: {_named(found[0])}. CORS is not the cause.",
            NETWORK_HINT,
        )
    return None


def _named(name: str) -> str:
    meaning = _NAMES.get(name)
    return f"{meaning} ({shown(name)})" if meaning else shown(name)
