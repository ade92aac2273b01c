"""The grammar of the command line, and the texts that teach it."""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway import __version__
from gateway.media import UpscaleModel
from gateway.prepare import Convert, Operation
from gateway.workers.channel import Place

_RAW: Final = argparse.RawDescriptionHelpFormatter

_HOST_AND_PORT: Final = re.compile(r"(?:[^\s/:\[\]]+|\[[0-9A-Fa-f:.]+(?:%\w+)?\]):[0-9]{1,5}")
_NAMED_TARGETS: Final = ("dns:", "unix:", "unix-abstract:", "ipv4:", "ipv6:", "xds:")
"""Of gRPC's name resolution."""

if TYPE_CHECKING:
    _Options = argparse._ActionsContainer  # noqa: SLF001  # a parser or a group; likewise
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # it has no public name

_DESCRIPTION = """\
An image-recognition gateway: one gRPC contract before a cloud REST API, or the same operations computed here.

  image-gateway tag photo.jpg                       tag a picture, here and now, with nothing configured
  image-gateway demo                                the whole way: client, gateway, HTTP, REST face, engine, and back
  image-gateway serve                               a gRPC gateway that recognises pictures itself
  image-gateway serve --provider cloud --region cn-east-3
                                                    a gRPC gateway before the cloud's API
  image-gateway tag --target 127.0.0.1:50051 *.jpg  tag pictures through a running gateway
  image-gateway enhance dark night.jpg day.jpg      brighten, defog or enlarge a picture
  image-gateway music recognise clip.mp4            name the music in a recording
  image-gateway prepare *.jpg                       what would be sent of pictures, and why not
"""

_SETTINGS = """\
Every setting can also come from the environment (IMAGE_GATEWAY_…) or a TOML file (--config FILE, or IMAGE_GATEWAY_CONFIG);
a flag wins over the environment, which wins over the file. docs/configuration.md lists them all.
"""

_SERVE = """\
Serves gateway.imagerecognition.v1 over gRPC, with health and reflection. Prints `ready grpc=HOST:PORT` on standard output
once it accepts calls; SIGTERM drains it; SIGHUP has it read its settings again, of which docs/configuration.md says which take
effect then. With --workers N, N processes share the port and what the settings allow (the cloud's
calls at once, memory, threads); those that die are started again, and SIGHUP replaces one after another, with new settings.

The cloud provider signs in by password (IMAGE_GATEWAY_CLOUD_USER, …_DOMAIN, …_PASSWORD_FILE) or signs its requests with an
access key (…_ACCESS_KEY, …_SECRET_KEY_FILE); docs/upstream.md tells of other credentials:

  export IMAGE_GATEWAY_CLOUD_USER=someone IMAGE_GATEWAY_CLOUD_DOMAIN=account IMAGE_GATEWAY_CLOUD_PASSWORD_FILE=/run/secrets/cloud
  image-gateway serve --provider cloud --region cn-east-3
"""

_REST = """\
Serves the cloud's REST contract, computed here: sign-in, project lookup, tagging, enhancement, background music (docs/rest.md).
Prints `ready http=HOST:PORT` on standard output once it accepts calls (`https` with rest.tls_certificate). Clients sign in by
user and password, or sign their requests with an access key; without either, nobody gets in:

  IMAGE_GATEWAY_REST_PASSWORD=secret image-gateway rest --user someone --domain account --project cn-east-3

A password or secret key given as a flag can be seen by others on the machine; prefer the environment. More users, keys and
quotas: the setting rest.accounts_file.
"""

_TAG = """\
Prints what is in each picture. Without --target everything runs in this process. Exit status: 0 if all were tagged, 1 if any
failed, 2 for a wrong command or setting.

  image-gateway tag cat.jpg --language zh --threshold 30
  image-gateway tag *.jpg --json | jq -r '.item_id + " " + .tags[0].tag'
  image-gateway tag https://example.org/cat.jpg --target gateway.internal:50051
"""

