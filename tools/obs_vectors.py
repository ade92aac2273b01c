"""Makes `tests/vectors/obs.json`: URLs of the object store, signed by the vendor's own SDK at a fixed time.

The SDK wants an environment of its own; nothing else here needs it.

    pip install esdk-obs-python==3.26.6
    python tools/obs_vectors.py
"""

import json
from pathlib import Path
from unittest import mock

import obs

OUT = Path(__file__).parents[1] / "tests" / "vectors" / "obs.json"

NOW = 1_800_000_000
ACCESS_KEY = "AKEXAMPLE0000000"
SECRET_KEY = "secret/Example+key=0000000000000000"  # noqa: S105  # of nobody
SECURITY_TOKEN = "gQpjbi1ub3J0aC00+token/with=signs&and spaces"  # noqa: S105  # of nobody
STORE = "https://obs.cn-east-3.myhuaweicloud.com"
HOST = "https://pictures.obs.cn-east-3.myhuaweicloud.com"

# With a bucket in the path or a domain of one's own the SDK falls back on the parameters of S3, for stores that know no others;
# not so in its other modes. The service that reads pictures asks for those of OBS.
KEEP_SIGNATURE = {"client_mode": "workflow"}

# name, the URL to be signed, options of the client, arguments of createSignedUrl
CASES = (
    ("plain", f"{HOST}/cat.jpg", {}, {"objectKey": "cat.jpg"}),
    ("folders", f"{HOST}/a/b//cat.jpg", {}, {"objectKey": "a/b//cat.jpg"}),
    ("valid for 20 years", f"{HOST}/cat.jpg", {}, {"objectKey": "cat.jpg", "expires": 630_720_000}),
    ("another method", f"{HOST}/cat.jpg", {}, {"objectKey": "cat.jpg", "method": "HEAD"}),
    ("non-ASCII, as typed", f"{HOST}/фото/猫 é.jpg", {}, {"objectKey": "фото/猫 é.jpg"}),
    ("non-ASCII, encoded", f"{HOST}/%E7%8C%AB%20%C3%A9.jpg", {}, {"objectKey": "猫 é.jpg"}),
    (
        "every sign",
        f"{HOST}/%20!%22%23$%25&'()*+,-.:;<=>%3F@[\\]^_`{{|}}~",
        {},
        {"objectKey": " !\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~"},
    ),
    ("plus and percent", f"{HOST}/1+1%2B1%2525.jpg", {}, {"objectKey": "1+1+1%25.jpg"}),
    ("a version", f"{HOST}/cat.jpg?versionId=G00101", {}, {"objectKey": "cat.jpg", "queryParams": {"versionId": "G00101"}}),
    ("a sub-resource", f"{HOST}/cat.jpg?acl", {}, {"objectKey": "cat.jpg", "specialParam": "acl"}),
    (
        "a sub-resource and a version",
        f"{HOST}/cat.jpg?versionId=G1&acl",
        {},
        {"objectKey": "cat.jpg", "specialParam": "acl", "queryParams": {"versionId": "G1"}},
    ),
    (
        "image processing, other headers of the reply, and what is not signed",
        f"{HOST}/cat.jpg?x-image-process=image/resize,w_100&other=1&response-content-disposition=attachment;%20filename%3D%22%D0%B0%2B.jpg%22",
        {},
        {
            "objectKey": "cat.jpg",
            "queryParams": {
                "x-image-process": "image/resize,w_100",
                "other": "1",
                "response-content-disposition": 'attachment; filename="а+.jpg"',
            },
        },
    ),
    ("an empty value", f"{HOST}/cat.jpg?tagging=", {}, {"objectKey": "cat.jpg", "queryParams": {"tagging": ""}}),
    (
        "one of the store's own headers as a parameter",
        f"{HOST}/cat.jpg?x-obs-traffic-limit=819200",
        {},
        {"objectKey": "cat.jpg", "queryParams": {"x-obs-traffic-limit": "819200"}},
    ),
    ("a security token", f"{HOST}/cat.jpg", {"security_token": SECURITY_TOKEN}, {"objectKey": "cat.jpg"}),
    (
        "a security token, a sub-resource and a version",
        f"{HOST}/猫.jpg?acl&versionId=G1",
        {"security_token": SECURITY_TOKEN},
        {"objectKey": "猫.jpg", "specialParam": "acl", "queryParams": {"versionId": "G1"}},
    ),
    ("bucket in the path", f"{STORE}/pictures/a%20b.jpg", {"path_style": True, **KEEP_SIGNATURE}, {"objectKey": "a b.jpg"}),
    (
        "a private cloud",
        "http://pictures.store.example:9000/cat.jpg",
        {"server": "http://store.example:9000"},
        {"objectKey": "cat.jpg"},
    ),
    (
        "a private cloud, bucket in the path",
        "https://store.example/pictures/cat.jpg",
        {"server": "https://store.example", "path_style": True, **KEEP_SIGNATURE},
        {"objectKey": "cat.jpg"},
    ),
    (
        "a domain of one's own",
        "https://img.example.org/cat.jpg",
        {"server": "https://img.example.org", "is_cname": True, **KEEP_SIGNATURE},
        {"objectKey": "cat.jpg"},
    ),
)


def main() -> None:
    """Write the file."""
    vectors = []
    for name, url, options, arguments in CASES:
        client = obs.ObsClient(ACCESS_KEY, SECRET_KEY, **{"server": STORE, "signature": "obs", **options})
        wanted = {"method": "GET", "bucketName": "pictures", "expires": 300, **arguments}
        with mock.patch("time.time", return_value=float(NOW)):
            signed = client.createSignedUrl(**wanted).signedUrl
        vectors.append(
            {
                "name": name,
                "url": url,
                "method": wanted["method"],
                "security_token": options.get("security_token"),
                "endpoint": "store.example" if "store.example" in url else None,
                "own_domain": options.get("is_cname", False),
                "valid_until": NOW + wanted["expires"],
                "signed": signed,
            }
        )
    document = {
        "made_by": "python tools/obs_vectors.py, with esdk-obs-python 3.26.6 (ObsClient.createSignedUrl, signature obs)",
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "vectors": vectors,
    }
    OUT.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
