// MATLAB's imresize with the bicubic kernel, enlarging by a whole number: as srlib.imresize with
// border="replicate". Rows first, then columns, each rounded to 8 bits.

function cubic(x) {
  const d = Math.abs(x);
  if (d <= 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
  return d <= 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
}

// the four inputs of each output along one side, and their weights
function taps(size, scale) {
  const found = [];
  for (let at = 0; at < size * scale; at++) {
    const centre = (at + 0.5) / scale - 0.5;
    const first = Math.floor(centre) - 1;
    const weights = [0, 1, 2, 3].map((k) => cubic(centre - first - k));
    const inputs = [0, 1, 2, 3].map((k) => Math.min(Math.max(first + k, 0), size - 1));
    found.push({ inputs, weights });
  }
  return found;
}

const rounded = (value) => Math.min(Math.max(Math.floor(value + 0.5), 0), 255);

// bytes of height x width x channels -> the same, scale times as high and wide
export function enlarge(pixels, width, height, scale, channels = 4) {
  const wide = scale * width, high = scale * height;
  const middle = new Uint8ClampedArray(high * width * channels);
  const result = new Uint8ClampedArray(high * wide * channels);
  taps(height, scale).forEach(({ inputs, weights }, y) => {
    for (let i = 0; i < width * channels; i++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += weights[k] * pixels[inputs[k] * width * channels + i];
      middle[y * width * channels + i] = rounded(sum);
    }
  });
  const columns = taps(width, scale);
  for (let y = 0; y < high; y++) {
    columns.forEach(({ inputs, weights }, x) => {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < 4; k++) {
          sum += weights[k] * middle[(y * width + inputs[k]) * channels + c];
        }
        result[(y * wide + x) * channels + c] = rounded(sum);
      }
    });
  }
  return result;
}
