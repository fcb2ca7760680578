# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint behind TLS: its certificate must be trusted, and what is signed there is what would be without."""
from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from _restorable.errors import ConfigError, Unavailable
from kit import s3_servers

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"
DATA = os.urandom(6 * 1024 * 1024)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """`rclone serve s3` over TLS with a certificate that nobody knows; its file is `server.made["ca"]`."""
    folder = tmp_path_factory.mktemp("tls")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "s3")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    with s3_servers.rclone(folder, "--cert", str(folder / "ca.pem"), "--key", str(folder / "key.pem")) as server:
        server.made["ca"] = str(folder / "ca.pem")
        yield server


def bucket(tls):
    name = f"bucket-{os.urandom(4).hex()}"
    tls.client(ca_file=tls.made["ca"]).create_bucket(Bucket=name)
    return name


def test_a_certificate_that_is_not_trusted_is_refused(tls):
    with pytest.raises((ConfigError, Unavailable)) as caught:
        tls.store("any", retries=0).check()
    assert caught.value.code in ("store.tls", "store.unreachable")


@pytest.mark.parametrize("method", ["sha256", "crc32", "md5"])
def test_every_way_to_have_bytes_checked_works_over_tls(tls, method):
    store = tls.store(bucket(tls), ca_file=tls.made["ca"], checksum=method, part_size=5)
    store.check()
    for key, data in ((f"{KEY}.small", b"small"), (KEY, DATA)):
        assert store.put(key, [data]).sha256 == hashlib.sha256(data).hexdigest()
        assert b"".join(store.get(key)) == data


@pytest.mark.parametrize("method", ["sha256", "crc32", "md5"])
def test_the_signature_covers_the_body_by_the_digest_that_goes_with_it(tls, rclone_s3, method):
    """Over plain HTTP always, over TLS where the digest is there anyway; a CRC or an MD5 is trusted to TLS."""
    for server, more in ((rclone_s3, {}), (tls, {"ca_file": tls.made["ca"]})):
        client, seen = server.client(checksum=method, **more), []
        client.meta.events.register("before-send.s3", lambda request, seen=seen, **_more: seen.append(
            (request.headers["X-Amz-Content-SHA256"], request.headers["Authorization"])))
        store = server.store(bucket(tls) if more else server.bucket(), client=client, checksum=method, **more)
        seen.clear()
        store.put(KEY, [b"small"])
        told = [str(digest, "ascii") if isinstance(digest, bytes) else digest for digest, _signature in seen]
        signed = more == {} or method == "sha256"
        assert (hashlib.sha256(b"small").hexdigest() in told) is signed
        assert ("UNSIGNED-PAYLOAD" in told) is not signed
        assert all(b"SignedHeaders=" in (line if isinstance(line, bytes) else line.encode()) for _d, line in seen)


def test_an_endpoint_that_passes_over_a_sha256_is_sent_what_it_verifies(rclone_s3):
    """rclone's server compares neither the checksum nor the signed digest with the body, but it does an MD5."""
    client, bent = rclone_s3.client(), []
    store = rclone_s3.store(rclone_s3.bucket(), client=client)
    assert store.checksum == "sha256"
    store.check()
    assert store.checksum == "md5"

    def bend(request, **_more):
        if request.method == "PUT" and not bent:
            bent.append(request.url)
            request.body = b"other"

    client.meta.events.register("before-send.s3", bend)
    store.put(KEY, [b"small"])         # refused by the endpoint, and sent again
    assert bent and b"".join(store.get(KEY)) == b"small"
