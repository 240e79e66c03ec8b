// A viewer of reconstructions of one image: wipe, side by side, flip and difference, zoomed together.
//
// mount(element, data) fills an element and returns { show(data) }, which changes what is shown.
// data is what srlib.viewer.as_data makes:
//   { images: [{ name, note, pictures: [{ name, src, psnr_y, ssim_y }] }], left, right, mode }
// src is any address of a picture (data:, blob:, a file of the same site); all pictures of an image
// have one size; scores and note may be missing.

const MODES = { wipe: "Wipe", side: "Side by side", flip: "Flip", difference: "Difference" };
const HELP = {
  wipe: "Drag, click or arrow keys move the cut; Shift with them moves the picture.",
  side: "Drag or arrow keys move both pictures.",
  flip: "Space or a click flips; drag or arrow keys move the picture.",
  difference: "Drag or arrow keys move the picture.",
};
const GAIN = 8; // of the difference map: 32 levels of Y are white
const LARGEST = 32; // factor
const TALLEST = 640; // of the stage, in CSS pixels
const NEARLY = 0.35; // of a factor that a picture may exceed its room by, when it is fitted
const GAP = 4; // between two pictures side by side, in CSS pixels
const CLICK = 4; // a pointer that moved less, in CSS pixels, has clicked

