"""The vendor's SDK against the REST face: what its users write, with another endpoint."""

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from huaweicloudsdkcore.auth.credentials import BasicCredentials, Credentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ConnectionException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdkimage.v2 import (
    CelebrityRecognitionReq,
    ImageAsyncClient,
    ImageClient,
    ImageMainObjectDetectionReq,
    ImageMediaTaggingDetReq,
    ImageMediaTaggingReq,
    ImageTaggingReq,
    RecaptureDetectReq,
    RunCelebrityRecognitionRequest,
    RunImageMainObjectDetectionRequest,
    RunImageMediaTaggingDetRequest,
    RunImageMediaTaggingRequest,
    RunImageTaggingRequest,
    RunImageTaggingResponse,
    RunRecaptureDetectRequest,
)
from huaweicloudsdkimage.v2.region.image_region import ImageRegion

from gateway.rest.settings import RestSettings

from .conftest import SECRETS, started_rest_face

PROJECT_ID = RestSettings().project_id
AK, SK = SECRETS["access_key"], SECRETS["secret_key"]

WIDTH, HEIGHT = 800, 600  # of dog.jpg


@pytest.fixture(scope="module")
def image(photos) -> str:
    return base64.b64encode((photos / "dog.jpg").read_bytes()).decode()


def built(address: str, credentials: Credentials | None = None) -> ImageClient:
    credentials = credentials or BasicCredentials(AK, SK, PROJECT_ID)
    return ImageClient.new_builder().with_credentials(credentials).with_endpoint(f"http://{address}").build()


@pytest.fixture
def client(rest_face) -> ImageClient:
    return built(rest_face.address)


def tagging(image: str) -> RunImageTaggingRequest:
    return RunImageTaggingRequest(body=ImageTaggingReq(image=image, language="en", threshold=50.0, limit=20))


def names(reply: RunImageTaggingResponse) -> set[str]:
    return {tag.tag for tag in reply.result.tags}


def test_image_tagging(client, image) -> None:
    tags = client.run_image_tagging(tagging(image)).result.tags
    (dog,) = [tag for tag in tags if tag.tag == "dog"]
    assert dog.i18n_tag.zh == "狗"
    assert 50 <= float(dog.confidence) <= 100
    assert all(tag.type and tag.i18n_type.en for tag in tags)
    check_boxes([instance.bounding_box for instance in dog.instances])


def test_image_media_tagging(client, image) -> None:
    body = ImageMediaTaggingReq(image=image, language="zh", threshold=10, limit=5)
    tags = client.run_image_media_tagging(RunImageMediaTaggingRequest(body=body)).result.tags
    assert 1 <= len(tags) <= 5
    (dog,) = [tag for tag in tags if tag.tag == "狗"]
    assert dog.i18n_type.en
    check_boxes([instance.bounding_box for instance in dog.instances], kind=int)


def test_image_media_tagging_with_detection(client, image) -> None:
    body = ImageMediaTaggingDetReq(image=image, language="en")
    tags = client.run_image_media_tagging_det(RunImageMediaTaggingDetRequest(body=body)).result.tags
    assert "dog" in {tag.tag for tag in tags}
    for tag in tags:
        check_boxes([instance.bounding_box for instance in tag.instances], kind=int)


def test_main_object_detection(client, image) -> None:
    body = ImageMainObjectDetectionReq(image=image, threshold=40)
    found = client.run_image_main_object_detection(RunImageMainObjectDetectionRequest(body=body)).result
    assert [each.label for each in found[:2]] == ["main_object_box", "bounding_box"]
    assert all(40 <= float(each.confidence) <= 100 for each in found)
    around, dog = (each.location for each in found[:2])
    assert around["width"] >= dog["width"] > WIDTH / 5


def check_boxes(boxes, kind: type = float) -> None:
    assert boxes
    for box in boxes:
        assert all(isinstance(side, kind | int) for side in (box.width, box.height, box.top_left_x, box.top_left_y))
        assert 0 <= box.top_left_x < box.top_left_x + box.width <= WIDTH + 1
        assert 0 <= box.top_left_y < box.top_left_y + box.height <= HEIGHT + 1


def test_a_picture_by_url(client, file_server) -> None:
    body = ImageTaggingReq(url=f"http://{file_server}/photos/dog.jpg", language="en")
    assert "dog" in names(client.run_image_tagging(RunImageTaggingRequest(body=body)))


def test_the_asynchronous_client(rest_face, image) -> None:
    builder = ImageAsyncClient.new_builder().with_credentials(BasicCredentials(AK, SK, PROJECT_ID))
    client = builder.with_endpoint(f"http://{rest_face.address}").build()
    waiting = [client.run_image_tagging_async(tagging(image)) for _ in range(3)]  # alike, within a second
    for reply in waiting:
        assert "dog" in names(reply.result())


def test_the_sample_finds_region_and_project_by_itself(rest_face, image, monkeypatch) -> None:
    """Not a line of it changes: the environment names the endpoints."""
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_IMAGE_CN_EAST_3", f"http://{rest_face.address}")
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", f"http://{rest_face.address}")
    monkeypatch.setattr(BasicCredentials, "_CACHE", {})
    credentials = BasicCredentials(AK, SK)
    builder = ImageClient.new_builder().with_credentials(credentials)
    client = builder.with_region(ImageRegion.value_of("cn-east-3")).build()
    assert credentials.project_id == PROJECT_ID
    assert "dog" in names(client.run_image_tagging(tagging(image)))