_PREPARE = """\
Shows what would be sent of pictures to an operation, and why not: fitted, converted, shrunk, without metadata, as the
settings prepare.* and these flags say. Nothing is sent anywhere. Exit status 1 if a picture was refused.

  image-gateway prepare *.jpg                                  a table: given, sent, done
  image-gateway prepare --max-side 1024 --out smaller/ *.jpg   write the files that would be sent
  image-gateway prepare --json scan.tif --other-formats        one JSON object a line; also GIF, TIFF …
  image-gateway prepare --target 127.0.0.1:50051 *.jpg         have a running gateway do it
"""

_ENHANCE = """\
Writes a better picture: brighter, without haze, or larger. Without --target everything runs in this process.

  image-gateway enhance dark night.jpg brighter.jpg --brightness 0.8
  image-gateway enhance defog misty.jpg clear.jpg
  image-gateway enhance upscale small.png large.png --scale 4
"""

_MUSIC = """\
Names the music in recordings (MP4 of at most 65 MB), of those pieces that stand in a catalogue of yours.

  image-gateway music index ~/music --out catalogue.index        fingerprint every song below a folder
  image-gateway music recognise clip.mp4 --index catalogue.index
  IMAGE_GATEWAY_LOCAL_MUSIC_INDEX=catalogue.index image-gateway serve
"""

_CALL = """\
Makes one call of the cloud's API, with the credentials and policies that are configured, and prints what came of it. The cache
is not asked. Exit status: 0 if it was answered, 1 if it failed, 2 for a wrong command or setting. A call that succeeds costs
what the vendor charges for it.

  image-gateway call image-tagging dog.jpg -p language=en -p threshold=30
  image-gateway call super-resolution small.png -p scale=4 --out large.png
  image-gateway call bgm-recognition https://bucket.obs.cn-east-3.myhuaweicloud.com/clip.mp4?AccessKeyId=… --json
"""

_OBS = """\
Prints a URL under which an object of the cloud's store (OBS) can be read for a while, by the cloud's image service too. It is
signed with the access key that the settings cloud.* name; nothing is asked of anyone, so that the object is there is not checked.

  image-gateway obs sign obs://bucket/photos/dog.jpg --expires 3600
  image-gateway obs sign https://bucket.obs.cn-east-3.myhuaweicloud.com/photos/dog.jpg
"""

_KEY = """\
Makes an API key and prints it, with the lines that make a gateway take it. Nothing is stored, and nobody is asked.

  image-gateway key new --expires 2027-06-30T00:00:00Z --comment "web shop, since the move"
"""

_CONFIG = """\
Settings: what holds, where it comes from, and whether `serve` would start with it. `check` and `show` take what `serve` takes:
the file, the environment, the flags. `check` also looks at what only a start would find: files that are named, certificates,
credentials, settings that contradict each other. It prints a line for each problem and each danger. Exit status: 0, or 2 if
there is a problem; dangers are allowed.

  image-gateway config check /etc/image-gateway.toml
  image-gateway config show --all                   every setting with its source, as a file that can be used again
  image-gateway config schema > image-gateway.schema.json
"""

_DEMO = """\
Starts the REST face and a gateway on free loopback ports, streams photographs through both over a real channel, prints what
was recognised, and writes annotated pictures, overview.jpg and results.json. Without FILES: the photographs of the source
tree, examples/photos.
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of `image-gateway`."""
    parser = argparse.ArgumentParser(prog="image-gateway", description=_DESCRIPTION, formatter_class=_RAW)
    parser.add_argument("--version", action="version", version=f"image-gateway {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    for add in (
        _add_demo,
        _add_serve,
        _add_rest,
        _add_tag,
        _add_enhance,
        _add_music,
        _add_prepare,
        _add_call,
        _add_obs,
        _add_config,
        _add_health,
        _add_key,
    ):
        add(commands)
    return parser


def _add_demo(commands: "_Commands") -> None:
    demo = _command(commands, "demo", "run the whole way on photographs", _DEMO)
    demo.add_argument("files", metavar="FILES", nargs="*", help="pictures (default: the shipped photographs)")
    demo.add_argument(
        "--out", type=Path, default=Path("demo-output"), metavar="DIR", help="where to write (default: demo-output)"
    )
    _add_parameters(demo, threshold=60.0)


