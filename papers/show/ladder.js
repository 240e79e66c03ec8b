// The look-up of srlib/doctor/why.py in the browser: same numbers, same order.
function render(grid, el) {
  const box = make("div", "srlib-ladder");
  const menus = {};
  const bar = make("div");
  for (const name of ["network", "scale", "set", "image"]) {
    menus[name] = document.createElement("select");
    bar.append(labelled(name, menus[name]));
    menus[name].addEventListener("change", () => { fill(name); show(); });
  }
  const number = document.createElement("input");
  number.value = "32.186";
  number.addEventListener("input", show);
  const printed = document.createElement("input");
  printed.placeholder = "if not by weights here";
  printed.addEventListener("input", show);
  bar.append(labelled("your PSNR", number), labelled("printed", printed));
  const answer = make("div"), ladder = document.createElement("table");
  box.append(bar, answer, ladder);
  el.append(box);

  const keys = ["network", "scale", "set", "image"];
  const choose = (menu, values, wanted) => {
    menu.replaceChildren(...values.map((value) => new Option(value || "whole set", value)));
    menu.value = values.includes(wanted) ? wanted : values[0];
  };
  // Each menu offers what the grid holds for those before it.
  function fill(from) {
    keys.forEach((key, place) => {
      if (from && place <= keys.indexOf(from)) return;
      const before = keys.slice(0, place);
      const fitting = grid.places.filter((row) => before.every((k, i) => String(row[i]) === menus[k].value));
      const first = { network: "imdn", scale: "4", set: "Set5", image: "" };
      choose(menus[key], [...new Set(fitting.map((row) => String(row[place])))], menus[key].value || first[key]);
    });
  }

  function show() {
    const row = grid.places.find((one) => keys.every((key, i) => String(one[i]) === menus[key].value));
    const values = row[4];
    const field = values.find(([p]) => grid.protocols[p][0].length === 0)[1];
    const typed = read(number.value), expected = read(printed.value);
    // With a printed score it is the difference that counts, and the step is added to the field's.
    const shift = expected ? field - expected.value : 0;
    const rows = values.map(([p, value]) => ({ p, value, cost: cost(p, row[0]), fits: false }));
    for (const one of rows) {
      if (!typed) continue;
      const step = one.value - field;
      const slack = expected ? grid.margin[0] + grid.margin[row[3] ? 2 : 1] * Math.abs(step) : grid.otherDevice;
      const low = typed.value - typed.step / 2 - (expected ? expected.step : 0);
      const high = typed.value + typed.step + (expected ? expected.step / 2 : 0);
      one.fits = low + shift - slack <= one.value && one.value < high + shift + slack;
      if (expected && one.cost === 0) one.fits = false;
    }
    const at = typed ? typed.value + shift : NaN;
    const fits = rows.filter((one) => one.fits);
    fits.sort((a, b) => a.cost - b.cost || Math.abs(a.value - at) - Math.abs(b.value - at));
    answer.replaceChildren(...(typed ? told(fits, rows, at) : [make("p", "", "Type a number such as 32.186.")]));
    const rungs = rows.filter((one) => grid.protocols[one.p][0].length < 2 || fits.slice(0, 5).includes(one));
    if (typed) rungs.push({ value: at, yours: true });
    rungs.sort((a, b) => b.value - a.value);
    ladder.replaceChildren(...rungs.map((one) => rung(one, field, typed, expected)));
  }

  function told(fits, rows, at) {
    if (!fits.length) {
      const near = rows.reduce((a, b) => (Math.abs(a.value - at) <= Math.abs(b.value - at) ? a : b));
      const miss = Math.abs(near.value - at).toFixed(4);
      return [make("p", "", `None of ${rows.length} protocols gives it. The nearest misses by ${miss} dB: ${words(near.p)}. Other weights, other HR images and changed LR files are not in the grid.`)];
    }
    const list = document.createElement("ol");
    for (const one of fits.slice(0, 5)) {
      const item = make("li", "", `${one.value.toFixed(4)} dB: ${words(one.p)}`);
      for (const name of names(one.p, menus.network.value)) item.append(make("div", "small", `So scores: ${name}`));
      for (const mend of new Set(grid.protocols[one.p][0].map((c) => grid.choices[c][1])))
        item.append(make("div", "small", `To fix: ${mend}`));
      list.append(item);
    }
    const more = fits.length > 5 ? [make("p", "small", `${fits.length - 5} more fit; with more digits, fewer.`)] : [];
    return [list, ...more];
  }

  function rung(one, field, typed, expected) {
    const line = document.createElement("tr");
    const single = one.yours || grid.protocols[one.p][0].length;
    line.className = one.yours ? "yours" : one.fits ? "fits" : single ? "" : "field";
    const difference = one.value - field;
    line.append(
      make("td", "db", one.yours ? typed.text : one.value.toFixed(4)),
      make("td", "db", (difference < 0 ? "−" : "+") + Math.abs(difference).toFixed(3)),
      make("td", "", one.yours ? (expected ? "your number, by its difference to the printed one" : "your number") : words(one.p)),
    );
    return line;
  }

  const words = (p) => grid.protocols[p][0].map((c) => grid.choices[c][0]).join("; ") || "the field's protocol";
  // [name, cost] of the evaluators that score so, for this network
  const known = (p, network) => grid.protocols[p][1]
    .map(([e, cost]) => [...grid.evaluators[e], cost])
    .filter(([, of]) => !of || of === network)
    .map(([name, , cost]) => [name, cost]);
  const cost = (p, network) => Math.min(grid.protocols[p][0].length, ...known(p, network).map(([, c]) => c));
  const names = (p, network) => {
    const all = known(p, network), least = Math.min(...all.map(([, c]) => c));
    return all.filter(([, c]) => c === least).slice(0, 3).map(([name]) => name);
  };
  fill();
  show();
}

// A typed score and one unit of its last digit; null where it is none.
function read(text) {
  if (!/^\d+(\.\d+)?$/.test(text.trim())) return null;
  const digits = (text.trim().split(".")[1] || "").length;
  return { text: text.trim(), value: +text, step: 10 ** -digits };
}

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
}

function labelled(name, field) {
  const label = make("label", "", name + " ");
  label.append(field);
  return label;
}
