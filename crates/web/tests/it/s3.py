"""A customer with boto3: tries each call once, and says as JSON what came of it.

usage: s3.py ENDPOINT ACCESS-KEY BUCKET [prepare]
"""

import json
import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, key, bucket = sys.argv[1:4]
config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, signature_version="s3v4")
s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key="secret",
                  region_name="us-east-1", config=config)
if sys.argv[4:] == ["prepare"]:
    s3.create_bucket(Bucket=bucket)
    for name in ("kept", "a b/é?x=1&delete"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"kept")
    sys.exit()

PART = b"x" * (5 * 1024 * 1024)


def multipart():
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    tags = [s3.upload_part(**part, PartNumber=number, Body=PART)["ETag"] for number in (1, 2)]
    parts = [{"ETag": tag, "PartNumber": number} for number, tag in enumerate(tags, 1)]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": parts})


def presigned(call, method, name, headers):
    url = s3.generate_presigned_url(call, Params={"Bucket": bucket, "Key": name}, ExpiresIn=600)
    body = b"y" if method == "PUT" else None
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)).read()


def batch():
    failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "gone"}]}).get("Errors")
    assert not failed, failed


CALLS = {
    "put": lambda: s3.put_object(Bucket=bucket, Key="new", Body=b"y"),
    "multipart": multipart,
    "copy": lambda: s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "kept"}),
    "presigned put": lambda: presigned("put_object", "PUT", "new", {}),
    "forged": lambda: presigned("put_object", "PUT", "new", {"X-Tribune-Account": "acme-2", "X-Original-Method": "GET",
                                                             "X-Forwarded-Method": "GET", "X-Tribune-Switch": "read"}),
    "get": lambda: s3.get_object(Bucket=bucket, Key="kept")["Body"].read(),
    "odd name": lambda: s3.get_object(Bucket=bucket, Key="a b/é?x=1&delete")["Body"].read(),
    "head": lambda: s3.head_object(Bucket=bucket, Key="kept"),
    "list": lambda: s3.list_objects_v2(Bucket=bucket),
    "presigned get": lambda: presigned("get_object", "GET", "kept", {}),
    "batch delete": batch,
}

results = {}
for name, call in CALLS.items():
    try:
        call()
        results[name] = "ok"
    except ClientError as error:
        results[name] = f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
    except urllib.error.HTTPError as error:
        results[name] = f"{error.code}: {error.read().decode()}"
print(json.dumps(results))
