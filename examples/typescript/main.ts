// Tags pictures, over one stream and one by one, and enlarges the first of them, through a running gateway. The channel has default
// settings.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

import { credentials, Metadata, type ServiceError } from "@grpc/grpc-js";

import { EnhancementServiceClient } from "./gen/gateway/imagerecognition/v1/enhancement.js";
import { ResultOrder } from "./gen/gateway/imagerecognition/v1/stream.js";
import { Language, TaggingServiceClient, type TagImageResponse } from "./gen/gateway/imagerecognition/v1/tagging.js";
import { BadRequest, ErrorInfo, RetryInfo } from "./gen/google/rpc/error_details.js";
import { Status } from "./gen/google/rpc/status.js";

const [address, serviceConfig, picture, result, ...more] = process.argv.slice(2);
if (!result) {
  console.error("usage: npm start -- HOST:PORT SERVICE_CONFIG PICTURE RESULT [PICTURE ...]");
  process.exit(2);
}
// Which calls are safe to send again is part of the contract.
const options = { "grpc.service_config": readFileSync(serviceConfig, "utf-8") };
const tagging = new TaggingServiceClient(address, credentials.createInsecure(), options);
const enhancement = new EnhancementServiceClient(address, credentials.createInsecure(), options);

// What is known of an error: every failure of the gateway has a reason, some a field, some a time to wait.
function explain(status: Status): string {
  let text = status.message;
  for (const { typeUrl, value } of status.details) {
    if (typeUrl.endsWith("/google.rpc.ErrorInfo")) text += ` [${ErrorInfo.decode(value).reason}]`;
    if (typeUrl.endsWith("/google.rpc.BadRequest"))
      for (const violation of BadRequest.decode(value).fieldViolations) text += ` [field ${violation.field}]`;
    if (typeUrl.endsWith("/google.rpc.RetryInfo")) text += ` [again in ${RetryInfo.decode(value).retryDelay?.seconds} s]`;
  }
  return text;
}

function statusOf(error: ServiceError): string {
  const [details] = error.metadata.get("grpc-status-details-bin");
  return details instanceof Buffer ? explain(Status.decode(details)) : error.message;
}

const parameters = { language: Language.LANGUAGE_EN, limit: 3, version: 0 };

async function tagOne(path: string): Promise<void> {
  const source = { $case: "content", content: readFileSync(path) } as const;
  const deadline = Date.now() + 60_000;
  const request = { source, parameters, cache: 0, requestId: "", validateOnly: false };
  const response = await new Promise<TagImageResponse>((resolve, reject) =>
    tagging.tagImage(request, new Metadata(), { deadline }, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
  console.log(`${path}, alone: ${response.tags.map((tag) => tag.name).join(", ")}`);
}

async function tagMany(paths: string[]): Promise<void> {
  const stream = tagging.streamTagImages();
  stream.write({ payload: { $case: "config", config: { parameters, order: ResultOrder.RESULT_ORDER_AS_SENT, cache: 0 } } });
  const sent = (async () => {
    for (const path of paths) {
      const source = { $case: "content", content: readFileSync(path) } as const;
      const item = { itemId: path, source, cache: 0, requestId: "", validateOnly: false };
      // The gateway reads a few pictures ahead and then holds the sender back.
      if (!stream.write({ payload: { $case: "item", item } })) await new Promise((resolve) => stream.once("drain", resolve));
    }
    stream.end();
  })();
  for await (const { payload } of stream) {
    if (payload.$case === "summary") {
      console.log(`summary: ${payload.summary.received} received, ${payload.summary.failed} failed`);
      continue;
    }
    const { itemId, outcome } = payload.result;
    if (outcome.$case === "error") console.log(`${itemId}: ${explain(outcome.error)}`);
    else for (const tag of outcome.response.tags) console.log(`${itemId}: ${tag.name} ${tag.confidence.toFixed(1)}%`);
  }
  await sent;
}

// The result comes in pieces, so that no message is over the 4 MiB that a channel takes by default.
async function upscale(path: string, target: string): Promise<void> {
  const stream = enhancement.streamUpscaleImage();
  const request = { source: { $case: "content", content: readFileSync(path) } as const, model: 0, cache: 0, validateOnly: false };
  stream.write({ payload: { $case: "config", config: { request } } });
  stream.end();
  const pieces: Buffer[] = [];
  let announced: Uint8Array | undefined;
  for await (const { payload } of stream) {
    if (payload.$case === "header") announced = payload.header.file?.sha256;
    else pieces.push(payload.chunk.data);
  }
  const file = Buffer.concat(pieces);
  if (!announced || !createHash("sha256").update(file).digest().equals(announced))
    throw new Error("the result is not what was announced");
  writeFileSync(target, file);
  console.log(`${target}: ${file.length} bytes`);
}

try {
  await tagMany([picture, ...more]);
  await upscale(picture, result);
  for (const path of [picture, ...more])
    await tagOne(path).catch((error: ServiceError) => console.log(`${path}, alone: ${statusOf(error)}`));
} catch (error) {
  console.error(statusOf(error as ServiceError));
  process.exitCode = 1;
} finally {
  tagging.close();
  enhancement.close();
}
