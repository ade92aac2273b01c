# The native core needs Rust to compile, Pillow-SIMD a C compiler, the packages need pip to install, and running needs none.
#
# At run time nothing is written but, perhaps, temporary files: run it with a read-only root file system, a tmpfs on /tmp,
# no capabilities and no new privileges (deploy/compose.yaml and deploy/helm do).

# Exact tags, and not digests: a rebuild is how Debian's security updates come in. To pin further, or to build from a mirror:
# --build-arg PYTHON_IMAGE=registry.example/python:3.11.15-slim-bookworm@sha256:…
ARG RUST_IMAGE=rust:1.95.0-slim-bookworm
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

# hadolint ignore=DL3006  # tagged above
FROM ${RUST_IMAGE} AS wheel
# hadolint ignore=DL3008  # Debian keeps only the newest version of a package, so a pinned one stops the build some day
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /build && /build/bin/pip install --no-cache-dir "maturin==1.16.0"
WORKDIR /source
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY native native
COPY gateway gateway
RUN /build/bin/maturin build --release --locked --out /wheels

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS packages
COPY requirements.lock /
COPY --from=wheel /wheels /wheels
RUN python -m venv /opt/image-gateway \
 && /opt/image-gateway/bin/pip install --no-cache-dir --require-hashes --requirement /requirements.lock \
 && /opt/image-gateway/bin/pip install --no-cache-dir --no-deps /wheels/*.whl \
 && /opt/image-gateway/bin/pip uninstall --yes pip setuptools

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS breadth
COPY requirements-breadth.lock requirements-breadth-build.lock /
# hadolint ignore=DL3008  # as above
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev pkg-config libjpeg-dev zlib1g-dev libtiff-dev libwebp-dev liblcms2-dev \
 && rm -rf /var/lib/apt/lists/*
# SSE4: an image is not built where it runs. For hosts that are known: --build-arg BREADTH_CC="cc -mavx2".
ARG BREADTH_CC=cc
RUN python -m venv /opt/breadth \
 && /opt/breadth/bin/pip install --no-cache-dir --require-hashes --requirement /requirements-breadth-build.lock \
 && CC="$BREADTH_CC" /opt/breadth/bin/pip install --no-cache-dir --require-hashes --no-build-isolation \
      --no-binary pillow-simd --requirement /requirements-breadth.lock \
 && /opt/breadth/bin/pip uninstall --yes pip setuptools pybind11

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="image-gateway" org.opencontainers.image.licenses="Apache-2.0"
# hadolint ignore=DL3008  # as above; what Pillow-SIMD is linked with
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libjpeg62-turbo libtiff6 libwebp7 libwebpmux3 libwebpdemux2 liblcms2-2 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=packages /opt/image-gateway /opt/image-gateway
COPY --from=breadth /opt/breadth /opt/breadth
RUN groupadd --system --gid 10001 gateway \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin gateway
# By number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 10001:10001
ENV PATH=/opt/image-gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    IMAGE_GATEWAY_BREADTH_PYTHON=/opt/breadth/bin/python \
    IMAGE_GATEWAY_LISTEN=0.0.0.0:50051
EXPOSE 50051
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["image-gateway", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["image-gateway"]
CMD ["serve"]
