// A network on a picture, tile by tile, beside the page. The tiles are those of
// srlib.evaluation.inference.forward: each sees `overlap` pixels beyond its own part.

const HERE = new URL("./ort/", import.meta.url).href;
const sessions = {};

async function runtime(gpu) {
  const ort = await import(`${HERE}ort.${gpu ? "webgpu" : "wasm"}.min.mjs`);
  ort.env.wasm.wasmPaths = HERE;
  // threads need a page that is isolated from others, which a plain file server does not ask for
  ort.env.wasm.numThreads = self.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  return ort;
}

async function session(model) {
  if (sessions[model]) return sessions[model];
  for (const provider of navigator.gpu && (await navigator.gpu.requestAdapter()) ? ["webgpu", "wasm"] : ["wasm"]) {
    try {
      const ort = await runtime(provider === "webgpu");
      const made = await ort.InferenceSession.create(model, {
        executionProviders: [provider],
        logSeverityLevel: 3, // else notes on where each operator runs come as errors
      });
      sessions[model] = { ort, made, provider };
      return sessions[model];
    } catch (error) {
      if (provider === "wasm") throw error;
    }
  }
}

// a part of the picture as floats in 0..1, its edge repeated up to what the network needs
function input({ pixels, width }, { top, left, height: h, width: w }, least) {
  const high = Math.max(h, least), wide = Math.max(w, least);
  const lr = new Float32Array(3 * high * wide);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const from = 4 * ((top + Math.min(y, h - 1)) * width + left + Math.min(x, w - 1));
      for (let c = 0; c < 3; c++) lr[(c * high + y) * wide + x] = pixels[from + c] / 255;
    }
  }
  return { lr, high, wide };
}

async function upscale(asked) {
  const { width, height, scale, tile, overlap, model, least, floats } = asked;
  const { ort, made, provider } = await session(model);
  const step = tile || Math.max(width, height), beyond = tile ? overlap : 0;
  const count = Math.ceil(height / step) * Math.ceil(width / step);
  const whole = floats ? new Float32Array(3 * scale * height * scale * width) : null;
  const started = performance.now();
  let done = 0;
  for (let top = 0; top < height; top += step) {
    for (let left = 0; left < width; left += step) {
      const own = { width: Math.min(step, width - left), height: Math.min(step, height - top) };
      const seen = { top: Math.max(0, top - beyond), left: Math.max(0, left - beyond) };
      seen.height = Math.min(top + own.height + beyond, height) - seen.top;
      seen.width = Math.min(left + own.width + beyond, width) - seen.left;
      const { lr, high, wide } = input(asked, seen, least);
      const fed = { lr: new ort.Tensor("float32", lr, [1, 3, high, wide]) };
      const sr = (await made.run(fed)).sr.data;
      const rgba = new Uint8ClampedArray(4 * scale * own.height * scale * own.width).fill(255);
      for (let c = 0; c < 3; c++) {
        for (let y = 0; y < scale * own.height; y++) {
          let from = (c * scale * high + y + scale * (top - seen.top)) * scale * wide;
          from += scale * (left - seen.left);
          for (let x = 0; x < scale * own.width; x++) {
            const value = sr[from + x];
            rgba[4 * (y * scale * own.width + x) + c] = value * 255; // rounds and clips
            if (whole) whole[(c * scale * height + scale * top + y) * scale * width + scale * left + x] = value;
          }
        }
      }
      done += 1;
      const at = { x: scale * left, y: scale * top, width: scale * own.width, height: scale * own.height };
      postMessage({ tile: { ...at, rgba }, done, count }, [rgba.buffer]);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  postMessage({ finished: true, seconds, provider, threads: ort.env.wasm.numThreads, floats: whole });
}

onmessage = async ({ data }) => {
  try {
    await upscale(data);
  } catch (error) {
    postMessage({ error: error.message ?? String(error) });
  }
};
