# syntax=docker/dockerfile:1
# Three stages: the native core needs Rust to compile, the packages need pip to install, and running needs neither.

FROM rust:1.88-slim-bookworm AS wheel
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

FROM python:3.11-slim-bookworm AS packages
COPY requirements.lock /
COPY --from=wheel /wheels /wheels
RUN python -m venv /opt/image-gateway \
 && /opt/image-gateway/bin/pip install --no-cache-dir --require-hashes --requirement /requirements.lock \
 && /opt/image-gateway/bin/pip install --no-cache-dir --no-deps /wheels/*.whl \
 && /opt/image-gateway/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="image-gateway" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=packages /opt/image-gateway /opt/image-gateway
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin gateway
USER 10001
ENV PATH=/opt/image-gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    IMAGE_GATEWAY_LISTEN=0.0.0.0:50051
EXPOSE 50051
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["image-gateway", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["image-gateway"]
CMD ["serve"]