def _add_serve(commands: "_Commands") -> None:
    serve = _command(commands, "serve", "run a gRPC gateway", _SERVE)
    _add_serve_settings(serve)
    serve.add_argument("--as-worker", type=Place.read, help=argparse.SUPPRESS)  # what the supervisor tells its workers


def _add_config(commands: "_Commands") -> None:
    config = commands.add_parser(
        "config", help="check and show the settings", description=_CONFIG, formatter_class=_RAW
    ).add_subparsers(dest="action", metavar="ACTION", required=True)
    config.add_parser("schema", help="print the JSON Schema of the settings file", description=_CONFIG, formatter_class=_RAW)
    check = _command(config, "check", "say what is wrong with the settings, and what is dangerous", _CONFIG)
    show = _command(config, "show", "print the settings that hold, and where each comes from", _CONFIG)
    for command in (check, show):
        command.add_argument("file", type=Path, metavar="FILE", nargs="?", help="TOML file with settings (as --config)")
        _add_serve_settings(command)
    show.add_argument("--all", action="store_true", help="also what is at its default")
    show.add_argument("--json", action="store_true", help="print one JSON document instead of TOML")


def _add_serve_settings(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--listen", metavar="HOST:PORT", help="address to listen on; port 0 means a free one (default: 127.0.0.1:50051)"
    )
    serve.add_argument(
        "--provider",
        metavar="local|cloud",
        help="who does the work; `cloud,local`: the second if the first fails (default: local)",
    )
    serve.add_argument("--endpoint", metavar="URL", help="image service, instead of the region's")
    serve.add_argument("--iam-endpoint", metavar="URL", help="identity service, instead of the region's")
    serve.add_argument("--region", metavar="R", help="the cloud's region (default: cn-east-3)")
    serve.add_argument("--workers", metavar="N", help="processes that share the port; SIGHUP replaces them (default: 1)")


def _add_rest(commands: "_Commands") -> None:
    rest = _command(commands, "rest", "run the REST face alone", _REST)
    rest.add_argument(
        "--listen", metavar="HOST:PORT", help="address to listen on; port 0 means a free one (default: 127.0.0.1:8600)"
    )
    rest.add_argument("--user", metavar="U", help="user name (default: demo)")
    rest.add_argument("--password", metavar="P", help="that user's password (default: none, signing in by password is off)")
    rest.add_argument("--domain", metavar="D", help="account of that user (default: demo)")
    rest.add_argument("--project", metavar="N", help="project name (default: cn-east-3)")
    rest.add_argument("--access-key", metavar="AK", help="access key, for signed requests (default: none)")
    rest.add_argument("--secret-key", metavar="SK", help="the secret key that belongs to it")


def _add_tag(commands: "_Commands") -> None:
    tag = _command(commands, "tag", "tag pictures", _TAG)
    tag.add_argument("sources", metavar="FILE|URL", nargs="+", help="JPEG, PNG, BMP or WEBP files, or HTTP(S) URLs")
    _add_target(tag)
    _add_connection(tag)
    tag.add_argument("--json", action="store_true", help="print one JSON object a line instead of a table")
    tag.add_argument("--annotate", type=Path, metavar="DIR", help="also write the pictures with their tags drawn in")
    _add_parameters(tag, threshold=60.0)


def _add_enhance(commands: "_Commands") -> None:
    enhance = commands.add_parser(
        "enhance", help="brighten, defog or enlarge a picture", description=_ENHANCE, formatter_class=_RAW
    ).add_subparsers(dest="kind", metavar="KIND", required=True)
    dark = _enhancement(enhance, "dark", "brighten what was taken in the dark")
    dark.add_argument("--brightness", type=float, default=0.9, metavar="F", help="0 to 1, larger is brighter (default: 0.9)")
    defog = _enhancement(enhance, "defog", "remove haze")
    defog.add_argument("--gamma", type=float, default=1.5, metavar="F", help="gamma correction, 0.1 to 10 (default: 1.5)")
    defog.add_argument("--strong", action="store_true", help="natural_look false: more effect, even where it looks unnatural")
    upscale = _enhancement(enhance, "upscale", "enlarge, with more detail than interpolation gives")
    upscale.add_argument("--scale", type=int, default=3, metavar="N", help="3 or 4 times as wide and high (default: 3)")
    upscale.add_argument("--model", choices=list(UpscaleModel), default=UpscaleModel.ESPCN, help="network (default: ESPCN)")