export function mount(element, data) {
  const view = { image: 0, left: "", right: "", mode: "wipe", cut: 0.5, flipped: false };
  // factor: screen pixels a picture's pixel; centre: the picture's point in the middle of a pane
  Object.assign(view, { factor: 1, fitted: true, centre: null });
  let shown = null; // { left, right }, decoded

  const part = build(element);
  const context = part.stage.getContext("2d");

  function show(changed) {
    data = changed;
    view.image = 0;
    view.left = data.left || data.images[0].pictures[0].name;
    view.right = data.right || data.images[0].pictures.at(-1).name;
    view.mode = data.mode || "wipe";
    options(part.image, data.images.map((image) => [image.name, true]));
    part.image.closest("label").hidden = data.images.length < 2;
    return choose();
  }

  // --- what is chosen ---------------------------------------------------------------------------

  async function choose() {
    const { pictures } = data.images[view.image];
    const all = [...new Set(data.images.flatMap((image) => image.pictures.map((p) => p.name)))];
    const has = (name) => pictures.some((picture) => picture.name === name);
    if (!has(view.left)) view.left = pictures[0].name;
    if (!has(view.right)) view.right = pictures.at(-1).name;
    for (const side of ["left", "right"]) {
      options(part[side], all.map((name) => [name, has(name)]));
      part[side].value = view[side];
    }
    const wanted = [view.left, view.right].map((name) => pictures.find((p) => p.name === name));
    try {
      const [left, right] = await Promise.all(wanted.map(decoded));
      if (view.left !== left.name || view.right !== right.name || !pictures.includes(left)) return;
      const size = (one) => one && `${one.left.bitmap.width}x${one.left.bitmap.height}`;
      const before = size(shown);
      shown = { left, right };
      if (size(shown) !== before) fit();
    } catch {
      part.status.textContent = `A picture of ${wanted.map((p) => p.name).join(" or ")} cannot be read.`;
      return;
    }
    draw();
  }

  function setMode(mode) {
    view.mode = mode;
    view.flipped = false;
    if (view.fitted) fit();
    else layOut();
  }

  function flip() {
    if (view.mode !== "flip") setMode("flip");
    else view.flipped = !view.flipped;
    draw();
  }

  // --- where things are, in screen pixels -------------------------------------------------------

  const ratio = () => window.devicePixelRatio || 1;
  const size = () => [shown.left.bitmap.width, shown.left.bitmap.height];
  const room = () => Math.max(1, Math.floor(part.frame.clientWidth * ratio()));
  const tall = () => Math.floor(TALLEST * ratio());
  const gap = () => (view.mode === "side" ? Math.round(GAP * ratio()) : 0);
  const paneRoom = () => (view.mode === "side" ? (room() - gap()) / 2 : room());

  // The whole factor, or one over a whole number, with which all of the picture is seen, or nearly.
  function fit() {
    if (!shown) return;
    const [width, height] = size();
    const scale = Math.min(paneRoom() / width, tall() / height);
    view.fitted = true;
    const whole = Math.floor(scale + NEARLY);
    view.factor = whole >= 1 ? Math.min(LARGEST, whole) : 1 / Math.ceil(1 / scale);
    view.centre = [width / 2, height / 2];
    layOut();
  }

  function zoom(step) {
    const n = view.factor >= 1 ? view.factor : 2 - 1 / view.factor; // 1/3, 1/2, 1, 2 are -1, 0, 1, 2
    const next = Math.max(-14, Math.min(LARGEST, n + step));
    view.factor = next >= 1 ? next : 1 / (2 - next);
    view.fitted = false;
    layOut();
  }

  function layOut() {
    if (!shown) return;
    const [width, height] = size();
    const pane = Math.floor(Math.min(paneRoom(), width * view.factor));
    part.stage.width = view.mode === "side" ? 2 * pane + gap() : pane;
    part.stage.height = Math.floor(Math.min(tall(), height * view.factor));
    part.stage.style.width = `${part.stage.width / ratio()}px`;
    part.stage.style.height = `${part.stage.height / ratio()}px`;
    move(0, 0);
  }

  function panes() {
    const { width } = part.stage;
    const each = view.mode === "side" ? (width - gap()) / 2 : width;
    return view.mode === "side" ? [[0, each], [each + gap(), each]] : [[0, each]];
  }

  // Move the picture by screen pixels; it never leaves an empty border where it could fill it.
  function move(x, y) {
    const within = [panes()[0][1], part.stage.height];
    view.centre = view.centre.map((at, axis) => {
      const half = within[axis] / 2 / view.factor;
      const side = size()[axis];
      if (2 * half >= side) return side / 2;
      return Math.max(half, Math.min(side - half, at - [x, y][axis] / view.factor));
    });
    draw();
  }

  // --- drawing ----------------------------------------------------------------------------------

  function draw() {
    if (!shown) return;
    const { width, height } = part.stage;
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = view.factor < 1;
    const [first, second] = panes();
    const { left, right } = shown;
    const at = Math.round(view.cut * width);
    if (view.mode === "wipe") {
      paint(left.bitmap, first, 0, at);
      paint(right.bitmap, first, at, width);
      context.fillStyle = "black";
      context.fillRect(at - 2, 0, 4, height);
      context.fillStyle = "white";
      context.fillRect(at - 1, 0, 2, height);
    } else if (view.mode === "side") {
      paint(left.bitmap, first, 0, first[1]);
      paint(right.bitmap, second, second[0], width);
    } else if (view.mode === "flip") {
      paint((view.flipped ? right : left).bitmap, first, 0, width);
    } else {
      paintDifference(left.bitmap, right.bitmap, first);
    }
    describe();
  }

  function corner([x, width]) {
    const middle = [x + width / 2, part.stage.height / 2];
    return view.centre.map((at, axis) => Math.round(middle[axis] - at * view.factor));
  }

  function paint(bitmap, pane, from, to) {
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, part.stage.height);
    context.clip();
    const [width, height] = size();
    context.drawImage(bitmap, ...corner(pane), width * view.factor, height * view.factor);
    context.restore();
  }

  // |Y of one - Y of the other| of the pixels that are seen.
  function paintDifference(one, other, pane) {
    const [x, y] = corner(pane);
    const start = [x, y].map((at) => Math.max(0, Math.floor(-at / view.factor)));
    const within = [part.stage.width, part.stage.height];
    const [width, height] = size().map((side, axis) =>
      Math.min(side - start[axis], Math.ceil(within[axis] / view.factor) + 1));
    const map = Object.assign(document.createElement("canvas"), { width, height });
    const onto = map.getContext("2d", { willReadFrequently: true });
    const lumas = [one, other].map((bitmap) => {
      onto.drawImage(bitmap, -start[0], -start[1]);
      return onto.getImageData(0, 0, width, height);
    });
    const [a, b] = lumas.map((pixels) => pixels.data);
    for (let i = 0; i < a.length; i += 4) {
      const y = 65.481 * (a[i] - b[i]) + 128.553 * (a[i + 1] - b[i + 1]) + 24.966 * (a[i + 2] - b[i + 2]);
      a[i] = a[i + 1] = a[i + 2] = GAIN * Math.abs(y / 255);
      a[i + 3] = 255;
    }
    onto.putImageData(lumas[0], 0, 0);
    const [left, top] = [x + start[0] * view.factor, y + start[1] * view.factor];
    context.drawImage(map, left, top, width * view.factor, height * view.factor);
  }

  function describe() {
    const { left, right } = shown;
    const image = data.images[view.image];
    const same = view.mode === "difference";
    label(part.leftLabel, view.mode === "flip" && view.flipped ? right : left);
    label(part.rightLabel, right);
    part.rightLabel.hidden = view.mode === "flip" || same;
    if (same) {
      const white = Math.round(255 / GAIN);
      part.leftLabel.textContent = `|${left.name} − ${right.name}|\nY; white: ${white} levels or more`;
    }
    for (const [mode, button] of Object.entries(part.modes)) {
      button.setAttribute("aria-pressed", mode === view.mode);
    }
    part.factor.textContent = view.factor >= 1 ? `×${view.factor}` : `1/${Math.round(1 / view.factor)}`;
    part.cutRow.hidden = view.mode !== "wipe";
    part.cut.value = Math.round(100 * view.cut);
    part.flip.hidden = view.mode !== "flip";
    part.help.textContent = `${HELP[view.mode]} + and − zoom, 0 fits, W S F D choose how, Space flips.`;
    part.note.textContent = image.note || "";
    const fits = size().every((side, axis) =>
      side * view.factor <= [panes()[0][1], part.stage.height][axis]);
    part.stage.style.touchAction = fits ? "pan-y" : "none"; // a picture that fits lets the page scroll
    part.stage.dataset.mode = view.mode;
    const what = view.mode === "flip"
      ? `${words(view.flipped ? right : left)} shown`
      : `${words(left)}, and ${words(right)}`;
    const cut = view.mode === "wipe" ? `, cut at ${part.cut.value}%` : "";
    const said = `${image.name}: ${what}; ${MODES[view.mode].toLowerCase()}${cut}`;
    part.stage.setAttribute("aria-label", said);
  }

  // --- what the reader does ---------------------------------------------------------------------

  part.image.addEventListener("change", () => {
    view.image = part.image.selectedIndex;
    choose();
  });
  for (const side of ["left", "right"]) {
    part[side].addEventListener("change", () => {
      view[side] = part[side].value;
      choose();
    });
  }
  for (const [mode, button] of Object.entries(part.modes)) {
    button.addEventListener("click", () => setMode(mode));
  }
  part.cut.addEventListener("input", () => cutAt(part.cut.value / 100));
  part.flip.addEventListener("click", flip);
  part.smaller.addEventListener("click", () => zoom(-1));
  part.larger.addEventListener("click", () => zoom(1));
  part.fit.addEventListener("click", fit);

  function cutAt(place) {
    view.cut = Math.max(0, Math.min(1, place));
    draw();
  }

  let held = null; // the pointer that drags: where it was, how far it went, and what it moves
  part.stage.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    part.stage.setPointerCapture(event.pointerId); // so that a drag past the edge goes on
    const cuts = view.mode === "wipe" && !event.shiftKey && event.button === 0;
    held = { x: event.clientX, y: event.clientY, far: 0, cuts };
    if (cuts) cutAtPointer(event);
    if (event.button === 1) event.preventDefault(); // the middle button moves, and must not scroll
  });
  part.stage.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    held.far += Math.abs(x) + Math.abs(y);
    Object.assign(held, { x: event.clientX, y: event.clientY });
    if (held.cuts) cutAtPointer(event);
    else move(x * ratio(), y * ratio());
  });
  part.stage.addEventListener("pointerup", () => {
    if (held && view.mode === "flip" && held.far < CLICK) flip();
    held = null;
  });
  part.stage.addEventListener("pointercancel", () => (held = null));
  part.stage.addEventListener("dragstart", (event) => event.preventDefault());

  function cutAtPointer(event) {
    const area = part.stage.getBoundingClientRect();
    cutAt((event.clientX - area.left) / area.width);
  }

  part.stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1 : -1);
  }, { passive: false });

  const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const KEYS = {
    "+": () => zoom(1), "=": () => zoom(1), "-": () => zoom(-1), 0: fit, " ": flip,
    Home: () => cutAt(0), End: () => cutAt(1),
    w: () => setMode("wipe"), s: () => setMode("side"),
    f: () => setMode("flip"), d: () => setMode("difference"),
  };
  part.stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const key = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!arrow && !key) return;
    event.preventDefault();
    if (key) return key();
    const step = 16 * ratio();
    if (view.mode === "wipe" && !event.shiftKey && arrow[0]) cutAt(view.cut - arrow[0] * 0.02);
    else move(arrow[0] * step, arrow[1] * step);
  });

  new ResizeObserver(() => {
    if (view.fitted) fit();
    else layOut();
  }).observe(part.frame);

  show(data);
  return { show };
}

