// The page "Try your own picture": choose, run beside the page, compare in the viewer, save.
import { enlarge } from "./bicubic.js";
import { mount } from "./viewer.js";

const { scale, models } = JSON.parse(document.getElementById("srlib-models").textContent);
const OVERLAP = 16;
const LARGEST = 4096; // LR pixels on a side; the result is scale times as much, which canvases hold

const place = document.getElementById("srlib-try");
place.innerHTML = `
  <p class="srlib-drop">
    <label>Picture <input type="file" accept="image/*"></label> or drop one here, or
    <button type="button" name="example">take the example</button>
  </p>
  <p class="srlib-filters">
    <label>Network <select name="model"></select></label>
    <label>Tile <select name="tile">
      <option value="64">64</option><option value="128" selected>128</option>
      <option value="256">256</option><option value="0">none</option></select></label>
    <button type="button" name="stop" disabled>Stop</button>
    <a class="srlib-save" hidden>Save the result</a>
  </p>
  <p><progress value="0" max="1" aria-label="progress"></progress> <span role="status"></span></p>
  <div class="srlib-result"></div>`;
const part = (selector) => place.querySelector(selector);
const file = part("input"), model = part("[name=model]"), tile = part("[name=tile]");
const stop = part("[name=stop]"), save = part(".srlib-save"), bar = part("progress");
for (const one of models) model.add(new Option(`${one.label}, ${one.by}`, one.name));
const say = (text) => { part("[role=status]").textContent = text; };

let worker = null, viewer = null, given = null;
const spent = []; // addresses of pictures that are shown no more

async function pixelsOf(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return { width, height, pixels: context.getImageData(0, 0, width, height).data };
}

async function pngOf(rgba, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/png" }));
}

function end(text) {
  stop.disabled = true;
  say(text);
}

async function show(bicubic, sr, label, name) {
  while (spent.length) URL.revokeObjectURL(spent.pop());
  const [width, height] = [scale * given.width, scale * given.height];
  const pictures = [
    { name: "Bicubic", src: await pngOf(bicubic, width, height) },
    { name: label, src: await pngOf(sr, width, height) },
  ];
  spent.push(...pictures.map((one) => one.src));
  save.href = pictures[1].src;
  save.download = `${name}-x${scale}.png`;
  save.hidden = false;
  const data = { images: [{ name, note: "", pictures }], left: "Bicubic", right: label, mode: "wipe" };
  if (viewer) viewer.show(data);
  else viewer = mount(part(".srlib-result"), data);
}

function run() {
  if (!given) return;
  worker?.terminate();
  worker = new Worker(new URL("./try-worker.js", import.meta.url), { type: "module" });
  const chosen = models.find((one) => one.name === model.value);
  const { width, height, pixels, name } = given;
  const sr = new Uint8ClampedArray(4 * scale * scale * width * height);
  save.hidden = true;
  stop.disabled = false;
  bar.value = 0;
  say(`Loading ${chosen.label}, ${(chosen.bytes / 1e6).toFixed(1)} MB, and ONNX Runtime …`);
  const bicubic = enlarge(pixels, width, height, scale);
  worker.onmessage = async ({ data }) => {
    if (data.error) return end(`${chosen.label} could not run here: ${data.error}`);
    if (data.tile) {
      const { x, y, width: w, height: h, rgba } = data.tile;
      for (let row = 0; row < h; row++) {
        sr.set(rgba.subarray(4 * row * w, 4 * (row + 1) * w), 4 * ((y + row) * scale * width + x));
      }
      bar.value = data.done / data.count;
      say(`Tile ${data.done} of ${data.count}`);
    }
    if (data.finished) {
      for (let at = 3; at < sr.length; at += 4) sr[at] = bicubic[at]; // transparency
      await show(bicubic, sr, chosen.label, name);
      const by = data.provider === "webgpu" ? "WebGPU" : `WebAssembly, ${data.threads} thread${data.threads > 1 ? "s" : ""}`;
      end(`${scale * width}×${scale * height} pixels in ${data.seconds.toFixed(2)} s by ${by}.`);
    }
  };
  worker.onerror = () => end("The network could not be started in this browser.");
  const model_url = new URL(chosen.file, import.meta.url).href;
  worker.postMessage({ pixels, width, height, scale, tile: Number(tile.value), overlap: OVERLAP, model: model_url, least: chosen.min_size });
}

async function take(blob, name) {
  let read;
  try {
    read = await pixelsOf(blob);
  } catch {
    return end(`${name} is no picture that this browser can read; take a PNG, JPEG or WebP file.`);
  }
  if (Math.max(read.width, read.height) > LARGEST) {
    return end(`${name} is ${read.width}×${read.height}; at most ${LARGEST} pixels on a side fit here. srlib upscale takes any size.`);
  }
  given = { ...read, name: name.replace(/\.[^.]*$/, "") };
  run();
}

file.addEventListener("change", () => file.files[0] && take(file.files[0], file.files[0].name));
part("[name=example]").addEventListener("click", async () => {
  take(await (await fetch(new URL("./example.png", import.meta.url))).blob(), "example.png");
});
for (const menu of [model, tile]) menu.addEventListener("change", run);
stop.addEventListener("click", () => { worker.terminate(); end("Stopped."); });
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const [dropped] = event.dataTransfer.files;
  if (dropped) take(dropped, dropped.name);
});
