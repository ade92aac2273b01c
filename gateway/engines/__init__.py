"""The same operations, computed here: pure functions on arrays, and the provider that runs them."""

import os

# From release 1.29 on, onnxruntime reports to its makers, and leaves an identifier on the disk, unless this is set before it
# is first imported (https://github.com/microsoft/onnxruntime/pull/27379). The engines speak to no network.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