// --- the elements -------------------------------------------------------------------------------

function build(element) {
  const part = { modes: {} };
  element.replaceChildren();
  element.classList.add("srlib-viewer");
  const menus = add(element, "div", { className: "row" });
  for (const name of ["image", "left", "right"]) {
    const own = add(menus, "label", { textContent: `${name[0].toUpperCase()}${name.slice(1)} ` });
    part[name] = add(own, "select");
  }
  const buttons = add(element, "div", { className: "row" });
  const modes = add(buttons, "div", { className: "group" });
  modes.setAttribute("role", "group");
  modes.setAttribute("aria-label", "How to compare");
  for (const [mode, words] of Object.entries(MODES)) {
    part.modes[mode] = add(modes, "button", { type: "button", textContent: words });
  }
  const zooms = add(buttons, "div", { className: "group" });
  zooms.setAttribute("role", "group");
  zooms.setAttribute("aria-label", "Size");
  part.smaller = add(zooms, "button", { type: "button", textContent: "−", ariaLabel: "Smaller" });
  part.factor = add(zooms, "output");
  part.larger = add(zooms, "button", { type: "button", textContent: "+", ariaLabel: "Larger" });
  part.fit = add(zooms, "button", { type: "button", textContent: "Fit" });
  part.flip = add(buttons, "button", { type: "button", textContent: "Flip now" });

  part.frame = add(element, "div", { className: "frame" });
  const holder = add(part.frame, "div", { className: "holder" });
  part.stage = add(holder, "canvas", { tabIndex: 0 });
  part.stage.setAttribute("role", "img");
  part.stage.setAttribute("aria-label", "pictures are loading");
  part.leftLabel = add(holder, "div", { className: "name left" });
  part.rightLabel = add(holder, "div", { className: "name right" });

  part.cutRow = add(element, "label", { className: "row", textContent: "Cut " });
  part.cut = add(part.cutRow, "input", { type: "range", min: 0, max: 100 });
  part.note = add(element, "p");
  part.help = add(element, "p", { className: "help" });
  part.status = add(element, "p");
  part.status.setAttribute("role", "status");
  return part;
}

function add(parent, tag, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  parent.append(node);
  return node;
}

function options(menu, names) {
  menu.replaceChildren(...names.map(([name, there]) =>
    Object.assign(new Option(name, name), { disabled: !there })));
}

const loaded = new Map(); // by address, so that a picture is decoded once

async function decoded(picture) {
  if (!loaded.has(picture.src)) {
    const bitmap = new Image();
    bitmap.src = picture.src;
    loaded.set(picture.src, bitmap.decode().then(() => bitmap));
  }
  picture.bitmap = await loaded.get(picture.src);
  return picture;
}

function scores(picture) {
  const found = [];
  if (picture.psnr_y != null) found.push(`PSNR-Y ${picture.psnr_y.toFixed(2)} dB`);
  if (picture.ssim_y != null) found.push(`SSIM-Y ${picture.ssim_y.toFixed(4)}`);
  return found;
}

function label(node, picture) {
  node.hidden = false;
  node.textContent = [picture.name, ...scores(picture)].join("\n");
}

function words(picture) {
  return [picture.name, ...scores(picture)].join(" ");
}
