# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell what an error of an S3 endpoint means, what to do about it, and whether the same call may succeed later."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import ConfigError, Damaged, NotFound, RestorableError, Unavailable

BUSY = ("SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "RequestThrottled",
        "ServiceUnavailable")
BROKEN = ("InternalError", "InternalFailure", "RequestTimeout", "RequestTimeoutException", "OperationAborted",
          "ConditionalRequestConflict", "IncompleteBody")
CORRUPTED = ("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch")
WRONG_KEY = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthFailure", "InvalidSecurity", "InvalidClientTokenId")
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", "RequestExpired")
SKEWED = ("RequestTimeTooSkewed", "RequestInTheFuture")
SKEW = 600.0                           # seconds; endpoints take 900, and some call more an access that is denied
DENIED = ("AccessDenied", "AllAccessDisabled", "AccountProblem", "UnauthorizedAccess", "Forbidden", "403")
ELSEWHERE = ("PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "301", "307",
             "IllegalLocationConstraintException")
ABSENT = ("NoSuchKey", "NotFound", "404", "NoSuchVersion")
TAKEN = ("PreconditionFailed", "412")
UNABLE = ("NotImplemented", "501", "MethodNotAllowed", "UnsupportedOperation")
FULL = ("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507", "EntityTooLarge", "ServiceQuotaExceeded")
WITHOUT = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "UnauthorizedSSOTokenError",
           "TokenRetrievalError")      # botocore's own, before anything is sent

_WRITE = "s3:PutObject, with object_lock s3:PutObjectRetention and with tags s3:PutObjectTagging,"
# what a role must allow for a call, as IAM names it
ACTIONS = {
    "head_object": "s3:GetObject", "get_object": "s3:GetObject", "put_object": _WRITE,
    "create_multipart_upload": _WRITE, "upload_part": "s3:PutObject",
    "complete_multipart_upload": "s3:PutObject", "abort_multipart_upload": "s3:AbortMultipartUpload",
    "list_multipart_uploads": "s3:ListBucketMultipartUploads", "list_objects_v2": "s3:ListBucket",
    "head_bucket": "s3:ListBucket", "list_object_versions": "s3:ListBucketVersions",
    "list_parts": "s3:ListMultipartUploadParts",
    "delete_object": "s3:DeleteObject and s3:DeleteObjectVersion",
    "get_object_legal_hold": "s3:GetObjectLegalHold", "get_object_retention": "s3:GetObjectRetention",
    "put_object_legal_hold": "s3:PutObjectLegalHold", "put_object_retention": "s3:PutObjectRetention",
}


@dataclass(frozen=True)
class Place:
    """What an error is told of."""

    name: str                          # of the repository
    bucket: str
    endpoint: str                      # for people: the URL, or "AWS"


