"""Writes docs/api.md, the reference of the gRPC contract, from the comments in proto/.

Usage: python tools/api_reference.py [--check]. With --check nothing is written; the exit status is 1 if it is out of date.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf import descriptor_pb2 as pb
from grpc_tools import protoc

ROOT = Path(__file__).parents[1]
PROTOS = ROOT / "proto"
OUT = ROOT / "docs" / "api.md"

HEAD = """\
<!-- Made by tools/api_reference.py from proto/: change that, then run `make generate`. -->

# The gRPC contract

All services of `{package}`, as their protos say. What streams, errors, limits and versions have in common is told in
[grpc.md](grpc.md), every error in [errors.md](errors.md).
"""

_SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in pb.FieldDescriptorProto.Type.items()
    if name not in {"TYPE_MESSAGE", "TYPE_ENUM", "TYPE_GROUP"}
}

Path_ = tuple[int, ...]


class Comments:
    """What stands before each element of one file, by the element's path in the descriptor."""

    def __init__(self, file: pb.FileDescriptorProto) -> None:
        self._by_path = {tuple(one.path): one.leading_comments for one in file.source_code_info.location}

    def at(self, *path: int) -> str:
        """Paragraphs, each on one line."""
        paragraphs = self._by_path.get(path, "").strip().split("\n\n")
        return "\n\n".join(" ".join(line.strip() for line in paragraph.split("\n")) for paragraph in paragraphs)

    def cell(self, *path: int) -> str:
        """The same for a cell of a table."""
        return self.at(*path).replace("\n\n", " ").replace("|", "\\|")


def main() -> int:
    """Write the reference, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    text = "\n".join(_pages(_descriptors())) + "\n"
    if not parser.parse_args().check:
        OUT.write_text(text, encoding="utf-8")
    elif not OUT.exists() or OUT.read_text(encoding="utf-8") != text:
        print(f"{OUT.relative_to(ROOT)} is out of date: run make generate", file=sys.stderr)
        return 1
    return 0


def _descriptors() -> list[pb.FileDescriptorProto]:
    files = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "protos"
        arguments = ["protoc", f"-I{PROTOS}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
        if protoc.main([*arguments, f"-I{_googleapis()}", "--include_source_info", f"--descriptor_set_out={out}", *files]):
            raise SystemExit(1)
        found = pb.FileDescriptorSet.FromString(out.read_bytes())
    return list(found.file)


def _googleapis() -> Path:
    """Where `google/rpc/status.proto` is, if the tree of protos does not hold it."""
    import google.rpc  # noqa: PLC0415  # only to find its folder

    return Path(google.rpc.__path__[0]).parents[1]


def _pages(files: list[pb.FileDescriptorProto]) -> Iterator[str]:
    own = [file for file in files if file.package.startswith("gateway.")]
    yield HEAD.format(package=own[0].package)
    for file in sorted(own, key=lambda file: (not file.service, file.name)):
        comments = Comments(file)
        for index, service in enumerate(file.service):
            yield from _service(service, comments, (6, index))
        if not file.service:
            yield f"## `{Path(file.name).name}`\n"
        for index, message in enumerate(file.message_type):
            yield from _message(message, comments, (4, index))
        for index, enum in enumerate(file.enum_type):
            yield from _enum(enum, comments, (5, index))


def _service(service: pb.ServiceDescriptorProto, comments: Comments, path: Path_) -> Iterator[str]:
    yield f"## {service.name}\n"
    if text := comments.at(*path):
        yield f"{text}\n"
    for index, method in enumerate(service.method):
        takes = ("stream " if method.client_streaming else "") + _link(method.input_type)
        gives = ("stream " if method.server_streaming else "") + _link(method.output_type)
        yield f"### {service.name}.{method.name}\n\n{takes} → {gives}\n\n{comments.at(*path, 2, index)}\n"


def _message(message: pb.DescriptorProto, comments: Comments, path: Path_) -> Iterator[str]:
    yield f"### {message.name}\n"
    if text := comments.at(*path):
        yield f"{text}\n"
    if message.field:
        yield "| Field | Type | Meaning |\n| --- | --- | --- |"
    for index, field in enumerate(message.field):
        choice = ""
        if field.HasField("oneof_index") and not field.proto3_optional:
            choice = f" (one of `{message.oneof_decl[field.oneof_index].name}`)"
        yield f"| `{field.name}` = {field.number} | {_type(field)}{choice} | {comments.cell(*path, 2, index)} |"
    yield ""
    for index, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(nested, comments, (*path, 3, index))


def _enum(enum: pb.EnumDescriptorProto, comments: Comments, path: Path_) -> Iterator[str]:
    yield f"### {enum.name}\n"
    if text := comments.at(*path):
        yield f"{text}\n"
    yield "| Value | Meaning |\n| --- | --- |"
    for index, value in enumerate(enum.value):
        yield f"| `{value.name}` = {value.number} | {comments.cell(*path, 2, index)} |"
    yield ""


def _type(field: pb.FieldDescriptorProto) -> str:
    name = _link(field.type_name) if field.type_name else _SCALARS[field.type]
    if field.label == pb.FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {name}"
    return f"optional {name}" if field.proto3_optional else name


def _link(type_name: str) -> str:
    name = type_name.rsplit(".", 1)[-1]
    return f"[{name}](#{name.lower()})" if type_name.startswith(".gateway.") else f"`{type_name.lstrip('.')}`"


if __name__ == "__main__":
    sys.exit(main())
