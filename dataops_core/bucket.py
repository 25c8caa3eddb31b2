"""An S3 bucket as a file system, through s3fs: how it is reached, what its refusals mean, what killed writers left.

Loaded only where ``DATAOPS_STORAGE_URL`` names a bucket; s3fs is the extra ``s3`` of the package. Region, endpoint and
credentials are those of AWS' own variables and files, which botocore reads: no setting of ours holds a secret. Does not
belong here: which files there are (``storage.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as NotReachedError,
)
from fsspec.exceptions import FSTimeoutError
from s3fs import S3FileSystem

#: What s3fs lets through that is no OSError.
REFUSALS: tuple[type[Exception], ...] = (BotoCoreError, ClientError, aiohttp.ClientError)

#: So much is read ahead at once.
_READ_BYTES = 4 * 2**20

_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_REASONS = {
    "NoSuchBucket": "the bucket that DATAOPS_STORAGE_URL names does not exist",
    "InvalidAccessKeyId": f"the bucket of DATAOPS_STORAGE_URL refuses the credentials ({_CREDENTIALS})",
    "SignatureDoesNotMatch": f"the bucket of DATAOPS_STORAGE_URL refuses the credentials ({_CREDENTIALS})",
    "ExpiredToken": f"the credentials for DATAOPS_STORAGE_URL have expired ({_CREDENTIALS})",
    "AccessDenied": "the bucket of DATAOPS_STORAGE_URL does not allow it to these credentials",
    "PermanentRedirect": "the bucket of DATAOPS_STORAGE_URL is in another region (set AWS_DEFAULT_REGION)",
    "AuthorizationHeaderMalformed": "the bucket of DATAOPS_STORAGE_URL is in another region (set AWS_DEFAULT_REGION)",
    "SlowDown": "the bucket of DATAOPS_STORAGE_URL is asked too often at the moment",
}
#: Answers to HEAD have no body that could say more.
_BARE = {"400": "InvalidAccessKeyId", "403": "AccessDenied", "301": "PermanentRedirect", "503": "SlowDown"}
_AWAY = "the server of DATAOPS_STORAGE_URL does not answer"


def open_bucket() -> S3FileSystem:
    """A connection to S3, made when it is first used; not to be carried over a fork."""
    return S3FileSystem(default_block_size=_READ_BYTES, use_listings_cache=False, skip_instance_cache=True)


def reason(error: Exception) -> str | None:
    """What a refusal of S3 means and which setting it is about; None of one that speaks for itself."""
    cause = error if isinstance(error, REFUSALS) else error.__cause__
    match cause:
        case ClientError():
            code = str(cause.response.get("Error", {}).get("Code", ""))
            return _REASONS.get(_BARE.get(code, code))
        case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
            return f"no credentials for DATAOPS_STORAGE_URL are known ({_CREDENTIALS})"
        case NotReachedError() | HTTPClientError() | aiohttp.ClientError():
            return _AWAY
        case BotoCoreError():
            return f"DATAOPS_STORAGE_URL cannot be used as it is ({str(cause).rstrip('.')})"
        case _:
            return _AWAY if isinstance(error, FSTimeoutError) else None


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An object that somebody began to write: not there, and paid for, until it is ended or aborted."""

    path: str
    upload_id: str
    begun_at: datetime


def open_uploads(files: S3FileSystem, root: str) -> Iterator[OpenUpload]:
    """Those below a folder of a bucket, bucket first."""
    bucket, prefix, _ = files.split_path(f"{root}/")
    after: dict[str, str] = {}
    while True:
        page = files.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **after)
        for upload in page.get("Uploads", ()):
            yield OpenUpload(f"{bucket}/{upload['Key']}", upload["UploadId"], upload["Initiated"])
        if not page.get("IsTruncated"):
            return
        after = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def abort_upload(files: S3FileSystem, upload: OpenUpload) -> None:
    """Ends an upload without its object; one that was ended meanwhile is fine."""
    bucket, key, _ = files.split_path(upload.path)
    try:
        files.abort_mpu(bucket, key, upload.upload_id)
    except FileNotFoundError:
        return
