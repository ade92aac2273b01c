// Runs a TensorFlow.js graph model on pictures, as TensorFlow.js itself does, and writes what it gives.
// node detector_parity.mjs MODEL.JSON PIXELS SIDE int32|float32 OUTPUT…   (PIXELS: bytes, picture after picture, SIDE × SIDE × 3)
// For each output it writes PIXELS.<index>.f32 and prints {"<index>": shape of one picture's}.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(path.join(process.cwd(), 'node_modules', 'none.js'));
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const { loadGraphModel } = require('@tensorflow/tfjs-converter');

const [file, pixels, sideText, type, ...names] = process.argv.slice(2);
const side = Number(sideText);
const model = JSON.parse(fs.readFileSync(file));
const parts = model.weightsManifest.flatMap((group) => group.paths.map((name) => fs.readFileSync(path.join(path.dirname(file), name))));
const weights = Buffer.concat(parts);
const loaded = await loadGraphModel({
  load: async () => ({
    modelTopology: model.modelTopology,
    weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
  }),
});
const bytes = fs.readFileSync(pixels);
const shapes = {};
names.forEach((_, index) => fs.writeFileSync(`${pixels}.${index}.f32`, ''));
for (let at = 0; at < bytes.length; at += side * side * 3) {
  const input = tf.tensor4d(Array.from(bytes.subarray(at, at + side * side * 3)), [1, side, side, 3], type);
  const outputs = [await loaded.executeAsync(input, names)].flat();
  for (const [index, output] of outputs.entries()) {
    shapes[index] = output.shape;
    fs.appendFileSync(`${pixels}.${index}.f32`, Buffer.from((await output.data()).buffer));
  }
}
console.log(JSON.stringify(shapes));