def _add_music(commands: "_Commands") -> None:
    music = commands.add_parser(
        "music", help="name the music in recordings, of a catalogue of yours", description=_MUSIC, formatter_class=_RAW
    ).add_subparsers(dest="action", metavar="ACTION", required=True)
    index = _command(music, "index", "fingerprint a folder of songs", "Writes a catalogue of every song below a folder.")
    index.add_argument("folder", type=Path, metavar="FOLDER", help="where the songs are; any audio that FFmpeg reads")
    index.add_argument(
        "--out", type=Path, default=Path("music.index"), metavar="FILE", help="the catalogue to write (default: music.index)"
    )
    recognise = _command(music, "recognise", "name the music in recordings", _MUSIC)
    recognise.add_argument("sources", metavar="FILE|URL", nargs="+", help="MP4 files, or HTTP(S) URLs of such")
    place = recognise.add_mutually_exclusive_group()
    place.add_argument("--index", type=Path, metavar="FILE", help="the catalogue (default: the setting local.music_index)")
    _add_target(place)
    _add_connection(recognise)
    recognise.add_argument("--json", action="store_true", help="print one JSON object a line instead of a table")


def _add_prepare(commands: "_Commands") -> None:
    prepare = _command(commands, "prepare", "show what would be sent of pictures, and why not", _PREPARE)
    prepare.add_argument("sources", metavar="FILE|URL", nargs="+", help="pictures, or HTTP(S) URLs of pictures")
    _add_target(prepare)
    _add_connection(prepare)
    prepare.add_argument("--json", action="store_true", help="print one JSON object a line instead of a table")
    prepare.add_argument(
        "--out", type=Path, metavar="DIR", help="also write the files that would be sent; none that exists is overwritten"
    )
    prepare.add_argument(
        "--operation", choices=list(Operation), default=Operation.TAGGING, help="what they are meant for (default: tagging)"
    )
    prepare.add_argument("--max-side", type=int, metavar="N", help="longest side in pixels, 15 to 4096 (default: 4096)")
    prepare.add_argument("--max-bytes", type=int, metavar="N", help="longest file in bytes, 1024 to 7864320 (default: 7864320)")
    prepare.add_argument("--quality", type=int, metavar="N", help="quality of JPEG that is tried first, 1 to 100 (default: 90)")
    prepare.add_argument("--convert", choices=list(Convert), help="what is converted to sRGB of 8 bits (default: needed)")
    prepare.add_argument("--keep-metadata", action="store_true", help="leave EXIF (GPS) and the like where pixels stay")
    prepare.add_argument("--full-decode", action="store_true", help="also look for damage within the compressed data")
    prepare.add_argument("--other-formats", action="store_true", help="also take GIF, TIFF …; needs the extra `breadth`")


def _add_call(commands: "_Commands") -> None:
    call = _command(commands, "call", "make one call of the cloud's API", _CALL)
    call.add_argument("operation", metavar="OPERATION", help="such as image-tagging; a wrong one lists them all")
    call.add_argument("source", metavar="FILE|URL", help="what it is to work on")
    call.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="NAME=VALUE", help="a parameter; a wrong one lists them all"
    )
    call.add_argument("--out", type=Path, metavar="FILE", help="where a picture that is made goes; not overwritten")
    call.add_argument("--json", action="store_true", help="print one line of JSON")
    call.add_argument("--timeout", type=float, metavar="SECONDS", help="for the whole call (default: none but the settings')")


def _add_obs(commands: "_Commands") -> None:
    obs = commands.add_parser(
        "obs", help="URLs of the cloud's object store", description=_OBS, formatter_class=_RAW
    ).add_subparsers(dest="action", metavar="ACTION", required=True)
    sign = _command(obs, "sign", "make a URL that can be read for a while", _OBS)
    sign.add_argument("url", metavar="URL", help="the object's URL, or obs://BUCKET/OBJECT in the settings' region")
    sign.add_argument(
        "--expires", type=int, default=3600, metavar="SECONDS", help="how long it can be read, up to 20 years (default: 3600)"
    )
    sign.add_argument("--endpoint", metavar="HOST", help="host of a private cloud's store")
    sign.add_argument("--own-domain", action="store_true", help="the URL's host is a domain of yours that is bound to a bucket")