def test_temporary_credentials(rest_face, token, image) -> None:
    identity = {"methods": ["token"], "token": {"duration_seconds": 900}}
    path = f"http://{rest_face.address}/v3.0/OS-CREDENTIAL/securitytokens"
    reply = requests.post(path, json={"auth": {"identity": identity}}, headers={"X-Auth-Token": token}, timeout=30)
    key = reply.json()["credential"]
    temporary = BasicCredentials(key["access"], key["secret"], PROJECT_ID).with_security_token(key["securitytoken"])
    assert "dog" in names(built(rest_face.address, temporary).run_image_tagging(tagging(image)))
    with pytest.raises(ClientRequestException) as caught:
        built(rest_face.address, BasicCredentials(key["access"], key["secret"], PROJECT_ID)).run_image_tagging(tagging(image))
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIG.0301")


def test_a_key_derived_for_a_region(rest_face, image) -> None:
    credentials = BasicCredentials(AK, SK, PROJECT_ID).with_derived_predicate(Credentials.get_default_derived_predicate())
    credentials._process_derived_auth_params("image", "cn-east-3")
    assert "dog" in names(built(rest_face.address, credentials).run_image_tagging(tagging(image)))


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("run_celebrity_recognition", RunCelebrityRecognitionRequest(body=CelebrityRecognitionReq(image="AAAA"))),
        ("run_recapture_detect", RunRecaptureDetectRequest(body=RecaptureDetectReq(image="AAAA"))),
    ],
)
def test_what_is_not_served_is_not_published(client, name, request_) -> None:
    assert refused(client, name, request_)[:2] == (400, "APIG.0101")


def refused(client: ImageClient, name: str, request: object) -> tuple[int, str, str]:
    with pytest.raises(ClientRequestException) as caught:
        getattr(client, name)(request)
    assert caught.value.request_id
    return caught.value.status_code, caught.value.error_code, caught.value.error_msg


def test_errors_are_the_sdks_exceptions(rest_face, client, photos) -> None:
    picture = (photos / "dog.jpg").read_bytes()
    for data, code, told in [
        (b"GIF89a.....", "AIS.0502", "GIF"),
        (picture[: len(picture) // 2], "AIS.0503", ""),
    ]:
        status, given, message = refused(client, "run_image_tagging", tagging(base64.b64encode(data).decode()))
        assert (status, given) == (400, code)
        assert told in message
    assert refused(client, "run_image_tagging", tagging("?"))[:2] == (400, "AIS.0015")
    too_many = RunImageTaggingRequest(body=ImageTaggingReq(image="AAAA", limit=151))
    assert refused(client, "run_image_tagging", too_many)[:2] == (400, "AIS.0501")
    wrong = built(rest_face.address, BasicCredentials(AK, "wrong", PROJECT_ID))
    assert refused(wrong, "run_image_tagging", tagging("AAAA"))[:2] == (401, "APIG.0301")
    elsewhere = built(rest_face.address, BasicCredentials(AK, SK, "anothers"))
    assert refused(elsewhere, "run_image_tagging", tagging("AAAA"))[:2] == (401, "AIP.0003")


def test_a_form_that_the_sdks_signer_signs_without_its_body(rest_face, photos) -> None:
    picture = (photos / "cat.png").read_bytes()
    form = requests.Request("POST", "http://unused", files={"file": ("cat.png", picture)}, data={"brightness": "0.5"}).prepare()
    headers = {"Content-Type": form.headers["Content-Type"], "X-Project-Id": PROJECT_ID}
    request = SdkRequest(
        "POST", "http", rest_face.address, "/v1.0/vision/dark-enhance", query_params=[], header_params=headers, body=form.body
    )
    Signer(BasicCredentials(AK, SK)).sign(request)
    assert request.header_params["X-Sdk-Content-Sha256"] == "UNSIGNED-PAYLOAD"
    url = f"http://{rest_face.address}{request.uri}"
    reply = requests.post(url, data=form.body, headers=request.header_params, timeout=30)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/png"), reply.text


def test_https_with_a_certificate_of_ones_own(image, tmp_path) -> None:
    certificate, key = self_signed(tmp_path)
    tls = {"IMAGE_GATEWAY_REST_TLS_CERTIFICATE": str(certificate), "IMAGE_GATEWAY_REST_TLS_KEY": str(key)}
    with started_rest_face(**tls) as face:
        builder = ImageClient.new_builder().with_credentials(BasicCredentials(AK, SK, PROJECT_ID))
        builder.with_endpoint(f"https://{face.address}")
        trusting = builder.with_http_config(HttpConfig(ssl_ca_cert=str(certificate))).build()
        assert "dog" in names(trusting.run_image_tagging(tagging(image)))
        with pytest.raises(ConnectionException):
            builder.with_http_config(HttpConfig()).build().run_image_tagging(tagging(image))


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, as PEM files."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "image-gateway")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private_key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.write_bytes(private_key.private_bytes(*plain))
    return certificate_file, key_file