def code_of(error: BaseException) -> str:
    """Return the endpoint's own code, such as NoSuchKey; the class's name where there is none."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return type(error).__name__
    code = str(response.get("Error", {}).get("Code", ""))
    return code or str(status_of(error))


def status_of(error: BaseException) -> int:
    """Return the HTTP status, 0 if there was no answer."""
    response = getattr(error, "response", None)
    found = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(response, dict) else 0
    return int(found or 0)


def is_passing(error: BaseException) -> bool:
    """Say whether the same call, its bytes sent again, may succeed."""
    code = code_of(error)
    if status_of(error):
        return code in (*BUSY, *BROKEN, *CORRUPTED) or status_of(error) in (429, 500, 502, 503, 504)
    return code not in (*WITHOUT, "ParamValidationError", "SSLError")


def explain(error: BaseException, place: Place, call: str, key: str) -> RestorableError:
    """Return the error that a person can act on. It never holds what was signed or with which secret."""
    code, status = code_of(error), status_of(error)
    where = f"repository {place.name}: {place.bucket}" + (f"/{key}" if key else "")
    said = _said(error)
    if code == "NoSuchBucket" or (call in ("head_bucket", "list_objects_v2") and code in ABSENT):
        return ConfigError(f"repository {place.name}: bucket {place.bucket} does not exist at {place.endpoint}",
                           code="store.no_bucket",
                           hint="Mend its name, or make it with `ansible-playbook restorable.postgres.bucket`.")
    if code in (*ABSENT, "NoSuchUpload"):
        return NotFound(f"{where} does not exist ({code})", code="store.missing",
                        hint="See with `restorable list` what the repository holds.")
    if code in SKEWED or (code in (*WRONG_KEY, *DENIED) and abs(_ahead(error)) > SKEW):
        return Unavailable(f"repository {place.name}: this host's clock differs from that of {place.endpoint}"
                           f"{_skew(error)}", code="store.clock",
                           hint="Set the clock: `timedatectl` shows whether it is synchronized.")
    if code in WRONG_KEY:
        return ConfigError(f"repository {place.name}: {place.endpoint} does not know these credentials ({code})",
                           code="store.credentials",
                           hint="Mend access_key_id and secret_access_key, the profile, or the variables of the usual "
                                "chain; `aws sts get-caller-identity` tells who they are at AWS.")
    if code in EXPIRED:
        return ConfigError(f"repository {place.name}: the credentials for {place.endpoint} have expired ({code})",
                           code="store.credentials_expired",
                           hint="Get new ones, for example with `aws sso login`, and use a role for hosts.")
    if code in ELSEWHERE or status in (301, 307):
        return ConfigError(f"repository {place.name}: bucket {place.bucket} is in another region{_region(error)}",
                           hint="Set the repository's region.", code="store.region")
    if code.startswith("KMS."):
        return ConfigError(f"{where}: the key service refused: {said}", code="store.kms",
                           hint="Mend kms_key_id, and allow kms:GenerateDataKey and kms:Decrypt on the key.")
    if code in FULL:
        return Unavailable(f"{where} is full, or over its quota ({code})", code="store.full",
                           hint="Make room, or see with `restorable prune --dry-run` what may go.")
    if code == "InvalidObjectState":
        return Unavailable(f"{where} lies in an archive tier and cannot be read now", code="store.archived",
                           hint="Bring it back with `aws s3api restore-object`, and keep backups in a class that "
                                "is read at once.")
    if code in DENIED or status == 403:
        return ConfigError(f"{where} is closed to these credentials: {call} was denied", code="store.denied",
                           hint=f"Allow {ACTIONS.get(call, call)} on the bucket to them.")
    if code in CORRUPTED:
        return Damaged(f"{where}: what arrived is not what was sent, again and again ({code})",
                       hint="Look for a proxy or a network device that changes bytes.", code="store.corrupted")
    if code in UNABLE or status == 501:
        return ConfigError(f"{where}: {place.endpoint} cannot do {call}: {said}", code="store.unable",
                           hint="Take the setting away that asks for it, such as object_lock, tags, sse, storage_class "
                                "or checksum.")
    if code in WITHOUT:
        return ConfigError(f"repository {place.name} has no credentials for {place.endpoint}: {said}",
                           code="store.no_credentials",
                           hint="Give access_key_id and secret_access_key, a profile, a credentials_file, or the "
                                "variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    if code == "SSLError":
        return ConfigError(f"repository {place.name}: {place.endpoint} has no certificate that is trusted here: {said}",
                           hint="Name the file of its authority as ca_file.", code="store.tls")
    if code in BUSY or status in (429, 503):
        return Unavailable(f"{where}: {place.endpoint} asks to slow down ({code})", code="store.busy",
                           hint="Run it again later, or lower the repository's `parallel`.")
    if status:
        return Unavailable(f"{where}: {call} failed with {status} {code}: {said}", code="store.failed",
                           hint=f"Run it again later; look at the state of {place.endpoint}.")
    return Unavailable(f"{where}: {place.endpoint} cannot be reached: {said}", code="store.unreachable",
                       hint="Check the network, the endpoint_url and the proxy's settings, then run it again.")


def _said(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Message") or code_of(error))
    return str(error) or type(error).__name__


def _headers(error: BaseException) -> dict[str, Any]:
    response = getattr(error, "response", None)
    return dict(response.get("ResponseMetadata", {}).get("HTTPHeaders", {})) if isinstance(response, dict) else {}


def _skew(error: BaseException) -> str:
    ahead = round(_ahead(error))
    return f" by {abs(ahead)} s, being {'ahead' if ahead > 0 else 'behind'}" if ahead else ""


def _ahead(error: BaseException) -> float:
    """Return by how many seconds our clock is ahead of the one that answered, 0 where it tells no time."""
    try:
        return (datetime.now(timezone.utc) - parsedate_to_datetime(_headers(error)["date"])).total_seconds()
    except (KeyError, TypeError, ValueError):
        return 0.0


def _region(error: BaseException) -> str:
    found = _headers(error).get("x-amz-bucket-region", "")
    return f", {found}" if found else ""