def _add_health(commands: "_Commands") -> None:
    health = _command(commands, "health", "ask a running gateway how it is", "Prints its status; exit status 0 if it is SERVING.")
    health.add_argument(
        "--target", type=_target, metavar="HOST:PORT", help="the gateway (default: where `serve` listens with these settings)"
    )
    _add_connection(health)
    health.add_argument("--timeout", type=float, default=3.0, metavar="SECONDS", help="how long to wait (default: 3)")


def _add_key(commands: "_Commands") -> None:
    key = commands.add_parser("key", help="API keys of callers", description=_KEY, formatter_class=_RAW).add_subparsers(
        dest="action", metavar="ACTION", required=True
    )
    new = _command(key, "new", "make a key", _KEY)
    new.add_argument("--expires", type=_instant, metavar="TIME", help="until when it is in force, such as 2027-06-30T00:00:00Z")
    new.add_argument("--comment", default="", metavar="TEXT", help="what it is for; goes to the file")


def _instant(text: str) -> datetime:
    """A time of ISO 8601 with its offset, yet to come. Raises `ArgumentTypeError`."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        msg = f"{text!r} is not a time with its offset, such as 2027-06-30T00:00:00Z"
        raise argparse.ArgumentTypeError(msg)
    if instant <= datetime.now(UTC):
        msg = f"{text} has passed"
        raise argparse.ArgumentTypeError(msg)
    return instant


def _target(text: str) -> str:
    """Where a gateway is, in a form that gRPC takes. Raises `ArgumentTypeError`."""
    if not (_HOST_AND_PORT.fullmatch(text) or text.startswith(_NAMED_TARGETS)):
        msg = f"{text!r} is not HOST:PORT"
        raise argparse.ArgumentTypeError(msg)
    return text


def _add_connection(command: argparse.ArgumentParser) -> None:
    command.add_argument("--tls", action="store_const", const="true", help="speak TLS to the target")
    command.add_argument("--ca", metavar="FILE", help="authorities that the target's certificate must be of, PEM; implies --tls")
    command.add_argument("--cert", metavar="FILE", help="certificate that is shown to the target, PEM; needs --key")
    command.add_argument("--key", metavar="FILE", help="the key of --cert, PEM")
    command.add_argument("--server-name", metavar="NAME", help="what the target's certificate must be for, if not its host")
    command.add_argument("--api-key-file", metavar="FILE", help="file with the API key that is sent")
    command.add_argument("--token-file", metavar="FILE", help="file with the token that is sent")


def _add_target(options: "_Options") -> None:
    options.add_argument(
        "--target", type=_target, metavar="HOST:PORT", help="a running gateway (default: none, everything runs here)"
    )


def _enhancement(kinds: "_Commands", name: str, summary: str) -> argparse.ArgumentParser:
    command = _command(kinds, name, summary, _ENHANCE)
    command.add_argument("source", metavar="IN", help="a JPEG, PNG, BMP or WEBP file, or an HTTP(S) URL of one")
    command.add_argument("out", type=Path, metavar="OUT", help="the file to write: JPEG for JPEG and WEBP, PNG for PNG and BMP")
    command.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    _add_target(command)
    _add_connection(command)
    return command


def _command(commands: "_Commands", name: str, summary: str, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=text, epilog=_SETTINGS, formatter_class=_RAW)
    command.add_argument("--config", type=Path, metavar="FILE", help="TOML file with settings")
    return command


def _add_parameters(command: argparse.ArgumentParser, *, threshold: float) -> None:
    command.add_argument("--language", choices=["en", "zh"], default="en", help="language of the tags (default: en)")
    command.add_argument(
        "--threshold",
        type=float,
        default=threshold,
        metavar="F",
        help=f"leave out tags below this confidence, 0 to 100 (default: {threshold:g})",
    )
    command.add_argument(
        "--limit", type=int, default=50, metavar="N", help="at most this many tags a picture, 1 to 150 (default: 50)"
    )
